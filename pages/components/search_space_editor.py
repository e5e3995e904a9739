"""The editable table of the search space, and what it means: resolved ranges and sampled configurations."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import optuna
import pandas as pd
import streamlit as st
from pydantic import ValidationError

from tuning.analysis.look import three_digits
from tuning.space.parameters import Parameter, Scalar, Transform, shown

KINDS = ("float", "int", "categorical")
TRANSFORMS: tuple[str, ...] = get_args(Transform)
# Columns in their order, with their widths in px; together they fit a window of 1280.
WIDTHS = {
    "name": 144,
    "kind": 88,
    "low": 76,
    "high": 76,
    "log": 58,
    "step": 60,
    "choices": 108,
    "transform": 106,
    "target": 106,
}
COLUMNS = tuple(WIDTHS)
NUMBERS = ("low", "high", "step")  # edited as text: a column of numbers turns a typed 1e-4 into -14
N_SAMPLES = 5


def rows_from_parameters(parameters: Sequence[Parameter]) -> pd.DataFrame:
    """Return the table of a search space. Columns: `COLUMNS`; numbers and choices as text."""
    rows = [
        {
            "name": p.name,
            "kind": p.kind,
            "low": _number_text(p.low),
            "high": _number_text(p.high),
            "log": p.log,
            "step": _number_text(p.step),
            "choices": ", ".join(_choice_text(choice) for choice in p.choices or ()),
            "transform": p.transform,
            "target": p.target,
        }
        for p in parameters
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(NUMBERS, object), "log": bool})


def parameters_from_rows(table: pd.DataFrame) -> tuple[list[Parameter], list[str]]:
    """Return the parameters of the table's valid rows, and a sentence for each fault of the others.

    Rows that hold nothing are left out, so that a person may add one before filling it in.
    """
    parameters, faults = [], []
    for number, row in enumerate(table.to_dict("records"), start=1):
        data = _row_data({str(key): value for key, value in row.items()})
        if not any(data.get(key) not in (None, "", False) for key in ("name", "low", "high", "choices")):
            continue
        if not data.get("name"):
            faults.append(f"Row {number} has no name. Name the hyperparameter that it sets.")
            continue
        if data.get("kind") not in KINDS:
            faults.append(f"Row {number} ({data['name']}) has no kind. Choose {', '.join(KINDS)}.")
            continue
        if unread := [key for key in NUMBERS if isinstance(data.get(key), str)]:
            faults += [
                f"Row {number}: `{key}` of {data['name']} must be a number, such as 0.001 or 1e-3: "
                f"received {shown(data[key])}."
                for key in unread
            ]
            continue
        try:
            parameters.append(Parameter.model_validate(data))
        except ValidationError as error:
            faults += [f"Row {number}: {fault}" for fault in _faults(error)]
    return parameters, faults


def preview_table(parameters: Sequence[Parameter], *, seed: int) -> pd.DataFrame:
    """Return what the algorithm receives, one row for each argument.

    Columns: argument, values (range or choices), scale, and "sample 1" to "sample 5": random configurations.
    """
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    rows = [
        {
            "argument": p.target.removeprefix("policy_kwargs."),
            "values": p.resolved_range(),
            "scale": _scale(p),
        }
        for p in parameters
    ]
    for number in range(1, N_SAMPLES + 1):
        trial = study.ask()
        for row, p in zip(rows, parameters, strict=True):
            row[f"sample {number}"] = value_text(p.resolve(p.suggest(trial)))
    return pd.DataFrame(rows)


def value_text(value: Any) -> str:
    """Return a resolved value for a person."""
    if isinstance(value, float):
        return three_digits(value)
    if isinstance(value, dict) and list(value) == ["pi", "vf"] and value["pi"] == value["vf"]:
        return json.dumps(value["pi"])  # one net shape for policy and value
    return value if isinstance(value, str) else json.dumps(value)


def draw_editor(base: pd.DataFrame, *, key: str) -> pd.DataFrame:
    """Draw the table and return it as edited. `base` must not change while `key` stays the same."""
    column = st.column_config
    edited: pd.DataFrame = st.data_editor(
        base,
        key=key,
        num_rows="dynamic",
        height="content",
        placeholder="",
        hide_index=True,
        alt="The search space: one parameter a row",
        column_config={
            "name": column.TextColumn("Name", help="The name Optuna stores", width=WIDTHS["name"]),
            "kind": column.SelectboxColumn("Kind", options=list(KINDS), width=WIDTHS["kind"]),
            "low": column.TextColumn("Low", alignment="right", help="Inclusive", width=WIDTHS["low"]),
            "high": column.TextColumn("High", alignment="right", help="Inclusive", width=WIDTHS["high"]),
            "log": column.CheckboxColumn(
                "Log", help="Sample on a log scale", width=WIDTHS["log"], default=False
            ),
            "step": column.TextColumn("Step", alignment="right", help="Empty: no grid", width=WIDTHS["step"]),
            "choices": column.TextColumn(
                "Choices", help="Of a categorical, separated by commas", width=WIDTHS["choices"]
            ),
            "transform": column.SelectboxColumn(
                "Transform",
                options=list(TRANSFORMS),
                default="identity",
                width=WIDTHS["transform"],
                help="How the stored value becomes the algorithm's: 2^x turns 5 into 32.",
            ),
            "target": column.TextColumn(
                "Sets", help="The argument of the algorithm; empty: as the name says", width=WIDTHS["target"]
            ),
        },
    )
    return edited


def _row_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as `Parameter` takes it: empty cells left out, choices as values."""
    data = {key: value for key, value in row.items() if key in COLUMNS and not _is_empty(value)}
    for key in ("name", "kind", "choices", "transform", "target"):
        if key in data:
            data[key] = str(data[key]).strip()
    for key in NUMBERS:
        if key in data:
            data[key] = _number(data[key])
    if data.get("choices"):
        data["choices"] = [_choice(text.strip()) for text in data["choices"].split(",") if text.strip()]
    return {key: value for key, value in data.items() if value not in ("", [])}


def _is_empty(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _number_text(x: float | None) -> str | None:
    """Return a number as people write it, and in full: 5, 0.9999, 3e-05."""
    return None if x is None else f"{x:g}" if float(f"{x:g}") == x else repr(x)


def _number(value: Any) -> Any:
    """Read a number that a person typed; what is none stays text."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value.strip()


def _scale(p: Parameter) -> str:
    """Return how the values that the algorithm receives are spread over their range."""
    if p.kind == "categorical":
        return "choices"
    match p.transform, p.log:
        case "2^x", _:
            return "powers of 2" if p.kind == "int" else "log"
        case "1 - x", True:
            return "log of 1 - x"
        case _:
            return "log" if p.log else "linear"


def _choice(text: str) -> Scalar:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, bool | int | float | str) else text


def _choice_text(choice: Scalar) -> str:
    """Return a choice so that `_choice` reads it back: text that looks like a number goes in quotes."""
    if isinstance(choice, str) and _choice(choice) == choice:
        return choice
    return json.dumps(choice)


def _faults(error: ValidationError) -> list[str]:
    faults = []
    for item in error.errors(include_url=False):
        if item["type"] == "value_error":
            faults += [line for line in str(item["ctx"]["error"]).splitlines() if line]
        elif item["type"] == "string_pattern_mismatch":
            faults.append("the name must start with a letter and hold only letters, digits, '_' and '.'.")
        else:
            place = ".".join(str(part) for part in item["loc"])
            faults.append(f"{place}: {item['msg'][:1].lower()}{item['msg'][1:]}.")
    return faults
