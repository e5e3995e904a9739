"""Simulated candidates whose true means are known, for the benchmark of re-evaluation.

The unit is the standard deviation of a candidate's ordinary runs. All candidates share their seeds, and a
seed has a small effect of its own. There are two sets of parameters: `TUNING` chose the rules of
`tuning.analysis`, `REPORT` is what the figures in docs/reevaluation.md are measured on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

K = 6  # candidates; the last one is the defaults


@dataclass(frozen=True)
class Parameters:
    """What a set of populations looks like."""

    spread: float  # standard deviation of the true means
    shape: float  # of the gamma noise of skewed runs: the smaller, the longer the tail of bad runs
    collapse: float  # share of runs that collapse
    depth: float  # how far below a collapsed run lies
    seed_effect: float  # standard deviation of what a seed does to all candidates
    sizes: tuple[float, float]  # of the run-to-run standard deviation
    defaults: float  # how far the defaults lie below the others, in the mixed population


TUNING = Parameters(1.0, 2.0, 0.1, 10.0, 0.3, (0.7, 1.4), 4.0)
REPORT = Parameters(1.3, 1.5, 0.1, 8.0, 0.4, (0.6, 1.5), 3.0)

POPULATIONS = ("normal", "tied", "skewed", "collapsing", "mixed", "clear lead")


@dataclass(frozen=True)
class Simulated:
    """Many re-evaluations of the same kind."""

    scores: np.ndarray  # (repeats, candidates, seeds), higher is better
    means: np.ndarray  # (repeats, candidates), true

    @property
    def best(self) -> np.ndarray:
        """(repeats,): which candidate is truly best; of exact ties the first."""
        return np.asarray(self.means.argmax(axis=1))


def simulate(
    population: str, repeats: int, n: int, random: np.random.Generator, parameters: Parameters
) -> Simulated:
    """Draw candidates, then their runs."""
    p = parameters
    shape = (repeats, K, n)
    means = p.spread * random.normal(size=(repeats, K))
    kinds = np.zeros((repeats, K), dtype=int)  # 0 normal, 1 skewed, 2 collapsing
    match population:
        case "tied":
            means = np.zeros((repeats, K))
        case "skewed":
            kinds[:] = 1
        case "collapsing":
            kinds[:] = 2
        case "mixed":
            kinds = random.choice(3, (repeats, K), p=(0.5, 0.25, 0.25))
            means *= 2
            means[:, -1] -= p.defaults
        case "clear lead":
            means = np.minimum(means, 0.0)
            means -= means.max(axis=1, keepdims=True)  # the second best lies at 0
    size = random.uniform(*p.sizes, (repeats, K)) if population != "clear lead" else np.ones((repeats, K))
    if population == "clear lead":
        means[np.arange(repeats), random.integers(0, K, repeats)] = 2.0
    ordinary = np.where((kinds == 1)[..., None], skewed(shape, random, p), random.normal(size=shape))
    falls = (kinds == 2)[..., None] & (random.random(shape) < p.collapse)
    effect = p.seed_effect * random.normal(size=(repeats, 1, n))
    scores = means[..., None] + size[..., None] * ordinary - p.depth * falls + effect
    return Simulated(scores, means - p.depth * p.collapse * (kinds == 2))


def skewed(shape: tuple[int, ...], random: np.random.Generator, p: Parameters) -> np.ndarray:
    """Return noise of mean 0 and standard deviation 1 with a tail of bad runs."""
    return np.asarray((p.shape - random.gamma(p.shape, 1.0, shape)) / np.sqrt(p.shape))


def one_candidate(
    noise: str, p: Parameters
) -> tuple[Callable[[tuple[int, int], np.random.Generator], np.ndarray], float, float]:
    """Return what draws the runs of one candidate, their true mean and their true interquartile mean."""

    def draw(shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
        if noise == "skewed":
            return skewed(shape, random, p)
        falls = random.random(shape) < (p.collapse if noise == "collapsing" else 0.0)
        return np.asarray(random.normal(size=shape) - p.depth * falls)

    many = draw((1, 4_000_000), np.random.default_rng(123))[0]
    mean = -p.depth * p.collapse if noise == "collapsing" else 0.0
    return draw, mean, float(stats.trim_mean(many, 0.25))
