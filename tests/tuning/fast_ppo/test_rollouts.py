"""`collect_rollouts()` on real environments fills the buffer with what SB3 fills it with."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

ROUNDED = ("observations", "actions", "rewards", "values", "log_probs", "advantages", "returns")
N_STEPS = 24
# What callbacks could also see in SB3: itself, and what its loop over ended episodes leaves behind.
OF_SB3S_LOOP = {"self", "__class__", "idx", "done", "terminal_obs", "terminal_value"}


@dataclass(frozen=True)
class Registered:
    """A registered environment; a short time limit cuts episodes within the rollout."""

    env_id: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    n_envs: int = 3

    def make(self, toy_envs):
        return make_vec_env(self.env_id, n_envs=self.n_envs, seed=7, env_kwargs=self.kwargs)


@dataclass(frozen=True)
class InTest:
    """The toy with these spaces."""

    observation: str
    action: str
    n_envs: int = 2

    def make(self, toy_envs):
        return toy_envs(SPACES[self.observation], SPACES[self.action], n_envs=self.n_envs)


SPACES: dict[str, spaces.Space] = {
    "matrix": spaces.Box(-1.0, 1.0, (2, 3), np.float32),
    "float64": spaces.Box(-np.inf, np.inf, (2,), np.float64),
    "integers": spaces.Box(-9, 9, (4,), np.int64),
    "discrete": spaces.Discrete(5),
    "pictures": spaces.Box(0, 255, (1, 4, 4), np.uint8),
    "from-two": spaces.Discrete(3, start=2),
    "uneven": spaces.Box(np.float32([-1, -2, 0]), np.float32([1, 0.5, 3])),
    "actions64": spaces.Box(-0.5, 0.5, (2,), np.float64),
    "one": spaces.Box(-1.0, 1.0, (1,), np.float32),
}
ENVS: dict[str, Registered | InTest] = {
    "pendulum": Registered("Pendulum-v1", {"max_episode_steps": 10}),
    "pendulum-one-env": Registered("Pendulum-v1", {"max_episode_steps": 7}, n_envs=1),
    "cartpole": Registered("CartPole-v1", {"max_episode_steps": 11}),
    "acrobot": Registered("Acrobot-v1", {"max_episode_steps": 9}, n_envs=2),
    "mountain-car": Registered("MountainCarContinuous-v0", {"max_episode_steps": 9}, n_envs=2),
    "frozen-lake": Registered("FrozenLake-v1", {"max_episode_steps": 8}),
    "taxi": Registered("Taxi-v4", {"max_episode_steps": 10}, n_envs=1),
    "matrix-matrix": InTest("matrix", "matrix"),
    "float64-uneven": InTest("float64", "uneven", n_envs=1),
    "integers-discrete": InTest("integers", "discrete"),
    "discrete-actions64": InTest("discrete", "actions64"),
    "one-one": InTest("one", "one", n_envs=5),
    "discrete-discrete": InTest("discrete", "discrete", n_envs=1),
    "one-from-two": InTest("one", "from-two"),
}


class Recorder(BaseCallback):
    """Notes what callbacks get to see, and ends the rollout at a step if told so."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.stop_at, self.seen, self.calls = stop_at, {}, []

    def _on_rollout_start(self):
        self.calls.append("start")

    def _on_step(self):
        self.calls.append(self.num_timesteps)
        self.seen.setdefault("step", {k: _kind(v) for k, v in self.locals.items()})
        self.seen.setdefault("actions", []).append(np.array(self.locals["clipped_actions"]))
        return self.n_calls != self.stop_at

    def _on_rollout_end(self):
        self.calls.append("end")
        self.seen.setdefault("end", {k: _kind(v) for k, v in self.locals.items()})


def _kind(value):
    shape = tuple(value.shape) if isinstance(value, (np.ndarray, torch.Tensor)) else None
    return (type(value).__name__, str(getattr(value, "dtype", "")), shape)


@pytest.fixture
def collected(build, toy_envs):
    """SB3's model and ours after rollouts with the same seeds."""

    def run(classes, env, *, n_rollouts=2, stop_at=None, wrap=lambda env: env, **arguments):
        models = []
        for cls in classes:
            model = build(cls, wrap(env.make(toy_envs)), n_steps=N_STEPS, spread=1.0, **arguments)
            recorder = Recorder(stop_at)
            _, callback = model._setup_learn(1_000, recorder)
            callback.on_training_start({}, {})
            model.seen, model.rollouts = recorder, []
            for number in range(n_rollouts):
                torch.manual_seed(number)
                finished = model.collect_rollouts(model.env, callback, model.rollout_buffer, N_STEPS)
                buffer = model.rollout_buffer
                rows = {n: getattr(buffer, n)[: buffer.pos].copy() for n in (*ROUNDED, "episode_starts")}
                model.rollouts.append((finished, rows))
            model.random_state = torch.get_rng_state()
            models.append(model)
        return models

    return run


@pytest.fixture
def assert_same_rollouts(assert_equal_norm, assert_equal_elements):
    def equal(actual, expected):
        assert_equal_norm(actual, expected)
        assert_equal_elements(actual, expected)

    def check(theirs, ours):
        assert ours.why_not_fast is None
        for (their_end, expected), (our_end, actual) in zip(theirs.rollouts, ours.rollouts, strict=True):
            assert our_end == their_end
            for name in ROUNDED:
                assert actual[name].shape == expected[name].shape
                assert actual[name].dtype == expected[name].dtype, name
                equal(actual[name], expected[name])
            np.testing.assert_array_equal(actual["episode_starts"], expected["episode_starts"])
        equal(ours._last_obs, theirs._last_obs)
        np.testing.assert_array_equal(ours._last_episode_starts, theirs._last_episode_starts)
        assert ours.num_timesteps == theirs.num_timesteps
        assert torch.equal(ours.random_state, theirs.random_state), "drew other random numbers"
        for expected, actual in zip(theirs.ep_info_buffer, ours.ep_info_buffer, strict=True):
            assert actual["l"] == expected["l"]
            assert actual["r"] == pytest.approx(expected["r"], rel=1e-5, abs=1e-6)
        assert list(ours.ep_success_buffer) == list(theirs.ep_success_buffer)

    return check


@pytest.mark.parametrize("name", ENVS)
def test_ppo_collects_the_same(name, collected, assert_same_rollouts):
    theirs, ours = collected((PPO, FastPPO), ENVS[name], gamma=0.9, gae_lambda=0.8, batch_size=N_STEPS)
    assert len(theirs.ep_info_buffer) > 0, "no episode ended: the bootstrap was not tested"
    assert_same_rollouts(theirs, ours)


@pytest.mark.parametrize("name", ["pendulum", "pendulum-one-env", "cartpole", "frozen-lake", "matrix-matrix"])
def test_a2c_collects_the_same(name, collected, assert_same_rollouts):
    assert_same_rollouts(*collected((A2C, FastA2C), ENVS[name]))


@pytest.mark.parametrize("name", ["pendulum", "cartpole"])
def test_normalised_environments_are_collected_the_same(name, collected, assert_same_rollouts):
    theirs, ours = collected((PPO, FastPPO), ENVS[name], wrap=VecNormalize, batch_size=N_STEPS)
    assert_same_rollouts(theirs, ours)


def test_images_that_are_not_rescaled_are_collected_the_same(collected, assert_same_rollouts):
    kept = {"policy_kwargs": {"normalize_images": False}, "batch_size": N_STEPS}
    assert_same_rollouts(*collected((PPO, FastPPO), InTest("pictures", "uneven"), **kept))


def test_a_time_limit_is_bootstrapped_and_an_end_is_not(collected):
    theirs, ours = collected((PPO, FastPPO), ENVS["cartpole"], gamma=0.9, batch_size=N_STEPS)
    for model in (theirs, ours):
        rewards = np.concatenate([r["rewards"].ravel() for _, r in model.rollouts])
        changed = rewards != 1.0  # CartPole pays exactly 1 a step; the rest came from the value function
        assert 0 < changed.sum() < len(model.ep_info_buffer)


@pytest.mark.parametrize("name", ["pendulum", "cartpole", "taxi", "matrix-matrix"])
@pytest.mark.parametrize("classes", [(PPO, FastPPO), (A2C, FastA2C)])
def test_callbacks_see_the_same(classes, name, collected):
    theirs, ours = collected(classes, ENVS[name], n_rollouts=2)
    assert ours.seen.calls == theirs.seen.calls
    for moment in ("step", "end"):
        expected, actual = theirs.seen.seen[moment], ours.seen.seen[moment]
        same = {k: v for k, v in expected.items() if k not in OF_SB3S_LOOP}
        assert same.keys() <= actual.keys()
        assert {k: actual[k] for k in same} == same
    np.testing.assert_allclose(ours.seen.seen["actions"], theirs.seen.seen["actions"], rtol=1e-5, atol=1e-5)


def test_a_callback_ends_the_rollout_at_once(collected, assert_same_rollouts):
    theirs, ours = collected((PPO, FastPPO), ENVS["cartpole"], n_rollouts=1, stop_at=5, batch_size=N_STEPS)
    assert ours.rollouts[0][0] is False
    assert ours.num_timesteps == theirs.num_timesteps == 15
    assert ours.rollout_buffer.pos == theirs.rollout_buffer.pos == 4
    assert_same_rollouts(theirs, ours)
