from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from tuning.evaluation import EvaluationResult, evaluate


@pytest.fixture(scope="module")
def model():
    return PPO("MlpPolicy", "Pendulum-v1", policy_kwargs={"net_arch": [8]}, seed=0, device="cpu")


def test_the_same_seed_meets_the_same_starts(model):
    env = make_vec_env(partial(gym.make, "Pendulum-v1"), n_envs=2)
    first = evaluate(model, env, n_episodes=4, seed=3)
    again = evaluate(model, env, n_episodes=4, seed=3)
    other = evaluate(model, env, n_episodes=4, seed=50)
    assert first == again
    assert first != other
    assert first.lengths == (200,) * 4


def test_returns_are_undiscounted_sums(model):
    env = make_vec_env(partial(gym.make, "Pendulum-v1"), n_envs=1)
    (total,) = evaluate(model, env, n_episodes=1, seed=11).returns
    plain = gym.make("Pendulum-v1")
    observation, _ = plain.reset(seed=11)
    rewards = []
    for _ in range(200):
        action, _ = model.predict(observation, deterministic=True)
        observation, reward, _, _, _ = plain.step(action)
        rewards.append(reward)
    assert total == pytest.approx(sum(rewards), rel=1e-5)


def test_it_can_be_broken_off_at_any_step(model):
    env = make_vec_env(partial(gym.make, "Pendulum-v1"), n_envs=2)

    def give_up():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate(model, env, n_episodes=2, seed=0, on_step=give_up)


def test_mean_and_std_are_over_episodes():
    result = EvaluationResult((1.0, 3.0), (10, 10))
    assert (result.mean, result.std) == (2.0, 1.0)
    assert np.isnan(EvaluationResult((1.0, float("nan")), (1, 1)).mean)
