"""What the kernels do not cover runs SB3's own code, says why, and gives SB3's numbers to the last bit."""

import functools

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor

from tuning.fast_ppo import FastA2C, FastPPO


class Doubled(BaseFeaturesExtractor):
    """A features extractor of somebody's own, with weights."""

    def __init__(self, observation_space):
        super().__init__(observation_space, features_dim=4)
        self.layer = torch.nn.Linear(3, 4)

    def forward(self, observations):
        return 2 * self.layer(observations)


class Louder(FlattenExtractor):
    """A features extractor without weights that still changes what it gets."""

    def forward(self, observations):
        return 3 * super().forward(observations)


class Doubling(ActorCriticPolicy):
    """A policy of somebody's own."""

    def forward(self, obs, deterministic=False):
        actions, values, log_prob = super().forward(obs, deterministic)
        return actions, 2 * values, log_prob


class Rewarding(RolloutBuffer):
    """A buffer of somebody's own."""

    def compute_returns_and_advantage(self, last_values, dones):
        super().compute_returns_and_advantage(last_values, dones)
        self.returns = self.returns + 1


FALLBACKS = {
    "gsde": dict(use_sde=True),
    "gsde-resampled": dict(use_sde=True, sde_sample_freq=4),
    "elu": dict(policy_kwargs=dict(activation_fn=torch.nn.ELU)),
    "relu-with-arguments": dict(
        policy_kwargs=dict(activation_fn=functools.partial(torch.nn.ReLU, inplace=True))
    ),
    "leaky-relu": dict(policy_kwargs=dict(activation_fn=torch.nn.LeakyReLU)),
    "sgd": dict(policy_kwargs=dict(optimizer_class=torch.optim.SGD)),
    "adamw": dict(policy_kwargs=dict(optimizer_class=torch.optim.AdamW)),
    "weight-decay": dict(
        policy_kwargs=dict(optimizer_class=torch.optim.Adam, optimizer_kwargs=dict(weight_decay=0.1))
    ),
    "amsgrad": dict(
        policy_kwargs=dict(optimizer_class=torch.optim.Adam, optimizer_kwargs=dict(amsgrad=True))
    ),
    "momentum": dict(
        policy_kwargs=dict(optimizer_class=torch.optim.RMSprop, optimizer_kwargs=dict(momentum=0.9))
    ),
    "centered": dict(
        policy_kwargs=dict(optimizer_class=torch.optim.RMSprop, optimizer_kwargs=dict(centered=True))
    ),
    "features": dict(policy_kwargs=dict(features_extractor_class=Doubled)),
    "features-without-weights": dict(policy_kwargs=dict(features_extractor_class=Louder)),
    "own-policy": dict(policy=Doubling),
    "own-buffer": dict(rollout_buffer_class=Rewarding),
}
BOX = spaces.Box(-1.0, 1.0, (3,), np.float32)
PICTURE = spaces.Box(0, 255, (36, 36, 1), np.uint8)
SPACES = {
    "multi-discrete-actions": (BOX, spaces.MultiDiscrete([2, 3]), "MlpPolicy"),
    "multi-binary-actions": (BOX, spaces.MultiBinary(3), "MlpPolicy"),
    "multi-discrete-observations": (spaces.MultiDiscrete([3, 2]), spaces.Discrete(2), "MlpPolicy"),
    "multi-binary-observations": (spaces.MultiBinary(3), spaces.Discrete(2), "MlpPolicy"),
    "pictures": (PICTURE, spaces.Discrete(2), "CnnPolicy"),
    "discrete-from-minus-one": (spaces.Discrete(6, start=-1), spaces.Discrete(2), "MlpPolicy"),
    "flat-pictures": (spaces.Box(0, 255, (3, 4, 4), np.uint8), spaces.Discrete(2), "MlpPolicy"),
}


@pytest.fixture
def run(build, toy_envs, weights):
    """Learn for two rollouts with both classes; check that ours fell back, and to the same weights."""

    def both(classes, observation=None, action=None, **arguments):
        learned = []
        for cls in classes:
            if issubclass(cls, PPO):
                arguments = {"batch_size": 8, "n_epochs": 2, **arguments}
            model = build(cls, toy_envs(observation, action), n_steps=8, **arguments)
            before = weights(model)
            model.learn(32)
            assert not np.array_equal(weights(model), before)
            predicted = model.predict(model.env.reset())[0]
            learned.append((model, predicted))
        (theirs, expected), (ours, actual) = learned
        assert ours.why_not_fast
        np.testing.assert_array_equal(weights(ours), weights(theirs))
        np.testing.assert_array_equal(actual, expected)
        assert torch.equal(
            torch.as_tensor(ours.rollout_buffer.values), torch.as_tensor(theirs.rollout_buffer.values)
        )
        return ours

    return both


@pytest.mark.parametrize("name", FALLBACKS)
def test_ppo_runs_sb3s_code_for(name, run):
    run((PPO, FastPPO), **FALLBACKS[name])


@pytest.mark.parametrize(
    "name", ["gsde", "elu", "sgd", "centered", "weight-decay", "own-policy", "own-buffer"]
)
def test_a2c_runs_sb3s_code_for(name, run):
    run((A2C, FastA2C), **FALLBACKS[name])


@pytest.mark.parametrize("name", SPACES)
def test_spaces_that_need_sb3s_code(name, run):
    observation, action, policy = SPACES[name]
    run((PPO, FastPPO), observation, action, policy=policy)


def test_the_reason_is_the_thing_that_stood_in_the_way(run):
    reasons = {name: run((PPO, FastPPO), **FALLBACKS[name]).why_not_fast for name in ("gsde", "elu", "sgd")}
    assert "sde" in reasons["gsde"].lower()
    assert "ELU" in reasons["elu"]
    assert "SGD" in reasons["sgd"]


FAILURES = {
    "no-dimension": (spaces.Box(-1.0, 1.0, (), np.float32), {}, IndexError),
    "differentiable": (BOX, dict(optimizer_kwargs=dict(differentiable=True)), RuntimeError),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_sb3_cannot_train_fails_as_in_sb3(name, build, toy_envs):
    observation, policy, error = FAILURES[name]
    words = []
    for cls in (PPO, FastPPO):
        model = build(cls, toy_envs(observation), n_steps=8, policy_kwargs=policy)
        with pytest.raises(error) as raised:
            model.learn(16)
        words.append(str(raised.value))
    assert words[0] == words[1]
    assert model.why_not_fast


def test_a_loaded_fallback_falls_back_again(run, tmp_path):
    model = run((PPO, FastPPO), **FALLBACKS["elu"])
    model.save(tmp_path / "model.zip")
    assert FastPPO.load(tmp_path / "model.zip").why_not_fast == model.why_not_fast
