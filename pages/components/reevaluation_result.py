"""What a re-evaluation found, top to bottom: the answer, its limits, every run, ranks, curves, the table."""

from collections.abc import Sequence

import streamlit as st

from pages.components import (
    cached,
    frame,
    plot,
    reevaluation_table,
    reevaluation_transfer,
    reevaluation_winner,
    reevaluation_words,
)
from tuning.analysis.learning_bands import learning_bands_figure
from tuning.analysis.rank_figure import rank_figure
from tuning.analysis.reevaluation_figure import has_outliers, reevaluation_figure
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.regression_figure import is_worth_drawing, regression_figure
from tuning.analysis.words import count
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.reevaluation_jobs import ReevaluationJob
from tuning.retraining_plan import runs_trained_by

MOST_WARNINGS = 2  # in sight, the gravest; more are read by nobody


def draw(run: Run, job: ReevaluationJob, others: Sequence[ReevaluationJob]) -> None:
    """Draw the result of a re-evaluation that has ended, with at least one run done.

    Args:
        run: the study.
        job: what was measured.
        others: the study's other re-evaluations, for the comparison of budgets.
    """
    info = cached.reevaluation(job)
    _draw_answer(info)
    reevaluation_winner.draw(run, job if job.status.state == JobState.FINISHED else None, info)
    _draw_dots(job, info)
    if racing := reevaluation_words.racing_words(job, info):
        st.markdown(racing)
    _draw_ranks(job, info)
    if info.question.mode == "retrain":
        reevaluation_transfer.draw(job, info, others)
        _draw_curves(job, info)
    reevaluation_table.draw(info, key=job.folder.id, trained_by=runs_trained_by(job.results))


def _draw_answer(info: ReevaluationInfo) -> None:
    first, rest = reevaluation_words.answer_and_rest(info.recommendation)
    st.markdown(f"#### {frame.escape(first)}")
    if rest:
        st.markdown(frame.escape(rest))
    if info.question.mode == "weights":
        st.info(reevaluation_words.THIS_AGENT, icon=":material/smart_toy:")
    for warning in info.warnings[:MOST_WARNINGS]:
        _draw_warning(warning)
    if more := info.warnings[MOST_WARNINGS:]:
        with st.expander(f"{count(len(more), 'more limit')} of these numbers", key="reevaluation-limits"):
            for warning in more:
                _draw_warning(warning)
    if info.test_note:
        st.caption(frame.escape(info.test_note))


def _draw_warning(warning: str) -> None:
    st.markdown(f":orange[:material/warning:] {frame.escape(warning)}")


def _draw_dots(job: ReevaluationJob, info: ReevaluationInfo) -> None:
    clip = True
    if has_outliers(info):
        clip = not st.toggle(
            "Show everything to scale",
            key=f"reevaluation-scale-{job.folder.id}",
            help="Otherwise what is much worse than the rest stands at the border.",
        )
    plot.draw(
        reevaluation_figure(info, theme=frame.theme(), clip_outliers=clip),
        f"reevaluation-dots-{job.folder.id}",
        caption=reevaluation_words.dots_caption(info),
        alt="Return of each run by candidate, with intervals",
    )


def _draw_ranks(job: ReevaluationJob, info: ReevaluationInfo) -> None:
    if not is_worth_drawing(info):
        return
    st.subheader("What the search said, and what is so", anchor=False)
    if info.search_worth:
        st.markdown(frame.escape(info.search_worth))
    left, right = st.columns(2)
    with left:
        plot.draw(
            regression_figure(info, theme=frame.theme()),
            f"reevaluation-regression-{job.folder.id}",
            caption="Below the dashed line a candidate is worse than the search said, above it better. "
            "Numbers are trials; baselines are left out."
            if info.question.maximize
            else "Above the dashed line a candidate is worse than the search said, below it better. "
            "Numbers are trials; baselines are left out.",
            alt="Value of the search against the value measured again",
        )
    with right:
        plot.draw(
            rank_figure(info, theme=frame.theme()),
            f"reevaluation-ranks-{job.folder.id}",
            caption="The best stands on top. Lines that cross changed places: the more of them, the less the "
            "search's order says.",
            alt="Ranks in the search and measured again",
        )


def _draw_curves(job: ReevaluationJob, info: ReevaluationInfo) -> None:
    shown = _compared(info)
    if not shown:
        return
    st.subheader("How they learn", anchor=False)
    plot.draw(
        learning_bands_figure(cached.learning_bands(job, tuple(shown)), theme=frame.theme()),
        f"reevaluation-curves-{job.folder.id}",
        caption="Returns of training episodes, which explore; the runs above were judged without exploring "
        "once training had ended. A band that opens means that seeds differ.",
        alt=f"Learning curves of {' and '.join(c.candidate.name for c in shown)}",
    )


def _compared(info: ReevaluationInfo) -> list[CandidateResult]:
    """Return the winner, or the best of the search's where a baseline won, and the baseline."""
    by_key = {c.candidate.key: c for c in info.candidates}
    tuned = info.winner
    if tuned is not None and tuned.candidate.is_baseline:
        tuned = info.best_trial or tuned
    baseline = by_key.get(info.question.baseline.key) if info.question.baseline else None
    found = [c for c in (tuned, baseline) if c is not None]
    return found[:1] if len(found) == 2 and found[0] is found[1] else found
