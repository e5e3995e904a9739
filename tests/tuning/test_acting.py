"""A policy meets in a single environment what it met in vectorised ones."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.env_util import make_vec_env

from tuning.acting import Acting
from tuning.evaluation import evaluate, play
from tuning.policy import build_model

SMALL = {"policy_kwargs": {"net_arch": [8]}}
RECURRENT = {"policy_kwargs": {"net_arch": [8], "lstm_hidden_size": 8}}


class Corridor(gymnasium.Env):
    """Looks its moves up in a table, as the grid worlds of Gymnasium do."""

    observation_space = spaces.Discrete(4)
    action_space = spaces.Discrete(2)
    MOVES = ({0: -1, 1: 1},) * 4

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = int(self.np_random.integers(3)), 0
        return self.place, {}

    def step(self, action):
        assert isinstance(action, np.integer)
        self.place = min(max(self.place + self.MOVES[self.place][action], 0), 3)
        self.steps += 1
        return self.place, float(self.place), self.place == 3, self.steps == 5, {}


class Bounded(Corridor):
    """The same with an action that is an array."""

    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def step(self, action):
        assert (type(action), action.shape, action.dtype) == (np.ndarray, (2,), np.float32)
        return super().step(np.int64(action.sum() > 0))


@pytest.mark.parametrize("env_class", [Corridor, Bounded])
def test_actions_are_what_vectorised_environments_hand_out(env_class):
    model = build_model("PPO", "MlpPolicy", env_class(), SMALL, seed=1)
    single = play(model.policy, env_class(), seeds=[7])
    assert single == evaluate(model, make_vec_env(env_class, n_envs=1), n_episodes=1, seed=7)


class Recall(gymnasium.Env):
    """Shows which way to go in the first observation only: whoever forgets it earns nothing."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.sign, self.steps = self.np_random.choice([-1.0, 1.0]), 0
        return np.full(1, self.sign, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(1, np.float32), float(self.sign * action[0]), False, self.steps == 6, {}


def test_a_recurrent_policy_remembers_within_an_episode_and_forgets_between_two():
    model = RecurrentPPO("MlpLstmPolicy", Recall(), **RECURRENT, seed=2, device="cpu")
    acted = play(model.policy, Recall(), seeds=[1, 2, 3, 1])
    apart = [play(model.policy, Recall(), seeds=[seed]).returns[0] for seed in (1, 2, 3, 1)]
    assert list(acted.returns) == apart
    vectorised = evaluate(model, make_vec_env(Recall, n_envs=1), n_episodes=1, seed=1)
    assert acted.returns[0] == pytest.approx(vectorised.returns[0], abs=1e-6)  # a Monitor rounds

    acting, actions = Acting(model.policy, Recall()), []
    acting.start(1)
    for _ in range(6):
        before = acting.total
        acting.step()
        actions.append(acting.total - before)
    assert len(set(actions[1:])) == 5, "the same observation, and another action for what was seen before"


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "CliffWalking-v1"])
def test_grid_worlds_can_be_played(env_id):
    env = gymnasium.make(env_id, max_episode_steps=5)
    policy = build_model("PPO", "MlpPolicy", env, SMALL, seed=0).policy
    assert 1 <= play(policy, env, seeds=[0]).lengths[0] <= 5


def test_an_episode_knows_how_it_ended_and_the_next_one_begins_anew():
    acting = Acting(build_model("PPO", "MlpPolicy", Corridor(), SMALL, seed=1).policy, Corridor())
    for _ in range(2):
        acting.start(3)
        assert (acting.total, acting.steps, acting.has_ended) == (0.0, 0, False)
        while not acting.has_ended:
            acting.step(deterministic=False)
        assert acting.terminated or (acting.truncated and acting.steps == 5)


def test_episodes_are_counted_as_they_end():
    policy = build_model("PPO", "MlpPolicy", Corridor(), SMALL, seed=1).policy
    heard = []
    played = play(
        policy,
        Corridor(),
        seeds=range(3),
        on_step=lambda: heard.append("step"),
        on_episode=lambda: heard.append("episode"),
    )
    assert heard.count("step") == sum(played.lengths)
    assert [i + 1 for i, h in enumerate(heard) if h == "episode"] == list(
        np.cumsum(played.lengths) + range(1, 4)
    )
