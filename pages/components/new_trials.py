"""Notice that trials have ended since the page was drawn, without touching what nobody asked to change."""

from collections.abc import Sequence

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import cached
from tuning.jobs import job_status
from tuning.launch import Run

_EVERY_S = 3


def n_ended(trials: Sequence[FrozenTrial]) -> int:
    """Return how many trials have ended, whatever they came to."""
    return sum(t.state.is_finished() for t in trials)


def watch(*runs: Run) -> None:
    """While a study runs or waits for its turn, say how many trials are not shown yet, or show them."""
    growing = [run for run in runs if run.status.state.moves or _runs_elsewhere(run)]
    if growing:
        shown = sum(n_ended(run.study.trials) for run in growing)
        st.fragment(_watch, run_every=_EVERY_S)(growing, shown)


def _runs_elsewhere(run: Run) -> bool:
    return run.source is not None and any(not t.state.is_finished() for t in run.study.trials)


def _watch(runs: Sequence[Run], shown: int) -> None:
    if any(run.source is None and not job_status(run.folder).state.moves for run in runs):
        st.rerun()
    try:
        new = sum(n_ended(cached.run(run.folder).study.trials) for run in runs) - shown
    except cached.UNREADABLE:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        follow = st.toggle(
            "Add new trials as they end",
            value=True,
            key="follow",
            persist_state="session",
            help="Turn this off to zoom into a plot: new trials draw the plots anew.",
        )
        label = f"Show {new} new {'trial' if new == 1 else 'trials'}"
        asked = new > 0 and not follow and st.button(label, icon=":material/refresh:")
    if asked or (new > 0 and follow):
        st.rerun()
