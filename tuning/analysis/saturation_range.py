"""Which range to try next, in numbers that a person would write."""

import itertools
import math

from tuning.analysis.saturation_axis import UnitAxis
from tuning.space.limits import Limit

WIDEN_BY = 0.5  # of the range's width on its own scale: 1e-5 to 1e-3 on a log axis gains a decade


def suggested_range(
    axis: UnitAxis, *, low_u: float, high_u: float, limit: Limit | None
) -> tuple[float, float]:
    """Return the bounds at two places of the unit axis, rounded outward, inside the natural limit.

    A side at exactly 0 or 1 keeps the declared bound as it is. Places below 0 or above 1 widen.
    """
    return (
        axis.low if low_u == 0 else _bound(axis, low_u, limit, outward=-1),
        axis.high if high_u == 1 else _bound(axis, high_u, limit, outward=1),
    )


def _bound(axis: UnitAxis, u: float, limit: Limit | None, *, outward: int) -> float:
    """Return the bound at a place, rounded away from the middle of the range."""
    if axis.levels is not None and 0 <= u <= 1:
        return _level(axis, u)
    if axis.numbers:
        return more_choices(axis.numbers, outward)[-1]
    declared = axis.declared
    bound = axis.low if outward < 0 else axis.high
    raw = axis.value(u)
    if axis.levels is not None:
        step = declared.step or 1.0
        if declared.log:
            whole = math.floor(raw) if outward < 0 else math.ceil(raw)
            candidate = (
                float(max(1, whole)) if outward < 0 else _round_log(whole, outward=outward, whole=True)
            )
        else:
            candidate = bound + outward * step * max(1, math.ceil(abs(raw - bound) / step - 0.5))
    elif declared.log:
        candidate = _round_log(raw, outward=outward)
    else:
        candidate = _round_linear(raw, width=declared.high - declared.low, outward=outward)
    if limit is not None and not limit.admits(candidate):
        candidate = _inside(limit, bound, outward=outward, whole=axis.levels is not None)
    if (bound - candidate) * outward > 0 and (u < 0 or u > 1):
        return bound  # nothing is left to widen into
    return candidate


def _level(axis: UnitAxis, u: float) -> float:
    """Return the level at a place inside the range."""
    if axis.numbers:
        return axis.value(u)
    if axis.declared.log:
        return float(min(axis.high, max(axis.low, round(axis.value(u)))))
    assert axis.levels is not None
    index = min(axis.levels - 1, math.floor(u * axis.levels))
    return axis.low + index * (axis.declared.step or 1.0)


def _round_log(x: float, *, outward: int, whole: bool = False) -> float:
    """Return the next of 1, 1.5, 2, 3, 5, 7 times a power of ten, outward (a hair inside counts as there)."""
    if x <= 0:
        return x
    power = math.floor(math.log10(x))
    steps = [m * 10.0**p for p in (power - 1, power, power + 1) for m in (1, 1.5, 2, 3, 5, 7)]
    if outward > 0:
        found = min(s for s in steps if s >= x * 0.97)
        return float(math.ceil(found)) if whole else _clean(found)
    return _clean(max(s for s in steps if s <= x * 1.03))


def _round_linear(x: float, *, width: float, outward: int) -> float:
    """Return `x` rounded outward to two digits of the range's width."""
    unit = 10.0 ** math.floor(math.log10(width) - 0.7) / 2 if width > 0 else 1.0
    whole = x / unit
    rounded = math.ceil(whole - 0.05) if outward > 0 else math.floor(whole + 0.05)
    return _clean(rounded * unit)


def new_choices(numbers: tuple[float, ...]) -> int:
    """Return how many levels widening adds to an ordered list of choices."""
    return max(1, round(WIDEN_BY * len(numbers)))


def more_choices(numbers: tuple[float, ...], outward: int) -> list[float]:
    """Return the levels that go on where an ordered list ends, nearest first: by its ratio or its difference.

    Args:
        numbers: ascending choices, at least two.
        outward: -1 for levels below the first, 1 for levels above the last.
    """
    ends = numbers[-2:] if outward > 0 else (numbers[1], numbers[0])
    ratios = [b / a for a, b in itertools.pairwise(numbers)] if numbers[0] > 0 else []
    differences = [b - a for a, b in itertools.pairwise(numbers)]
    by_ratio = len(numbers) >= 3 and bool(ratios) and _spread(ratios) < _spread(differences)
    found = list(ends)
    for _ in range(new_choices(numbers)):
        found.append(_clean(found[-1] ** 2 / found[-2] if by_ratio else 2 * found[-1] - found[-2]))
    return found[2:]


def _spread(numbers: list[float]) -> float:
    return (max(numbers) - min(numbers)) / max(numbers)


def _inside(limit: Limit, bound: float, *, outward: int, whole: bool) -> float:
    """Return the last value before the limit."""
    end = limit.low if outward < 0 else limit.high
    is_open = limit.open_low if outward < 0 else limit.open_high
    assert end is not None
    if not is_open:
        return end
    if whole:
        return end - outward
    most = end - (end - bound) / 10  # of the way: never the limit itself
    return next((x for digits in (2, 3, 4, 6, 8) if limit.admits(x := _clean(most, digits=digits))), bound)


def _clean(x: float, *, digits: int = 10) -> float:
    return float(f"{x:.{digits}g}")
