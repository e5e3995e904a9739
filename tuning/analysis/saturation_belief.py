"""How surely the optimum lies at, or beyond, each end of a range: what the surrogate believes.

Where a sampler put its trials says little: samplers herd. So a Gaussian process is fitted to the scores, and
for each place of a parameter the best that the other parameters can do there is looked up: the *profile*.
Draws from the process along the profile then say where its peak may lie, with all that the trials leave open.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_places import Group, coordinates
from tuning.analysis.surrogate import Surrogate, fit_surrogate

_DRAWS = 1000
_GRID = 21  # places along a continuum, bounds included
_BEYOND = 0.3  # of the range: how far past a bound the process is asked
_TOP = 30  # expected best trials, whose other parameters a profile may take
_MIXES = 120  # and recombinations of them
_BASES = 60
_NEAR_END = 0.03
_INNER = 0.8  # the gain of an end is against the best of the range without its last fifth

# Logistic regression of "the noiseless optimum lies beyond this bound" on the share of draws past the end and
# on the gain; `python -m benchmarks.saturation tune` fits it to the benchmark's tuning families.
_INTERCEPT, _WEIGHTS = -0.998, (0.489, 0.986)
_CLIP = 5.0


@dataclass(frozen=True)
class EndBelief:
    """What the surrogate says about one end of a range."""

    at_end: float  # share of draws whose peak within the range lies at this end
    past_end: float  # share of draws whose peak lies past the bound, up to 0.3 of the range further
    gain: float  # advantage of the end over the range without its last fifth, in deviations of the draws
    probability: float  # calibrated: how often such numbers meant that the optimum lies beyond the bound


@dataclass(frozen=True)
class Belief:
    """What the surrogate says about one parameter."""

    low: EndBelief
    high: EndBelief
    swing: tuple[float, float]  # 90 % interval: how far the score moves along the profile, in its deviations
    profile: tuple[tuple[float, float, float], ...]  # (place, expected score, its deviation) in the range


def beliefs(group: Group, axes: Mapping[str, UnitAxis]) -> dict[str, Belief]:
    """Return what is believed about every parameter of the group that has ends and varies."""
    blocks = {name: coordinates(axes[name], place) for name, place in group.units.items()}
    blocks = {name: block for name, block in blocks.items() if block.size and np.ptp(block, axis=0).any()}
    judged = [name for name in group.names if name in blocks and axes[name].has_ends]
    if not judged or np.ptp(group.scores) == 0:
        return {}
    names = list(blocks)
    owner = [k for k, name in enumerate(names) for _ in range(blocks[name].shape[1])]
    surrogate = fit_surrogate(np.hstack(list(blocks.values())), owner, group.scores)
    bases = _bases(surrogate, np.asarray(owner))
    return {name: _belief(axes[name], surrogate, bases, owner.index(names.index(name))) for name in judged}


def _bases(surrogate: Surrogate, owner: np.ndarray) -> np.ndarray:
    """Return configurations worth keeping while one parameter moves: the best, and mixtures of them.

    Mixtures take each parameter from another trial, so that a mirrored axis has mirrored bases.
    """
    top = surrogate.x[np.argsort(-surrogate.mean(surrogate.x), kind="stable")[:_TOP]]
    random = np.random.default_rng(0)
    donors = random.integers(0, len(top), (_MIXES, int(owner.max()) + 1))
    changed = random.random(donors.shape) < 0.4
    first = random.integers(0, min(10, len(top)), (_MIXES, 1))
    source = np.where(changed, donors, first)[:, owner]
    mixes = np.take_along_axis(top, source, axis=0)
    bases = np.vstack([top, mixes])
    return bases[np.argsort(-surrogate.mean(bases), kind="stable")[:_BASES]]


def _belief(axis: UnitAxis, surrogate: Surrogate, bases: np.ndarray, column: int) -> Belief:
    if axis.levels is None or axis.levels > _GRID:
        inside = np.linspace(0, 1, _GRID)
    else:
        inside = (np.arange(axis.levels) + 0.5) / axis.levels
    step = inside[1] - inside[0]
    n_past = max(1, round(_BEYOND / step))
    past = step * np.arange(1, n_past + 1)
    places = np.concatenate([inside[0] - past[::-1], inside, inside[-1] + past])
    draws, mean, deviation = _profile_draws(surrogate, bases, column, places)
    within = draws[:, n_past : n_past + len(inside)]
    low, high = np.quantile(np.ptp(within, axis=1), [0.05, 0.95])
    swing = (float(low), float(high))
    known = slice(n_past, n_past + len(inside))
    return Belief(
        low=_end_belief(draws[:, ::-1], inside, n_past),  # the places are symmetric
        high=_end_belief(draws, inside, n_past),
        swing=swing,
        profile=tuple(
            (float(g), float(m), float(s))
            for g, m, s in zip(inside, mean[known], deviation[known], strict=True)
        ),
    )


def _profile_draws(
    surrogate: Surrogate, bases: np.ndarray, column: int, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return draws of the score along the profile (draws, places), its mean and its deviation (places,)."""
    moved = np.repeat(bases[None], len(places), axis=0)
    moved[:, :, column] = places[:, None]
    expected = surrogate.mean(moved.reshape(-1, bases.shape[1])).reshape(len(places), -1)
    points = moved[np.arange(len(places)), expected.argmax(axis=1)]
    mean, covariance = surrogate.joint(points)
    # By eigenvectors of fixed sign, so that mirrored places give mirrored draws.
    values, vectors = np.linalg.eigh(covariance)
    vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    normal = np.random.default_rng(0).standard_normal((_DRAWS, len(places)))
    draws = mean + (normal * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return draws, mean, np.sqrt(np.maximum(np.diag(covariance), 0.0))


def _end_belief(draws: np.ndarray, inside: np.ndarray, n_past: int) -> EndBelief:
    """Return the belief about the upper end; `draws` run from below the range to above it."""
    n = len(inside)
    within = draws[:, n_past : n_past + n]
    inner = inside <= max(_INNER, inside[-3]) + 1e-9
    near = inside >= min(1 - _NEAR_END, inside[-1]) - 1e-9
    at_end = float(np.mean(near[within.argmax(axis=1)]))
    past_end = float(np.mean(draws.argmax(axis=1) >= n_past + n))
    gains = within[:, -1] - within[:, inner].max(axis=1)
    gain = float(np.clip(gains.mean() / (gains.std() + 1e-12), -_CLIP, _CLIP))
    weighed = _INTERCEPT + np.dot(_WEIGHTS, features(past_end, gain))
    return EndBelief(at_end, past_end, gain, float(expit(weighed)))


def features(past_end: float, gain: float) -> tuple[float, float]:
    """Return what the logistic regression weighs, in the order of its weights."""
    return math.log((past_end + 0.01) / (1.01 - past_end)), gain
