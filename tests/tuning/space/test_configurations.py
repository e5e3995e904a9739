"""A configuration as a person writes it, in stored names or in those of the algorithm."""

import pytest

from tuning.algorithms import algorithm
from tuning.space.configurations import read_configuration, stored_fault
from tuning.space.parameters import Parameter

STARTER = algorithm("PPO").preset("starter").space
RL_ZOO = algorithm("PPO").preset("rl-zoo").space


def test_arguments_and_stored_names_mean_the_same():
    by_argument = {"n_steps": "512", "gamma": "0.98", "activation_fn": "relu", "learning_rate": " "}
    by_name = {"n_steps_pow": 9, "gamma": 0.98, "activation_fn": "relu"}
    assert read_configuration(STARTER, by_argument) == (by_name, [])
    assert read_configuration(STARTER, by_name) == (by_name, [])


def test_nets_and_discounts_are_read_as_they_are_stored_or_received():
    stored, faults = read_configuration(RL_ZOO, {"net_arch": "medium", "gamma": "0.99", "n_epochs": "5"})
    assert (stored, faults) == ({"net_arch": "medium", "one_minus_gamma": 0.01, "n_epochs": 5}, [])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n_steps": "300"}, "n_steps 300 is no power of two: 256 or 512?"),
        ({"n_steps": 8192}, "n_steps 8192 lies outside 32 … 4096"),
        ({"gamma": "0,9"}, "gamma must be a number, such as 0.001 or 1e-3: received '0,9'."),
        ({"gamma": "nan"}, "gamma must be a number, such as 0.001 or 1e-3: received 'nan'."),
        ({"gamma": 10**400}, "gamma must be a number"),
        ({"lr": 1}, "The space has no parameter 'lr'. It has: n_steps_pow, gamma,"),
        ({"activation_fn": "elu"}, "activation_fn 'elu' is none of its choices tanh, relu."),
        ({"n_steps": 64, "n_steps_pow": 6}, "n_steps_pow is given twice"),
        ({"gamma": ""}, "The configuration sets nothing."),
    ],
)
def test_what_cannot_be_taken_is_said(values, said):
    faults = read_configuration(STARTER, values)[1]
    assert len(faults) == 1
    assert faults[0].startswith(said)


def test_a_choice_keeps_its_type():
    p = Parameter(name="kl", kind="categorical", choices=(None, 0.1, "1"))
    assert stored_fault(p, None) is None
    assert stored_fault(p, "1") is None
    assert stored_fault(p, 1) is not None
    assert read_configuration([p], {"kl": '"1"'}) == ({"kl": "1"}, [])
    assert read_configuration([p], {"kl": "null"}) == ({"kl": None}, [])
    assert read_configuration([p], {"kl": None}) == ({"kl": None}, [])
