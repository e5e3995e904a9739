"""The zip is one that plain Stable-Baselines3 made: it loads there and acts as the kept policy does."""

from dataclasses import replace

import numpy as np
import pytest
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env

from storage.artifacts import KeptPolicy, load_policy
from tests.shipped import BEST
from tuning.export import ExportError
from tuning.export_zip import write_model_zip
from tuning.policy import build_model, policy_arrays, rebuild_policy


@pytest.fixture
def kept(recorded):
    return load_policy(recorded, BEST)


def test_plain_sb3_loads_it_and_it_acts_as_before(kept, tmp_path):
    path = tmp_path / "model.zip"
    write_model_zip(kept, path)
    assert [p.name for p in tmp_path.iterdir() if p.name != "runs"] == ["model.zip"]
    model = PPO.load(path, device="cpu")
    policy = rebuild_policy(kept)
    observations = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    ours, _ = policy.predict(observations, deterministic=True)
    theirs, _ = model.predict(observations, deterministic=True)
    np.testing.assert_array_equal(ours, theirs)
    assert len(np.unique(ours)) > 10  # it does act differently in different states
    assert (model.gamma, model.n_steps, model.n_envs) == (
        kept.request["resolved"]["gamma"],
        kept.request["resolved"]["n_steps"],
        kept.request["n_train_envs"],
    )
    assert model.num_timesteps == kept.request["timesteps"]


def test_a_replay_buffer_holds_no_more_than_the_training_had(tmp_path):
    resolved = {"policy_kwargs": {"net_arch": [8]}}
    model = build_model("DQN", "MlpPolicy", "CartPole-v1", resolved, seed=0, n_timesteps=1)
    request = {"env": {"id": "CartPole-v1"}, "algorithm": "DQN", "policy": "MlpPolicy", "resolved": resolved}
    request |= {"n_train_envs": 1, "timesteps": 300}
    write_model_zip(KeptPolicy(policy_arrays(model.policy), request), tmp_path / "model.zip")
    assert DQN.load(tmp_path / "model.zip", device="cpu").buffer_size == 304  # with a last rollout of 4


def test_training_can_go_on_from_it(kept, tmp_path):
    small = replace(kept, request={**kept.request, "resolved": {**kept.request["resolved"], "n_steps": 16}})
    write_model_zip(small, tmp_path / "model.zip")
    env = make_vec_env("Pendulum-v1", n_envs=kept.request["n_train_envs"])
    model = PPO.load(tmp_path / "model.zip", env=env, device="cpu")
    model.learn(80, reset_num_timesteps=False)
    assert model.num_timesteps == kept.request["timesteps"] + 80


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"algorithm": "XYZ"},
        {"policy": "CnnPolicy"},
        {"resolved": {"policy_kwargs": {"net_arch": [4]}}},
        {"env": {"id": "CartPole-v1", "kwargs": {}}},
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(kept, tmp_path, request_):
    odd = replace(kept, request={**kept.request, **request_} if request_ else {})
    with pytest.raises(ExportError, match="cannot be rebuilt"):
        write_model_zip(odd, tmp_path / "zips" / "model.zip")
    assert not list((tmp_path / "zips").glob("*")) if (tmp_path / "zips").exists() else True
