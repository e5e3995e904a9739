"""The wrappers that a study may put around its environment, in their fixed order.

From the inside out: the environment as the registry makes it, the time feature, the frame stack. Normalising
comes last and is not in here, as its statistics belong to a training: see `normalization`. In vectorised
envs of SB3 this is TimeFeatureWrapper, VecFrameStack, VecNormalize, and the numbers are the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from tuning.environments import EnvironmentsError, make
from tuning.spec_parts import EnvSpec

_MAX_SPACE_CHARS = 240
_MAIN_PART = "observation"  # of a goal environment's dict: the part that gets the time feature

Env = gymnasium.Env[Any, Any]


def make_wrapped(env: EnvSpec, *, render_mode: str | None = None) -> Env:
    """Return a new environment with its wrappers, but not normalised.

    Args:
        env: which one.
        render_mode: takes the place of the one in its arguments.

    Raises:
        EnvironmentsError: there is no such id, or a wrapper does not fit it.
        Exception: whatever the environment raises.
    """
    kwargs = dict(env.kwargs) if render_mode is None else {**env.kwargs, "render_mode": render_mode}
    made = make(env.id, kwargs)
    if fault := wrapper_fault(env, made):
        made.close()
        raise EnvironmentsError(fault)
    if env.time_feature:
        made = TimeFeature(made)
    if env.frame_stack > 1:
        made = FrameStack(made, env.frame_stack)
    return made


def wrapper_fault(env: EnvSpec, made: Env) -> str | None:
    """Return why a wrapper does not fit an environment that was made without any, or None."""
    space = made.observation_space
    sees = f"{env.id} observes {text_of(space)}"
    if env.time_feature:
        main = _main_part(space)
        if main is None or len(main.shape) != 1 or not np.issubdtype(main.dtype, np.floating):
            return f"The time feature is one more number in a row of real numbers, and {sees}. Turn it off."
        if _time_limit(made) is None:
            return (
                f"The time feature needs a limit of steps, and {env.id} has none. Add max_episode_steps to "
                "the environment's arguments, or turn it off."
            )
    if env.frame_stack > 1:
        if not _parts(space) or not all(
            isinstance(p, spaces.Box) and p.shape for p in _parts(space).values()
        ):
            return f"A frame stack takes arrays, and {sees}. Set it to 1."
        if any(_channels_outgrow(part, env.frame_stack) for part in _parts(space).values()):
            return (
                f"A frame stack of {env.frame_stack} has more channels than pixels a side: {sees}. Lower it."
            )
    if env.normalize_observations and not normalized_parts(space):
        return (
            f"Only arrays of numbers are normalised, no images and no single numbers, and {sees}. "
            "Turn off normalising observations."
        )
    return None


def normalized_parts(space: spaces.Space[Any]) -> tuple[str, ...]:
    """Return the parts of observations that are normalised: keys of a dict, or "" for the whole array.

    SB3's image policies scale bytes themselves, so images are left alone.
    """
    parts = _parts(space)
    return tuple(
        k for k, p in parts.items() if isinstance(p, spaces.Box) and p.shape and not looks_like_image(p)
    )


def looks_like_image(space: spaces.Box) -> bool:
    """Say whether SB3 takes an array for an image: three dimensions, bytes from 0 to 255."""
    if len(space.shape) != 3 or space.dtype != np.uint8:
        return False
    return bool(np.all(space.low == 0) and np.all(space.high == 255))


def text_of(space: spaces.Space[Any]) -> str:
    """Return a space as one short line of printable text."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(space)).split())
    return text if len(text) <= _MAX_SPACE_CHARS else text[: _MAX_SPACE_CHARS - 1] + "…"


class TimeFeature(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds the share of the episode that is left, from 1 down to 0, to the observation.

    Without it, an agent whose episodes a time limit ends cannot know why the same state is worth less late.

    Source: Pardo et al., "Time limits in reinforcement learning", 2018. The numbers are those of
    sb3_contrib's TimeFeatureWrapper, which needs torch and changes the space of the environment inside.
    """

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        limit, main = _time_limit(env), _main_part(env.observation_space)
        assert limit is not None, "checked by wrapper_fault"
        assert main is not None, "checked by wrapper_fault"
        self._limit, self._dtype = limit, main.dtype
        self._step = 0
        low, high = np.append(main.low, 0), np.append(main.high, 1)
        dtype = main.dtype.type
        longer: spaces.Box = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)
        space = env.observation_space
        if isinstance(space, spaces.Dict):
            self.observation_space = spaces.Dict({**space.spaces, _MAIN_PART: longer})
        else:
            self.observation_space = longer

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode: all of it is left."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._step = 0
        return self._with_time(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._step += 1
        return self._with_time(observation), reward, terminated, truncated, info

    def _with_time(self, observation: Any) -> Any:
        left = 1 - self._step / self._limit
        if isinstance(observation, Mapping):
            return {**observation, _MAIN_PART: np.append(observation[_MAIN_PART], left).astype(self._dtype)}
        return np.append(observation, left).astype(self._dtype)


class FrameStack(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Observes the last n frames as one longer array, the newest last; zeros stand before the first one.

    Arrays grow along their last axis, images along their channels, as in SB3's VecFrameStack.
    """

    def __init__(self, env: Env, n_frames: int) -> None:
        super().__init__(env)
        self._n_frames = n_frames
        self._axes = {key: _stacking_axis(part) for key, part in _parts(env.observation_space).items()}
        self._frames: dict[str, list[np.ndarray]] = {}

        def grown(key: str, part: spaces.Space[Any]) -> spaces.Box:
            assert isinstance(part, spaces.Box), "checked by wrapper_fault"
            low, high = (
                np.concatenate([end] * n_frames, axis=self._axes[key]) for end in (part.low, part.high)
            )
            return spaces.Box(low, high, dtype=part.dtype.type)

        self.observation_space = _mapped(env.observation_space, grown)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode, with nothing before it."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._frames = {
            key: [np.zeros_like(part)] * self._n_frames for key, part in _parts_of(observation).items()
        }
        return self._stacked(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._stacked(observation), reward, terminated, truncated, info

    def _stacked(self, observation: Any) -> Any:
        for key, part in _parts_of(observation).items():
            self._frames[key] = [*self._frames[key][1:], np.array(part)]  # a copy: some envs reuse the array
        stacked = {key: np.concatenate(frames, axis=self._axes[key]) for key, frames in self._frames.items()}
        return stacked if isinstance(observation, Mapping) else stacked[""]


def _parts(space: spaces.Space[Any]) -> dict[str, spaces.Space[Any]]:
    return dict(space.spaces) if isinstance(space, spaces.Dict) else {"": space}


def _parts_of(observation: Any) -> dict[str, np.ndarray]:
    parts = observation if isinstance(observation, Mapping) else {"": observation}
    return {key: np.asarray(part) for key, part in parts.items()}


def _mapped(
    space: spaces.Space[Any], change: Callable[[str, spaces.Space[Any]], spaces.Space[Any]]
) -> spaces.Space[Any]:
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: change(key, part) for key, part in space.spaces.items()})
    return change("", space)


def _main_part(space: spaces.Space[Any]) -> spaces.Box | None:
    part = space.spaces.get(_MAIN_PART) if isinstance(space, spaces.Dict) else space
    return part if isinstance(part, spaces.Box) else None


def _stacking_axis(space: spaces.Space[Any]) -> int:
    """Return the axis of channels: the first of an image whose first side is the shortest, else the last."""
    if isinstance(space, spaces.Box) and looks_like_image(space) and int(np.argmin(space.shape)) == 0:
        return 0
    return -1


def _channels_outgrow(space: spaces.Space[Any], n_frames: int) -> bool:
    """Say whether SB3 would take a side of the stacked image for its channels: it takes the shortest."""
    if not isinstance(space, spaces.Box) or not looks_like_image(space):
        return False
    axis = _stacking_axis(space) % 3
    sides = [side for i, side in enumerate(space.shape) if i != axis]
    return space.shape[axis] * n_frames >= min(sides)


def _time_limit(env: Env) -> int | None:
    limit = env.spec.max_episode_steps if env.spec else None
    return int(limit) if limit and limit > 0 else None
