"""One parameter: what is stored, what the algorithm receives, and which combinations are refused."""

import itertools
import random
import warnings

import optuna
import pytest
from pydantic import ValidationError

from tuning.space.parameters import (
    ACTIVATION_FN,
    MAX_POWER,
    NET_ARCH,
    Parameter,
    default_target,
    is_finite,
    shown,
)

FLOAT = {"name": "learning_rate", "kind": "float", "low": 1e-5, "high": 1e-2}
INT = {"name": "n_steps", "kind": "int", "low": 2, "high": 64}
CATEGORICAL = {"name": "clip_range", "kind": "categorical", "choices": [0.1, 0.2]}


@pytest.mark.parametrize(
    ("row", "stored", "resolved"),
    [
        (FLOAT, 3e-4, 3e-4),
        ({**FLOAT, "log": True}, 1e-5, 1e-5),
        (INT, 7, 7),
        ({**INT, "name": "n_steps_pow", "low": 5, "high": 12, "transform": "2^x"}, 5, 32),
        ({**INT, "name": "n_steps_pow", "low": 0, "high": MAX_POWER, "transform": "2^x"}, MAX_POWER, 2**24),
        ({**FLOAT, "name": "one_minus_gamma", "transform": "1 - x"}, 0.01, 0.99),
        ({**FLOAT, "name": "one_minus_gamma", "high": 0.03, "transform": "1 - x"}, 0.03, 0.97),
        ({**FLOAT, "name": "one_minus_gamma", "transform": "1 - x"}, 1e-5, 0.99999),
        (CATEGORICAL, 0.2, 0.2),
        (
            {"name": "n", "kind": "categorical", "choices": ["tiny", "small"], "transform": "net_arch"},
            "small",
            {"pi": [64, 64], "vf": [64, 64]},
        ),
        (
            {"name": "a", "kind": "categorical", "choices": ["tanh", "relu"], "transform": "activation_fn"},
            "relu",
            "relu",
        ),
        ({"name": "t", "kind": "categorical", "choices": [None, 0.1]}, None, None),
        ({"name": "t", "kind": "categorical", "choices": [True, False]}, False, False),
    ],
)
def test_resolve_and_stored_are_inverse(row, stored, resolved):
    parameter = Parameter(**row)
    assert parameter.resolve(stored) == (pytest.approx(resolved) if isinstance(resolved, float) else resolved)
    back = parameter.stored(parameter.resolve(stored))
    assert back == stored
    assert type(back) is type(stored)
    assert parameter.stored(resolved) == stored
    assert parameter.contains(stored)


@pytest.mark.parametrize("name", ["gamma", "gae_lambda"])
def test_discounts_as_people_write_them_are_inside_their_range(name):
    parameter = Parameter(name=f"one_minus_{name}", kind="float", low=1e-4, high=0.1, transform="1 - x")
    for n in range(9_000, 10_000, 7):
        discount = n / 10_000
        assert parameter.resolve(parameter.stored(discount)) == pytest.approx(discount, abs=1e-12)


@pytest.mark.parametrize(
    "value", [100, 0, -4, 1, 2**13, 33, "64", None, [64], float("inf"), float("nan"), 32.5]
)
def test_no_power_gives_such_a_value(value):
    parameter = Parameter(name="n_steps_pow", kind="int", low=5, high=12, transform="2^x")
    with pytest.raises(ValueError, match="n_steps_pow cannot give"):
        parameter.stored(value)


@pytest.mark.parametrize(
    "value", ["3e-4", None, [], {}, float("nan"), float("inf"), 1e-5 * 0.999, 1e-2 * 1.001, -1, 10**400]
)
@pytest.mark.parametrize("transform", ["identity", "1 - x"])
def test_values_outside_a_range_have_no_stored_form(value, transform):
    parameter = Parameter(**{**FLOAT, "transform": transform})
    with pytest.raises(ValueError, match=r"learning_rate cannot give .* within 1e-05 and 0\.01"):
        parameter.stored(value)


def test_a_value_off_the_grid_or_between_integers_has_no_stored_form():
    for row, value in [
        ({**FLOAT, "low": 0, "high": 1, "step": 0.25}, 0.3),
        (INT, 7.5),
        ({**INT, "step": 2}, 5),
    ]:
        with pytest.raises(ValueError, match="cannot give"):
            Parameter(**row).stored(value)


@pytest.mark.parametrize("value", [0.3, "0.1", None, [0.1], {"a": 1}])
def test_what_is_no_choice_has_no_stored_form(value):
    parameter = Parameter(**CATEGORICAL)
    with pytest.raises(ValueError, match="No choice of clip_range gives"):
        parameter.stored(value)
    assert not parameter.contains(value)


@pytest.mark.parametrize("value", ["x", None, [], {}, float("nan"), 1, -1, 10**400])
def test_contains_is_false_for_whatever_is_no_value(value):
    assert not Parameter(**FLOAT).contains(value)


ROWS = [
    FLOAT,
    {**FLOAT, "log": True},
    {**FLOAT, "low": 0, "high": 1, "step": 0.25},
    {**FLOAT, "low": -5, "high": 5},
    {**FLOAT, "low": 1e-4, "high": 0.1, "log": True, "transform": "1 - x"},
    INT,
    {**INT, "log": True},
    {**INT, "step": 3},
    {**INT, "low": 0, "high": 5, "transform": "2^x"},
    CATEGORICAL,
    {**CATEGORICAL, "choices": [None, True, 0.5, "text"]},
    {**CATEGORICAL, "choices": list(NET_ARCH), "transform": "net_arch"},
    {**CATEGORICAL, "choices": list(ACTIVATION_FN), "transform": "activation_fn"},
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_study_suggests_lies_inside_and_comes_back(row):
    parameter = Parameter(**row)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a step that does not divide its range
        for _ in range(60):
            trial = study.ask()
            seen.append(parameter.suggest(trial))
            assert trial.distributions[parameter.name] == parameter.distribution()
            study.tell(trial, 0.0)
        assert all(parameter.contains(value) for value in seen)
        for value in seen:
            assert parameter.stored(parameter.resolve(value)) == pytest.approx(value)
    assert len(set(map(str, seen))) > 1
    if parameter.kind != "categorical":
        assert all(row["low"] <= value <= row["high"] for value in seen)
        assert {type(value) for value in seen} == {float if parameter.kind == "float" else int}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (FLOAT, "1e-5 … 0.01"),
        (INT, "2 … 64"),
        ({**INT, "low": 5, "high": 12, "transform": "2^x"}, "32 … 4096"),
        ({**FLOAT, "low": 0.0001, "high": 0.03, "transform": "1 - x"}, "0.97 … 0.9999"),
        (CATEGORICAL, "0.1, 0.2"),
    ],
)
def test_resolved_range_reads_from_small_to_large(row, text):
    assert Parameter(**row).resolved_range() == text


@pytest.mark.parametrize(
    ("name", "transform", "target"),
    [
        ("n_steps_pow", "2^x", "n_steps"),
        ("n_steps", "2^x", "n_steps"),
        ("one_minus_gamma", "1 - x", "gamma"),
        ("net", "net_arch", "policy_kwargs.net_arch"),
        ("act", "activation_fn", "policy_kwargs.activation_fn"),
        ("one_minus_gamma", "identity", "one_minus_gamma"),
    ],
)
def test_default_targets(name, transform, target):
    assert default_target(name, transform) == target


def test_a_given_target_stays():
    assert Parameter(**FLOAT, target="policy_kwargs.log_std_init").target == "policy_kwargs.log_std_init"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**FLOAT, "low": 1, "high": 0}, "must be below `high`: received low=1, high=0. Swap them?"),
        ({**FLOAT, "low": 1, "high": 1}, "are equal (1): nothing to search"),
        ({**FLOAT, "low": None}, "has no low: give both bounds"),
        ({"name": "a", "kind": "int"}, "has no low and high: give both bounds"),
        ({**FLOAT, "low": 0, "log": True}, "must be above 0 on a log scale: received low=0"),
        ({**FLOAT, "low": -1, "log": True}, "above 0 on a log scale"),
        ({**FLOAT, "step": 0}, "`step` of learning_rate must be above 0: received 0"),
        ({**FLOAT, "step": -0.1}, "must be above 0: received -0.1"),
        ({**FLOAT, "step": 5}, "does not fit its range: received step=5"),
        ({**FLOAT, "step": 1e-4, "log": True}, "cannot have both step and log"),
        ({**INT, "low": 1.5}, "must be whole numbers: received low=1.5"),
        ({**INT, "step": 1.5}, "`step` of n_steps must be a whole number: received 1.5"),
        ({**FLOAT, "choices": [1, 2]}, "is float: remove its choices, or set kind: categorical"),
        ({**CATEGORICAL, "low": 1}, "is categorical: remove low, high, step and log"),
        ({**CATEGORICAL, "log": True}, "is categorical: remove low, high, step and log"),
        ({**CATEGORICAL, "choices": []}, "has no choices: list at least two"),
        ({**CATEGORICAL, "choices": None}, "has no choices: list at least two"),
        ({**CATEGORICAL, "choices": [1]}, "has one value: fix it under hyperparameters"),
        ({**CATEGORICAL, "choices": [1, 2, 1]}, "repeats a value: received [1, 2, 1]"),
        ({**CATEGORICAL, "choices": [1, 1.0]}, "repeats a value"),
        ({**FLOAT, "low": -1, "high": 1e300, "step": 2}, "is too fine: received step=2"),
        ({**CATEGORICAL, "choices": [True, 1]}, "repeats a value"),
        (
            {**CATEGORICAL, "choices": [[1], 2]},
            "text, finite numbers, true, false or null: received [1]",
        ),
        ({**CATEGORICAL, "choices": [1, float("nan")]}, "received nan"),
        ({**CATEGORICAL, "choices": [1, float("inf")]}, "received inf"),
        ({**CATEGORICAL, "choices": [1, 10**5000]}, "received a number that is too long to show"),
        ({**FLOAT, "low": True}, "`low` of 'learning_rate' must be a number: received True"),
        ({**INT, "step": False}, "`step` of 'n_steps' must be a number: received False"),
        ({**FLOAT, "transform": "2^x"}, "transform 2^x of learning_rate needs kind: int, not float"),
        ({**INT, "transform": "1 - x"}, "needs kind: float, not int"),
        ({**INT, "transform": "net_arch"}, "needs kind: categorical, not int"),
        ({**CATEGORICAL, "transform": "2^x"}, "needs kind: int, not categorical"),
        ({**INT, "low": -1, "transform": "2^x"}, "must lie in 0 to 24: received -1 to 64"),
        ({**INT, "high": 25, "transform": "2^x"}, "They are exponents, 12 means 4096"),
        ({**CATEGORICAL, "choices": ["tiny", "huge"], "transform": "net_arch"}, "received 'huge'"),
        ({**CATEGORICAL, "choices": ["tanh", "os.system"], "transform": "activation_fn"}, "'os.system'"),
    ],
    ids=shown,
)
def test_impossible_combinations_say_what_was_received_and_what_to_do(row, said):
    with pytest.raises(ValidationError) as error:
        Parameter(**row)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "row",
    [
        {**FLOAT, "low": float("nan")},
        {**FLOAT, "high": float("inf")},
        {**FLOAT, "high": "much"},
        {**FLOAT, "high": 10**400},
        {**FLOAT, "name": ""},
        {**FLOAT, "name": "a b"},
        {**FLOAT, "name": "1a"},
        {**FLOAT, "name": "a" * 65},
        {**FLOAT, "name": "a\n"},
        {**FLOAT, "target": "a b"},
        {**FLOAT, "target": "a\nb"},
        {**FLOAT, "target": "x" * 1000},
        {**FLOAT, "kind": "bool"},
        {**FLOAT, "transform": "exec"},
        {**FLOAT, "extra": 1},
        {**CATEGORICAL, "choices": "abc"},
        {**CATEGORICAL, "choices": 5},
    ],
    ids=shown,
)
def test_hostile_rows_are_validation_errors(row):
    with pytest.raises(ValidationError):
        Parameter(**row)


def test_whatever_is_accepted_has_a_distribution():
    values = [None, -1, 0, 1, 2, 2.5, 1e-9, 1e300, True, "1"]
    rng = random.Random(0)
    n_accepted = 0
    for kind, low, high in itertools.product(["float", "int", "categorical"], values, values):
        for _ in range(25):
            row = {
                "name": "x",
                "kind": kind,
                "low": low,
                "high": high,
                "log": rng.random() < 0.5,
                "step": rng.choice([None, None, 0.5, 1, 2, -1]),
                "choices": rng.choice([None, None, [1, 2], ["a", "a"]]),
                "transform": rng.choice(["identity", "1 - x", "2^x"]),
            }
            try:
                parameter = Parameter(**row)
            except ValidationError:
                continue
            n_accepted += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                assert parameter.distribution()
            assert parameter.resolved_range()
            assert Parameter(**parameter.model_dump()) == parameter
    assert n_accepted > 100


def test_a_parameter_cannot_be_changed():
    parameter = Parameter(**FLOAT)
    with pytest.raises(ValidationError, match="frozen"):
        parameter.low = 0.0


@pytest.mark.parametrize(
    "value", [10**5000, [10**5000], "x" * 10_000, {"a": ["b"] * 1000}, None, "\n\x1b[31m"], ids=shown
)
def test_whatever_is_shown_is_one_short_line(value):
    text = shown(value)
    assert len(text) <= 60
    assert text.isprintable()


def test_finite():
    assert all(map(is_finite, [0, 1.5, -(10**300), True, None, "inf", [float("inf")]]))
    assert not any(map(is_finite, [float("inf"), -float("inf"), float("nan"), 10**400]))
