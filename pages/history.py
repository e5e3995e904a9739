"""Did it converge?"""

import datetime

import streamlit as st

from pages.components import (
    about_study,
    best_configuration,
    budget_check_line,
    cached,
    frame,
    history_counts,
    lineage_line,
    measured_again,
    new_trials,
    note_field,
    opened_study,
    trial_choice,
    trial_detail,
    trial_views,
    verdict_badge,
    winner_line,
)
from storage.trials import imported, own
from tuning.analysis.answers import history_answer
from tuning.analysis.history import history_info
from tuning.combinations import planned_trials
from tuning.launch import Run

frame.open_page("History", "Did it converge?", icon=":material/show_chart:")
folder = frame.require_study()
run = frame.require_run(folder)
trial_choice.start(folder)

ours, taken_over = own(run.study.trials), imported(run.study.trials)
maximize = run.study.maximize
answer = history_answer(
    history_info(ours, maximize=maximize), imported=history_info(taken_over, maximize=maximize)
)
if answer:
    st.markdown(f"**{frame.escape(answer)}**")
history_counts.draw(cached.summary(folder), total=planned_trials(run.spec) if run.spec else None)
verdict_badge.draw(folder)
lineage_line.draw(folder)
measured_again.draw(run)
budget_check_line.draw(run)
about_study.draw_line(folder)
note_field.draw_kept(run.study.notes.get(None))
new_trials.watch(run)

if not run.study.trials and run.source:
    opened_study.draw_no_trials(run)
    st.stop()
if not run.study.trials:
    st.info("This study has no trials yet. Live shows how it starts.", icon=":material/hourglass_empty:")
    st.page_link(
        "pages/live.py", label="Live", icon=":material/monitoring:", query_params={"study": folder.id}
    )
    st.stop()


@st.fragment
def trials_and_detail(run: Run, now: datetime.datetime) -> None:
    """Draw the trials and the one that is looked at; clicks and toggles redraw only this."""
    theme = frame.theme()
    chosen = trial_choice.chosen(run.study.trials)
    trial_views.draw(run, theme=theme, now=now, chosen=chosen.number if chosen else None)
    trial = trial_choice.draw_picker(run.study.trials, is_running=run.may_run)
    if trial:
        with st.container(border=True, key="trial-detail"):
            trial_detail.draw(run, trial, theme=theme)


trials_and_detail(run, datetime.datetime.now())


@st.fragment
def best(run: Run) -> None:
    """Another format redraws only this."""
    st.subheader("Best configuration", anchor=False)
    winner_line.draw_chosen(run.folder)
    best_configuration.draw_best(run)


best(run)
