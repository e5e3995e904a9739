"""What an agent sees and does in one environment, and why no algorithm could be trained in it."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from tuning.algorithms import Algorithm
from tuning.env_wrappers import looks_like_image, make_wrapped, text_of
from tuning.environments import EnvironmentsError, info_of, require, said
from tuning.spec_parts import EnvSpec

_SPACE_KINDS: tuple[tuple[type[spaces.Space[Any]], str], ...] = (
    (spaces.Box, "continuous"),
    (spaces.Discrete, "discrete"),
    (spaces.MultiDiscrete, "multi-discrete"),
    (spaces.MultiBinary, "multi-binary"),
    (spaces.Dict, "dict"),
    (spaces.Tuple, "tuple"),
)
# What SB3's algorithms can act in, and read; each names its own part of them.
_FLAT_KINDS = ("continuous", "discrete", "multi-discrete", "multi-binary")
_SMALLEST_IMAGE = 36  # pixels a side that the filters of SB3's CnnPolicy need


@dataclass(frozen=True)
class EnvDescription:
    """What an agent sees and does in one environment."""

    id: str
    observation_space: str
    observation_kind: str  # image, continuous, discrete, multi-discrete, multi-binary, dict, tuple, other
    action_space: str
    action_kind: str
    max_episode_steps: int | None
    reward_threshold: float | None
    policy: str  # MlpPolicy, CnnPolicy or MultiInputPolicy
    fault: str | None  # why no algorithm here can be trained in it
    caution: str | None  # what may go wrong all the same
    observation_bytes: int = 0  # of one observation, as a replay buffer stores it


def describe(env: EnvSpec) -> EnvDescription:
    """Make an environment once, with its wrappers, and return what an agent sees and does in it.

    Raises:
        EnvironmentsError: there is no such id, it cannot be made with these arguments, or a wrapper does not
            fit it.
    """
    try:
        made = make_wrapped(env)
    except EnvironmentsError:
        raise
    except (Exception, SystemExit) as error:  # somebody's constructor may raise anything
        raise EnvironmentsError(_making_fault(env, error)) from error
    try:
        observed, action, entry = made.observation_space, made.action_space, made.spec
    finally:
        made.close()
    observation_kind = "image" if _is_image(observed, frame_stack=env.frame_stack) else _kind(observed)
    policy = {"dict": "MultiInputPolicy", "image": "CnnPolicy"}.get(observation_kind, "MlpPolicy")
    info = info_of(entry or require(env.id), "")
    return EnvDescription(
        id=env.id,
        observation_space=text_of(observed),
        observation_kind=observation_kind,
        action_space=text_of(action),
        action_kind=_kind(action),
        max_episode_steps=info.max_episode_steps,
        reward_threshold=info.reward_threshold,
        policy=policy,
        fault=_action_fault(action) or _observation_fault(observed),
        caution=_endless(env.id) if info.max_episode_steps is None else None,
        observation_bytes=_bytes(observed),
    )


def _making_fault(env: EnvSpec, error: BaseException) -> str:
    """Return why an environment cannot be made; what Gymnasium adds of its own machinery is left out."""
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if isinstance(error, TypeError) and unknown and unknown[1] in env.kwargs:
        return f"{env.id} cannot be made: it has no argument {unknown[1]}. Remove it."
    with_kwargs = f" with {dict(env.kwargs)!r}" if env.kwargs else ""
    why = said(error).partition(" was raised from the environment creator for ")[0]
    return f"{env.id} cannot be made{with_kwargs}: {why}."


def training_faults(seen: EnvDescription, known: Algorithm, policy: str) -> list[str]:
    """Return why an algorithm with a policy cannot be trained in an environment; empty when it can."""
    if seen.fault:
        return [seen.fault]
    found = (
        known.action_fault(seen.action_kind, seen.id),
        known.policy_fault(policy, seen.observation_kind, seen.id),
    )
    return [fault for fault in found if fault]


def _endless(env_id: str) -> str:
    return (
        f"{env_id} has no limit of steps: an agent that never ends an episode keeps its evaluation going for "
        "ever. Add max_episode_steps to the environment's arguments."
    )


def _bytes(space: spaces.Space[Any]) -> int:
    if isinstance(space, spaces.Dict):
        return sum(map(_bytes, space.spaces.values()))
    size = np.dtype(space.dtype).itemsize if space.dtype is not None else 8
    return size * int(np.prod(space.shape or (1,)))


def _kind(space: spaces.Space[Any]) -> str:
    return next((kind for cls, kind in _SPACE_KINDS if isinstance(space, cls)), "other")


def _is_image(space: spaces.Space[Any], *, frame_stack: int = 1) -> bool:
    """Say whether SB3's CnnPolicy takes the space: bytes from 0 to 255, 1, 3 or 4 channels, large enough."""
    if not isinstance(space, spaces.Box) or not looks_like_image(space):
        return False
    first, last = space.shape[0], space.shape[-1]
    channels, sides = (first, space.shape[1:]) if first < last else (last, space.shape[:2])
    return channels in (frame_stack, 3 * frame_stack, 4 * frame_stack) and min(sides) >= _SMALLEST_IMAGE


def _action_fault(space: spaces.Space[Any]) -> str | None:
    if _kind(space) not in _FLAT_KINDS:
        return (
            f"No algorithm here can act in {text_of(space)}: they need {', '.join(_FLAT_KINDS)} actions. "
            "Flatten the action space with a wrapper and register that."
        )
    if isinstance(space, spaces.Box) and not np.all(np.isfinite([space.low, space.high])):
        return "Algorithms need finite bounds on continuous actions. Give the action space some."
    return _start_fault(space, "actions")


def _observation_fault(space: spaces.Space[Any]) -> str | None:
    parts = list(space.spaces.values()) if isinstance(space, spaces.Dict) else [space]
    for part in parts:
        if _kind(part) not in _FLAT_KINDS:
            return (
                f"No algorithm here can read observations of {text_of(part)}: they need arrays, numbers, or "
                "one flat dict of them. Flatten the observation with a wrapper and register that."
            )
        if fault := _start_fault(part, "observations"):
            return fault
    return None


def _start_fault(space: spaces.Space[Any], what: str) -> str | None:
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) and np.any(np.asarray(space.start) != 0):
        return f"SB3 counts {what} from 0, but these start at {space.start}. Shift them in a wrapper."
    return None
