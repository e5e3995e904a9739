"""A parameter's declared range as the unit interval, on which a mirrored or logged axis looks the same."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial

from tuning.analysis.outcomes import number
from tuning.analysis.space import CATEGORICAL, INT, DeclaredAxis, declared_space

EDGE_SHARE = 0.1  # an edge zone is this much of the range, or the end level where there are fewer than ten
_EXACT_LEVELS = 2**31  # beyond, whole numbers are a continuum


@dataclass(frozen=True)
class UnitAxis:
    """One parameter's declared range mapped to 0 to 1: ln for logarithmic axes, mid-ranks for levels.

    A level is a whole number, a step, or a choice of a categorical whose choices are all numbers; level k of
    K lies at (k + 1/2) / K. Where choices have no order, or only two, there are no ends to press.
    """

    declared: DeclaredAxis
    levels: int | None  # None: a continuum
    numbers: tuple[float, ...] = ()  # ordered numeric choices, ascending
    order: tuple[int, ...] = ()  # of a categorical: rank of each declared choice
    ordered: bool = True

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.declared.name

    @property
    def has_ends(self) -> bool:
        """Whether it makes sense to ask if the range presses a bound."""
        return self.ordered and (self.levels is None or self.levels >= 3)

    @property
    def zones(self) -> tuple[float, float]:
        """Widths of the lower and the upper edge zone as shares of the range; each holds its end level."""
        if self.levels is None:
            return EDGE_SHARE, EDGE_SHARE
        if self.declared.log:  # levels are unevenly wide: up to the middle of the last one
            low, high = self.unit(self.low) or 0.0, 1 - (self.unit(self.high) or 1.0)
            return max(EDGE_SHARE, low), max(EDGE_SHARE, high)
        share = EDGE_SHARE if self.levels >= 10 else 1 / self.levels
        return share, share

    @property
    def low(self) -> float:
        """The lower bound, a value of the parameter; of a categorical its smallest number or 0."""
        return self.numbers[0] if self.numbers else self.declared.low

    @property
    def high(self) -> float:
        """The upper bound, a value of the parameter."""
        return self.numbers[-1] if self.numbers else self.declared.high

    def unit(self, value: Any) -> float | None:
        """Return where a trial's value lies in 0 to 1, or None for a value outside the declared range."""
        axis = self.declared
        if axis.kind == CATEGORICAL:
            position = axis.position(value)
            return None if position is None else (self.order[int(position)] + 0.5) / len(self.order)
        x = number(value)
        if x is None or not axis.low <= x <= axis.high:
            return None
        start, end = self._ends()
        u = (self._scale(x) - start) / (end - start) if end > start else 0.5
        return min(1.0, max(0.0, u))

    def value(self, u: float) -> float:
        """Return the number at a place of the range; `u` may lie outside 0 to 1."""
        if self.numbers:
            return self.numbers[min(len(self.numbers) - 1, max(0, math.floor(u * len(self.numbers))))]
        start, end = self._ends()
        x = start + u * (end - start)
        try:
            return math.exp(x) if self.declared.log else x
        except OverflowError:
            return math.inf

    def _ends(self) -> tuple[float, float]:
        axis = self.declared
        half = 0.0 if self.levels is None else (axis.step or 1.0) / 2
        low = axis.low - half
        if axis.log and low <= 0:
            low = axis.low
        return self._scale(low), self._scale(axis.high + half)

    def _scale(self, x: float) -> float:
        return math.log(x) if self.declared.log else x


def unit_axes(trials: Sequence[FrozenTrial]) -> dict[str, UnitAxis]:
    """Return the unit axis of every parameter that varies, in order of first appearance.

    Ranges that differ between trials are one axis, their union: values keep their meaning.
    """
    choices: dict[str, dict[str, Any]] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            if isinstance(distribution, CategoricalDistribution):
                known = choices.setdefault(name, {})
                for choice in distribution.choices:
                    known.setdefault(json.dumps(choice, sort_keys=True, default=repr), choice)
    space = declared_space(trials)
    return {
        name: _unit_axis(axis, choices.get(name, {})) for name, axis in space.items() if axis.high > axis.low
    }


def _unit_axis(axis: DeclaredAxis, choices: Mapping[str, Any]) -> UnitAxis:
    if axis.kind == CATEGORICAL:
        n = len(axis.keys)
        numbers = [number(choices.get(key)) for key in axis.keys]
        found = [x for x in numbers if x is not None]
        if len(found) < n or len(set(found)) < n:
            return UnitAxis(axis, n, order=tuple(range(n)), ordered=False)
        ascending = sorted(found)
        return UnitAxis(axis, n, numbers=tuple(ascending), order=tuple(ascending.index(x) for x in found))
    step = axis.step if axis.step is not None else 1.0 if axis.kind == INT else None
    if step is None:
        return UnitAxis(axis, None)
    levels = math.floor((axis.high - axis.low) / step + 1e-9) + 1
    return UnitAxis(axis, levels if levels <= _EXACT_LEVELS else None)
