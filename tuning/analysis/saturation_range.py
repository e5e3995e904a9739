"""Which range to try next, in numbers that a person would write."""

import itertools
import math
from functools import partial

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.space import INT
from tuning.analysis.verdicts import Side
from tuning.space.limits import Limit

WIDEN_BY = 0.5  # of the range's width on its own scale: 1e-5 to 1e-3 on a log axis gains a decade
_HUGE = 1e300  # the axis that is drawn reaches further still
_EXACT_WHOLE = 2.0**53  # beyond, a float no longer holds every whole number


def widened_range(axis: UnitAxis, side: Side, limit: Limit | None) -> tuple[float, float] | None:
    """Return the declared range with one bound further out, or None when that bound cannot move.

    The bound moves by half the range's width on its own scale, keeps to the natural limit, and is rounded
    outward to a number that a person would write.
    """
    outward = -1 if side == "low" else 1
    bound = axis.low if side == "low" else axis.high
    moved = _moved_choice(axis, limit, outward) if axis.numbers else _moved(axis, bound, limit, outward)
    if moved is None or not math.isfinite(moved) or (moved - bound) * outward <= 0:
        return None
    is_whole = axis.declared.kind == INT
    if (axis.declared.log and moved <= 0) or (is_whole and abs(moved) > _EXACT_WHOLE) or abs(moved) > _HUGE:
        return None
    return (moved, axis.high) if side == "low" else (axis.low, moved)


def narrowed_range(axis: UnitAxis, low_u: float, high_u: float) -> tuple[float, float]:
    """Return the bounds at two places inside the range, rounded outward; levels stay levels."""
    if axis.levels is not None:
        return _level(axis, low_u), _level(axis, high_u)
    round_to = _round_log if axis.declared.log else partial(_round_linear, width=axis.high - axis.low)
    low, high = (round_to(axis.value(u), outward=o) for u, o in ((low_u, -1), (high_u, 1)))
    return max(low, axis.low), min(high, axis.high)


def _moved(axis: UnitAxis, bound: float, limit: Limit | None, outward: int) -> float | None:
    """Return a numeric bound further out."""
    whole = axis.declared.kind == INT or axis.levels is not None
    if axis.declared.log:
        try:
            raw = bound * (axis.high / axis.low) ** (outward * WIDEN_BY)
        except OverflowError:
            return None
        moved = _round_log(raw, outward=outward)
        if whole:
            moved = max(1.0, math.floor(moved + 0.5))
    elif axis.levels is not None:
        step = axis.declared.step or 1.0
        moved = _clean(bound + outward * step * max(1, math.ceil(WIDEN_BY * axis.levels)))
    else:
        width = axis.high - axis.low
        moved = _round_linear(bound + outward * WIDEN_BY * width, width=width, outward=outward)
    if limit is None or limit.admits(moved):
        return moved
    return _inside(limit, bound, outward=outward, whole=whole)


def _moved_choice(axis: UnitAxis, limit: Limit | None, outward: int) -> float | None:
    """Return the last level that widening adds to ordered choices, or the last one before the limit."""
    levels = more_choices(axis.numbers, outward)
    allowed = [x for x in levels if limit is None or limit.admits(x)]
    if allowed:
        return allowed[-1]
    if limit is None or not levels:
        return None
    end = axis.numbers[-1] if outward > 0 else axis.numbers[0]
    return _inside(limit, end, outward=outward, whole=_are_whole(axis.numbers))


def _level(axis: UnitAxis, u: float) -> float:
    """Return the level at a place inside the range."""
    if axis.numbers:
        return axis.value(u)
    if axis.declared.log:
        return float(min(axis.high, max(axis.low, round(axis.value(u)))))
    assert axis.levels is not None
    index = min(axis.levels - 1, math.floor(u * axis.levels))
    return axis.low + index * (axis.declared.step or 1.0)


def _round_log(x: float, *, outward: int) -> float:
    """Return the next of 1, 1.5, 2, 3, 5, 7 times a power of ten, outward (a hair inside counts as there)."""
    if x <= 0 or not math.isfinite(x):
        return x
    power = math.floor(math.log10(x))
    steps = [m * 10.0**p for p in (power - 1, power, power + 1) for m in (1, 1.5, 2, 3, 5, 7)]
    if outward > 0:
        return _clean(min(s for s in steps if s >= x * 0.97))
    return _clean(max(s for s in steps if s <= x * 1.03))


def _round_linear(x: float, *, width: float, outward: int) -> float:
    """Return `x` rounded outward to two digits of the range's width."""
    if not math.isfinite(x):
        return x
    unit = 10.0 ** math.floor(math.log10(width) - 0.7) / 2 if width > 0 else 1.0
    whole = x / unit
    rounded = math.ceil(whole - 0.05) if outward > 0 else math.floor(whole + 0.05)
    return _clean(rounded * unit)


def new_choices(numbers: tuple[float, ...]) -> int:
    """Return how many levels widening adds to an ordered list of choices."""
    return math.ceil(WIDEN_BY * len(numbers))


def more_choices(numbers: tuple[float, ...], outward: int) -> list[float]:
    """Return the levels that go on where an ordered list ends, nearest first: by its ratio or its difference.

    Whole numbers stay whole, and a list of positive numbers that grows by a ratio stays positive.

    Args:
        numbers: ascending choices, at least two.
        outward: -1 for levels below the first, 1 for levels above the last.
    """
    if numbers[-1] < 0:
        return [-x for x in more_choices(tuple(-x for x in reversed(numbers)), -outward)]
    n, end = new_choices(numbers), numbers[-1] if outward > 0 else numbers[0]
    differences = [b - a for a, b in itertools.pairwise(numbers)]
    ratios = [b / a for a, b in itertools.pairwise(numbers)] if numbers[0] > 0 else []
    if len(numbers) >= 3 and ratios and _spread(ratios) < _spread(differences):
        ratio = math.prod(ratios) ** (1 / len(ratios))
        found = [end * ratio ** (outward * k) for k in range(1, n + 1)]
        found = found if _are_whole(numbers) else [_clean(x, digits=3) for x in found]
    else:
        step = differences[-1] if outward > 0 else differences[0]
        found = [_clean(end + outward * k * step) for k in range(1, n + 1)]
    if not _are_whole(numbers):
        return found
    whole = dict.fromkeys(float(round(x)) for x in found if math.isfinite(x))
    return [x for x in whole if (x - end) * outward > 0 and (x > 0 or numbers[0] <= 0 or not ratios)]


def _are_whole(numbers: tuple[float, ...]) -> bool:
    return all(float(x).is_integer() for x in numbers)


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


def _clean(x: float, *, digits: int = 12) -> float:
    return float(f"{x:.{digits}g}")
