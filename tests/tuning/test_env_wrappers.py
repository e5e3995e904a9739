"""The wrappers of a study give the numbers of those that plain Stable-Baselines3 would use."""

from copy import deepcopy

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from sb3_contrib.common.wrappers import TimeFeatureWrapper
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecFrameStack

from tuning.env_wrappers import FrameStack, TimeFeature, make_wrapped, wrapper_fault
from tuning.environments import EnvironmentsError
from tuning.spec_parts import EnvSpec
from tuning.training import make_envs


class Seen(gymnasium.Env):
    """Observes samples of any space."""

    action_space = spaces.Discrete(2)

    def __init__(self, space):
        self.observation_space = deepcopy(space)  # each env draws by itself

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, False, bool(self.np_random.random() < 0.2), {}


def same_steps(ours, theirs, n_steps=60):
    """Compare two vectorised envs step by step, the last observations of episodes included."""
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    n_done = 0
    for step in range(n_steps):
        actions = np.array([ours.action_space.sample() for _ in range(ours.num_envs)])
        (seen, rewards, dones, infos), other = ours.step(actions), theirs.step(actions)
        np.testing.assert_array_equal(seen, other[0], err_msg=f"step {step}")
        np.testing.assert_array_equal(rewards, other[1])
        np.testing.assert_array_equal(dones, other[2])
        assert seen.dtype == other[0].dtype
        for one, two, done in zip(infos, other[3], dones, strict=True):
            if done:
                n_done += 1
                np.testing.assert_array_equal(one["terminal_observation"], two["terminal_observation"])
    assert n_done > 1


def test_time_feature_and_frame_stack_are_those_of_sb3():
    spec = EnvSpec(id="Pendulum-v1", kwargs={"max_episode_steps": 20}, time_feature=True, frame_stack=3)
    ours = make_envs(spec, 2, seed=4)
    kwargs = {"max_episode_steps": 20}
    theirs = make_vec_env(
        "Pendulum-v1", n_envs=2, seed=4, env_kwargs=kwargs, wrapper_class=TimeFeatureWrapper
    )
    assert ours.observation_space.shape == (12,)
    same_steps(ours, VecFrameStack(theirs, n_stack=3))


@pytest.mark.parametrize("shape", [(36, 40, 3), (3, 36, 40)])
def test_images_are_stacked_along_their_channels(shape):
    image = spaces.Box(0, 255, shape, np.uint8)
    ours = make_vec_env(lambda: FrameStack(Seen(image), 4), n_envs=2, seed=1)
    theirs = VecFrameStack(make_vec_env(lambda: Seen(image), n_envs=2, seed=1), n_stack=4)
    assert sorted(ours.observation_space.shape) == [12, 36, 40]
    same_steps(ours, theirs, n_steps=25)


def test_dicts_are_stacked_and_timed_by_part():
    goal = spaces.Dict({"observation": spaces.Box(-1, 1, (2,)), "goal": spaces.Box(-1, 1, (1,))})
    env = Seen(goal)
    env.spec = gymnasium.envs.registration.EnvSpec("Goal-v0", max_episode_steps=4)
    env = FrameStack(TimeFeature(env), 2)
    first, _ = env.reset(seed=0)
    assert {key: part.shape for key, part in first.items()} == {"observation": (6,), "goal": (2,)}
    assert env.observation_space.contains(first)
    second, *_ = env.step(0)
    assert env.observation_space.contains(second)
    assert (second["observation"][2], second["observation"][5]) == (1.0, 0.75)  # all, then three quarters
    np.testing.assert_array_equal(second["goal"][:1], first["goal"][1:])


def test_an_environment_that_writes_into_one_array_is_stacked_frame_by_frame():
    class Reusing(Seen):
        def reset(self, **kwargs):
            self.array = np.zeros(1, np.float32)
            return self.array, {}

        def step(self, action):
            self.array += 1
            return self.array, 0.0, False, False, {}

    env = FrameStack(Reusing(spaces.Box(-9, 9, (1,))), 3)
    env.reset()
    env.step(0)
    assert env.step(0)[0].tolist() == [0.0, 1.0, 2.0]


def test_without_wrappers_nothing_is_wrapped():
    env = make_wrapped(EnvSpec(id="Pendulum-v1"))
    assert not isinstance(env, TimeFeature | FrameStack)
    env.close()
    assert make_wrapped(EnvSpec(id="Pendulum-v1"), render_mode="rgb_array").render_mode == "rgb_array"


@pytest.mark.parametrize(
    ("space", "wrappers", "said"),
    [
        (spaces.Discrete(4), {"time_feature": True}, "The time feature is one more number in a row"),
        (spaces.Box(0, 255, (4,), np.uint8), {"time_feature": True}, "in a row of real numbers"),
        (spaces.Box(-1, 1, (4,)), {"time_feature": True}, "Add max_episode_steps"),
        (spaces.Discrete(4), {"frame_stack": 2}, "A frame stack takes arrays"),
        (spaces.Dict({"a": spaces.Discrete(2)}), {"frame_stack": 2}, "A frame stack takes arrays"),
        (spaces.Box(0, 255, (40, 40, 3), np.uint8), {"frame_stack": 16}, "more channels than pixels"),
        (spaces.Discrete(4), {"normalize_observations": True}, "Only arrays of numbers are normalised"),
        (spaces.Box(0, 255, (40, 40, 3), np.uint8), {"normalize_observations": True}, "no images"),
        (spaces.Dict({"a": spaces.Discrete(2)}), {"normalize_observations": True}, "Turn off"),
        (spaces.Discrete(4), {"normalize_rewards": True}, None),
        (spaces.Box(-1, 1, (4, 2)), {"frame_stack": 16, "normalize_observations": True}, None),
    ],
)
def test_a_wrapper_that_does_not_fit_says_why(space, wrappers, said):
    fault = wrapper_fault(EnvSpec(id="X-v0", **wrappers), Seen(space))
    assert (fault is None) if said is None else (said in fault)


def test_a_misfit_is_refused_before_anything_is_trained():
    with pytest.raises(EnvironmentsError, match=r"FrozenLake-v1 observes Discrete\(16\). Turn it off"):
        make_wrapped(EnvSpec(id="FrozenLake-v1", time_feature=True))
