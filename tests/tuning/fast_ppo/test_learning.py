"""Whole runs of `learn()`: from the same seed ours goes the way of SB3's, and logs and calls back alike."""

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import CheckpointCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import KVWriter, Logger

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


class Kept(KVWriter):
    """Keeps what is written to the log."""

    def __init__(self):
        self.rows = []

    def write(self, key_values, key_excluded, step=0):
        timeless = {k: float(v) for k, v in key_values.items() if k not in ("time/fps", "time/time_elapsed")}
        self.rows.append((step, timeless, {k: v for k, v in key_excluded.items() if v}))

    def close(self):
        pass


@pytest.fixture
def learnt(build):
    """SB3's model and ours after a short run from the same seed, with what they logged."""

    def run(classes, env_id, *, n_envs=2, n_timesteps=192, callback=None, log_interval=1, **arguments):
        models = []
        for cls in classes:
            env = make_vec_env(env_id, n_envs=n_envs, seed=3, env_kwargs={"max_episode_steps": 20})
            if issubclass(cls, PPO):
                arguments = {"batch_size": 16, "n_epochs": 3, **arguments}
            model = build(cls, env, **{"n_steps": 32, "seed": 6, **arguments})
            model.log = Kept()
            model.set_logger(Logger(None, [model.log]))
            model.start = {k: v.clone() for k, v in model.policy.state_dict().items()}
            model.learn(n_timesteps, callback=callback() if callback else None, log_interval=log_interval)
            models.append(model)
        return models

    return run


RUNS = {
    "ppo-pendulum": ((PPO, FastPPO), "Pendulum-v1", {}),
    "ppo-cartpole": ((PPO, FastPPO), "CartPole-v1", {}),
    "ppo-frozen-lake": ((PPO, FastPPO), "FrozenLake-v1", {}),
    "a2c-pendulum": ((A2C, FastA2C), "Pendulum-v1", {"n_steps": 16, "log_interval": 2}),
    "a2c-cartpole": ((A2C, FastA2C), "CartPole-v1", {"n_steps": 8, "log_interval": 3}),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_same_run_from_the_same_seed(name, learnt, weights, assert_equal_norm):
    classes, env_id, arguments = RUNS[name]
    theirs, ours = learnt(classes, env_id, **arguments)
    assert ours.why_not_fast is None
    for key, value in theirs.start.items():
        assert torch.equal(ours.start[key], value), f"{key} starts otherwise"
    assert_equal_norm(weights(ours), weights(theirs), rtol=1e-5)  # each rollout starts from rounded weights
    assert ours.num_timesteps == theirs.num_timesteps
    for (step, expected, hidden), (our_step, actual, our_hidden) in zip(
        theirs.log.rows, ours.log.rows, strict=True
    ):
        assert our_step == step
        assert actual.keys() == expected.keys()
        assert our_hidden == hidden
        for key, value in expected.items():
            assert actual[key] == pytest.approx(value, rel=1e-3, abs=1e-5), key


def test_a_run_repeats_itself_to_the_last_bit(learnt, weights):
    once, again = learnt((FastPPO, FastPPO), "Pendulum-v1")
    np.testing.assert_array_equal(weights(again), weights(once))


def test_sb3s_own_callbacks_work(learnt, tmp_path):
    def callbacks():
        env = make_vec_env("Pendulum-v1", seed=9, env_kwargs={"max_episode_steps": 20})
        return [
            EvalCallback(env, eval_freq=24, n_eval_episodes=2, verbose=0, warn=False),
            CheckpointCallback(save_freq=40, save_path=str(tmp_path), name_prefix="kept"),
        ]

    theirs, ours = learnt((PPO, FastPPO), "Pendulum-v1", callback=callbacks)
    evaluated = [
        [values["eval/mean_reward"] for _, values, _ in model.log.rows if "eval/mean_reward" in values]
        for model in (theirs, ours)
    ]
    assert len(evaluated[0]) > 1
    assert evaluated[1] == pytest.approx(evaluated[0], rel=1e-3)
    checkpoint = PPO.load(tmp_path / "kept_160_steps.zip")
    assert checkpoint.num_timesteps == 160
