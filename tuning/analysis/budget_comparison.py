"""Does a ranking found on one budget hold on another? Two re-evaluations of the same candidates."""

from dataclasses import dataclass

import plotly.graph_objects as go

from tuning.analysis import search_agreement
from tuning.analysis.rank_figure import RankLine, ranking_figure
from tuning.analysis.reevaluation_result import ReevaluationInfo
from tuning.analysis.words import three_digits, whole

FEWEST = 2  # candidates in both


@dataclass(frozen=True)
class BudgetComparison:
    """The candidates that were retrained on two budgets, ranked among themselves on each."""

    budgets: tuple[int, int]  # env steps of a run, the smaller first
    lines: tuple[RankLine, ...]  # the best on the larger budget first
    gains: tuple[float, ...]  # by line: mean of the runs on the larger budget minus that on the smaller one
    tau: float | None  # Kendall's correlation of the ranks
    sentence: str  # plain text


def budget_comparison(one: ReevaluationInfo, other: ReevaluationInfo) -> BudgetComparison | None:
    """Compare two re-evaluations; None unless both retrained at least two common candidates on other budgets.

    Candidates stand in the order that each re-evaluation came to: one that racing gave up follows the others
    there, whatever the mean of its few runs.
    """
    small, large = sorted((one, other), key=lambda info: info.question.n_timesteps)
    budgets = (small.question.n_timesteps, large.question.n_timesteps)
    if {one.question.mode, other.question.mode} != {"retrain"} or budgets[0] == budgets[1]:
        return None
    before = {c.candidate.key: c for c in small.candidates if c.mean is not None}
    common = [
        c
        for c in large.candidates
        if c.mean is not None
        and c.candidate.key in before
        and before[c.candidate.key].candidate.resolved == c.candidate.resolved
    ]
    if len(common) < FEWEST:
        return None
    maximize = large.question.maximize
    old = {c.candidate.key: before[c.candidate.key].mean or 0.0 for c in common}
    new = {c.candidate.key: c.mean or 0.0 for c in common}
    old_ranks = search_agreement.measured_ranks([before[key] for key in old], maximize=maximize)
    new_ranks = search_agreement.measured_ranks(common, maximize=maximize)
    tau = search_agreement.rank_correlation([old_ranks[key] for key in old], [new_ranks[key] for key in old])
    winner = large.winner.candidate.key if large.winner else None
    lines = []
    for c in common:
        key = c.candidate.key
        role = "tied" if c.is_tied else "other"
        role = "winner" if key == winner else "baseline" if c.candidate.is_baseline else role
        lines.append(RankLine(c.candidate.name, old_ranks[key], new_ranks[key], role))
    lines.sort(key=lambda line: line.after)
    by_name = {c.candidate.name: new[c.candidate.key] - old[c.candidate.key] for c in common}
    gains = tuple(by_name[line.name] for line in lines)
    return BudgetComparison(budgets, tuple(lines), gains, tau, _sentence(budgets, lines, tau))


def budget_comparison_figure(info: BudgetComparison, *, theme: str = "light") -> go.Figure:
    """Draw a line for each candidate from its rank on the smaller budget to that on the larger one."""
    sides = tuple(f"{whole(steps)} steps" for steps in info.budgets)
    why = "It needs two candidates that were trained on both budgets."
    return ranking_figure(info.lines, (sides[0], sides[1]), tau=info.tau, theme=theme, why=why)


def _sentence(budgets: tuple[int, int], lines: list[RankLine], tau: float | None) -> str:
    small, large = (f"{whole(steps)} steps" for steps in budgets)
    first_before = min(lines, key=lambda line: line.before)
    first_after = min(lines, key=lambda line: line.after)
    if first_before.name == first_after.name:
        said = f"{first_after.name} is first with {small} and with {large}."
    else:
        said = f"First with {small}: {first_before.name}. First with {large}: {first_after.name}."
    if tau is None:
        return said
    strength = (
        "the same" if tau > 0.99 else "much alike" if tau >= 0.6 else "little alike" if tau > 0 else "unlike"
    )
    return f"{said} The two orders are {strength} (Kendall's tau {three_digits(tau)})."
