"""The counts on which the answer to "did it converge?" rests."""

import streamlit as st

from pages.components import frame
from tuning.analysis.look import count
from tuning.analysis.outcomes import FAILURE_WORDS
from tuning.analysis.summary import StudySummary


def draw(summary: StudySummary, *, total: int | None) -> None:
    """Draw how many trials there are in each state, of the budget where that is known."""
    diverged = f", {summary.n_diverged} of them diverged" if summary.n_diverged else ""
    # Stopped, killed, interrupted: through no fault of their own, and run again.
    set_aside = {FAILURE_WORDS.get(kind, kind): n for kind, n in summary.failures if kind != "error"}
    n_errors = summary.n_failed - sum(set_aside.values())
    badges = [
        (f"{summary.n_counted} of {total} trials" if total else count(summary.n_trials, "trial"), "gray"),
        (f"{summary.n_complete} complete", "blue"),
        (f"{summary.n_pruned} pruned{diverged}" if summary.n_pruned else "", "yellow"),
        (f"{n_errors} failed" if n_errors else "", "red"),
        *((f"{n} {frame.escape(word[:20])}", "gray") for word, n in set_aside.items()),
        (f"{summary.n_running} running" if summary.n_running else "", "violet"),
        (f"{summary.n_waiting} waiting" if summary.n_waiting else "", "gray"),
        (f"{summary.n_imported} imported" if summary.n_imported else "", "gray"),
    ]
    with st.container(horizontal=True, gap="xsmall"):
        for words, colour in badges:
            if words:
                st.badge(words, color=colour)  # type: ignore[arg-type]
