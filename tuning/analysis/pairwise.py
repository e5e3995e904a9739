"""How surely one candidate's mean is above another's, for all pairs at once."""

from dataclasses import dataclass

import numpy as np
from scipy import special

MAX_CORRELATION = 0.999
_SQUARABLE = 1e120


@dataclass(frozen=True)
class Pairwise:
    """Differences of means between candidates, on the seeds that both have. Leading dimensions are kept."""

    lead: np.ndarray  # (..., k, k): mean of column j less mean of row i
    error: np.ndarray  # (..., k, k): its standard error
    freedom: np.ndarray  # (..., k, k): degrees of freedom of that error
    n: np.ndarray  # (..., k, k): common seeds
    correlation: (
        np.ndarray
    )  # (...): of two candidates' runs with one seed, what is sure of it; never negative

    @property
    def p_values(self) -> np.ndarray:
        """(..., k, k): how easily j would lead i by that much were it no better; 1 where nothing is known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(self.error > 0, self.lead / self.error, np.sign(self.lead) * np.inf)
            found = special.stdtr(self.freedom, -t)
        found = np.where(self.lead == 0, 0.5, found)
        known = (self.n >= 2) & np.isfinite(found) & ~np.eye(found.shape[-1], dtype=bool)
        return np.where(known, found, 1.0)


def pairwise(scores: np.ndarray, *, prior: float) -> Pairwise:
    """Compare every candidate with every other one.

    Args:
        scores: (..., k, n), higher is better; column s is seed s. NaN: not there.
        prior: how many degrees of freedom the typical variance counts for, beside a candidate's own.

    Each candidate keeps its own variance, since some collapse and others do not, drawn a little towards the
    median variance: three runs may agree by chance. What shared seeds do is estimated once for all pairs,
    less one standard error: a correlation from three runs of two candidates is noise. So few seeds are not
    wasted as in a paired t-test.

    Source: Welch (1947); the moderated variance is that of Smyth (2004), with a fixed weight; the error of an
    intraclass correlation that of Fisher (1925).
    """
    scores = squarable(scores)
    there = np.isfinite(scores)
    mask = there.astype(float)
    count = mask.sum(axis=-1, keepdims=True)
    own_mean = np.where(there, scores, 0.0).sum(axis=-1, keepdims=True) / np.maximum(count, 1)
    x = np.where(there, scores - own_mean, 0.0)  # centred, or sums of squares would lose their digits
    across = np.swapaxes(mask, -1, -2)
    n = mask @ across  # [i, j]: seeds that both have
    enough = np.maximum(n, 1)
    mean_i = (x @ across) / enough  # of row i, on the seeds it shares with j
    ss_i = np.maximum((x**2) @ across - n * mean_i**2, 0.0)
    mean_j, ss_j = np.swapaxes(mean_i, -1, -2), np.swapaxes(ss_i, -1, -2)
    cross = x @ np.swapaxes(x, -1, -2) - n * mean_i * mean_j
    lead = np.swapaxes(own_mean, -1, -2) + mean_j - own_mean - mean_i
    correlation = _correlation(cross, ss_i, ss_j, n)
    own = np.maximum(n - 1, 0)
    typical = _typical_variance(x, count)[..., None, None]
    v_i = (prior * typical + ss_i) / (prior + own)
    v_j = np.swapaxes(v_i, -1, -2)
    variance = (v_i + v_j - 2 * correlation[..., None, None] * np.sqrt(v_i * v_j)) / enough
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (prior + own) * (v_i + v_j) ** 2 / (v_i**2 + v_j**2)
    return Pairwise(lead, np.sqrt(variance), np.nan_to_num(freedom, nan=1.0), n, correlation)


def squarable(scores: np.ndarray) -> np.ndarray:
    """Return the scores, in another unit if their squares would be no numbers; what is told has no unit."""
    largest = np.max(np.abs(scores), where=np.isfinite(scores), initial=0.0)
    return scores if largest < _SQUARABLE else scores / largest


def _typical_variance(x: np.ndarray, count: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        variances = (x**2).sum(axis=-1) / np.where(count[..., 0] >= 2, count[..., 0] - 1, np.nan)
    some = np.isfinite(variances).any(axis=-1, keepdims=True)
    return np.asarray(np.nanmedian(np.where(some, variances, 0.0), axis=-1))


def _correlation(cross: np.ndarray, ss_i: np.ndarray, ss_j: np.ndarray, n: np.ndarray) -> np.ndarray:
    k = n.shape[-1]
    upper = np.triu(np.ones((k, k), dtype=bool), 1)
    usable = upper & (n >= 3) & (ss_i > 0) & (ss_j > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(usable, cross / np.sqrt(ss_i * ss_j), 0.0)
    pairs = usable.sum(axis=(-1, -2))
    seeds = np.where(usable, n - 1, 0).sum(axis=(-1, -2)) / np.maximum(pairs, 1)
    mean = np.clip(r.sum(axis=(-1, -2)) / np.maximum(pairs, 1), 0.0, 1 - 1e-9)
    rows = (1 + np.sqrt(1 + 8 * pairs)) / 2  # so many candidates make so many pairs
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.log((1 + (rows - 1) * mean) / (1 - mean)) / 2
        z = z - np.sqrt(rows / (2 * (rows - 1) * np.maximum(seeds - 1, 1)))  # less one standard error
        sure = (np.exp(2 * z) - 1) / (np.exp(2 * z) + rows - 1)
    return np.where(pairs > 0, np.clip(sure, 0.0, MAX_CORRELATION), 0.0)
