"""One configuration that a person wrote: which stored values it means, and what of it a space cannot hold."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tuning.space.parameters import Parameter, Scalar, shown

_POLICY = "policy_kwargs."


def stored_fault(parameter: Parameter, value: Any) -> str | None:
    """Return what keeps a stored value from being queued, with the remedy, or None."""
    if parameter.kind == "categorical":
        known = parameter.choices or ()
        same = [choice for choice in known if choice == value and type(choice) is type(value)]
        if same or (value in known and not isinstance(value, bool)):
            return None
        choices = ", ".join(map(choice_text, known))
        return (
            f"{parameter.name} {shown(value)} is none of its choices {choices}. Add it, or take one of them."
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{parameter.name} must be a number: received {shown(value)}."
    if parameter.contains(value):
        return None
    assert parameter.low is not None
    assert parameter.high is not None
    if parameter.low <= value <= parameter.high:
        grid = f"a multiple of {parameter.step:g} from {parameter.low:g} on" if parameter.step else "whole"
        return f"{parameter.name} {value:g} is not on its grid: it must be {grid}. Round it."
    return (
        f"{parameter.name} {value:g} lies outside {parameter.low:g} … {parameter.high:g}. "
        "Widen its range, or move the value inside."
    )


def stored_value(parameter: Parameter, resolved: Any) -> Scalar:
    """Return the stored value that gives the algorithm `resolved`.

    Raises:
        ValueError: the space does not hold it; the message says which range it lies outside of.
    """
    try:
        return parameter.stored(resolved)
    except (ValueError, TypeError, KeyError):
        raise ValueError(_outside(parameter, resolved)) from None


def read_configuration(
    space: Sequence[Parameter], values: Mapping[str, Any]
) -> tuple[dict[str, Scalar], list[str]]:
    """Return the stored values of a configuration, and a sentence for each value that cannot be taken.

    Args:
        space: the parameters that are searched.
        values: by stored name, or by the argument that the algorithm receives (`n_steps: 512` where the
            space stores `n_steps_pow`). Numbers may be text. Parameters that are left out, or whose text is
            empty, are the sampler's to choose.
    """
    stored: dict[str, Scalar] = {}
    faults = []
    by_name = {p.name: p for p in space}
    by_target = {p.target: p for p in space} | {p.target.removeprefix(_POLICY): p for p in space}
    for key, value in values.items():
        if value is None and key not in by_name and key not in by_target:
            continue
        if isinstance(value, str) and not value.strip():
            continue
        parameter = by_name.get(key) or by_target.get(key)
        if parameter is None:
            known = ", ".join(p.name for p in space)
            faults.append(f"The space has no parameter {shown(key)}. It has: {known}.")
        elif parameter.name in stored:
            faults.append(f"{parameter.name} is given twice, the second time as {shown(key)}. Keep one.")
        else:
            try:
                stored[parameter.name] = _read(parameter, value, is_stored=key in by_name)
            except ValueError as error:
                faults.append(str(error))
    if not stored and not faults:
        faults.append("The configuration sets nothing. Give at least one parameter a value.")
    return stored, faults


def choice_text(choice: Scalar) -> str:
    """Return a choice as `read_choice` reads it back: text that looks like a number goes in quotes."""
    if isinstance(choice, str) and read_choice(choice) == choice:
        return choice
    return json.dumps(choice)


def read_choice(text: str) -> Scalar:
    """Return the choice that a person typed: a number, true, false, null, else text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, bool | int | float | str) else text


def _read(parameter: Parameter, value: Any, *, is_stored: bool) -> Scalar:
    if parameter.kind == "categorical":
        read = _read_choice(parameter, value)
    else:
        read = _read_number(parameter, value)
    if is_stored or parameter.transform == "identity" or parameter.kind == "categorical":
        if fault := stored_fault(parameter, read):
            raise ValueError(fault)
        if parameter.kind == "categorical":
            return read
        assert isinstance(read, int | float)
        return int(read) if parameter.kind == "int" else float(read)
    return stored_value(parameter, read)


def _read_choice(parameter: Parameter, value: Any) -> Scalar:
    if isinstance(value, str):
        text = value.strip()
        named = {choice_text(choice): choice for choice in parameter.choices or ()}
        return named[text] if text in named else read_choice(text)
    same = (choice for choice in parameter.choices or () if choice == value)
    found: Scalar = next(same, value)
    return found


def _read_number(parameter: Parameter, value: Any) -> int | float:
    fault = f"{parameter.name} must be a number, such as 0.001 or 1e-3: received {shown(value)}."
    if isinstance(value, bool):
        raise ValueError(fault)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(fault) from None
    if not math.isfinite(number):
        raise ValueError(fault)
    return int(number) if number.is_integer() and parameter.kind == "int" else number


def _outside(parameter: Parameter, resolved: Any) -> str:
    name = parameter.target.removeprefix(_POLICY)
    said = f"{resolved:g}" if type(resolved) in (int, float) else json.dumps(resolved, default=str)
    if parameter.kind == "categorical":
        return f"{name} {said} is none of its choices {parameter.resolved_range()}"
    if type(resolved) in (int, float) and parameter.transform == "2^x" and resolved >= 1:
        below = 2 ** math.floor(math.log2(resolved))
        if below != resolved:
            return f"{name} {said} is no power of two: {below} or {2 * below}?"
    return f"{name} {said} lies outside {parameter.resolved_range()}"
