import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from tuning.vec_env import LightVecEnv


class Talkative(gym.Env):
    """Writes a new info and a new observation into the same objects at each step; terminates by itself."""

    observation_space = spaces.Box(-100, 100, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self):
        self._observation = np.zeros(2, dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._trail = []
        self._observation[:] = self.np_random.random(), (options or {}).get("start", 0)
        return self._observation, {"options": options}

    def step(self, action):
        self._trail.append(int(action))
        self._observation[1] += 1 + action
        return (
            self._observation,
            0.1,
            len(self._trail) > 6,
            len(self._trail) > 3 and action,
            {"trail": self._trail},
        )


class InParts(gym.Env):
    """Observes two things by name."""

    observation_space = spaces.Dict({"a": spaces.Box(-1, 1, (2,)), "b": spaces.Discrete(9)})
    action_space = spaces.Box(-1, 1, (3,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._n = 0
        return self._seen(), {}

    def step(self, action):
        self._n += 1
        return self._seen(), float(action.sum()), self._n == 8, False, {}

    def _seen(self):
        return {"a": self.np_random.random(2, dtype=np.float32), "b": self._n}


class Numbered(gym.Env):
    """Observes a whole number, as in FrozenLake."""

    observation_space = spaces.Discrete(5)
    action_space = spaces.Discrete(5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {"prob": 1}

    def step(self, action):
        return int(action), float(action), action == 4, False, {"prob": 0.5}


def same(ours, theirs):
    """Compare nested results by type and value, but for the wall-clock seconds of Monitor."""
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for key in ours.keys() - {"t"}:
            same(ours[key], theirs[key])
    elif isinstance(ours, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert ours == theirs


ENVS = {
    "truncated": lambda: gym.make("Pendulum-v1", max_episode_steps=7),
    "terminated": lambda: gym.make("CartPole-v1"),
    # A copy of each observation: DummyVecEnv reads what an episode ended with after the reset wrote over it.
    "both, with infos": lambda: gym.wrappers.TransformObservation(Talkative(), np.copy, None),
    "a dict": InParts,
    "a number": Numbered,
}


@pytest.mark.parametrize("make", ENVS.values(), ids=ENVS.keys())
@pytest.mark.parametrize("n_envs", [1, 3])
def test_each_step_is_that_of_dummy_vec_env(make, n_envs):
    ours, theirs = (
        make_vec_env(make, n_envs=n_envs, seed=5, vec_env_cls=cls) for cls in (LightVecEnv, DummyVecEnv)
    )
    history = []  # compared at the end: nothing that was handed out may change later
    for episode in range(2):
        for env in (ours, theirs):
            env.seed(3 + episode)
            env.set_options({"start": 4})
        history.append((ours.reset(), theirs.reset()))
        for _ in range(40):
            actions = np.array([theirs.action_space.sample() for _ in range(n_envs)])
            history.append((ours.step(actions), theirs.step(actions)))
            same(ours.reset_infos, theirs.reset_infos)
    assert any(dones.any() for _, (_, _, dones, _) in history[1:41])
    same([one for one, _ in history], [other for _, other in history])
    assert ours.env_is_wrapped(Monitor) == [True] * n_envs
    same(ours.get_attr("episode_lengths"), theirs.get_attr("episode_lengths"))
    for env in (ours, theirs):
        env.close()


def test_the_last_observation_of_an_episode_survives_a_reset_that_writes_over_it():
    env = make_vec_env(Talkative, n_envs=1, seed=0, vec_env_cls=LightVecEnv)
    env.reset()
    for _ in range(4):
        observation, _, (done,), (info,) = env.step(np.array([1]))
    assert done
    assert info["terminal_observation"][1] == 8
    assert observation[0, 1] == 0
    env.close()
