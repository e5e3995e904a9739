"""Saved models are ordinary SB3 models: either class opens the other's, and trains on as if never stopped."""

import base64
import copy
import json
import zipfile

import cloudpickle
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.logger import Logger

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

KINDS = {"ppo": (PPO, FastPPO), "a2c": (A2C, FastA2C)}
PASSAGES = {"fast-fast": (1, 1), "fast-sb3": (1, 0), "sb3-fast": (0, 1)}


@pytest.fixture(params=KINDS)
def classes(request):
    return KINDS[request.param]


@pytest.fixture
def new(build, toy_envs):
    def make(cls, **over):
        arguments = {"n_steps": 16, "policy_kwargs": {"net_arch": [8, 4]}, **over}
        if issubclass(cls, PPO):
            arguments = {"batch_size": 8, "n_epochs": 3, **arguments}
        return build(cls, toy_envs(n_envs=2), spread=1.0, **arguments)

    return make


@pytest.fixture
def reload(toy_envs):
    def load(cls, path):
        model = cls.load(path, env=toy_envs(n_envs=2), device="cpu")
        model.set_logger(Logger(None, []))
        return model

    return load


@pytest.fixture
def learn(toy_envs):
    """Train on for a few rollouts with fresh envs and known random numbers."""

    def run(model, *, seed):
        model.set_env(toy_envs(n_envs=2, seed=seed))
        torch.manual_seed(seed)
        np.random.seed(seed)
        model.learn(96, reset_num_timesteps=False)

    return run


@pytest.fixture
def moments():
    def flat(model):
        state = model.get_parameters()["policy.optimizer"]["state"]
        return {
            name: np.concatenate([state[i][name].numpy().ravel() for i in sorted(state)]) for name in state[0]
        }

    return flat


@pytest.mark.parametrize("passage", PASSAGES)
def test_training_goes_on_as_if_never_stopped(
    passage, classes, new, reload, learn, tmp_path, weights, moments, assert_equal_norm, assert_equal_elements
):
    before, after = (classes[i] for i in PASSAGES[passage])
    uninterrupted, first = new(classes[0]), new(before)
    learn(uninterrupted, seed=1)
    learn(first, seed=1)
    first.save(tmp_path / "model.zip")
    second = reload(after, tmp_path / "model.zip")
    assert type(second) is after
    assert second._n_updates == uninterrupted._n_updates > 0
    learn(uninterrupted, seed=2)
    learn(second, seed=2)
    assert second.num_timesteps == uninterrupted.num_timesteps == 192
    assert_equal_norm(weights(second), weights(uninterrupted))
    assert_equal_elements(weights(second), weights(uninterrupted))
    expected, actual = moments(uninterrupted), moments(second)
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert_equal_norm(actual[name], value, rtol=1e-5)
    assert second.why_not_fast is None if after is classes[1] else not hasattr(second, "why_not_fast")


def test_a_reloaded_model_is_the_saved_one_to_the_last_bit(
    classes, new, reload, learn, tmp_path, weights, moments
):
    model = new(classes[1])
    learn(model, seed=1)
    model.save(tmp_path / "model.zip")
    again = reload(classes[1], tmp_path / "model.zip")
    np.testing.assert_array_equal(weights(again), weights(model))
    learn(model, seed=2)
    learn(again, seed=2)
    np.testing.assert_array_equal(weights(again), weights(model))
    for name, value in moments(model).items():
        np.testing.assert_array_equal(moments(again)[name], value)


def test_the_file_holds_what_sb3_writes_and_nothing_of_ours(classes, new, learn, tmp_path):
    contents = []
    for cls in classes:
        model = new(cls)
        learn(model, seed=1)
        model.save(tmp_path / f"{cls.__name__}.zip")
        with zipfile.ZipFile(tmp_path / f"{cls.__name__}.zip") as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            contents.append((sizes, json.loads(archive.read("data"))))
    (their_sizes, expected), (our_sizes, actual) = contents
    assert list(actual) == list(expected)
    assert list(our_sizes) == list(their_sizes)
    for name in ("policy.pth", "policy.optimizer.pth"):
        assert our_sizes[name] < 1.1 * their_sizes[name], "a view drags more than itself along"
    for key, value in actual.items():
        if isinstance(value, dict) and ":serialized:" in value:
            pickled = base64.b64decode(value[":serialized:"])
            assert b"tuning" not in pickled, f"{key}: opening it would need this project"


def test_optimizer_state_has_the_names_types_and_shapes_of_sb3s(classes, new, learn):
    theirs, ours = (new(cls) for cls in classes)
    for model in (theirs, ours):
        learn(model, seed=1)
    expected, actual = (m.get_parameters()["policy.optimizer"] for m in (theirs, ours))
    assert actual["param_groups"] == expected["param_groups"]
    assert actual["state"].keys() == expected["state"].keys()
    for i, state in expected["state"].items():
        for name, value in state.items():
            assert (actual["state"][i][name].shape, actual["state"][i][name].dtype) == (
                value.shape,
                value.dtype,
            )


def test_set_parameters_takes_over_weights_and_optimizer(
    classes, new, learn, weights, assert_equal_norm, assert_equal_elements
):
    source = new(classes[0])
    learn(source, seed=1)
    theirs, ours = (new(cls, seed=8) for cls in classes)
    learn(ours, seed=5)  # has moments of its own by now
    for model in (theirs, ours):
        model.set_parameters(copy.deepcopy(source.get_parameters()))
        np.testing.assert_array_equal(weights(model), weights(source))
        learn(model, seed=2)
    assert_equal_norm(weights(ours), weights(theirs))
    assert_equal_elements(weights(ours), weights(theirs))


def test_what_get_parameters_returned_can_be_put_back(classes, new, learn, weights):
    model = new(classes[1])
    learn(model, seed=1)
    kept = copy.deepcopy(model.get_parameters())
    learn(model, seed=2)
    once = weights(model)
    model.set_parameters(kept)
    learn(model, seed=2)
    np.testing.assert_array_equal(weights(model), once)


def test_weights_loaded_into_the_policy_are_trained_on(
    classes, new, learn, weights, assert_equal_norm, assert_equal_elements
):
    theirs, ours = (new(cls) for cls in classes)
    for model in (theirs, ours):
        learn(model, seed=1)
    state = copy.deepcopy(new(classes[0], seed=4).policy.state_dict())
    state = {name: value * 0.7 for name, value in state.items()}
    for model in (theirs, ours):
        model.policy.load_state_dict(state)
        learn(model, seed=2)
    assert_equal_norm(weights(ours), weights(theirs))
    assert_equal_elements(weights(ours), weights(theirs))


def test_a_copy_trains_by_itself(classes, new, learn, weights):
    model = new(classes[1])
    learn(model, seed=1)
    before = weights(model)
    twin = copy.deepcopy(model)
    learn(twin, seed=2)
    np.testing.assert_array_equal(weights(model), before)
    assert not np.allclose(weights(twin), before)
    learn(model, seed=2)
    np.testing.assert_array_equal(weights(twin), weights(model))


def test_a_pickled_model_trains_on_like_the_original(classes, new, learn, weights, moments):
    model = new(classes[1])
    learn(model, seed=1)
    before = weights(model)
    twin = cloudpickle.loads(cloudpickle.dumps(model))
    learn(twin, seed=2)
    np.testing.assert_array_equal(weights(model), before)
    learn(model, seed=2)
    np.testing.assert_array_equal(weights(twin), weights(model))
    for name, value in moments(model).items():
        np.testing.assert_array_equal(moments(twin)[name], value)
    assert twin.why_not_fast is None


def test_a_copied_policy_stays_as_it_was(classes, new, learn, weights):
    model = new(classes[1])
    policy = copy.deepcopy(model.policy)
    before = weights(model)
    learn(model, seed=1)
    kept = np.concatenate([v.numpy().ravel() for v in policy.state_dict().values()])
    np.testing.assert_array_equal(kept, before)
