"""Does the ranking hold on another budget? Shown where the same candidates were retrained on two."""

from collections.abc import Sequence

import streamlit as st

from pages.components import cached, frame, plot
from tuning.analysis.budget_comparison import budget_comparison, budget_comparison_figure
from tuning.analysis.reevaluation_result import ReevaluationInfo
from tuning.reevaluation_jobs import ReevaluationJob


def draw(job: ReevaluationJob, info: ReevaluationInfo, others: Sequence[ReevaluationJob]) -> None:
    """Draw both rankings beside the newest re-evaluation of the same candidates on another budget, if any."""
    for other in others:
        if other.question.n_timesteps == job.question.n_timesteps or not other.results:
            continue
        compared = budget_comparison(info, cached.reevaluation(other))
        if compared is None:
            continue
        st.subheader("On another budget", anchor=False)
        st.markdown(frame.escape(compared.sentence))
        plot.draw(
            budget_comparison_figure(compared, theme=frame.theme()),
            f"reevaluation-budget-{job.folder.id}",
            caption="A line for each candidate of both, from its rank with fewer steps to that with more. "
            "Where lines cross, what is best early is not best in the end.",
            alt="Ranks of the candidates on two budgets",
        )
        return
