import numpy as np
import pandas as pd
import pytest

from pages.components.search_space_editor import (
    COLUMNS,
    N_SAMPLES,
    parameters_from_rows,
    preview_table,
    rows_from_parameters,
)
from tuning.algorithms import algorithm
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
        ({"kind": "float", "low": 0.1, "high": 1.0}, "Row 1 has no name."),
        ({"name": "gamma", "low": 0.1}, "Row 1 (gamma) has no kind."),
        ({"name": "gamma", "kind": "float", "low": 1.0, "high": 0.1}, "Row 1: `low` of gamma must be below"),
        ({"name": "gamma", "kind": "float", "low": 0.1}, "Row 1: `gamma` has no high"),
        ({"name": "gamma", "kind": "categorical", "choices": "1"}, "Row 1: `choices` of gamma has one value"),
        (
            {"name": "<b>", "kind": "float", "low": 0.1, "high": 1.0},
            "Row 1: the name must start with a letter",
        ),
        ({"name": "gamma", "kind": "float", "low": 0.1, "high": 1.0, "transform": "!!"}, "Row 1: transform:"),
        ({"name": "gamma", "kind": "float", "low": 0.1, "high": float("inf")}, "Row 1: high:"),
    ],
)
def test_faults_name_the_row_and_the_remedy(row, said):
    parameters, faults = parameters_from_rows(table(row))
    assert parameters == []
    assert len(faults) == 1
    assert faults[0].startswith(said)


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
    assert [fault.split(", such")[0] for fault in faults] == [
        f"Row 1: `{key}` of gamma must be a number" for key in ("low", "high", "step")
    ]
    assert faults[1].endswith("received '0,99'.")


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
