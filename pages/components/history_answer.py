"""Did it converge? The answer in one sentence, and the counts it rests on."""

import streamlit as st

from pages.components import frame
from tuning.analysis.history import HistoryInfo
from tuning.analysis.look import count, three_digits
from tuning.analysis.outcomes import FAILURE_WORDS
from tuning.analysis.summary import StudySummary


def answer(info: HistoryInfo, *, imported: HistoryInfo | None = None) -> str | None:
    """Return the answer about a study's own trials, or None while none of them is complete.

    `imported` is the history of the trials that it took over from the study that it continues.
    """
    theirs = ""
    if imported and imported.best_value is not None:
        reached = three_digits(imported.best_value)
        theirs = f" Best of the imported: {reached} (trial {imported.best_number})."
    if info.best_value is None or info.best_number is None:
        return f"No trial of its own is complete yet.{theirs}" if theirs else None
    later = [n for n, _ in info.complete + info.pruned if n > info.best_number]
    after = f"after {count(info.n_ended, 'trial')}{' of its own' if theirs else ''}"
    since = f"nothing better for {len(later)}" if later else "and it is the newest"
    again = {n: f", trial {trial} of {study} again" for n, study, trial in info.reruns}
    best = f"trial {info.best_number}{again.get(info.best_number, '')}"
    sentence = f"Best so far: {three_digits(info.best_value)} ({best}) {after}; {since}."
    others = [(name, value) for number, name, value in info.baselines if number != info.best_number]
    if others:
        sentence += f" {others[0][0]}: {three_digits(others[0][1])}."
    return sentence + theirs


def draw_counts(summary: StudySummary, *, total: int | None) -> None:
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
