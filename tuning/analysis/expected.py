"""What to expect of the winner, freed of having been chosen for its luck."""

import math

import numpy as np
from scipy import stats

FLOOR_LEVEL = 0.99  # of the interval around the best's own mean that the number does not leave


def expected_score(scores: np.ndarray, winner: int) -> float:
    """Return an honest mean score for the winner.

    The best by the mean is too good by what luck it was chosen for: each seed is left out in turn, the best
    on the others is looked up on it, and these are averaged. A rival that nearly won, but for one
    disastrous run, would drag that below anything that the best ever gave. So it stays within the best's
    own interval. A winner that was chosen for its cost is not expected to do better than the best.

    Args:
        scores: (k, n), higher is better; NaN: not there. Each has one at least.
        winner: its row.
    """
    means = np.nanmean(scores, axis=1)
    best = int(means.argmax())
    honest = float(means[best])
    held_out = held_out_mean(scores)
    if held_out is not None:
        honest = max(min(held_out, honest), honest - _half_width(scores, best))
    return honest if winner == best else min(float(means[winner]), honest)


def held_out_mean(scores: np.ndarray) -> float | None:
    """Return what choosing the best by its mean gives on a seed that had no say in the choice.

    This is free of bias for a choice with one seed less. None below two seeds that all have.

    Args:
        scores: (k, n), higher is better; NaN: not there.
    """
    whole = scores[:, np.isfinite(scores).all(axis=0)]
    n = whole.shape[1]
    if n < 2:
        return None
    others = (whole.sum(axis=1, keepdims=True) - whole) / (n - 1)
    return float(whole[others.argmax(axis=0), np.arange(n)].mean())


def _half_width(scores: np.ndarray, best: int) -> float:
    """Return that of the best's t-interval, with the typical deviation where its own is smaller."""
    n = np.isfinite(scores).sum(axis=1)
    deviations = np.array([np.nanstd(row, ddof=1) for row, m in zip(scores, n, strict=True) if m >= 2])
    own = float(np.nanstd(scores[best], ddof=1)) if n[best] >= 2 else 0.0
    deviation = max(own, float(np.median(deviations)))
    return float(stats.t.ppf((1 + FLOOR_LEVEL) / 2, max(n[best] - 1, 1))) * deviation / math.sqrt(n[best])
