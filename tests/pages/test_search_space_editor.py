import numpy as np
import pandas as pd
import pytest

from pages.components.search_space_editor import (
    COLUMNS,
    N_SAMPLES,
    fault_in_table,
    meaning,
    parameters_from_rows,
    preview_table,
    rows_from_parameters,
)
from tuning.algorithms import algorithm, algorithm_names
from tuning.space.parameters import Parameter

PRESETS = algorithm("PPO").presets


def table(*rows):
    return pd.DataFrame([{**dict.fromkeys(COLUMNS), **row} for row in rows])


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_a_preset_survives_the_table(preset):
    parameters, faults = parameters_from_rows(rows_from_parameters(preset.space))
    assert tuple(parameters) == preset.space
    assert faults == []


@pytest.mark.parametrize("choices", [(1, "1"), (True, "true"), (None, "x"), (0.5, "a b"), ("null", 2)])
def test_choices_keep_their_types(choices):
    parameter = Parameter(name="clip_range", kind="categorical", choices=choices)
    parameters, faults = parameters_from_rows(rows_from_parameters([parameter]))
    assert faults == []
    assert list(map(repr, parameters[0].choices)) == list(map(repr, choices))


def test_a_row_as_the_browser_adds_it():
    row = {"name": " gamma ", "kind": "float", "low": 0.9, "high": 0.99, "log": np.nan, "step": None}
    parameters, faults = parameters_from_rows(table(row, {}, {"log": False, "transform": "identity"}))
    assert parameters == [Parameter(name="gamma", kind="float", low=0.9, high=0.99)]
    assert faults == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"kind": "float", "low": 0.1, "high": 1.0}, "Row 1, Name: it is empty. Name"),
        ({"name": "gamma", "low": 0.1}, "Row 1 (gamma), Kind: it is empty. Choose"),
        (
            {"name": "gamma", "kind": "float", "low": 1.0, "high": 0.1},
            "Row 1 (gamma), Low and High: Low of gamma must be below",
        ),
        ({"name": "gamma", "kind": "float", "low": 0.1}, "Row 1 (gamma), High: `gamma` has no high"),
        (
            {"name": "gamma", "kind": "categorical", "choices": "1"},
            "Row 1 (gamma), Choices: Choices of gamma has one value",
        ),
        (
            {"name": "<b>", "kind": "float", "low": 0.1, "high": 1.0},
            "Row 1 (<b>), Name: Name must start with a letter",
        ),
        (
            {"name": "gamma", "kind": "float", "low": 0.1, "high": 1.0, "transform": "!!"},
            "Row 1 (gamma), Transform: Transform should be",
        ),
        (
            {"name": "gamma", "kind": "categorical", "low": 0.1, "choices": "1, 2"},
            "Row 1 (gamma), Low: `gamma` is categorical: remove low",
        ),
        (
            {"name": "gamma", "kind": "float", "low": 0.1, "high": float("inf")},
            "Row 1 (gamma), High: High should be a finite number: received inf.",
        ),
    ],
)
def test_faults_name_the_row_and_the_remedy(row, said):
    parameters, faults = parameters_from_rows(table(row))
    assert parameters == []
    assert len(faults) == 1
    assert faults[0].startswith(said)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("`gamma` must be below 1: received 1.5. Move the bound of gamma inside.", "Row 2 (gamma): `gamma`"),
        ("`n_steps` must be at least 1 (for n_steps_pow=0).", "Row 1 (n_steps_pow): `n_steps`"),
        ("`name` must be something.", None),
        ("`first_configurations`, number 1: gamma 0.9 lies outside", None),
    ],
)
def test_a_fault_of_the_request_is_placed_in_its_row(fault, said):
    placed = fault_in_table(fault, rows_from_parameters(PRESETS[0].space))
    assert placed is None if said is None else placed.startswith(said)


@pytest.mark.parametrize("name", algorithm_names())
def test_every_preset_survives_the_table(name):
    for preset in algorithm(name).presets:
        assert parameters_from_rows(rows_from_parameters(preset.space)) == (list(preset.space), [])


def test_two_tables_with_the_same_meaning_are_equal():
    space = PRESETS[0].space
    typed = rows_from_parameters(space).astype(object)
    typed.loc[1, "low"] = " 97e-2 "
    typed.loc[len(typed)] = dict.fromkeys(COLUMNS)
    assert meaning(typed) == meaning(rows_from_parameters(space))
    typed.loc[1, "low"] = "0.96"
    assert meaning(typed) != meaning(rows_from_parameters(space))


def test_an_emptied_table_has_no_parameters():
    assert parameters_from_rows(pd.DataFrame(columns=list(COLUMNS))) == ([], [])
    assert rows_from_parameters([]).empty


@pytest.mark.parametrize("text", ["1e-4", " 0.0001 ", ".0001", "1E-4"])
def test_a_bound_is_read_as_people_type_it(text):
    row = {"name": "learning_rate", "kind": "float", "low": text, "high": "3e-3", "log": True}
    parameters, faults = parameters_from_rows(table(row))
    assert faults == []
    assert (parameters[0].low, parameters[0].high) == (1e-4, 3e-3)


def test_text_in_a_bound_is_no_zero():
    row = {"name": "gamma", "kind": "float", "low": "abc", "high": "0,99", "step": "1-2"}
    parameters, faults = parameters_from_rows(table(row))
    assert parameters == []
    assert faults == [
        f"Row 1 (gamma), {label}: received '{text}'. Write a number, such as 0.001 or 1e-3."
        for label, text in (("Low", "abc"), ("High", "0,99"), ("Step", "1-2"))
    ]


def test_bounds_keep_every_digit():
    parameter = Parameter(name="gamma", kind="float", low=0.123456789012, high=1 - 1e-12)
    assert parameters_from_rows(rows_from_parameters([parameter])) == ([parameter], [])


def test_the_preview_names_the_scale_of_what_the_algorithm_receives():
    table = preview_table(PRESETS[1].space, seed=0).set_index("argument")
    assert table.loc["gamma", "scale"] == "log of 1 - x"
    assert table.loc["learning_rate", "scale"] == "log"
    assert table.loc["n_epochs", "scale"] in ("linear", "choices")


def test_the_preview_shows_resolved_values():
    table = preview_table(PRESETS[0].space, seed=0).set_index("argument")
    assert list(table.index) == ["n_steps", "gamma", "learning_rate", "activation_fn"]
    assert table.loc["n_steps", ["values", "scale"]].tolist() == ["32 … 4096", "powers of 2"]
    samples = table[[f"sample {number}" for number in range(1, N_SAMPLES + 1)]]
    assert set(samples.loc["n_steps"]) <= {str(2**k) for k in range(5, 13)}
    assert set(samples.loc["activation_fn"]) <= {"tanh", "relu"}
    assert table.equals(preview_table(PRESETS[0].space, seed=0).set_index("argument"))
