"""`train()` on the same rollout, with the same minibatches, gives the parameters that SB3 gives."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

TANH, RELU = torch.nn.Tanh, torch.nn.ReLU

NETS: dict[str, Any] = {
    "64x64": dict(pi=[64, 64], vf=[64, 64]),
    "different": dict(pi=[16, 8], vf=[12]),
    "one": dict(pi=[10], vf=[10]),
    "none": [],
    "none-pi": dict(pi=[], vf=[8]),
    "none-vf": dict(pi=[8], vf=[]),
    "three": dict(pi=[16, 12, 8], vf=[8, 16, 24]),
}
OBSERVATIONS: dict[str, spaces.Space] = {
    "box": spaces.Box(-np.inf, np.inf, (3,), np.float32),
    "matrix": spaces.Box(-3.0, 3.0, (2, 3), np.float32),
    "float64": spaces.Box(-np.inf, np.inf, (5,), np.float64),
    "integers": spaces.Box(-9, 9, (4,), np.int64),
    "one": spaces.Box(-1.0, 1.0, (1,), np.float32),
    "discrete": spaces.Discrete(6),
    "images": spaces.Box(0, 255, (1, 4, 4), np.uint8),
}
ACTIONS: dict[str, spaces.Space] = {
    "continuous": spaces.Box(-2.0, 2.0, (1,), np.float32),
    "three": spaces.Box(np.float32([-1, -2, 0]), np.float32([1, 0.5, 3])),
    "matrix": spaces.Box(-1.0, 1.0, (2, 2), np.float32),
    "float64": spaces.Box(-1.0, 1.0, (2,), np.float64),
    "categorical": spaces.Discrete(3),
    "two": spaces.Discrete(2),
    "seven": spaces.Discrete(7),
}


def falling(progress: float) -> float:
    return 0.3 * progress


def below_zero(progress: float) -> float:
    """As a falling schedule gives in the last update, when rollouts overshoot the total number of steps."""
    return -0.1


def slowing(progress: float) -> float:
    return 1e-3 * progress


PPO_VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "clip-tight": dict(clip_range=0.02),
    "clip-wide": dict(clip_range=5.0),
    "clip-zero": dict(clip_range=0.0),
    "clip-below-zero": dict(clip_range=below_zero, clip_range_vf=below_zero),
    "clip-falling": dict(clip_range=falling),
    "clip-vf": dict(clip_range_vf=0.2),
    "clip-vf-tight": dict(clip_range_vf=1e-3),
    "clip-vf-falling": dict(clip_range_vf=falling, clip_range=falling),
    "entropy": dict(ent_coef=0.1),
    "entropy-strong": dict(ent_coef=5.0),
    "no-value-loss": dict(vf_coef=0.0),
    "value-loss-strong": dict(vf_coef=3.0),
    "norm-tiny": dict(max_grad_norm=1e-3),
    "norm-huge": dict(max_grad_norm=1e9),
    "raw-advantages": dict(normalize_advantage=False),
    "raw-clip-vf-entropy": dict(normalize_advantage=False, clip_range_vf=0.3, ent_coef=0.02),
    "batch-7": dict(batch_size=7, n_epochs=2),
    "batch-of-one-last": dict(batch_size=3, n_epochs=1),  # 64 = 21 * 3 + 1: too few to normalise
    "batch-whole": dict(batch_size=64),
    "batch-too-large": dict(batch_size=1000),
    "batch-2": dict(batch_size=2, n_epochs=1, n_steps=16),
    "batch-1": dict(batch_size=1, n_epochs=1, n_steps=16, normalize_advantage=False),
    "one-epoch": dict(n_epochs=1),
    "ten-epochs": dict(n_epochs=10, batch_size=64),
    "rate-slowing": dict(learning_rate=slowing),
    "rate-high": dict(learning_rate=0.02),
    "kl-stops": dict(target_kl=1e-3),
    "kl-stops-late": dict(target_kl=0.045, learning_rate=3e-3, batch_size=64, n_epochs=20),
    "kl-never-stops": dict(target_kl=1e6),
    "adam-eps": dict(policy_kwargs=dict(optimizer_kwargs=dict(eps=1e-3))),
    "adam-betas": dict(policy_kwargs=dict(optimizer_kwargs=dict(betas=(0.5, 0.9), eps=1e-7))),
    "rmsprop": dict(
        policy_kwargs=dict(optimizer_class=torch.optim.RMSprop, optimizer_kwargs=dict(alpha=0.9, eps=1e-5))
    ),
}
A2C_VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "adam": dict(use_rms_prop=False),
    "adam-eps": dict(
        use_rms_prop=False, policy_kwargs=dict(optimizer_kwargs=dict(eps=1e-2, betas=(0.8, 0.9)))
    ),
    "rms-eps": dict(rms_prop_eps=1e-2),
    "normalised": dict(normalize_advantage=True),
    "entropy": dict(ent_coef=0.3, vf_coef=0.1),
    "norm-tiny": dict(max_grad_norm=1e-3),
    "norm-huge": dict(max_grad_norm=1e9),
    "rate-slowing": dict(learning_rate=slowing),
}


@dataclass(frozen=True)
class Case:
    observation: str = "box"
    action: str = "continuous"
    net: str = "different"
    activation: type[torch.nn.Module] = TANH
    arguments: dict[str, Any] = field(default_factory=dict)
    n_envs: int = 2
    n_steps: int = 32
    n_updates: int = 2
    spread: float = 1.0  # size of the weights at the start; 0: as SB3 starts


KINDS = ("continuous", "categorical")
SHAPES = {
    f"{activation.__name__.lower()}-{net}-{kind}": Case(net=net, activation=activation, action=kind)
    for activation in (TANH, RELU)
    for net in NETS
    for kind in KINDS
}
SPACES = {
    f"obs-{observation}-act-{action}": Case(observation=observation, action=action)
    for observation in OBSERVATIONS
    for action in (ACTIONS if observation == "box" else KINDS)
    if observation != "images"
}
PPO_CASES = {
    **SHAPES,
    **SPACES,
    **{
        f"{name}-{kind}": Case(action=kind, arguments=arguments)
        for name, arguments in PPO_VARIANTS.items()
        for kind in KINDS
    },
    **{
        f"{name}-relu-{kind}": Case(action=kind, arguments=PPO_VARIANTS[name], activation=RELU, net="64x64")
        for name in ("clip-vf", "batch-7", "norm-tiny", "entropy")
        for kind in KINDS
    },
    **{
        f"{name}-{kind}": Case(action=kind, activation=activation, spread=spread)
        for name, spread, activation in (
            ("as-sb3-starts", 0.0, TANH),
            ("as-sb3-starts-relu", 0.0, RELU),
            ("saturated", 8.0, TANH),
            ("large", 3.0, RELU),
        )
        for kind in KINDS
    },
    "one-env": Case(n_envs=1, n_steps=61),
    "seven-envs": Case(n_envs=7, n_steps=9),
    "images-not-rescaled": Case(
        observation="images", arguments=dict(policy_kwargs=dict(normalize_images=False)), spread=0.1
    ),
}
A2C_CASES = {
    **{
        f"{name}-{kind}": Case(action=kind, arguments=arguments, n_updates=6, n_steps=5, n_envs=3)
        for name, arguments in A2C_VARIANTS.items()
        for kind in KINDS
    },
    **{f"shape-{name}": case for name, case in SHAPES.items() if name.startswith("relu-n")},
    **{f"space-{name}": case for name, case in SPACES.items() if "-act-c" in name},
    "one-env": Case(n_envs=1, n_steps=7),
}


@pytest.fixture
def updated(build, toy_envs, fill, copy_buffer):
    """A model of each class after updates on the same rollouts."""

    def run(classes, case):
        arguments = {**case.arguments}
        policy = {
            "net_arch": NETS[case.net],
            "activation_fn": case.activation,
            **arguments.pop("policy_kwargs", {}),
        }
        if issubclass(classes[0], PPO):
            arguments = {"batch_size": 16, "n_epochs": 3, "learning_rate": 1e-3, **arguments}
        envs = toy_envs(OBSERVATIONS[case.observation], ACTIONS[case.action], n_envs=case.n_envs)
        arguments = {"n_steps": case.n_steps, "policy_kwargs": policy, "spread": case.spread, **arguments}
        models = [build(cls, envs, **arguments) for cls in classes]
        assert models[-1].why_not_fast is None
        for update in range(case.n_updates):
            fill(models[0], seed=update)
            for model in models[1:]:
                copy_buffer(models[0], model)
            for model in models:
                model._update_current_progress_remaining(update, case.n_updates + 1)
                np.random.seed(100 + update)
                model.train()
        return models

    return run


@pytest.fixture
def assert_same(weights, logged, assert_equal_norm, assert_equal_elements):
    def check(theirs, ours):
        assert_equal_norm(weights(ours), weights(theirs))
        assert_equal_elements(weights(ours), weights(theirs))
        expected, actual = logged(theirs), logged(ours)
        assert actual.keys() == expected.keys()
        for key, value in expected.items():
            assert actual[key] == pytest.approx(value, rel=1e-4, abs=2e-6), key
        assert ours._n_updates == theirs._n_updates

    return check


@pytest.mark.parametrize("name", PPO_CASES)
def test_ppo_learns_the_same_from_the_same_rollout(name, updated, assert_same):
    assert_same(*updated((PPO, FastPPO), PPO_CASES[name]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_cases_are_what_their_names_say(kind, updated, weights, logged):
    """Both trainers would agree on a limit that is never reached, too. That they agree is tested above."""

    def run(name):
        return updated((FastPPO,), PPO_CASES[f"{name}-{kind}"])[0]

    plain = run("defaults")
    assert 0.2 < logged(plain)["train/clip_fraction"] < 0.8
    assert plain._n_updates == 2 * 3
    assert run("kl-never-stops")._n_updates == 2 * 3
    assert run("kl-stops")._n_updates == 2, "each update ends in its first epoch"
    late = run("kl-stops-late")
    assert 2 * 2 < late._n_updates < 2 * 20
    for name in (
        "clip-tight",
        "clip-vf",
        "entropy",
        "no-value-loss",
        "norm-tiny",
        "raw-advantages",
        "adam-eps",
        "rmsprop",
    ):
        distance = np.linalg.norm(weights(run(name)) - weights(plain)) / np.linalg.norm(weights(plain))
        assert distance > 1e-4, f"{name} made no difference"


@pytest.mark.parametrize("name", A2C_CASES)
def test_a2c_learns_the_same_from_the_same_rollout(name, updated, assert_same):
    assert_same(*updated((A2C, FastA2C), A2C_CASES[name]))
