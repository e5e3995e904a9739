"""What the search said about the candidates against what was measured anew: regression to the mean."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from tuning.analysis.reevaluation_result import CandidateResult
from tuning.analysis.words import count

FEWEST = 3  # candidates: a line through two always fits
ABOUT_RIGHT = 0.6  # Kendall's tau: at least four of five pairs in the same order
A_HINT = 0.3  # two of three: a coin gets half of them


def optimism(searched: Sequence[float], measured: Sequence[float], *, maximize: bool) -> float | None:
    """Return how much better the search's values are on average; negative: they are worse."""
    if not len(searched):
        return None
    difference = float(np.mean(np.subtract(searched, measured)))
    return difference if maximize else -difference


def slope(searched: Sequence[float], measured: Sequence[float]) -> float | None:
    """Return the slope of measured on searched values (least squares); None where it has no meaning."""
    if len(searched) < FEWEST:
        return None
    x, y = np.asarray(searched, dtype=float), np.asarray(measured, dtype=float)
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / (x @ x)) if float(x @ x) > 0 else None


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return Kendall's tau-b; None below three candidates, or where all of one side are equal."""
    if len(one) < FEWEST or len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return float(stats.kendalltau(one, other).statistic)


def ranks(values: dict[str, float], *, maximize: bool) -> dict[str, int]:
    """Return the rank of each key by its value; 1 is best, and equal values share the better rank."""
    sign = 1.0 if maximize else -1.0
    return {
        key: 1 + sum(sign * other > sign * own for other in values.values()) for key, own in values.items()
    }


def measured_ranks(results: Sequence[CandidateResult], *, maximize: bool) -> dict[str, int]:
    """Return the rank of each candidate among these by what was measured now, by key; 1 is best.

    Those that racing gave up come after the others, as everywhere: their few runs may look good. Candidates
    that are equal share the better rank.

    Args:
        results: those that have a mean.
        maximize: whether more is better.
    """
    sign = 1.0 if maximize else -1.0
    found = {r.candidate.key: (r.dropped_after is None, sign * (r.mean or 0.0)) for r in results}
    return {key: 1 + sum(other > own for other in found.values()) for key, own in found.items()}


def worth(before: dict[str, int], now: dict[str, int]) -> str:
    """Return in words what the search's order of the candidates was worth; nothing for fewer than three.

    Args:
        before: rank by what the search measured, by name.
        now: rank by what was measured now, by the same names.
    """
    names = sorted(before)
    tau = rank_correlation([before[n] for n in names], [now[n] for n in names])
    if tau is None:
        return ""
    pairs = len(names) * (len(names) - 1) // 2
    same = f"{round((1 + tau) / 2 * pairs)} of {count(pairs, 'pair')} are in the same order"
    first = min(names, key=lambda name: (before[name], now[name]))
    place = f"its first, {first}, is now number {now[first]} of {len(names)}"
    said = f"{same} (Kendall's tau {tau:.2f}), and {place}"
    if tau >= ABOUT_RIGHT:
        return f"The search had these candidates about in the right order: {said}."
    if tau >= A_HINT:
        return f"The search's order of these candidates was a hint: {said}."
    return f"The search's order of these candidates was worth little: {said}."
