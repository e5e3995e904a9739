"""What is known about an algorithm agrees with the installed Stable-Baselines3."""

import inspect
from importlib import import_module

import pytest

from tuning.algorithms import Argument, algorithm, algorithm_names
from tuning.spec import SpecError, build_spec
from tuning.spec_parts import EnvSpec

PPO = algorithm("PPO")
ALL = [algorithm(name) for name in algorithm_names()]


def test_there_is_no_algorithm_that_is_not_listed():
    assert {"A2C", "PPO", "TRPO", "QR-DQN", "RecurrentPPO", "ARS"} <= set(algorithm_names())
    for name in ("ppo", "", "../ppo", "PPO.yaml", "A" * 5000):
        with pytest.raises(KeyError, match="There is no algorithm"):
            algorithm(name)


def test_an_unknown_preset_lists_what_there_is():
    with pytest.raises(
        KeyError, match=r"PPO has no preset 'x'\. There are: starter, rl-zoo, learning-rate-only"
    ):
        PPO.preset("x")


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.name)
def test_arguments_and_defaults_are_those_of_the_library(known):
    module, name = known.class_path.rsplit(".", 1)
    assert (module, name) == (known.package, known.name.replace("-", ""))
    assert module in ("stable_baselines3", "sb3_contrib")
    cls = getattr(import_module(module), name)
    assert set(known.policies) == set(cls.policy_aliases)
    of_class = inspect.signature(cls).parameters
    for argument in known.arguments.values():
        if argument.derived:
            assert argument.name not in of_class
            continue
        policy = cls.policy_aliases[(argument.policies or known.policies)[0]]
        is_policy = argument.name.startswith("policy_kwargs.")
        group = inspect.signature(policy).parameters if is_policy else of_class
        theirs = group[argument.name.removeprefix("policy_kwargs.")].default
        if argument.kind == "activation_fn":
            assert theirs.__name__.lower() == argument.default
        elif argument.kind != "net_arch":  # SB3 says None and builds [64, 64]
            assert theirs == argument.default, argument.name
            assert type(theirs) is type(argument.default), argument.name


@pytest.mark.parametrize(
    "argument", [a for known in ALL for a in known.arguments.values()], ids=lambda argument: argument.name
)
def test_every_default_is_allowed_and_explained(argument):
    assert argument.fault(argument.default) is None
    assert argument.about.endswith(".")


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.name)
def test_what_others_tuned_are_values_that_the_algorithm_takes(known):
    for tuned in known.tuned:
        assert [known.arguments[name].fault(value) for name, value in tuned.arguments.items()] == [
            None for _ in tuned.arguments
        ]
        assert EnvSpec(id=tuned.env, **tuned.wrappers).wrappers == tuned.wrappers


def test_natural_limits():
    limits = {
        name: a.limits() for name, a in PPO.arguments.items() if a.low is not None or a.high is not None
    }
    assert limits["gamma"] == "at least 0 and below 1"
    assert limits["gae_lambda"] == "at least 0 and at most 1"
    assert limits["clip_range"] == limits["learning_rate"] == "above 0"
    assert limits["ent_coef"] == "at least 0"
    assert limits["batch_size"] == "at least 2"
    assert PPO.arguments["policy_kwargs.log_std_init"].limits() == "any number"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "gamma",
            [0, 0.0, 0.9999],
            [1, 1.0, 1.5, -0.1, "0.9", None, True, float("nan"), float("inf"), 10**400],
        ),
        ("gae_lambda", [0, 1, 1.0], [1.0001, -1e-9, [], {}]),
        ("learning_rate", [1e-9, 1, 1e300], [0, -1, float("inf"), "lin_0.1", False]),
        ("batch_size", [2, 4096], [1, 0, -5, 2.0, "2", True, None]),
        ("sde_sample_freq", [-1, 0, 4], [-2, 0.5]),
        ("use_sde", [True, False], [0, 1, "true", None]),
        ("target_kl", [None, 0.1], [0, "none"]),
        (
            "policy_kwargs.net_arch",
            [[], [64], [1, 2, 3], {"pi": [64], "vf": []}, {"pi": [8]}, {}],
            [
                64,
                "tiny",
                None,
                [0],
                [-1],
                [1.5],
                ["64"],
                [True],
                [[64]],
                {"qf": [64]},
                {"pi": 64},
                {"pi": [0]},
            ],
        ),
        ("policy_kwargs.activation_fn", ["tanh", "relu", "elu", "leaky_relu"], ["Tanh", "os.system", "", 1]),
    ],
)
def test_values_are_judged_by_type_and_limits(name, good, bad):
    argument = PPO.arguments[name]
    assert [argument.fault(value) for value in good] == [None] * len(good)
    for value in bad:
        fault = argument.fault(value)
        assert fault is not None, value
        assert fault.startswith(f"`{name}` must be ")
        assert "received " in fault
        assert len(fault) < 250
        assert fault.isprintable()


def test_open_and_closed_ends():
    argument = Argument("x", "float", 0.5, "", low=0, high=1, open_low=True, open_high=True)
    assert [argument.fault(v) is None for v in (0, 1e-300, 1 - 1e-9, 1)] == [False, True, True, False]
    assert argument.fault(2) == "`x` must be above 0 and below 1: received 2."


def test_arguments_that_only_one_policy_takes():
    data = {"env": {"id": "CartPole-v1"}, "algorithm": "ARS", "search_space": "starter"}
    nets = {"policy_kwargs.net_arch": [16]}
    assert build_spec({**data, "policy": "MlpPolicy", "hyperparameters": nets}).hyperparameters == nets
    with pytest.raises(SpecError, match=r"LinearPolicy of ARS has no `policy_kwargs.net_arch`. Remove"):
        build_spec({**data, "policy": "LinearPolicy", "hyperparameters": nets})


def test_the_policy_that_nobody_names_is_the_algorithms_usual_one():
    for known in ALL:
        data = {"env": {"id": "CartPole-v1"}, "algorithm": known.name, "search_space": "starter"}
        assert build_spec(data).policy == known.policies[0]


@pytest.mark.parametrize("value", ["auto_1e400", "auto_-0.1", "auto_0", "auto_", "auto_nan", float("inf")])
def test_a_learned_coefficient_starts_from_a_finite_number_above_0(value):
    entropy = algorithm("SAC").arguments["ent_coef"]
    assert [entropy.fault(good) for good in ("auto", "auto_0.1", 0.2)] == [None] * 3
    assert entropy.fault(value)
