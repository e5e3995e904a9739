"""Which candidate is best, and what can be told apart: from runs that share their seeds."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from tuning.analysis.pairwise import pairwise, squarable

_Scores = Sequence[float] | np.ndarray

LEVEL = 0.05  # of tests and of the tie set
PRIOR = 1.0  # degrees of freedom that the typical variance of a run counts for, beside a candidate's own
DRAWS = 4000
FEWEST_PAIRS = 6  # below it even all pairs pointing one way has p = 2/2^5 > 0.05


def fewest_pairs(n_comparisons: int, *, level: float = LEVEL) -> int:
    """Return the number of pairs from which a paired Wilcoxon test can be significant after Holm.

    With all n pairs pointing one way its two-sided p-value is 2/2^n; among m tests it must be at most
    level/m.
    """
    return max(FEWEST_PAIRS, math.ceil(math.log2(2 * max(n_comparisons, 1) / level)))


def cannot_be_told(scores: np.ndarray, *, level: float = LEVEL) -> np.ndarray:
    """Return which candidates cannot be told from the best: (..., k) of bool.

    A candidate is told apart when some other one is surely better than it. Each is tested against all
    others, so the level is shared among them (Bonferroni): the best one is left out in at most 5 %.

    Args:
        scores: (..., k, n), higher is better; column s is seed s. NaN: not there. A candidate without a run
            is never in it.
        level: chance of leaving out the best.

    Source: subset selection (Gupta 1965) with Welch's standard errors.
    """
    k = scores.shape[-2]
    beaten = pairwise(scores, prior=PRIOR).p_values < level / max(k - 1, 1)
    return np.asarray(~beaten.any(axis=-1) & np.isfinite(scores).any(axis=-1))


def probability_of_improvement(ours: _Scores, theirs: _Scores) -> float | None:
    """Return how often a run of ours has a higher score than one of theirs, over all pairs; ties count half.

    Source: Agarwal et al. (2021), the Mann-Whitney statistic divided by the number of pairs.
    """
    if not len(ours) or not len(theirs):
        return None
    a, b = np.asarray(ours, dtype=float), np.sort(np.asarray(theirs, dtype=float))
    below, not_above = np.searchsorted(b, a, side="left"), np.searchsorted(b, a, side="right")
    return int(below.sum() + not_above.sum()) / (2 * len(a) * len(b))  # whole numbers: exact, also with ties


def paired_p_value(ours: _Scores, theirs: _Scores) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test on pairs; 1 where all pairs are equal."""
    differences = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    ties = len(np.unique(np.abs(differences))) < len(differences)  # scipy's exact one knows no ties
    return float(stats.wilcoxon(differences, method="auto" if ties else "exact").pvalue)


def holm(p_values: Mapping[str, float], *, n_comparisons: int) -> dict[str, float]:
    """Return p-values adjusted for their number (Holm 1979).

    Args:
        p_values: of the tests that were made, by key.
        n_comparisons: tests that were meant, those that could not be made included.
    """
    found: dict[str, float] = {}
    so_far = 0.0
    for place, key in enumerate(sorted(p_values, key=lambda key: (p_values[key], key))):
        so_far = max(so_far, min(1.0, (n_comparisons - place) * p_values[key]))
        found[key] = so_far
    return found


def p_best(scores: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the probability that each candidate has the best true mean: (k,), NaN for one below two runs.

    Means are drawn from Student's t around what was measured, which for few runs is wider than a bootstrap
    of them; what all candidates owe to a seed does not count. Where the candidates differ, the
    probabilities are calibrated; where all are truly equal, the luckiest one is promised too much.

    Args:
        scores: (k, n), higher is better; NaN: not there.
        seed: of the draws.
    """
    found = np.full(len(scores), np.nan)
    usable = np.isfinite(scores).sum(axis=1) >= 2
    if not usable.any():
        return found
    x = squarable(scores[usable])
    n, means = np.isfinite(x).sum(axis=1), np.nanmean(x, axis=1)
    variances = np.nanvar(x, axis=1, ddof=1)
    typical = float(np.median(variances))
    moderated = (PRIOR * typical + (n - 1) * variances) / (PRIOR + n - 1)
    common = float(pairwise(x, prior=PRIOR).correlation)
    own = moderated - common * np.minimum(moderated, typical)
    t = np.random.default_rng(seed).standard_t(n - 1 + PRIOR, (DRAWS, len(x)))
    drawn = means + np.sqrt(own / n) * t
    best = drawn == drawn.max(axis=1, keepdims=True)
    found[usable] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return found


def seeds_to_tell(scores: np.ndarray, *, n_rivals: int, level: float = LEVEL) -> int | None:
    """Return how many seeds would tell two candidates apart, if their means differ as much as they seem to.

    None where they do not differ, or not enough is known.

    Args:
        scores: (2, n), higher is better.
        n_rivals: among which the level is shared.
        level: of the test.
    """
    two = pairwise(scores, prior=PRIOR)
    lead, error, n = abs(float(two.lead[0, 1])), float(two.error[0, 1]), float(two.n[0, 1])
    if n < 2 or not lead > 0 or not error > 0:
        return None
    needed = n * (float(stats.norm.isf(level / n_rivals)) * error / lead) ** 2
    return math.ceil(needed) if needed < 10_000 else None
