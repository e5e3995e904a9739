"""Is the winner real, or was it lucky?"""

import streamlit as st

from pages.components import (
    frame,
    new_trials,
    not_ready,
    reevaluation_choice,
    reevaluation_form,
    reevaluation_mapping,
    reevaluation_panel,
    reevaluation_result,
    reevaluation_winner,
    reevaluation_words,
)
from tuning.access import is_read_only
from tuning.analysis import history
from tuning.analysis.look import count
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.reevaluation_jobs import ReevaluationJob, find_reevaluations

frame.open_page("Re-evaluation", "Is the winner real, or was it lucky?", icon=":material/verified:")
folder = frame.require_study()
run = frame.require_run(folder)

everything = find_reevaluations(folder)
found = [job for job in everything if isinstance(job, ReevaluationJob)]


def draw_request(run: Run, *, primary: bool) -> None:
    """Draw the form; of a study that is not ours, first what it needs to be trained."""
    is_known = reevaluation_mapping.known_spec(run) is not None
    if run.spec is None:
        reevaluation_mapping.draw(run, primary=primary and not is_known)
        reevaluation_mapping.draw_problem(run)
    if is_known:
        reevaluation_form.draw(run, primary=primary)


chosen = reevaluation_choice.choose(found)
if len(everything) > len(found):
    n = count(len(everything) - len(found), "re-evaluation")
    st.caption(f"{n} of this study cannot be read: the files were changed.")

if chosen is None:
    reevaluation_winner.draw(run, None, None)
    st.markdown(reevaluation_words.WHAT_IT_IS)
    if is_read_only():
        st.info("Nobody has re-evaluated this study yet.", icon=":material/hourglass_empty:")
        reevaluation_mapping.draw_problem(run)  # of a tab from before
        reevaluation_form.draw_problem(run)
        st.stop()
    new_trials.watch(run)
    not_ready.finished_trials(run, history.not_ready)
    draw_request(run, primary=True)
    reevaluation_form.draw_problem(run)
    st.stop()

if chosen.status.state.alive:
    reevaluation_panel.draw_running(run, chosen)
    st.stop()

if reevaluation_panel.is_starting(run, chosen):
    reevaluation_panel.draw_starting(run, chosen)
    st.stop()

if chosen.status.state != JobState.FINISHED:
    reevaluation_panel.draw_ended_early(run, chosen)
if chosen.results:
    reevaluation_result.draw(run, chosen, [job for job in found if job is not chosen])
reevaluation_panel.draw_actions(run, chosen)
if is_read_only():
    reevaluation_mapping.draw_problem(run)
else:
    another = st.expander(
        "Another re-evaluation", icon=":material/add:", key="reevaluation-another", on_change="rerun"
    )
    if another.open:  # a plan goes through all trials
        with another:
            draw_request(run, primary=False)
