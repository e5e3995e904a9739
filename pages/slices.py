"""Which parameters matter, and where?"""

from collections.abc import Sequence

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import (
    cached,
    frame,
    lineage_line,
    new_trials,
    not_ready,
    parameter_views,
    trial_choice,
    verdict_badge,
    viewport,
)
from tuning.analysis import slices
from tuning.analysis.answers import importance_answer
from tuning.analysis.space import declared_space
from tuning.launch import Run

frame.open_page("Slices", "Which parameters matter, and where?", icon=":material/scatter_plot:")
folder = frame.require_study()
run = frame.require_run(folder)
trial_choice.start(folder)
narrow = viewport.is_narrow()

answer = st.empty()
new_trials.watch(run)

ended = not_ready.finished_trials(run, slices.not_ready)

importance = cached.importance(run)
sentence = importance_answer(importance)
if sentence:
    answer.markdown(f"**{frame.escape(sentence)}**")
verdict_badge.draw(folder)
lineage_line.draw_imported(run)
declared = [p.name for p in run.spec.search_space] if run.spec else list(declared_space(ended))
names = parameter_views.by_importance(importance, declared)


@st.fragment
def each(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str], *, narrow: bool) -> None:
    """Redraw only the slices when one of their toggles changes."""
    parameter_views.draw_slices(run, trials, names, narrow=narrow)


@st.fragment
def pair(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str]) -> None:
    """Redraw only the contour when another pair is chosen."""
    parameter_views.draw_pair(run, trials, names)


each(run, ended, names, narrow=narrow)

if len(names) == 1:
    st.info(
        "With one parameter there is no other to weigh or to combine it with.", icon=":material/looks_one:"
    )
    st.stop()

st.subheader("Importance", anchor=False)
parameter_views.draw_importance(importance)

st.subheader("Two parameters together", anchor=False)
pair(run, ended, names)

st.subheader("Ranks over every pair", anchor=False)
parameter_views.draw_ranks(run, ended, names, narrow=narrow)

st.subheader("All parameters together", anchor=False)
parameter_views.draw_together(run, ended, names, narrow=narrow)
