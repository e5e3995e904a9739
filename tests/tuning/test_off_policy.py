"""Algorithms that replay steps: what is built for them, and that they train, are evaluated and kept."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from stable_baselines3.common.noise import (
    NormalActionNoise,
    OrnsteinUhlenbeckActionNoise,
    VectorizedActionNoise,
)

from storage.artifacts import load_policy
from storage.live import read_curve
from storage.paths import RunFolder
from tuning.policy import build_model, policy_arrays, rebuild_policy
from tuning.reporter import Reporter
from tuning.space.resolve import resolve_configuration
from tuning.spec import build_spec
from tuning.spec_parts import EnvSpec
from tuning.training import Seeds, Training, keep_policy, make_envs, train
from tuning.watchdog import Control

PENDULUM = EnvSpec(id="Pendulum-v1")
SMALL = {"policy_kwargs": {"net_arch": [8]}, "batch_size": 16}


def training_of(algorithm, env, resolved, **fields):
    return Training(
        env=env,
        algorithm=algorithm,
        policy="MlpPolicy",
        resolved=resolved,
        seeds=Seeds(train=1, evaluation=8_000),
        **{
            "n_train_envs": 1,
            "n_timesteps": 240,
            "marks": (120, 240),
            "n_eval_envs": 1,
            "n_eval_episodes": 1,
            **fields,
        },
    )


def run(folder, training):
    found = []
    with Reporter(folder, 0, training.n_timesteps) as reporter:
        trained = train(training, on_evaluation=found.append, reporter=reporter, control=Control())
    return trained, found


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


@pytest.mark.parametrize(
    ("kind", "cls"), [("normal", NormalActionNoise), ("ornstein-uhlenbeck", OrnsteinUhlenbeckActionNoise)]
)
def test_noise_is_as_wide_as_the_actions(kind, cls):
    env = make_envs(PENDULUM, 1, seed=0)
    resolved = {**SMALL, "noise_type": kind, "noise_std": 0.3}
    model = build_model("TD3", "MlpPolicy", env, resolved, seed=0, n_timesteps=100)
    assert type(model.action_noise) is cls
    assert model.action_noise._sigma.tolist() == [0.3]
    assert model.buffer_size == 101, "it holds what is collected, with the last rollout"


def test_no_noise_leaves_its_width_without_effect():
    model = build_model("TD3", "MlpPolicy", "Pendulum-v1", {**SMALL, "noise_std": 0.3}, seed=0, n_timesteps=9)
    assert model.action_noise is None


def test_a_smaller_buffer_that_was_asked_for_stays():
    resolved = {**SMALL, "buffer_size": 50}
    assert build_model("SAC", "MlpPolicy", "Pendulum-v1", resolved, seed=0, n_timesteps=400).buffer_size == 50


def test_a_buffer_cut_to_the_budget_trains_the_same():
    arrays, sizes = [], []
    for n in (140, 5_000):  # one after the other: they share the random numbers of the process
        model = build_model("SAC", "MlpPolicy", make_envs(PENDULUM, 1, seed=0), SMALL, seed=0, n_timesteps=n)
        sizes.append(model.buffer_size)
        arrays.append(policy_arrays(model.learn(140).policy))
    assert sizes == [141, 5_001]
    assert all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])


def test_a_training_by_the_clock_does_not_cut_its_buffer_to_the_steps_it_ignores(folder):
    resolved = {**SMALL, "buffer_size": 500, "learning_starts": 10_000}
    training = training_of("SAC", PENDULUM, resolved, n_timesteps=20, marks=(1,), seconds=0.3)
    trained, _ = run(folder, training)
    assert trained.model.num_timesteps > 20
    assert trained.model.buffer_size == 500


def test_sac_trains_is_evaluated_at_its_marks_and_acts_again_as_kept(folder):
    spec = build_spec({"env": {"id": "Pendulum-v1"}, "algorithm": "SAC", "search_space": "sac-for-speed"})
    ends = {p.name: int(p.low) if p.kind == "int" else p.low for p in spec.search_space}
    resolved = resolve_configuration(spec, ends)
    resolved |= {**SMALL, "noise_type": "normal"}
    training = training_of("SAC", PENDULUM, resolved)
    trained, found = run(folder, training)

    assert [(e.mark, e.timesteps, e.last) for e in found] == [(120, 120, False), (240, 240, True)]
    assert found[1].result.mean == trained.evaluation.result.mean
    assert trained.trainer.words == "Stable-Baselines3 (no kernels for SAC)"
    assert [steps for steps, _ in read_curve(folder, 0).episodes] == [200]
    keep_policy(folder, 0, training, trained)
    again = rebuild_policy(load_policy(folder, 0))
    observations = torch.tensor(np.random.default_rng(0).normal(size=(5, 3)), dtype=torch.float32).numpy()
    act = partial(trained.model.policy.predict, observations, deterministic=True)
    assert np.array_equal(again.predict(observations, deterministic=True)[0], act()[0])


def test_dqn_is_evaluated_after_the_first_whole_rollout_past_a_mark(folder):
    cartpole = EnvSpec(id="CartPole-v1")
    resolved = {**SMALL, "train_freq": 25, "gradient_steps": -1, "learning_starts": 20}
    training = training_of("DQN", cartpole, resolved, n_train_envs=2, marks=(60, 240))
    trained, found = run(folder, training)
    assert [(e.mark, e.timesteps) for e in found] == [(60, 100), (240, 250)]
    assert trained.model.num_timesteps == 250
    assert trained.model._n_updates == 250, "as many gradient steps as env steps, over both envs"
    quiet = dataclasses.replace(training, resolved={**resolved, "learning_starts": 10_000})
    assert run(folder, quiet)[0].model._n_updates == 0


def test_each_env_has_a_noise_of_its_own(folder):
    resolved = {**SMALL, "noise_type": "ornstein-uhlenbeck", "learning_starts": 10}
    training = training_of("DDPG", PENDULUM, resolved, n_train_envs=3, n_timesteps=30, marks=(30,))
    trained, _ = run(folder, training)
    assert isinstance(trained.model.action_noise, VectorizedActionNoise)
    assert len(trained.model.action_noise.noises) == 3
