"""Not enough trials for a verdict: how many more it takes, and a button that runs them."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.components import frame, job_controls, room
from storage.paths import RunFolder
from storage.trials import counted
from tuning import launch
from tuning.access import is_read_only
from tuning.analysis.look import count
from tuning.analysis.verdict_words import most_missing
from tuning.jobs import JobState
from tuning.launch import Run

if TYPE_CHECKING:
    from tuning.analysis.saturation import SaturationInfo


def draw(run: Run, info: "SaturationInfo", *, primary: bool) -> None:
    """Say what a verdict needs, and draw the button that runs it, or what to do where there is none."""
    missing = most_missing(info)
    needed = max((p.evidence.n + p.missing for p in info.parameters if p.missing), default=0)
    st.caption(f"A verdict needs {needed} complete or pruned trials.")
    if run.spec is None:
        st.info(
            f"This study was not launched from here: run {count(missing, 'more trial')} where it lives, "
            "then come back.",
            icon=":material/add:",
        )
        return
    done, budget = len(counted(run.study.trials)), run.spec.budget.n_trials
    alive = run.status.state.moves
    does = "queued" if run.status.state == JobState.QUEUED else "running"
    if alive and budget - done >= missing:
        st.info(
            f"The study is {does}: {count(budget - done, 'trial')} of its budget "
            f"{'is' if budget - done == 1 else 'are'} still to come, and the verdicts need {missing}.",
            icon=":material/hourglass_empty:",
        )
        return
    if is_read_only():
        return
    total = max(budget, done + missing)
    more = count(total - budget if alive else total - done, "more trial")
    fits = alive or room.look().fits(run.spec.n_workers)
    about = f"Sets the budget to {count(total, 'trial')} and goes on with the study"
    with st.container(horizontal=True):
        if not fits and st.button(
            f"Queue {more}",
            type="primary" if primary else "secondary",
            icon=":material/hourglass_top:",
            help=f"{about} once enough cores are free.",
        ):
            _run(run.folder, total, alive=False, wait_in_queue=True)
        now = "" if fits else " now"
        if st.button(
            f"Add {more} to the budget" if alive else f"Run {more}{now}",
            type="primary" if primary and fits else "secondary",
            icon=":material/play_arrow:",
            help=f"{about}.",
        ):
            _run(run.folder, total, alive=alive)
    if problem := st.session_state.get(job_controls.PROBLEM):
        st.error(frame.escape(problem), icon=":material/error:")


def _run(folder: RunFolder, total: int, *, alive: bool, wait_in_queue: bool = False) -> None:
    job_controls.attempt(
        lambda: (
            launch.extend(folder, total)
            if alive
            else launch.resume(folder, n_trials=total, wait_in_queue=wait_in_queue)
        )
    )
    if job_controls.PROBLEM not in st.session_state:
        st.toast(f"The budget is now {count(total, 'trial')}.", icon=":material/check:")
        frame.go("pages/live.py", folder)
