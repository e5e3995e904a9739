"""Policies of every family are kept as arrays, and act as before: rebuilt, and in a zip for plain SB3."""

import re
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sb3_contrib import ARS

from storage.artifacts import load_policy, save_policy
from storage.paths import RunFolder
from tuning import environments
from tuning.algorithms import algorithm
from tuning.card_text import _usage
from tuning.evaluation import play
from tuning.export_zip import write_model_zip
from tuning.policy import build_model, policy_arrays, rebuild_policy
from tuning.spec import build_spec

ROLLOUT = {"n_steps": 16, "batch_size": 16, "policy_kwargs": {"net_arch": [8]}}
REPLAY = {"learning_starts": 8, "batch_size": 8, "buffer_size": 100, "policy_kwargs": {"net_arch": [8]}}
CASES = {
    "TRPO": ("CartPole-v1", "MlpPolicy", ROLLOUT),
    "RecurrentPPO": (
        "CartPole-v1",
        "MlpLstmPolicy",
        {**ROLLOUT, "policy_kwargs": {"net_arch": [8], "lstm_hidden_size": 8, "activation_fn": "relu"}},
    ),
    "QR-DQN": ("CartPole-v1", "MlpPolicy", {**REPLAY, "policy_kwargs": {"n_quantiles": 5, "net_arch": [8]}}),
    "ARS": ("CartPole-v1", "LinearPolicy", {"n_delta": 2}),
    "ARS with layers": (
        "CartPole-v1",
        "MlpPolicy",
        {"n_delta": 2, "zero_policy": False, "policy_kwargs": {"net_arch": [8], "activation_fn": "tanh"}},
    ),
    "DQN": ("CartPole-v1", "MlpPolicy", REPLAY),
    "SAC": ("Pendulum-v1", "MlpPolicy", REPLAY),
    "TD3": ("Pendulum-v1", "MlpPolicy", REPLAY),
    "TQC": ("Pendulum-v1", "MlpPolicy", REPLAY),
    "CrossQ": ("Pendulum-v1", "MlpPolicy", REPLAY),
}
SHORT = {"max_episode_steps": 40}


@pytest.fixture(params=CASES)
def trained(request, tmp_path):
    """Train for a moment, keep the policy, and read it back."""
    name = request.param.partition(" ")[0]
    env_id, policy, resolved = CASES[request.param]
    model = build_model(name, policy, environments.make(env_id, SHORT), resolved, seed=3)
    model.learn(32)
    about = {
        "env": {"id": env_id, "kwargs": SHORT},
        "algorithm": name,
        "policy": policy,
        "resolved": resolved,
        "n_train_envs": 1,
        "train_seed": 3,
        "timesteps": model.num_timesteps,
    }
    folder = RunFolder(tmp_path / "study-0000")
    folder.path.mkdir()
    save_policy(folder, 0, policy_arrays(model.policy), about)
    return model, load_policy(folder, 0)


def test_it_acts_as_before_when_rebuilt_and_in_a_zip_that_plain_sb3_loads(
    trained, tmp_path, monkeypatch, capsys
):
    model, kept = trained
    request = kept.request
    env = environments.make(request["env"]["id"], SHORT)
    before = play(model.policy, env, seeds=[0, 1, 2])
    again = rebuild_policy(kept)
    assert play(again, env, seeds=[0, 1, 2]) == before
    # Episodes of a policy that hardly learned may visit few states; these ones tell policies apart.
    seen = np.random.default_rng(0).normal(size=(200, *env.observation_space.shape)).astype(np.float32)
    expected = model.policy.predict(seen, deterministic=True)[0]
    np.testing.assert_array_equal(again.predict(seen, deterministic=True)[0], expected)
    untrained = build_model(request["algorithm"], request["policy"], env, request["resolved"], seed=3)
    moved = [
        name
        for name, array in policy_arrays(untrained.policy).items()
        if not np.array_equal(array, kept.arrays[name])
    ]
    assert moved, "training changed what was kept"

    write_model_zip(kept, tmp_path / "agent.zip")
    module, _, class_name = algorithm(request["algorithm"]).class_path.rpartition(".")
    loaded = getattr(import_module(module), class_name).load(tmp_path / "agent.zip", device="cpu")
    assert play(loaded.policy, env, seeds=[0, 1, 2]) == before
    np.testing.assert_array_equal(loaded.policy.predict(seen, deterministic=True)[0], expected)
    data = {"env": request["env"], "algorithm": request["algorithm"], "search_space": "starter"}
    card = SimpleNamespace(spec=build_spec({**data, "policy": request["policy"]}), stem="agent")
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", _usage(card), re.DOTALL)[1]
    exec(compile(code, "README.md", "exec"), {})
    assert float(capsys.readouterr().out) == before.returns[0]


def test_a_card_says_what_training_on_from_it_takes(tmp_path):
    """Plain `ARS.load` sets the policy, but not always the vector that training starts from."""
    env = environments.make("CartPole-v1", SHORT)
    _, policy, resolved = CASES["ARS with layers"]
    model = build_model("ARS", policy, env, resolved, seed=3)
    model.learn(32)
    model.save(tmp_path / "agent.zip")
    loaded = ARS.load(tmp_path / "agent.zip")
    card = SimpleNamespace(
        spec=build_spec({"env": {"id": "CartPole-v1"}, "algorithm": "ARS", "search_space": "starter"}),
        stem="agent",
    )
    line = re.search(r"`(model\.weights = .*?)`", _usage(card))[1]
    assert not torch.equal(loaded.weights, model.weights), "sb3-contrib mends it: the card need not say it"
    exec(line, {"torch": torch, "model": loaded})
    assert torch.equal(loaded.weights, model.weights)
