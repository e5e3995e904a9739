"""What a budget check says about a study: a sentence on its History, and a level for its picture."""

import streamlit as st

from pages.components import budget_check_result, duplicating
from storage.paths import runs_root
from tuning.access import is_read_only
from tuning.analysis.budget_check import BudgetCheckInfo, budget_check_info
from tuning.budget_check import NoBudgetCheck, budget_check
from tuning.budget_check_jobs import CheckJob, newest_check
from tuning.launch import Run


def draw(run: Run) -> None:
    """Say what the newest check of the study's question found; nothing where there is none."""
    found = _found(run)
    if found is None:
        return
    job, info = found
    with st.expander(budget_check_result.label(info), icon=":material/help:"):
        budget_check_result.draw(job, info)
        if not is_read_only():
            st.page_link(
                "pages/launch.py",
                label="Check again on Launch",
                icon=":material/rocket_launch:",
                query_params={duplicating.LIKE: run.folder.id},
            )


def levels(run: Run) -> tuple[tuple[str, float], ...]:
    """Return what to draw across the study's trials: what the defaults reached with most steps."""
    found = _found(run)
    if found is None or found[1].baseline is None:
        return ()
    factor, value = found[1].baseline
    return ((f"SB3 defaults, {factor}x the steps", value),)


def _found(run: Run) -> tuple[CheckJob, BudgetCheckInfo] | None:
    if run.spec is None:
        return None
    try:
        question = budget_check(run.spec)
    except NoBudgetCheck:
        return None
    job = newest_check(runs_root(), question, finished=True)
    return None if job is None else (job, budget_check_info(job.question, job.results))
