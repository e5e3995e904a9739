"""A parameter whose range is moved just far enough to hold one value."""

from typing import Any

from pydantic import ValidationError

from tuning.space.parameters import Parameter, is_finite

# What each transform undoes, where a value outside of the range has a stored form.
_STORED: dict[str, Any] = {
    "identity": lambda value: value,
    "1 - x": lambda value: round(1.0 - value, 12),
    "2^x": lambda value: value.bit_length() - 1 if isinstance(value, int) and value > 0 else None,
}


def widened_to(parameter: Parameter, resolved: Any) -> Parameter | None:
    """Return the parameter with a bound or a choice more, so that the algorithm may get `resolved`.

    None where no bound can hold it: 0 on a log axis, a value that is no number.
    """
    data = parameter.model_dump()
    if parameter.kind == "categorical":
        if parameter.transform != "identity" or not isinstance(resolved, bool | int | float | str | None):
            return None
        return _valid({**data, "choices": (*(parameter.choices or ()), resolved)}, resolved)
    if isinstance(resolved, bool) or not isinstance(resolved, int | float) or not is_finite(resolved):
        return None
    stored = _STORED.get(parameter.transform, lambda value: None)(resolved)
    if stored is None:
        return None
    assert parameter.low is not None
    assert parameter.high is not None
    bounds = {"low": min(parameter.low, stored), "high": max(parameter.high, stored)}
    return _valid({**data, **bounds}, resolved)


def _valid(data: dict[str, Any], resolved: Any) -> Parameter | None:
    try:
        wider = Parameter.model_validate(data)
        wider.stored(resolved)
    except (ValidationError, ValueError):
        return None
    return wider
