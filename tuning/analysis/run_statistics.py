"""What a handful of runs says about one candidate: typical value, interval, bad end. A run is the unit."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95  # of every interval
TRIMMED = 0.25  # at each end, for the interquartile mean
FEWEST_FOR_IQM_INTERVAL = 5
_RESAMPLES = 2000
_SEED = 20_240_601


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return Student's t-interval of the mean; None below two values."""
    x = np.asarray(values, dtype=float)
    if len(x) < 2:
        return None
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x)))
    return Interval(float(x.mean()) - half, float(x.mean()) + half)


def iqm(values: Sequence[float]) -> float:
    """Return the interquartile mean: of what is left without the lowest and the highest quarter.

    A quarter that is no whole number is rounded down: of 10 values the middle 6 count, of 3 all.

    Source: `scipy.stats.trim_mean(values, 0.25)`, as rliable does (Agarwal et al. 2021).
    """
    return float(stats.trim_mean(np.asarray(values, dtype=float), TRIMMED))


def iqm_interval(values: Sequence[float]) -> Interval | None:
    """Return a bootstrap interval of the interquartile mean; None below five values.

    The percentile bootstrap, as in rliable, is too narrow for few runs. This one is studentised: what is
    resampled is the deviation in units of its own standard error, from the Winsorised variance. The
    generator is seeded, so the same values give the same interval, in whatever order.

    Source: Wilcox, Introduction to Robust Estimation and Hypothesis Testing, symmetric percentile-t.
    """
    x = np.sort(np.asarray(values, dtype=float))
    if len(x) < FEWEST_FOR_IQM_INTERVAL:
        return None
    centre, error = _trimmed(x)
    if not error > 0:  # the middle half is one value
        return Interval(float(centre), float(centre))
    centres, errors = _trimmed(np.sort(x[_resamples(len(x))], axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(centres - centre) / errors
    t = np.where(np.isnan(t), 0.0, t)
    half = float(np.quantile(t, LEVEL, method="higher") * error)
    if not math.isfinite(half):
        return None
    return Interval(float(centre) - half, float(centre) + half)


def tenth_percentile(values: Sequence[float], *, maximize: bool) -> float:
    """Return the tenth percentile from the bad end, between two values where it falls between them."""
    return float(np.percentile(np.asarray(values, dtype=float), 10 if maximize else 90))


def collapse_level(worst: float, best_median: float) -> float:
    """Return the return that is half of the way from the worst level to the best candidate's median."""
    return worst + (best_median - worst) / 2


def _trimmed(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the trimmed mean of sorted values along the last axis, and its standard error."""
    n = ordered.shape[-1]
    cut = int(TRIMMED * n)
    middle = ordered[..., cut : n - cut]
    low, high = ordered[..., cut : cut + 1], ordered[..., n - cut - 1 : n - cut]
    winsorised = np.clip(ordered, low, high).std(axis=-1, ddof=1)
    return middle.mean(axis=-1), winsorised * math.sqrt(n) / (n - 2 * cut)


@functools.lru_cache(maxsize=32)
def _resamples(n: int) -> np.ndarray:
    chosen = np.random.default_rng(_SEED + n).integers(0, n, (_RESAMPLES, n))
    chosen.flags.writeable = False
    return chosen
