"""Whose code a request lets expect, and what is said of it before a launch."""

import pytest

from tuning.expected_trainer import COVERED_ACTIVATIONS, not_covered, slow_trials
from tuning.fast_ppo.support import ACTIVATIONS
from tuning.space.resolve import resolve_configuration
from tuning.spec import build_spec

RATE = {"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-3}
SDE = {"name": "use_sde", "kind": "categorical", "choices": [True, False]}
LONGER = " That takes several times longer."


def activations(*choices):
    return {
        "name": "activation_fn",
        "kind": "categorical",
        "choices": list(choices),
        "transform": "activation_fn",
    }


def request(*searched, policy="MlpPolicy", trainer="auto", algorithm="PPO", **fixed):
    return build_spec(
        {
            "env": {"id": "Pendulum-v1"},
            "algorithm": algorithm,
            "policy": policy,
            "trainer": trainer,
            "hyperparameters": fixed,
            "search_space": [RATE, *searched],
        }
    )


def test_the_activations_are_those_of_the_kernels():
    assert set(COVERED_ACTIVATIONS) == set(ACTIVATIONS.values())


@pytest.mark.parametrize("algorithm", ["PPO", "A2C"])
@pytest.mark.parametrize(
    ("searched", "fixed", "which", "what"),
    [
        ((), {"use_sde": True}, "these trials", "gSDE"),
        ((SDE,), {}, "some of the trials", "gSDE"),
        ((activations("relu", "elu"),), {}, "some of the trials", "the activation elu"),
        (
            (activations("leaky_relu", "elu"),),
            {},
            "these trials",
            "the activation leaky_relu and the activation elu",
        ),
        ((SDE,), {"policy_kwargs.activation_fn": "elu"}, "these trials", "gSDE and the activation elu"),
    ],
)
def test_what_is_not_covered_is_named_with_its_share_of_the_trials(algorithm, searched, fixed, which, what):
    said = slow_trials(request(*searched, algorithm=algorithm, **fixed))
    assert said == f"SB3's own code will train {which}: the fast kernels do not cover {what}.{LONGER}"
    assert slow_trials(request(*searched, algorithm=algorithm, trainer="sb3", **fixed)) is None


@pytest.mark.parametrize("searched", [(), (activations("tanh", "relu"),)])
def test_nothing_is_said_of_what_the_kernels_train(searched):
    assert slow_trials(request(*searched, use_sde=False)) is None


def test_of_images_no_saving_is_promised():
    said = slow_trials(request(policy="CnnPolicy"))
    assert said == "SB3's own code will train these trials: the fast kernels do not cover CnnPolicy."


@pytest.mark.parametrize(("sde", "expected"), [(True, "gSDE"), (False, None)])
def test_a_configuration_has_its_own_answer(sde, expected):
    spec = request(SDE)
    resolved = resolve_configuration(spec, {"learning_rate": 3e-4, "use_sde": sde})
    assert not_covered(spec, resolved) == expected


@pytest.mark.parametrize("name", ["SAC", "DQN", "TRPO", "ARS"])
def test_what_has_no_kernels_is_trained_by_sb3_without_a_word_of_advice(name):
    data = {"env": {"id": "CartPole-v1"}, "algorithm": name, "search_space": "starter", "trainer": "auto"}
    spec = build_spec(data)
    assert not_covered(spec, {}) == f"{name}, for which there are none"
    assert slow_trials(spec) is None
