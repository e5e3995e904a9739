"""Where the range to try next lies on a parameter's axis: beyond a bound, or inside where less would do."""

from tuning.analysis.saturation import ParameterSaturation
from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_range import more_choices
from tuning.analysis.verdicts import Verdict
from tuning.analysis.words import three_digits

# First and last position (None: nothing to draw), and the ticks for values that the axis does not have yet.
Ghost = tuple[tuple[float, float] | None, tuple[tuple[float, str], ...]]

_SAME = 1e-9  # relative difference of two numbers that are one


def ghost_range(axis: UnitAxis, p: ParameterSaturation, start: float, end: float) -> Ghost:
    """Return the part of the suggested range worth drawing, between positions.

    Args:
        axis: the parameter's.
        p: its verdict.
        start: position of the lower bound.
        end: position of the upper bound.
    """
    if p.suggested is None:
        return None, ()
    low, high = p.suggested
    if p.verdict != Verdict.EDGE:
        return _within(axis, low, high)
    return _beyond(axis, low, start, -1) if p.side == "low" else _beyond(axis, high, end, 1)


def value_words(axis: UnitAxis, x: float) -> str:
    """Return a value of the parameter for people, safe to show."""
    return three_digits(x) if axis.numbers else axis.declared.words(x)


def _beyond(axis: UnitAxis, x: float, bound: float, outward: int) -> Ghost:
    """Return the stretch from a bound's position to the suggested value; none where nothing is gained."""
    if axis.numbers:
        levels = [c for c in more_choices(axis.numbers, outward) if (x - c) * outward >= -_SAME * abs(x)]
        if not levels and x not in axis.numbers:
            levels = [x]  # the last value before a natural limit
        first = float(len(axis.numbers)) if outward > 0 else -1.0
        ticks = [(first + outward * i, three_digits(level)) for i, level in enumerate(levels)]
        far = bound + outward * len(levels)
    else:
        ticks = [(_spot(axis, x), value_words(axis, x))]
        far = _spot(axis, x + outward * _half(axis))
    if (far - bound) * outward <= 0:
        return None, ()
    return (min(bound, far), max(bound, far)), tuple(ticks)


def _within(axis: UnitAxis, low: float, high: float) -> Ghost:
    ticks = ((_spot(axis, low), value_words(axis, low)), (_spot(axis, high), value_words(axis, high)))
    if axis.numbers:
        return (ticks[0][0] - 0.5, ticks[1][0] + 0.5), ticks
    return (_spot(axis, low - _half(axis)), _spot(axis, high + _half(axis))), ticks


def _half(axis: UnitAxis) -> float:
    """Return half the width of a level."""
    return 0.0 if axis.levels is None else (axis.declared.step or 1.0) / 2


def _spot(axis: UnitAxis, x: float) -> float:
    """Return the position of a value; of a choice, the nearest one's."""
    if axis.numbers:
        return float(min(range(len(axis.numbers)), key=lambda i: abs(axis.numbers[i] - x)))
    if axis.declared.log and x <= 0:
        return axis.declared.start
    return axis.declared.place(x)
