"""The statistics that a training normalised with: plain arrays, kept with a policy, applied where it acts.

SB3's VecNormalize gathers them in training and saves itself as a pickle, which nothing here loads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.artifacts import KeptPolicy
from tuning.algorithms import algorithm
from tuning.spec_parts import EnvSpec

WHOLE = ""  # the part of an observation that is no dict
_NUMBERS = ("clip_observations", "clip_rewards", "epsilon", "gamma")


@dataclass(frozen=True)
class Moments:
    """Running mean and variance of what was seen so far."""

    mean: np.ndarray
    var: np.ndarray
    count: float  # of values; SB3 starts a little above 0


@dataclass(frozen=True)
class Normalization:
    """Everything that SB3's VecNormalize computes with."""

    observations: dict[str, Moments]  # by part: keys of a dict, or `WHOLE`; empty when they are left alone
    returns: Moments  # of discounted returns; rewards are divided by their spread, in training alone
    clip_observations: float
    clip_rewards: float
    epsilon: float
    gamma: float  # that the returns were discounted with

    def applied(self, observation: Any) -> Any:
        """Return an observation as the policy was trained to see it: VecNormalize's numbers."""
        if isinstance(observation, Mapping):
            return {key: self._part(key, part) for key, part in observation.items()}
        return self._part(WHOLE, observation)

    def _part(self, key: str, part: Any) -> Any:
        moments = self.observations.get(key)
        if moments is None:
            return part
        scaled = (part - moments.mean) / np.sqrt(moments.var + self.epsilon)
        return np.clip(scaled, -self.clip_observations, self.clip_observations).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return it as arrays by name: `mean`, `var` and `count`, or `mean.KEY` and so on for a dict."""
        found = {name: np.asarray(getattr(self, name)) for name in _NUMBERS}
        for key, moments in self.observations.items():
            found |= _named("", f".{key}" if key else "", moments)
        return found | _named("returns_", "", self.returns)


def reward_discount(name: str, resolved: Mapping[str, Any]) -> float:
    """Return the discount that rewards are scaled by: the algorithm's, or SB3's usual one without any."""
    known = algorithm(name).arguments.get("gamma")
    return float(resolved.get("gamma", known.default if known else 0.99))


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Normalization:
    """Return what `arrays` wrote.

    Raises:
        ValueError: something is missing, or is no statistic.
    """
    try:
        keys = [name.removeprefix("mean").removeprefix(".") for name in arrays if name.startswith("mean")]
        observations = {key: _moments(arrays, "", f".{key}" if key else "") for key in keys}
        numbers = {name: float(arrays[name]) for name in _NUMBERS}
        return Normalization(observations=observations, returns=_moments(arrays, "returns_", ""), **numbers)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the statistics of its normalisation are not whole: {error}") from None


def normalization_of(kept: KeptPolicy) -> Normalization | None:
    """Return what a kept policy's observations are normalised with, or None where they are not.

    Raises:
        ValueError: it was trained with normalised observations, and the statistics are gone or damaged.
    """
    env = EnvSpec.model_validate(kept.request["env"])
    if not env.normalize_observations:
        return None
    if kept.normalization is None:
        raise ValueError("it was trained on normalised observations, and their statistics are gone")
    return from_arrays(kept.normalization)


def _named(before: str, after: str, moments: Moments) -> dict[str, np.ndarray]:
    return {
        f"{before}mean{after}": moments.mean,
        f"{before}var{after}": moments.var,
        f"{before}count{after}": np.asarray(moments.count),
    }


def _moments(arrays: Mapping[str, np.ndarray], before: str, after: str) -> Moments:
    mean, var = arrays[f"{before}mean{after}"], arrays[f"{before}var{after}"]
    if mean.shape != var.shape or not np.all(np.isfinite(mean)) or not np.all(var >= 0):
        raise ValueError("the statistics of its normalisation are no means and variances")
    return Moments(mean, var, float(arrays[f"{before}count{after}"]))
