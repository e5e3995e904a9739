"""One parameter's axis as the Saturation page shows it: bounds, trials, edge zones, the range to try next."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from tuning.analysis.outcomes import error_line, finite_ranked, reached, value_of
from tuning.analysis.saturation import ParameterSaturation, SaturationInfo
from tuning.analysis.saturation_axis import UnitAxis, unit_axes
from tuning.analysis.saturation_ghost import ghost_range, value_words
from tuning.analysis.saturation_scores import score_trials
from tuning.analysis.space import CATEGORICAL
from tuning.analysis.words import safe, three_digits

_BUCKETS = 10
_ROOM = 0.05  # of what is shown, left free at both ends
_LIMIT_REACH = 0.15  # a natural limit this much of the range beyond what is shown is brought into view


@dataclass(frozen=True)
class AxisPoint:
    """One trial on the parameter's axis."""

    number: int
    position: float
    words: str  # the parameter's value, safe to show
    value: float | None  # None: it failed or diverged
    why: str = ""  # of a broken one: the first line of what went wrong, safe to show


@dataclass(frozen=True)
class Bucket:
    """One stretch of the declared range and the best complete trial in it."""

    start: float
    end: float
    best: float | None  # None: no complete trial lies here


@dataclass(frozen=True)
class ProfilePoint:
    """What the model expects at one value of the parameter, with the other parameters at their best there."""

    position: float
    words: str  # the value, safe to show
    score: float  # in standard deviations of all trials' scores; higher is better
    deviation: float  # how far the model may be off, one standard deviation


@dataclass(frozen=True)
class AxisInfo:
    """What the axis plot of one parameter shows. Positions are as `DeclaredAxis` has them.

    A categorical whose choices are numbers is shown in their order. Bounds of a parameter with levels lie
    half a level outside its end levels, so that no trial lies on the line.
    """

    parameter: ParameterSaturation
    maximize: bool
    start: float  # position of the lower bound
    end: float
    ticks: tuple[tuple[float, str], ...]  # bounds (or end levels) first and last
    zones: tuple[tuple[float, float], ...]  # edge zones; none where there are no ends to press
    complete: tuple[AxisPoint, ...]  # with a finite value, the best ones left out
    top: tuple[AxisPoint, ...]  # the best ones, best first
    pruned: tuple[AxisPoint, ...]
    broken: tuple[AxisPoint, ...]  # failed by their own fault, diverged, or without a finite value
    buckets: tuple[Bucket, ...]
    by_level: bool  # buckets are single levels rather than tenths of the range
    joined: bool  # neighbouring buckets have an order, so a line may join them
    ghost: tuple[float, float] | None  # where to look next: beyond a bound, or the part that would do
    ghost_ticks: tuple[tuple[float, str], ...]  # its ends that are no bounds
    limits: tuple[tuple[float, str], ...]  # natural limits in view, and their values as words
    shown: tuple[float, float]  # first and last position in view
    profile: tuple[ProfilePoint, ...]  # within the declared range; none where there is no model

    @property
    def values(self) -> tuple[float, ...]:
        """Every value drawn."""
        return tuple(p.value for p in (*self.complete, *self.top, *self.pruned) if p.value is not None)


def axis_infos(trials: Sequence[FrozenTrial], info: SaturationInfo) -> dict[str, AxisInfo]:
    """Return what each judged parameter's plot shows, in the order of `info`.

    A parameter that varies no more in `trials` is left out.
    """
    finished = [t for t in trials if t.state.is_finished()]
    axes = unit_axes(finished)
    broken = {t.number for t in score_trials(finished, maximize=info.maximize).infeasible}
    return {
        p.name: _axis_info(finished, broken, axes[p.name], p, maximize=info.maximize)
        for p in info.parameters
        if p.name in axes
    }


def axis_info(trials: Sequence[FrozenTrial], parameter: ParameterSaturation, *, maximize: bool) -> AxisInfo:
    """Return what one parameter's plot shows.

    Raises:
        KeyError: the parameter does not vary in these trials.
    """
    finished = [t for t in trials if t.state.is_finished()]
    broken = {t.number for t in score_trials(finished, maximize=maximize).infeasible}
    return _axis_info(finished, broken, unit_axes(finished)[parameter.name], parameter, maximize=maximize)


def _axis_info(
    trials: Sequence[FrozenTrial],
    broken: set[int],
    axis: UnitAxis,
    parameter: ParameterSaturation,
    *,
    maximize: bool,
) -> AxisInfo:
    order = {number: place for place, number in enumerate(parameter.evidence.top)}
    points: Mapping[str, list[AxisPoint]] = {"complete": [], "top": [], "pruned": [], "broken": []}
    for trial in sorted(trials, key=lambda t: t.number):
        if axis.name not in trial.params:
            continue
        position = _position(axis, trial.params[axis.name])
        if position is None:
            continue
        role = _role(trial, broken, order)
        if role is None:
            continue
        is_broken = role == "broken"
        points[role].append(
            AxisPoint(
                trial.number,
                position,
                axis.declared.words(trial.params[axis.name]),
                None if is_broken else reached(trial),
                safe(error_line(trial), 80) if is_broken else "",
            )
        )
    points["top"].sort(key=lambda p: order[p.number])
    start, end = _place(axis, 0.0), _place(axis, 1.0)
    ghost, ghost_ticks = ghost_range(axis, parameter, start, end)
    positions = [p.position for role in points.values() for p in role]
    low = min([start, *positions, *(ghost or ())])  # an enqueued trial may lie outside the bounds
    high = max([end, *positions, *(ghost or ())])
    reach = _LIMIT_REACH * (high - low)
    limits = tuple(t for t in _limits(axis, parameter) if low - reach <= t[0] <= high + reach)
    low, high = min([low, *(x for x, _ in limits)]), max([high, *(x for x, _ in limits)])
    return AxisInfo(
        parameter=parameter,
        maximize=maximize,
        start=start,
        end=end,
        ticks=_ticks(axis),
        zones=_zones(axis, start, end) if axis.has_ends else (),
        complete=tuple(points["complete"]),
        top=tuple(points["top"]),
        pruned=tuple(points["pruned"]),
        broken=tuple(points["broken"]),
        buckets=_buckets(axis, trials, maximize=maximize),
        by_level=_by_level(axis),
        joined=axis.ordered,
        ghost=ghost,
        ghost_ticks=ghost_ticks,
        limits=limits,
        shown=(low - _ROOM * (high - low), high + _ROOM * (high - low)),
        profile=tuple(
            ProfilePoint(_place(axis, u), value_words(axis, axis.value(u)), score, deviation)
            for u, score, deviation in parameter.evidence.profile
        ),
    )


def _role(trial: FrozenTrial, broken: set[int], top: Mapping[int, int]) -> str | None:
    """Return how the trial is drawn; None for what says nothing of its configuration (it was stopped)."""
    if trial.number in broken:
        return "broken"
    if reached(trial) is None:
        return None
    if trial.state == TrialState.PRUNED:
        return "pruned"
    return "top" if trial.number in top else "complete"


def _position(axis: UnitAxis, value: object) -> float | None:
    position = axis.declared.position(value)
    if position is None or axis.declared.kind != CATEGORICAL:
        return position
    return float(axis.order[int(position)])


def _place(axis: UnitAxis, u: float) -> float:
    """Return the position of a place of the unit axis."""
    if axis.declared.kind == CATEGORICAL:
        return u * len(axis.order) - 0.5
    return axis.declared.place(axis.value(u))


def _zones(axis: UnitAxis, start: float, end: float) -> tuple[tuple[float, float], tuple[float, float]]:
    low, high = axis.zones
    return (start, _place(axis, low)), (_place(axis, 1 - high), end)


def _ticks(axis: UnitAxis) -> tuple[tuple[float, str], ...]:
    if not axis.numbers:
        if _by_level(axis) and axis.levels is not None and axis.declared.kind != CATEGORICAL:
            step = axis.declared.step or 1.0
            levels = [axis.low + i * step for i in range(axis.levels)]
            return tuple((x, axis.declared.words(x)) for x in levels)
        return tuple(zip(*axis.declared.ticks(), strict=True))
    every = max(1, len(axis.numbers) // 8)
    last = len(axis.numbers) - 1
    shown = [*range(0, last, every), last]
    if len(shown) > 2 and last - shown[-2] < every:
        del shown[-2]
    return tuple((float(i), three_digits(axis.numbers[i])) for i in shown)


def _limits(axis: UnitAxis, p: ParameterSaturation) -> list[tuple[float, str]]:
    if p.limit is None or axis.declared.kind == CATEGORICAL:
        return []
    ends = [x for x in (p.limit.low, p.limit.high) if x is not None and (x > 0 or not axis.declared.log)]
    return [(axis.declared.place(x), f"natural limit {three_digits(x)}") for x in ends]


def _by_level(axis: UnitAxis) -> bool:
    """Say whether each level gets a bucket of its own; on a logarithmic axis levels are not equally wide."""
    few = axis.levels is not None and axis.levels <= _BUCKETS and not axis.declared.log
    return few or not axis.ordered


def _buckets(axis: UnitAxis, trials: Sequence[FrozenTrial], *, maximize: bool) -> tuple[Bucket, ...]:
    n = axis.levels if axis.levels is not None and _by_level(axis) else _BUCKETS
    best: dict[int, float] = {}
    for trial in finite_ranked(trials, maximize=maximize):  # the first in each bucket is its best
        u = axis.unit(trial.params[axis.name]) if axis.name in trial.params else None
        value = value_of(trial)
        if u is not None and value is not None:
            best.setdefault(min(n - 1, int(u * n)), value)
    edges = [_place(axis, i / n) for i in range(n + 1)]
    return tuple(Bucket(a, b, best.get(i)) for i, (a, b) in enumerate(itertools.pairwise(edges)))
