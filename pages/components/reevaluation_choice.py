"""Which of a study's re-evaluations is looked at: the address says so, else it is the newest."""

import time
from collections.abc import Sequence

import streamlit as st

from pages.components.reevaluation_form import ADDRESS
from tuning.analysis.look import count
from tuning.budget_words import run_words
from tuning.reevaluation_jobs import ReevaluationJob

_PICKER = "reevaluation-picker"


def choose(found: Sequence[ReevaluationJob]) -> ReevaluationJob | None:
    """Return the one that is looked at, and draw a picker where there are several; None without any.

    Args:
        found: those that can be read, newest first.
    """
    if not found:
        st.query_params.pop(ADDRESS, None)
        return None
    by_id = {job.folder.id: job for job in found}
    wanted = st.query_params.get(ADDRESS)
    chosen = by_id.get(wanted or "", found[0])
    if wanted is not None and wanted != chosen.folder.id:
        st.query_params[ADDRESS] = chosen.folder.id  # of another study, or deleted
    if len(found) > 1:
        st.session_state[_PICKER] = chosen.folder.id
        numbers = {name: len(found) - place for place, name in enumerate(by_id)}  # the oldest is the first
        st.selectbox(
            "Re-evaluation",
            list(by_id),
            format_func=lambda name: f"{numbers[name]}. {words(by_id[name])}",
            key=_PICKER,
            on_change=_pick,
            help="Each one stands alone; their runs are never pooled. It travels in the page's address.",
        )
    return chosen


def words(job: ReevaluationJob) -> str:
    """Return what a re-evaluation is, in one plain line that stays as it is: a picker tells options by it."""
    q = job.question
    n = count(len(q.candidates), "candidate")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.status.created_at))
    state = "" if job.status.state.value == "finished" else f", {job.status.state.value}"
    if q.mode == "weights":
        return f"Same weights: {n}, {count(q.n_episodes, 'episode')}, {when}{state}"
    steps = ""
    if q.n_timesteps != q.study_timesteps:
        steps = f", {run_words(q)} ({q.n_timesteps / q.study_timesteps:.3g}x)"
    return f"Retrained: {n}, {count(q.n_seeds, 'seed')}{steps}, {when}{state}"


def _pick() -> None:
    st.query_params[ADDRESS] = st.session_state[_PICKER]
