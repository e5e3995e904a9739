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
FEWEST_TO_SEE_SKEW = 5
CLEARLY = 2.3  # standard errors of the skewness
_RESAMPLES = 2000
_MOST_TO_RESAMPLE = 200  # values, as in the episodes of one policy; then the formula serves
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


def iqm(values: Sequence[float] | np.ndarray) -> float:
    """Return the interquartile mean: of what is left without the lowest and the highest quarter.

    A quarter that is no whole number is rounded down: of 10 values the middle 6 count, of 3 all.

    Source: `scipy.stats.trim_mean(values, 0.25)`, as rliable does (Agarwal et al. 2021).
    """
    return float(stats.trim_mean(np.asarray(values, dtype=float), TRIMMED))


def iqm_interval(values: Sequence[float]) -> Interval | None:
    """Return a bootstrap interval of the interquartile mean; None below five values.

    The percentile bootstrap, as in rliable, is too narrow for few runs: a resample varies less than a new
    sample would, and it knows nothing of Student's t. So its ends are moved away from the interquartile
    mean by n/(n-1), a factor chosen by simulation (docs/reevaluation.md). Percentile-t intervals cover as
    well on normal runs, but are half as wide again, infinite for five, and fail where many runs collapse.
    The generator is seeded: the same values give the same interval, in whatever order.
    """
    x = np.sort(np.asarray(values, dtype=float))
    n = len(x)
    if n < FEWEST_FOR_IQM_INTERVAL:
        return None
    centre = iqm(x)
    if n > _MOST_TO_RESAMPLE:
        cut = int(TRIMMED * n)
        winsorised = float(np.clip(x, x[cut], x[n - cut - 1]).std(ddof=1))
        half = (
            float(stats.t.ppf((1 + LEVEL) / 2, n - 2 * cut - 1)) * winsorised * math.sqrt(n) / (n - 2 * cut)
        )
        return Interval(centre - half, centre + half)  # Tukey and McLaughlin (1963)
    resampled = np.sort(x[_resamples(n)], axis=-1)
    cut = int(TRIMMED * n)
    centres = resampled[:, cut : n - cut].mean(axis=-1)
    low, high = np.quantile(centres, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    stretch = n / (n - 1)
    return Interval(centre + stretch * (float(low) - centre), centre + stretch * (float(high) - centre))


def tenth_percentile(values: Sequence[float], *, maximize: bool) -> float:
    """Return the tenth percentile from the bad end, between two values where it falls between them."""
    return float(np.percentile(np.asarray(values, dtype=float), 10 if maximize else 90))


def is_lopsided(values: Sequence[float]) -> bool:
    """Return whether values are so skewed, by an outlier or by a long tail, that a t-interval is too narrow.

    Both the skewness must be more than chance gives normal values (one in forty passes it), and the values
    fewer than it takes for the mean to be nearly normal all the same. Below five values nothing is known.

    Source: Cochran (1977), n > 25 G1^2; standard error of the skewness of normal values (Fisher 1930).
    """
    x = np.asarray(values, dtype=float)
    n = len(x)
    largest = float(np.abs(x - x.mean()).max()) if n >= FEWEST_TO_SEE_SKEW else 0.0
    if not largest > 0:
        return False
    z = (x - x.mean()) / largest  # squares and cubes of what is left are numbers
    skewness = float((z**3).mean() / (z**2).mean() ** 1.5)
    error = math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    return abs(skewness) > CLEARLY * error and n < 25 * skewness**2


def collapse_level(worst: float, best_median: float) -> float:
    """Return the return that is half of the way from the worst level to the best candidate's median."""
    return worst + (best_median - worst) / 2


@functools.lru_cache(maxsize=32)
def _resamples(n: int) -> np.ndarray:
    chosen = np.random.default_rng(_SEED + n).integers(0, n, (_RESAMPLES, n))
    chosen.flags.writeable = False
    return chosen
