"""What a budget check found: the answer, its picture, and how it was measured."""

import time

import streamlit as st

from pages.components import frame, plot
from tuning.analysis.budget_check import BudgetCheckInfo
from tuning.analysis.budget_check_figure import budget_check_figure
from tuning.analysis.look import age, count, whole
from tuning.budget_check_jobs import CheckJob
from tuning.retraining_plan import runs_trained_by

TITLE = "Do I need tuning at all?"
_CAPTION = (
    "Each open square is a training with one seed, judged at its end; the dashed line joins the medians. "
    "Where seeds lie further apart than the line climbs, chance decides more than the steps do."
)
MOST_ERRORS = 3


def label(info: BudgetCheckInfo) -> str:
    """Return the question with its answer, for where the rest folds out."""
    return f"{TITLE} {frame.escape(info.sentence)}"


def draw(job: CheckJob, info: BudgetCheckInfo) -> None:
    """Draw what a finished check found beyond its sentence, which is in the label."""
    if info.details:
        st.markdown(frame.escape(" ".join(info.details)))
    draw_errors(job)
    draw_figure(job, info)
    st.caption(frame.escape(_footnote(job)))


def draw_figure(job: CheckJob, info: BudgetCheckInfo) -> None:
    """Draw what each seed reached with each budget."""
    plot.draw(
        budget_check_figure(info, theme=frame.theme()),
        f"budget-check-figure-{job.folder.id}",
        caption=_CAPTION,
        alt="Return of each seed over the env steps that it was trained for",
    )


def draw_errors(job: CheckJob) -> None:
    """Quote what runs ended with that have no value, each error once."""
    lost = [result.message for result in job.results.values() if result.mean is None and result.message]
    for message in list(dict.fromkeys(lost))[:MOST_ERRORS]:
        st.code(message[:500], language=None)


def _footnote(job: CheckJob) -> str:
    q = job.question
    when = job.status.ended_at or job.status.created_at
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
    trained = runs_trained_by(job.results)
    by = f" Trained by {trained}." if trained else ""
    return (
        f"{local} ({age(time.time() - when)}): SB3's own defaults of {q.algorithm}, {q.policy}, "
        f"{count(q.n_train_envs, 'training env')}; {count(q.n_eval_episodes, 'episode')} each at the end of "
        f"{whole(q.once)}, twice and four times as many steps.{by}"
    )
