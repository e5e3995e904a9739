"""What the search said about the candidates against what was measured anew: regression to the mean."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

FEWEST = 3  # candidates: a line through two always fits


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
