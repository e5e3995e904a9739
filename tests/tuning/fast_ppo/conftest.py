"""Models of SB3's and of ours that start from the same numbers, and what equal means for them."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

RTOL, ATOL = 1e-5, 1e-6  # of each element
NORM_RTOL = 1e-6  # of a whole vector


class Toy(gym.Env):
    """Observations drawn from any space; episodes that end by themselves or, after 9 steps, by a time limit.

    The reward depends on the action, and the next observation does not: rounding cannot grow over steps.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space):
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._observe(), {}

    def step(self, action):
        self.steps += 1
        reward = float(np.sum(np.square(action))) - 1.0 + float(self.np_random.normal())
        ended, cut = bool(self.np_random.random() < 0.08), self.steps >= 9
        info = {"is_success": reward > 0} if ended or cut else {}
        return self._observe(), reward, ended, cut, info

    def _observe(self):
        space = self.observation_space
        if isinstance(space, spaces.Discrete):
            return int(self.np_random.integers(space.n))
        if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
            space.seed(int(self.np_random.integers(2**31)))
            return space.sample()
        values = self.np_random.normal(scale=1.0 if space.dtype.kind == "f" else 5.0, size=space.shape)
        return np.clip(values, space.low, space.high).astype(space.dtype)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def toy_envs() -> Callable[..., VecEnv]:
    def make(
        observation: spaces.Space | None = None,
        action: spaces.Space | None = None,
        *,
        n_envs: int = 2,
        seed: int = 3,
    ) -> VecEnv:
        box = spaces.Box(-1.0, 1.0, (3,), np.float32)
        return make_vec_env(lambda: Toy(observation or box, action or box), n_envs=n_envs, seed=seed)

    return make


@pytest.fixture(scope="session")
def build() -> Callable[..., Any]:
    """Build a model that logs into memory only; `spread` draws its weights anew.

    SB3 starts with biases and log_std of zero and an action layer of next to nothing, so that mistakes in
    what they multiply could go unseen. `spread` is the size of the new weights, 1 keeping activations near 1.
    """

    def construct(cls: type[OnPolicyAlgorithm], env: VecEnv | str, *, spread: float = 0.0, **arguments: Any):
        policy = arguments.pop("policy", "MlpPolicy")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You have specified a mini-batch size")
            model = cls(policy, env, device="cpu", **{"seed": 1, **arguments})
        model.set_logger(Logger(None, []))
        if spread:
            generator = torch.Generator().manual_seed(5)
            arrays = model.policy.state_dict()
            for name, value in arrays.items():
                fan_in = value.shape[-1] if value.ndim == 2 else 9
                arrays[name] = torch.randn(value.shape, generator=generator) * spread / fan_in**0.5
            model.policy.load_state_dict(arrays)
        return model

    return construct


@pytest.fixture(scope="session")
def fill() -> Callable[..., None]:
    """Fill a model's buffer as an older, different policy would: ratios and values leave the clip range.

    SB3's own policy computes the log-probabilities and values, which are then shifted at random.
    """

    def fill_buffer(model: OnPolicyAlgorithm, *, seed: int, shift: float = 0.3) -> None:
        random = np.random.default_rng(seed)
        buffer = model.rollout_buffer
        buffer.reset()
        observations = np.array(
            [_draw(model.observation_space, random) for _ in range(buffer.buffer_size * buffer.n_envs)]
        )
        buffer.observations[:] = observations.reshape(buffer.observations.shape)
        torch.default_generator.manual_seed(seed)  # the CPU's alone, which is quicker
        with torch.no_grad():
            obs = torch.as_tensor(observations)
            actions, values, log_probs = model.policy(obs)
        shape = (buffer.buffer_size, buffer.n_envs)
        buffer.actions[:] = actions.numpy().reshape(buffer.actions.shape)
        buffer.values[:] = values.numpy().reshape(shape) + random.normal(scale=shift, size=shape)
        buffer.log_probs[:] = log_probs.numpy().reshape(shape) + random.normal(scale=shift, size=shape)
        buffer.advantages[:] = random.normal(0.5, 2.0, size=shape)
        buffer.returns = (buffer.advantages + buffer.values).astype(np.float32)
        buffer.pos, buffer.full = buffer.buffer_size, True

    return fill_buffer


def _draw(space: spaces.Space, random: np.random.Generator) -> Any:
    if isinstance(space, spaces.Discrete):
        return random.integers(space.n)
    values = random.normal(scale=1.0 if space.dtype.kind == "f" else 5.0, size=space.shape)
    return np.clip(values, space.low, space.high).astype(space.dtype)


@pytest.fixture(scope="session")
def copy_buffer() -> Callable[..., None]:
    """Copy one model's rollout into another's buffer."""
    names = ("observations", "actions", "rewards", "episode_starts", "values", "log_probs")

    def copy(source: OnPolicyAlgorithm, target: OnPolicyAlgorithm) -> None:
        target.rollout_buffer.reset()
        for name in (*names, "advantages", "returns"):
            setattr(target.rollout_buffer, name, getattr(source.rollout_buffer, name).copy())
        target.rollout_buffer.pos, target.rollout_buffer.full = source.rollout_buffer.buffer_size, True

    return copy


@pytest.fixture(scope="session")
def weights() -> Callable[[OnPolicyAlgorithm], np.ndarray]:
    """Every parameter of a model's policy in one vector, in the order of its state dict."""

    def flat(model: OnPolicyAlgorithm) -> np.ndarray:
        return np.concatenate([v.detach().numpy().ravel() for v in model.policy.state_dict().values()])

    return flat


@pytest.fixture(scope="session")
def assert_equal_norm() -> Callable[..., None]:
    """Two vectors differ by at most 1e-6 of the expected one's norm."""

    def check(actual: np.ndarray, expected: np.ndarray, *, rtol: float = NORM_RTOL) -> None:
        difference = np.linalg.norm(np.asarray(actual, float) - np.asarray(expected, float))
        assert difference <= rtol * np.linalg.norm(np.asarray(expected, float)), (
            f"off by {difference / np.linalg.norm(expected):.2e} of the norm"
        )

    return check


@pytest.fixture(scope="session")
def assert_equal_elements() -> Callable[..., None]:
    """Two vectors agree element by element."""

    def check(actual: np.ndarray, expected: np.ndarray, *, rtol: float = RTOL, atol: float = ATOL) -> None:
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)

    return check


@pytest.fixture(scope="session")
def logged() -> Callable[[OnPolicyAlgorithm], dict[str, float]]:
    """What a model has logged since it last wrote its log, without times."""

    def values(model: OnPolicyAlgorithm) -> dict[str, float]:
        return {k: float(v) for k, v in model.logger.name_to_value.items() if not k.startswith("time/")}

    return values
