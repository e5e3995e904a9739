"""Each range as a strip on the axis that its sampling has, in the algorithm's own values: compute only."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.algorithms import Argument
from tuning.space.parameters import Parameter

_POLICY = "policy_kwargs."
_NEAR = 0.6  # a limit or a default that is no farther off than this part of the range is drawn
_MERGED = 0.16  # closer than this part of the strip, a limit shares the bound's label
_PADDING = 0.03
_AUTO = "auto_"


@dataclass(frozen=True)
class Tick:
    """A place on the strip, 0 to 1 from left to right, and what it says."""

    place: float
    label: str = ""


@dataclass(frozen=True)
class Strip:
    """A numeric range; values grow to the right."""

    name: str  # stored
    argument: str  # as the algorithm calls it
    scale: str  # linear, log, log of 1 - x, powers of 2
    low: Tick
    high: Tick
    default: Tick | None
    limits: tuple[Tick, ...]  # natural limits; without a label where a bound's label says it
    ticks: tuple[float, ...]  # where round values lie: close together where the axis is dense
    note: str = ""  # what could not be drawn: "default 0, off a log axis"


@dataclass(frozen=True)
class Chips:
    """Choices, each with whether it is the default."""

    name: str
    argument: str
    choices: tuple[tuple[str, bool], ...]
    note: str = ""


def range_info(parameter: Parameter, argument: Argument | None) -> Strip | Chips:
    """Return how a parameter's range is drawn; without an argument nothing is known but the range."""
    if parameter.kind == "categorical" or parameter.transform == "net_arch_complexity":
        return _chips(parameter, argument)
    return _strip(parameter, argument)


def scale_name(p: Parameter) -> str:
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


def reasons(
    parameters: Sequence[Parameter], presets: Sequence[Any], arguments: Mapping[str, Argument]
) -> dict[str, str]:
    """Return why each parameter is searched as it is, by stored name: a preset's reason, else what it does.

    A preset's reason is about the preset's range; beside another range it says which one it means.
    """
    found = {}
    for p in parameters:
        same = [preset for preset in presets if p in preset.space and p.name in preset.why]
        named = [preset for preset in presets if p.name in preset.why]
        argument = arguments.get(p.target)
        if same:
            found[p.name] = same[0].why[p.name]
        elif named:
            theirs = next(other for other in named[0].space if other.name == p.name)
            found[p.name] = f"{named[0].title}, {theirs.resolved_range()}: {named[0].why[p.name]}"
        else:
            found[p.name] = argument.about if argument else ""
    return found


def _chips(p: Parameter, argument: Argument | None) -> Chips:
    if p.choices is not None:
        stored: tuple[Any, ...] = p.choices
    else:
        assert p.low is not None
        assert p.high is not None
        stored = tuple(range(int(p.low), int(p.high) + 1))
    values = [p.resolve(choice) for choice in stored]
    default = argument.default if argument else None
    known = argument is not None
    is_default = [known and value == default and type(value) is type(default) for value in values]
    texts = tuple(_choice_words(choice, value) for choice, value in zip(stored, values, strict=True))
    note = ""
    if known and not any(is_default):
        note = f"default {_words(default)}, not among them"
    return Chips(p.name, p.target.removeprefix(_POLICY), tuple(zip(texts, is_default, strict=True)), note)


def _strip(p: Parameter, argument: Argument | None) -> Strip:
    assert p.low is not None
    assert p.high is not None
    scale = scale_name(p)
    at = _axis(scale)
    ends = sorted(_number(p.resolve(int(x) if p.kind == "int" else x)) for x in (p.low, p.high))
    left, right = at(ends[0]), at(ends[1])
    width = (right - left) or 1.0
    marks: dict[str, float] = {}
    note = ""
    default = argument.default if argument else None
    wanted = _default_number(p, default)
    if argument is not None and wanted is None:
        note = f"default {_words(default)}"
    elif wanted is not None:
        place = _place(at, wanted)
        if place is None:
            note = f"default {_words(default)}, which a log axis never reaches"
        elif left - 2 * width <= place <= right + 2 * width:
            marks["default"] = place
        else:
            note = f"default {_words(default)}, far outside"
    for side, limit in _limits(argument):
        place = _place(at, limit)
        if place is not None and left - _NEAR * width <= place <= right + _NEAR * width:
            marks[side] = place
    first, last = min([left, *marks.values()]), max([right, *marks.values()])
    padding = _PADDING * (last - first or 1.0)
    first, last = first - padding, last + padding

    def unit(place: float) -> float:
        return (place - first) / (last - first)

    low, high = Tick(unit(left), _words(ends[0])), Tick(unit(right), _words(ends[1]))
    limits = []
    for side, limit in _limits(argument):
        if side not in marks:
            continue
        tick = Tick(unit(marks[side]), f"limit {_words(limit)}")
        bound = low if side == "low" else high
        if abs(tick.place - bound.place) < _MERGED:
            said = "limit" if marks[side] in (left, right) else tick.label
            bound = Tick(bound.place, f"{bound.label} · {said}")
            low, high = (bound, high) if side == "low" else (low, bound)
            tick = Tick(tick.place)
        limits.append(tick)
    shown = Tick(unit(marks["default"]), f"default {_words(default)}") if "default" in marks else None
    return Strip(
        name=p.name,
        argument=p.target.removeprefix(_POLICY),
        scale=scale,
        low=low,
        high=high,
        default=shown,
        limits=tuple(limits),
        ticks=tuple(unit(t) for t in _round_places(scale, ends[0], ends[1], at) if first <= t <= last),
        note=note,
    )


def _axis(scale: str) -> Callable[[float], float]:
    match scale:
        case "log" | "powers of 2":
            return math.log2
        case "log of 1 - x":
            return lambda x: -math.log10(1.0 - x)
        case _:
            return float


def _place(at: Callable[[float], float], value: float) -> float | None:
    try:
        place = at(value)
    except ValueError:  # the logarithm of 0
        return None
    return place if math.isfinite(place) else None


def _limits(argument: Argument | None) -> list[tuple[str, float]]:
    if argument is None:
        return []
    ends = (("low", argument.low), ("high", argument.high))
    return [(side, value) for side, value in ends if value is not None]


def _default_number(p: Parameter, default: Any) -> float | None:
    if p.transform == "auto_x" and default == "auto":
        return 1.0
    try:
        return None if isinstance(default, bool) else _number(default)
    except (TypeError, ValueError):
        return None


def _round_places(scale: str, low: float, high: float, at: Callable[[float], float]) -> list[float]:
    """Return where round values lie on the axis, at most about 60."""
    if scale == "powers of 2":
        values = [2.0**k for k in range(round(math.log2(low)), round(math.log2(high)) + 1)]
    elif scale == "linear":
        size = 10 ** math.floor(math.log10((high - low) or 1.0))
        step = next(s for s in (size / 10, size / 5, size / 2, size) if (high - low) / s <= 20)
        values = [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    else:
        ends = (1 - high, 1 - low) if scale == "log of 1 - x" else (low, high)
        decades = range(math.floor(math.log10(ends[0])), math.ceil(math.log10(ends[1])) + 1)
        every = (1, 2, 3, 4, 5, 6, 7, 8, 9) if len(decades) < 8 else (1,)
        values = [m * 10.0**k for k in decades for m in every]
        values = [v for v in values if ends[0] * 0.999 <= v <= ends[1] * 1.001]
        if scale == "log of 1 - x":
            values = [1 - v for v in values]
    return [at(v) for v in values]


def _number(value: Any) -> float:
    return float(value.removeprefix(_AUTO)) if isinstance(value, str) else float(value)


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "none" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.6g}".replace("e-0", "e-").replace("e+0", "e") if value else "0"
    if isinstance(value, dict) and len(set(map(str, value.values()))) == 1:
        value = next(iter(value.values()))  # one net shape for policy and value
    return value if isinstance(value, str) else json.dumps(value)


def _choice_words(stored: Any, value: Any) -> str:
    """Return a choice with what it stands for, where that is something else: small [64, 64]."""
    if stored == value and type(stored) is type(value):
        return _words(value)
    return f"{_words(stored)} {_words(value)}"
