"""The noise on the actions of an off-policy algorithm, as RL Zoo's files and plain scripts write it."""

from collections.abc import Mapping
from typing import Any

from tuning.space.derived import DEFAULT_NOISE_STD, NOISE

_CLASSES = {"normal": "NormalActionNoise", "ornstein-uhlenbeck": "OrnsteinUhlenbeckActionNoise"}


def without_noise(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that the constructor has under these names."""
    return {name: value for name, value in resolved.items() if name not in NOISE}


def zoo_noise(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of an RL Zoo file: it takes a kind with its width, and no word for none."""
    if resolved.get("noise_type") not in _CLASSES:
        return {}
    return {"noise_type": resolved["noise_type"], "noise_std": resolved.get("noise_std", DEFAULT_NOISE_STD)}


def noise_imports(resolved: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return a script's lines of import before `import torch`, and among those of Stable-Baselines3."""
    cls = _CLASSES.get(str(resolved.get("noise_type")))
    if cls is None:
        return [], []
    return ["import numpy as np"], [f"from stable_baselines3.common.noise import {cls}"]


def noise_argument(resolved: Mapping[str, Any]) -> list[str]:
    """Return the line of the constructor's call, where `env` is the environment to train in."""
    cls = _CLASSES.get(str(resolved.get("noise_type")))
    if cls is None:
        return []
    std = float(resolved.get("noise_std", DEFAULT_NOISE_STD))
    shape = "env.action_space.shape"
    return [f"    action_noise={cls}(np.zeros({shape}), np.full({shape}, {std!r})),"]
