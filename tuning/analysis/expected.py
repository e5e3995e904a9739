"""What to expect of the winner, freed of having been chosen for its luck."""

import functools
import itertools
import math

import numpy as np
from scipy import stats

MOST_SPLITS = 500
MANY = 200  # seeds, or episodes of one policy: then fewer splits do
FEW_SPLITS = 100
FLOOR_LEVEL = 0.99  # of the interval around the best's own mean that the number does not leave


def expected_score(scores: np.ndarray, winner: int) -> float:
    """Return an honest mean score for the winner.

    The best by the mean is too good by what luck it was chosen for: so it is chosen on two thirds of the
    seeds and looked up on the others, again and again. A rival that nearly won, but for one disastrous run,
    would drag that below anything that the best ever gave. So it stays within the best's own interval. A
    winner that was chosen for its cost is not expected to do better than the best.

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
    """Return what choosing the best by its mean gives on seeds that had no say in the choice.

    A third of the seeds, rounded down but at least one, is left out: every such third where there are not
    too many, else drawn ones. Free of bias for a choice with so many seeds less. Leaving out one alone is so
    for one seed less, but where two candidates are nearly equal it errs far more. None below two seeds that
    all have.

    Args:
        scores: (k, n), higher is better; NaN: not there.
    """
    whole = scores[:, np.isfinite(scores).all(axis=0)]
    n = whole.shape[1]
    if n < 2:
        return None
    left_out = _left_out(n)
    size = left_out[0].sum()
    outside = whole @ left_out.T / size
    inside = (whole.sum(axis=1, keepdims=True) - size * outside) / (n - size)
    return float(outside[inside.argmax(axis=0), np.arange(len(left_out))].mean())


@functools.lru_cache(maxsize=32)
def _left_out(n: int) -> np.ndarray:
    """Return which seeds are left out, as rows of zeros and ones."""
    size = max(1, n // 3)
    if math.comb(n, size) <= MOST_SPLITS:
        chosen = list(itertools.combinations(range(n), size))
    else:
        random = np.random.default_rng(n)
        chosen = [
            tuple(random.permutation(n)[:size]) for _ in range(MOST_SPLITS if n <= MANY else FEW_SPLITS)
        ]
    rows = np.zeros((len(chosen), n))
    for row, places in zip(rows, chosen, strict=True):
        row[list(places)] = 1.0
    rows.flags.writeable = False
    return rows


def _half_width(scores: np.ndarray, best: int) -> float:
    """Return that of the best's t-interval, with the typical deviation where its own is smaller."""
    n = np.isfinite(scores).sum(axis=1)
    deviations = np.array([np.nanstd(row, ddof=1) for row, m in zip(scores, n, strict=True) if m >= 2])
    own = float(np.nanstd(scores[best], ddof=1)) if n[best] >= 2 else 0.0
    deviation = max(own, float(np.median(deviations)))
    return float(stats.t.ppf((1 + FLOOR_LEVEL) / 2, max(n[best] - 1, 1))) * deviation / math.sqrt(n[best])
