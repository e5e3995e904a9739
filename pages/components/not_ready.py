"""What pages that need finished trials start with: those trials, or a sentence instead of the page."""

from collections.abc import Callable, Sequence

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import opened_study
from tuning.launch import Run


def finished_trials(run: Run, not_ready: Callable[[Sequence[FrozenTrial]], str | None]) -> list[FrozenTrial]:
    """Return the finished trials; where `not_ready` names what is missing, say that and end the page."""
    if not run.study.trials and run.source:
        opened_study.draw_no_trials(run)
        st.stop()
    ended = [t for t in run.study.trials if t.state.is_finished()]
    missing = not_ready(ended or run.study.trials)
    if missing:
        st.info(missing, icon=":material/hourglass_empty:")
        if run.source is None:
            st.page_link(
                "pages/live.py",
                label="Live",
                icon=":material/monitoring:",
                query_params={"study": run.folder.id},
            )
        st.stop()
    return ended
