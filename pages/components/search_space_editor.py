"""The editable table of the search space, and what it means: resolved ranges and sampled configurations."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import optuna
import pandas as pd
import streamlit as st
from pydantic import ValidationError

from tuning.analysis.look import three_digits
from tuning.space.configurations import choice_text, read_choice
from tuning.space.parameters import Parameter, Transform, shown
from tuning.space.strips import scale_name
from tuning.space.text import row_faults

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
    "at_most": 92,  # only shown where a parameter has it
}
COLUMNS = tuple(WIDTHS)
# On a phone three columns are in view beside the name, which stays while the others scroll.
NARROW_ORDER = ("name", "low", "high", "log", "choices", "kind", "step", "transform", "target", "at_most")
LABELS = {name: name.capitalize() for name in COLUMNS} | {"target": "Sets", "at_most": "At most"}
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
            "choices": ", ".join(choice_text(choice) for choice in p.choices or ()),
            "transform": p.transform,
            "target": p.target,
            "at_most": p.at_most or "",
        }
        for p in parameters
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(NUMBERS, object), "log": bool})


def parameters_from_rows(table: pd.DataFrame) -> tuple[list[Parameter], list[str]]:
    """Return the parameters of the table's valid rows, and a sentence for each fault of the others.

    A sentence says in which row and column, what was received, and what to do. Rows that hold nothing are
    left out, so that a person may add one before filling it in.
    """
    parameters, faults = [], []
    for number, data in _numbered(table):
        row = f"Row {number} ({shown(data['name'])[1:-1]})" if data.get("name") else f"Row {number}"
        if not data.get("name"):
            faults.append(f"{row}, Name: it is empty. Name the hyperparameter that the row sets.")
            continue
        if data.get("kind") not in KINDS:
            faults.append(f"{row}, Kind: it is empty. Choose {', '.join(KINDS)}.")
            continue
        if unread := [key for key in NUMBERS if isinstance(data.get(key), str)]:
            faults += [
                f"{row}, {LABELS[key]}: received {shown(data[key])}. Write a number, such as 0.001 or 1e-3."
                for key in unread
            ]
            continue
        try:
            parameters.append(Parameter.model_validate(data))
        except ValidationError as error:
            faults += [f"{row}, {_columns(fault, data)}: {_in_labels(fault)}" for fault in row_faults(error)]
    return parameters, faults


def fault_in_table(fault: str, table: pd.DataFrame) -> str | None:
    """Return a fault of a request with the row that it is about, or None when it is about no row."""
    for number, data in _numbered(table):
        name, target = str(data.get("name", "")), str(data.get("target", ""))
        plain = rf"(?<![\w.]){re.escape(name)}(?![\w.])"
        if name and not fault.startswith("`first_configurations`") and re.search(plain, fault):
            return f"Row {number} ({name}): {fault}"
        if target and fault.startswith(f"`{target}` "):
            return f"Row {number} ({name}): {fault}"
    return None


def meaning(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what each row holds as JSON, empty rows left out: equal where two tables mean the same."""
    return tuple(json.dumps(data, sort_keys=True, default=str) for _, data in _numbered(table))


def preview_table(parameters: Sequence[Parameter], *, seed: int) -> pd.DataFrame:
    """Return what the algorithm receives, one row for each argument.

    Columns: argument, values (range or choices), scale, and "sample 1" to "sample 5": random configurations.
    """
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    rows = [
        {
            "argument": p.target.removeprefix("policy_kwargs."),
            "values": p.resolved_range(),
            "scale": scale_name(p),
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


def draw_editor(base: pd.DataFrame, *, key: str, narrow: bool = False) -> pd.DataFrame:
    """Draw the table and return it as edited. `base` must not change while `key` stays the same."""
    column = st.column_config
    order = NARROW_ORDER if narrow else COLUMNS
    edited: pd.DataFrame = st.data_editor(
        base,
        key=key,
        num_rows="dynamic",
        column_order=[name for name in order if name != "at_most" or _says_something(base, "at_most")],
        height="content",
        placeholder="",
        hide_index=True,
        alt="The search space: one parameter a row",
        column_config={
            "name": column.TextColumn(
                "Name", help="The name Optuna stores", width=WIDTHS["name"], pinned=narrow
            ),
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
            "at_most": column.TextColumn(
                "At most",
                help="The parameter or argument whose value caps this one, such as `train_freq`, or "
                "`n_quantiles - 1`.",
                width=WIDTHS["at_most"],
            ),
        },
    )
    return edited


def _numbered(table: pd.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the cells of each row that holds something."""
    for number, row in enumerate(table.to_dict("records"), start=1):
        data = _row_data({str(key): value for key, value in row.items()})
        if any(data.get(key) not in (None, "", False) for key in ("name", "low", "high", "choices")):
            yield number, data


def _says_something(table: pd.DataFrame, column: str) -> bool:
    return column in table and any(not _is_empty(value) and str(value) for value in table[column])


def _columns(fault: str, data: Mapping[str, Any]) -> str:
    """Return the columns that a fault of a row is about, by what it says before what was received."""
    if "categorical: remove" in fault:
        return " and ".join(LABELS[key] for key in (*NUMBERS, "log") if data.get(key) not in (None, False))
    rule = fault.partition(": received")[0]
    said = [key for key in COLUMNS if re.search(rf"`{key}`|\b(no|and|both|needs|its|a) {key}\b", rule)]
    if re.search(r"\b(bounds|powers)\b", rule) and not {"low", "high"} & set(said):
        said += ["low", "high"]
    return " and ".join(LABELS[key] for key in said[:3]) or "the row"


def _in_labels(fault: str) -> str:
    """Return a fault with its columns called as the table calls them."""
    for key, label in LABELS.items():
        fault = fault.replace(f"`{key}`", label)
    return fault


def _row_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as `Parameter` takes it: empty cells left out, choices as values."""
    data = {key: value for key, value in row.items() if key in COLUMNS and not _is_empty(value)}
    for key in ("name", "kind", "choices", "transform", "target", "at_most"):
        if key in data:
            data[key] = str(data[key]).strip()
    for key in NUMBERS:
        if key in data:
            data[key] = _number(data[key])
    if data.get("choices"):
        data["choices"] = [read_choice(text.strip()) for text in data["choices"].split(",") if text.strip()]
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
