"""A search space alone as YAML, to keep and to carry to another study, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tuning.space.parameters import Parameter, shown
from tuning.spec import MAX_SPEC_BYTES, SpecError
from tuning.spec_base import check_plain
from tuning.spec_text import NotPlain, read_plain, write_plain

MAX_PARAMETERS = 100


@dataclass(frozen=True)
class SpaceText:
    """What a file of a search space holds."""

    space: tuple[Parameter, ...]
    fixed: dict[str, Any]  # hyperparameters that are set and not searched
    algorithm: str | None = None  # that it was written for, where it says


def space_to_yaml(
    space: Sequence[Parameter], fixed: Mapping[str, Any], *, algorithm: str | None = None
) -> str:
    """Return a search space with its fixed hyperparameters as YAML; `parse_space` reads it back."""
    rows = [_row(parameter) for parameter in space]
    data: dict[str, Any] = {"algorithm": algorithm} if algorithm else {}
    data["search_space"] = rows
    if fixed:
        data["hyperparameters"] = dict(fixed)
    return write_plain(data)


def parse_space(text: str) -> SpaceText:
    """Read a search space: a list of parameters, or a mapping that has one, such as a whole spec.

    Raises:
        SpecError: one sentence for each fault.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SPEC_BYTES:
        raise SpecError([f"The text is longer than {MAX_SPEC_BYTES} bytes. Is it the right file?"])
    try:
        data = read_plain(text)
    except NotPlain as error:
        raise SpecError([str(error).replace("The spec", "The text")]) from None
    if isinstance(data, list):
        data = {"search_space": data}
    rows = data.get("search_space") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not rows:
        raise SpecError(
            ["There is no search space in it: write a list of parameters, or `search_space:` above one."]
        )
    if len(rows) > MAX_PARAMETERS:
        raise SpecError([f"A search space has at most {MAX_PARAMETERS} parameters: received {len(rows)}."])
    space, faults = _parameters(rows)
    fixed = data.get("hyperparameters") or {}
    try:
        check_plain(fixed, "hyperparameters")
    except ValueError as error:
        faults.append(str(error))
    if not isinstance(fixed, dict):
        faults.append(f"`hyperparameters` must be a mapping: received {shown(fixed)}.")
    if faults:
        raise SpecError(faults)
    algorithm = data.get("algorithm")
    return SpaceText(tuple(space), fixed, algorithm if isinstance(algorithm, str) else None)


def row_faults(error: ValidationError) -> list[str]:
    """Return what is wrong with one parameter, a sentence each."""
    faults = []
    for item in error.errors(include_url=False):
        if item["type"] == "value_error":
            faults += [line for line in str(item["ctx"]["error"]).splitlines() if line]
        elif item["type"] == "string_pattern_mismatch" and item["loc"] == ("name",):
            faults.append(
                "`name` must start with a letter and hold only letters, digits, '_' and '.': received "
                f"{shown(item['input'])}."
            )
        elif item["type"] == "string_pattern_mismatch":
            example = "n_quantiles - 1" if item["loc"] == ("at_most",) else "learning_rate"
            faults.append(
                f"`{item['loc'][0]}` must be a name, such as {example}: received {shown(item['input'])}."
            )
        else:
            place = ".".join(str(part) for part in item["loc"])
            message = item["msg"].removeprefix("Input ")
            faults.append(f"`{place}` {message}: received {shown(item['input'])}.")
    return faults


def _parameters(rows: Sequence[Any]) -> tuple[list[Parameter], list[str]]:
    space, faults = [], []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            faults.append(f"Parameter {number} must be a mapping with a name: received {shown(row)}.")
            continue
        try:
            space.append(Parameter.model_validate({k: v for k, v in row.items() if k != "why"}))
        except ValidationError as error:
            faults += [f"Parameter {number}: {fault}" for fault in row_faults(error)]
    return space, faults


def _row(parameter: Parameter) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(parameter.model_dump_json())
    unsaid = {"log": False, "transform": "identity"}
    row = {key: value for key, value in data.items() if value is not None and unsaid.get(key) != value}
    if parameter.kind == "int":
        row |= {key: int(row[key]) for key in ("low", "high", "step") if key in row}
    return row
