"""What to expect of the winner, freed of having been chosen for its luck."""

import functools
import itertools
import math

import numpy as np
from scipy import stats

MOST_SPLITS = 500
MANY = 200  # seeds, or episodes of one policy: then fewer splits do
FEW_SPLITS = 100
FLOOR_LEVEL = 0.99  # of the interval around a candidate's own mean that its number does not leave


def expected_score(scores: np.ndarray, winner: int) -> float:
    """Return an honest mean score for the winner.

    The best by the mean is too good by what luck it was chosen for: so it is chosen on two thirds of the
    seeds and looked up on the others, again and again. A rival that nearly won, but for one disastrous run,
    would drag that below anything that the best ever gave. So the number stays within the interval of the
    best's own runs, and is never below the worst of them. A winner that was chosen for its cost is not
    expected to do better than the best, nor worse than its own worst run.

    Args:
        scores: (k, n), higher is better; NaN: not there. Each has one at least.
        winner: its row.
    """
    means = np.nanmean(scores, axis=1)
    best = int(means.argmax())
    honest = float(means[best])
    held_out = held_out_mean(scores)
    if held_out is not None:
        honest = max(min(held_out, honest), _floor(scores[best]))
    return honest if winner == best else max(min(float(means[winner]), honest), _floor(scores[winner]))


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


def _floor(scores: np.ndarray) -> float:
    """Return what a candidate's number is not below: the low end of its t-interval, or its worst run.

    From its own runs alone: what its rivals' runs spread says nothing about how low it went.

    Args:
        scores: of one candidate; NaN: not there.
    """
    x = scores[np.isfinite(scores)]
    if len(x) < 2:
        return float(x[0])
    half = float(stats.t.ppf((1 + FLOOR_LEVEL) / 2, len(x) - 1)) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return max(float(x.mean()) - half, float(x.min()))
