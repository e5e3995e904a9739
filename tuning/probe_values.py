"""Where a probe moves a parameter to: values past a bound, or towards it, that the parameter can have."""

import difflib
import math
from collections.abc import Sequence

from optuna.trial import create_trial

from tuning.analysis.outcomes import number
from tuning.analysis.saturation_axis import UnitAxis, unit_axes
from tuning.analysis.saturation_range import more_choices, widened_range
from tuning.analysis.verdicts import Side
from tuning.analysis.words import three_digits
from tuning.space.limits import Limit
from tuning.space.parameters import Parameter, shown
from tuning.spec import StudySpec

MOST_VALUES = 5
_INSIDE = 0.25  # of the range's width from the bound: the middle of its half


class ProbeError(ValueError):
    """A probe cannot be planned; says why, and what to do."""


class NothingToProbe(ProbeError):
    """The study has no complete trial yet."""


def spec_axes(spec: StudySpec) -> dict[str, UnitAxis]:
    """Return the axis of each parameter as the study's request declares it, whatever its trials hold."""
    params = {p.name: p.choices[0] if p.choices else p.low for p in spec.search_space}
    declared = {p.name: p.distribution() for p in spec.search_space}
    return unit_axes([create_trial(value=0.0, params=params, distributions=declared)])


def probed_parameter(spec: StudySpec | None, name: str) -> tuple[Parameter, UnitAxis]:
    """Return a parameter of a study of ours that has bounds to look beyond, with its axis.

    Raises:
        ProbeError: the study is not ours, or has no such parameter, or its choices have no order.
    """
    if spec is None:
        raise ProbeError("This study was not launched here, so nobody knows how to train for it again.")
    searched = {p.name: p for p in spec.search_space}
    if name not in searched:
        close = difflib.get_close_matches(name, searched, n=1, cutoff=0.5)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise ProbeError(
            f"There is no parameter {shown(name)} in {spec.name}.{meant} It searches {', '.join(searched)}."
        )
    axis = spec_axes(spec).get(name)
    if axis is None or not axis.ordered:
        raise ProbeError(f"{name} has no order, so it has no bound to look beyond.")
    return searched[name], axis


def default_values(
    parameter: Parameter, axis: UnitAxis, side: Side, limit: Limit | None, *, inside: bool
) -> list[int | float]:
    """Return a value halfway to the suggested bound, and that bound; with `inside` the first lies inside.

    Raises:
        ProbeError: the parameter cannot go past its bound.
    """
    bound = axis.high if side == "high" else axis.low
    end = _suggested(axis, side, limit)
    if axis.numbers:
        further = more_choices(axis.numbers, 1 if side == "high" else -1)
        allowed = [x for x in further if limit is None or limit.admits(x)] or [end]
        places = [allowed[0], allowed[-1]]
    else:
        places = [_between(axis, bound, end), end]
    if inside:
        quarter = axis.value(1 - _INSIDE if side == "high" else _INSIDE)
        places = [quarter if axis.levels else _between(axis, bound, axis.value(0.5)), end]
    values = _ordered([_snapped(parameter, axis, place) for place in places], side)
    values = [v for v in values if limit is None or limit.admits(v)]
    outward = [v for v in values if (v > bound if side == "high" else v < bound)]
    kept = values if inside else outward
    if not kept or (not outward and not inside):
        rule = f": {limit.about}" if limit and limit.about else ""
        raise ProbeError(
            f"{parameter.name} cannot go past {three_digits(bound)}{rule}. There is nothing to probe."
        )
    return kept


def checked_values(
    parameter: Parameter,
    values: Sequence[float],
    axis: UnitAxis,
    side: Side,
    limit: Limit | None,
    *,
    inside: bool,
) -> list[int | float]:
    """Return values that somebody chose as the parameter can have them, from the inside outward.

    Unless hardly anything is known `inside` the range, one of them at least lies past the bound.

    Raises:
        ProbeError: they are too many, or one of them is none that the parameter can have, or all lie inside.
    """
    if not 1 <= len(values) <= MOST_VALUES:
        raise ProbeError(f"Give 1 to {MOST_VALUES} values of {parameter.name}: received {len(values)}.")
    for value in values:
        if number(value) is None:
            raise ProbeError(f"A value of {parameter.name} must be a finite number: received {shown(value)}.")
        if limit is not None and not limit.admits(value):
            raise ProbeError(f"{parameter.name} cannot be {value:g}: {limit.about}.")
        if parameter.log and value <= 0:
            raise ProbeError(
                f"{parameter.name} is on a log scale, so its values must be above 0: received {value:g}."
            )
        if value < axis.low if side == "high" else value > axis.high:
            other = "lower" if side == "high" else "upper"
            raise ProbeError(
                f"{value:g} lies beyond the {other} bound of {parameter.name}, and this probe is about the "
                "other one. Probe that side by itself."
            )
        if axis.numbers and axis.low <= value <= axis.high and value not in axis.numbers:
            raise ProbeError(
                f"{value:g} is none of the choices of {parameter.name}: "
                f"{', '.join(three_digits(n) for n in axis.numbers)}. Take one of them, or one beyond."
            )
    found = _ordered([_snapped(parameter, axis, value) for value in values], side)
    if not inside and not any(v > axis.high if side == "high" else v < axis.low for v in found):
        further = default_values(parameter, axis, side, limit, inside=False)[0]  # or there is nothing further
        where = f"above {axis.high:g}" if side == "high" else f"below {axis.low:g}"
        lie = "lies" if len(found) == 1 else "lie"
        named = ", ".join(f"{v:g}" for v in found)
        raise ProbeError(
            f"{named} {lie} inside the declared range of {parameter.name}, which "
            f"the study has already searched. Name at least one value {where}, such as {further:g}."
        )
    return found


def _suggested(axis: UnitAxis, side: Side, limit: Limit | None) -> float:
    low, high = widened_range(axis, side, limit) or (axis.low, axis.high)
    return high if side == "high" else low


def _between(axis: UnitAxis, a: float, b: float) -> float:
    """Return a number about halfway between two on the axis' own scale, as short as it can be written."""
    log = axis.declared.log and a > 0 and b > 0
    scale = math.log if log else float
    middle = math.sqrt(a * b) if log else (a + b) / 2
    for digits in (1, 2, 3):
        short = float(f"{middle:.{digits}g}")
        if abs(scale(short) - scale(middle)) <= abs(scale(b) - scale(a)) / 4:
            return short
    return middle


def _snapped(parameter: Parameter, axis: UnitAxis, value: float) -> int | float:
    """Return the nearest value that the parameter can have: on its grid, which goes on past the bounds."""
    if axis.numbers:
        value = min(axis.numbers, key=lambda n: abs(n - value)) if axis.low < value < axis.high else value
        whole_numbers = all(float(n).is_integer() for n in axis.numbers)
        return int(value) if whole_numbers and float(value).is_integer() else float(value)
    step = parameter.step or (1.0 if parameter.kind == "int" else None)
    if step is not None and not parameter.log:
        value = axis.low + step * round((value - axis.low) / step)
    return round(value) if parameter.kind == "int" else float(f"{value:.12g}")


def _ordered(values: Sequence[int | float], side: Side) -> list[int | float]:
    return sorted(set(values), reverse=side == "low")
