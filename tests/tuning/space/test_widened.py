"""A range is moved just far enough to hold a value."""

import pytest

from tuning.space.parameters import Parameter
from tuning.space.widened import widened_to

GAMMA = {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999}
REST = {"name": "one_minus_gamma", "kind": "float", "low": 1e-4, "high": 0.03, "log": True}
STEPS = {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 8, "transform": "2^x"}
CLIP = {"name": "clip_range", "kind": "categorical", "choices": [0.1, 0.3]}
RATE = {"name": "ent_coef", "kind": "float", "low": 1e-8, "high": 0.1, "log": True}


@pytest.mark.parametrize(
    ("row", "value", "changed"),
    [
        (GAMMA, 0.9, {"low": 0.9}),
        (GAMMA, 0.99, {}),
        ({**REST, "transform": "1 - x"}, 0.9, {"high": 0.1}),
        (STEPS, 2048, {"high": 11}),
        (CLIP, 0.2, {"choices": (0.1, 0.3, 0.2)}),
    ],
)
def test_it_holds_the_value(row, value, changed):
    parameter = Parameter(**row)
    assert widened_to(parameter, value) == parameter.model_copy(update=changed)


@pytest.mark.parametrize(
    ("row", "value"), [(RATE, 0), (STEPS, 300), (GAMMA, "auto"), (GAMMA, True), (CLIP, [1])]
)
def test_what_no_bound_can_hold(row, value):
    assert widened_to(Parameter(**row), value) is None
