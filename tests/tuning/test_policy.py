import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from storage.artifacts import KeptPolicy
from tuning.policy import build_model, is_finite, policy_arrays, rebuild_policy, sb3_arguments


@pytest.fixture
def kept():
    resolved = {
        "learning_rate": 1e-3,
        "policy_kwargs": {"net_arch": {"pi": [8], "vf": [4]}, "activation_fn": "relu"},
    }
    model = build_model("PPO", "MlpPolicy", "Pendulum-v1", resolved, seed=1)
    request = {
        "env": {"id": "Pendulum-v1", "kwargs": {}},
        "algorithm": "PPO",
        "policy": "MlpPolicy",
        "resolved": resolved,
    }
    return model, KeptPolicy(policy_arrays(model.policy), request)


def test_names_of_activations_become_classes_and_nothing_else_changes():
    resolved = {"gamma": 0.9, "policy_kwargs": {"activation_fn": "tanh", "ortho_init": False}}
    arguments = sb3_arguments(resolved)
    assert arguments == {"gamma": 0.9, "policy_kwargs": {"activation_fn": torch.nn.Tanh, "ortho_init": False}}
    assert resolved["policy_kwargs"]["activation_fn"] == "tanh", "the resolved configuration is left alone"


def test_the_model_is_the_sb3_class_with_these_arguments(kept):
    model, _ = kept
    assert type(model) is PPO
    assert model.learning_rate == 1e-3
    assert model.policy.net_arch == {"pi": [8], "vf": [4]}


def test_a_rebuilt_policy_acts_the_same(kept):
    model, policy = kept[0], rebuild_policy(kept[1])
    observations = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    expected, _ = model.predict(observations, deterministic=True)
    actions, _ = policy.predict(observations, deterministic=True)
    np.testing.assert_array_equal(actions, expected)


def test_arrays_that_do_not_fit_are_refused(kept):
    arrays = dict(kept[1].arrays)
    arrays.pop("log_std")
    with pytest.raises(RuntimeError, match="log_std"):
        rebuild_policy(KeptPolicy(arrays, kept[1].request))


def test_nan_weights_are_noticed(kept):
    model, _ = kept
    assert is_finite(model.policy)
    with torch.no_grad():
        next(model.policy.parameters())[0] = float("nan")
    assert not is_finite(model.policy)


@pytest.mark.parametrize("trainer", ["sb3", "auto"])
def test_training_leaves_nothing_in_the_temporary_folder(trainer, tmp_path, monkeypatch):
    import torch._inductor.runtime.cache_dir_utils  # noqa: F401 - has a folder for its own import, not ours

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    small = {"n_steps": 8, "batch_size": 8}
    model = build_model("PPO", "MlpPolicy", "Pendulum-v1", small, seed=1, trainer=trainer)

    model.learn(8)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["PPO", "TRPO"])
def test_a_policy_of_many_envs_with_one_step_each_is_rebuilt_in_one(name):
    resolved = {"n_steps": 1, "policy_kwargs": {"net_arch": [8]}}
    model = build_model(name, "MlpPolicy", make_vec_env("CartPole-v1", n_envs=2), resolved, seed=1)
    request = {"env": {"id": "CartPole-v1"}, "algorithm": name, "policy": "MlpPolicy", "resolved": resolved}
    again = rebuild_policy(KeptPolicy(policy_arrays(model.policy), request))
    observations = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    expected, _ = model.predict(observations, deterministic=True)
    np.testing.assert_array_equal(again.predict(observations, deterministic=True)[0], expected)
