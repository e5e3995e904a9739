"""The noise on the actions of an off-policy algorithm, from plain JSON. Needs Stable-Baselines3."""

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise

from tuning.space.derived import DEFAULT_NOISE_STD, NOISE

_CLASSES: dict[str, type[NormalActionNoise] | type[OrnsteinUhlenbeckActionNoise]] = {
    "normal": NormalActionNoise,
    "ornstein-uhlenbeck": OrnsteinUhlenbeckActionNoise,
}


def with_action_noise(arguments: dict[str, Any], action_space: spaces.Space[Any] | None) -> dict[str, Any]:
    """Return arguments with `action_noise` in place of the names that a request has for it.

    Args:
        arguments: of the constructor, as resolved.
        action_space: of the environment, the noise has a value for each action; None for an id.
    """
    rest = {name: value for name, value in arguments.items() if name not in NOISE}
    noise = _noise(arguments, action_space)
    return rest if noise is None else {**rest, "action_noise": noise}


def _noise(arguments: dict[str, Any], action_space: spaces.Space[Any] | None) -> ActionNoise | None:
    cls = _CLASSES.get(arguments.get("noise_type", "none"))
    if cls is None:
        return None
    assert isinstance(action_space, spaces.Box)  # no algorithm with noise acts in others
    shape = action_space.shape
    return cls(np.zeros(shape), np.full(shape, float(arguments.get("noise_std", DEFAULT_NOISE_STD))))
