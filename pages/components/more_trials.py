"""Not enough trials for a verdict: how many more it takes, and a button that runs them."""

import streamlit as st

from pages.components import frame, job_controls
from storage.paths import RunFolder
from storage.trials import counted
from tuning import launch
from tuning.analysis.look import count
from tuning.launch import Run


def draw(run: Run, missing: int) -> bool:
    """Draw the button, or say what to do where there is none; return whether there is a button."""
    if run.spec is None:
        st.info(
            f"This study was not launched from here: run {count(missing, 'more trial')} where it lives, "
            "then come back.",
            icon=":material/add:",
        )
        return False
    done, budget = len(counted(run.study.trials)), run.spec.budget.n_trials
    alive = run.status.state.alive
    if alive and budget - done >= missing:
        st.info(
            f"The study is running: {count(budget - done, 'trial')} of its budget are still to come, and the "
            f"verdicts need {missing}.",
            icon=":material/hourglass_empty:",
        )
        return False
    total = max(budget, done + missing)
    more = count(total - budget if alive else total - done, "more trial")
    if st.button(
        f"Add {more} to the budget" if alive else f"Run {more}",
        type="primary",
        icon=":material/play_arrow:",
        help=f"Sets the budget to {count(total, 'trial')} and goes on with the study.",
    ):
        _run(run.folder, total, alive=alive)
    if problem := st.session_state.get(job_controls.PROBLEM):
        st.error(frame.escape(problem), icon=":material/error:")
    return True


def _run(folder: RunFolder, total: int, *, alive: bool) -> None:
    job_controls.attempt(
        lambda: launch.extend(folder, total) if alive else launch.resume(folder, n_trials=total)
    )
    if job_controls.PROBLEM not in st.session_state:
        st.toast(f"The budget is now {count(total, 'trial')}.", icon=":material/check:")
        frame.go("pages/live.py", folder)
