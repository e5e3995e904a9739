"""Training that diverges ends with a ValueError, as in SB3: no NaN is played, learnt from or returned."""

import warnings

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import VecEnvWrapper

from tuning.fast_ppo import FastA2C, FastPPO

PAIRS = {"ppo": (PPO, FastPPO), "a2c": (A2C, FastA2C)}
ACTIONS = {"continuous": spaces.Box(-1.0, 1.0, (2,), np.float32), "categorical": spaces.Discrete(3)}
NAN, INF = float("nan"), float("inf")
# A parameter, what to fill it with, and the actions of policies that have or heed it.
OUT_OF_RANGE = {
    "no-spread-number": ("log_std", NAN, "continuous"),
    "no-spread": ("log_std", -200.0, "continuous"),
    "no-spread-at-all": ("log_std", -INF, "continuous"),
    "mean-nan": ("action_net.bias", NAN, "continuous"),
    "logits-nan": ("action_net.bias", NAN, "categorical"),
    "logits-infinite": ("action_net.bias", INF, "categorical"),
    "logits-minus-infinite": ("action_net.bias", -INF, "categorical"),
}


class Strict(VecEnvWrapper):
    """Refuses actions that are not finite, and pays the same for every step if told so."""

    def __init__(self, venv, pay=None):
        super().__init__(venv)
        self.pay = pay

    def reset(self):
        return self.venv.reset()

    def step_async(self, actions):
        assert np.isfinite(actions).all(), "a non-finite action reached the env"
        self.venv.step_async(actions)

    def step_wait(self):
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, rewards if self.pay is None else np.full_like(rewards, self.pay), dones, infos


@pytest.fixture
def new(build, toy_envs):
    def make(cls, action, *, pay=None, **arguments):
        if issubclass(cls, PPO):
            arguments = {"batch_size": 8, "n_epochs": 2, **arguments}
        arguments = {"n_steps": 8, "policy_kwargs": {"net_arch": [8]}, **arguments}
        return build(cls, Strict(toy_envs(action=ACTIONS[action]), pay), **arguments)

    return make


@pytest.fixture
def outcome(weights):
    """Learn; return the first words of the error that ended it, or the weights, and the lines that warned."""

    def run(model):
        end = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model.learn(64)
            except ValueError as error:
                end = str(error)[: len("Expected parameter")]
        lines = {(warning.filename, warning.lineno) for warning in caught}
        return weights(model) if end is None else end, lines

    return run


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_a_policy_without_a_distribution_is_refused_at_once(name, pair, new):
    parameter, value, action = OUT_OF_RANGE[name]
    for cls in PAIRS[pair]:
        model = new(cls, action)
        with torch.no_grad():
            dict(model.policy.named_parameters())[parameter].fill_(value)
        for deterministic in (True, False):
            with pytest.raises(ValueError, match=r"^Expected parameter"):
                model.predict(model.env.reset(), deterministic=deterministic)
        with pytest.raises(ValueError, match=r"^Expected parameter"):
            model.learn(64)
        assert model.num_timesteps == 0


RUNAWAYS = {
    "rate-1e15": dict(learning_rate=1e15),
    "rate-1e30": dict(learning_rate=1e30),
    "nan-rewards": dict(pay=NAN),
    "infinite-rewards": dict(pay=INF),
    "rewards-1e30": dict(pay=1e30),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", RUNAWAYS)
def test_a_run_diverges_where_sb3s_does(name, action, pair, new, outcome, assert_equal_norm):
    models = [new(cls, action, **RUNAWAYS[name]) for cls in PAIRS[pair]]
    assert models[1].why_not_fast is None
    (expected, known), (actual, lines) = map(outcome, models)
    assert lines <= known, "warned where SB3 does not"
    if isinstance(expected, str):
        assert actual == expected == "Expected parameter"
    else:
        assert np.isfinite(actual).all()
        if "rate" not in name:  # there, rounding grows as fast as the weights
            assert_equal_norm(actual, expected, rtol=1e-5)


def test_the_last_update_does_not_end_in_silence(new):
    for cls in PAIRS["ppo"]:
        with pytest.raises(ValueError, match="Expected parameter"):
            new(cls, "continuous", pay=NAN).learn(16)  # one rollout: nothing is played afterwards


@pytest.mark.parametrize("pair", PAIRS)
def test_runaways_do_diverge(pair, new, outcome):
    """Both would agree on runs that stay finite, too."""
    assert outcome(new(PAIRS[pair][1], "continuous", **RUNAWAYS["rate-1e15"]))[0] == "Expected parameter"
    assert outcome(new(PAIRS[pair][1], "categorical", **RUNAWAYS["nan-rewards"]))[0] == "Expected parameter"
