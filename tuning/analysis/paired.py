"""How much better one thing is than another, measured in pairs that share their seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

LEVEL = 0.9

Direction = Literal["better", "worse", "cannot tell"]


@dataclass(frozen=True)
class PairedDifference:
    """The mean of `after - before` over pairs, with a t-interval; a pair is the unit."""

    n: int  # pairs
    mean: float
    low: float | None  # ends of the interval; None with fewer than two pairs
    high: float | None
    wins: int  # pairs in which after is better than before
    level: float  # of the interval, two-sided
    maximize: bool

    @property
    def gain(self) -> float:
        """How much better after is than before, in the direction of the study; negative: worse."""
        return self.mean if self.maximize else -self.mean

    @property
    def direction(self) -> Direction:
        """What the interval says: it is wholly on one side of zero, or it is not."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return "cannot tell"
        return "better" if self.gain > 0 else "worse"


def paired_difference(
    pairs: Sequence[tuple[float, float]], *, maximize: bool, level: float = LEVEL
) -> PairedDifference | None:
    """Return the mean difference of (before, after) pairs, or None where there is no pair.

    Differences of equal pairs are taken as independent and roughly normal; with two pairs of the same
    difference the interval has no width. Pairs that share a configuration differ in their seeds alone, so
    the interval speaks of these configurations, not of all there could be.

    Source: the interval of the paired t-test (Student 1908).
    """
    if not pairs:
        return None
    differences = np.array([after - before for before, after in pairs], dtype=float)
    n, mean = len(differences), float(np.mean(differences))
    wins = int(np.sum(differences > 0 if maximize else differences < 0))
    if n < 2:
        return PairedDifference(n, mean, None, None, wins, level, maximize)
    error = float(np.std(differences, ddof=1)) / math.sqrt(n)
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return PairedDifference(n, mean, mean - half, mean + half, wins, level, maximize)
