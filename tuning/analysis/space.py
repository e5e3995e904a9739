"""The declared search space of any study: what each parameter could have been, as one axis."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from tuning.analysis.outcomes import number
from tuning.analysis.words import safe, three_digits, whole

_TICK_CHARACTERS = 56  # of categories side by side in the narrowest panel

FLOAT, INT, CATEGORICAL = "float", "int", "categorical"


@dataclass(frozen=True)
class DeclaredAxis:
    """One parameter over its declared bounds, the union where they differ between trials.

    Positions are what is drawn: the value, its log10 where the parameter is logarithmic, a choice's index.
    """

    name: str
    kind: str  # float | int | categorical
    low: float  # categorical: 0
    high: float  # categorical: number of choices - 1
    log: bool = False
    step: float | None = None
    choices: tuple[str, ...] = ()  # as words, in declared order
    keys: tuple[str, ...] = ()  # the same choices as JSON, which tells 1 from "1" and True
    changed: bool = False  # the bounds differ between trials

    @property
    def start(self) -> float:
        """Position of the lower bound; of a categorical's left edge."""
        return self.place(self.low) - (0.5 if self.kind == CATEGORICAL else 0.0)

    @property
    def end(self) -> float:
        """Position of the upper bound."""
        return self.place(self.high) + (0.5 if self.kind == CATEGORICAL else 0.0)

    def place(self, x: float) -> float:
        """Return the position of a number on this axis."""
        return math.log10(x) if self.log else x

    def position(self, value: Any) -> float | None:
        """Return where a trial's value lies, or None for a value this axis cannot show."""
        if self.kind == CATEGORICAL:
            key = _key(value)
            return float(self.keys.index(key)) if key in self.keys else None
        x = number(value)
        if x is None or (self.log and x <= 0):
            return None
        return self.place(x)

    def share(self, position: float) -> float:
        """Return a position as a share of the declared range: 0 at the lower bound, 1 at the upper."""
        return (position - self.start) / (self.end - self.start) if self.end > self.start else 0.5

    def words(self, value: Any) -> str:
        """Return a trial's value for people, safe to show."""
        if self.kind == CATEGORICAL:
            position = self.position(value)
            return safe(value, 24) if position is None else safe(self.choices[int(position)], 24)
        x = number(value)
        if x is None:
            return safe(value, 24)
        return whole(x) if self.kind == INT and abs(x) < 1e6 else three_digits(x)

    def label(self) -> str:
        """Return the name for an axis title, with its scale."""
        return safe(self.name, 32) + (" (log)" if self.log else "")

    def ticks(self, most: int = 5, limit: int = 14) -> tuple[tuple[float, ...], tuple[str, ...]]:
        """Return positions and words of the ticks: both bounds always, round values between them."""
        if self.kind == CATEGORICAL:
            characters = sum(min(len(c), limit) + 2 for c in self.choices)
            every = max(1, math.ceil(characters / _TICK_CHARACTERS))
            shown = range(0, len(self.choices), every)
            return tuple(float(i) for i in shown), tuple(safe(self.choices[i], limit) for i in shown)
        positions = [self.start, *self._between(most), self.end] if self.end > self.start else [self.start]
        return tuple(positions), tuple(self.words(10**p if self.log else p) for p in positions)

    def _between(self, most: int) -> list[float]:
        if self.log:
            found = [float(d) for d in range(math.ceil(self.start), math.floor(self.end) + 1)]
        else:
            raw = (self.high - self.low) / max(most - 1, 1)
            power = 10.0 ** math.floor(math.log10(raw))
            step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
            if self.kind == INT:
                step = max(1.0, float(math.ceil(step)))
            first = math.ceil(self.low / step)
            found = [round(first + i) * step for i in range(most + 2)]
        room = (self.end - self.start) * 0.16  # closer to a bound, its words would touch the bound's
        found = [p for p in found if self.start + room <= p <= self.end - room]
        every = max(1, math.ceil(len(found) / max(most - 2, 1)))
        return found[::every]


def declared_space(trials: Sequence[FrozenTrial]) -> dict[str, DeclaredAxis]:
    """Return the axis of every parameter that a trial declares, in order of first appearance.

    A parameter that is categorical in one trial is categorical in all; float wins over int; logarithmic in
    one trial and above zero in all means logarithmic. Infinite bounds give way to the values seen.
    """
    declared: dict[str, list[BaseDistribution]] = {}
    values: dict[str, list[Any]] = {}
    for trial in sorted(trials, key=lambda t: t.number):
        for name, distribution in trial.distributions.items():
            known = declared.setdefault(name, [])
            if not known or (known[-1] is not distribution and distribution not in known):
                known.append(distribution)
            values.setdefault(name, []).append(trial.params.get(name))
    axes = {name: _axis(name, known, values[name]) for name, known in declared.items()}
    return {name: axis for name, axis in axes.items() if axis is not None}


def _axis(name: str, declared: list[BaseDistribution], values: list[Any]) -> DeclaredAxis | None:
    if any(isinstance(d, CategoricalDistribution) for d in declared):
        return _categorical(name, declared, values)
    numeric = [d for d in declared if isinstance(d, FloatDistribution | IntDistribution)]
    if not numeric:
        return None
    bounds = [float(b) for d in numeric for b in (d.low, d.high) if number(b) is not None]
    if any(number(b) is None for d in numeric for b in (d.low, d.high)):
        bounds += [x for v in values if (x := number(v)) is not None]
    if not bounds:
        return None
    low, high = min(bounds), max(bounds)
    steps = {d.step for d in numeric}
    return DeclaredAxis(
        name=name,
        kind=INT if all(isinstance(d, IntDistribution) for d in numeric) else FLOAT,
        low=low,
        high=high,
        log=any(d.log for d in numeric) and low > 0,
        step=steps.pop() if len(steps) == 1 else None,
        changed=len({(d.low, d.high, d.log) for d in numeric}) > 1,
    )


def _categorical(name: str, declared: list[BaseDistribution], values: list[Any]) -> DeclaredAxis:
    found: dict[str, Any] = {}
    for distribution in declared:
        for choice in distribution.choices if isinstance(distribution, CategoricalDistribution) else ():
            found.setdefault(_key(choice), choice)
    if any(not isinstance(d, CategoricalDistribution) for d in declared):
        for value in values:
            found.setdefault(_key(value), value)
    words = [c if isinstance(c, str) else repr(c) for c in found.values()]
    twice = {w for w in words if words.count(w) > 1}
    labels = [repr(c) if w in twice else w for w, c in zip(words, found.values(), strict=True)]
    return DeclaredAxis(
        name=name,
        kind=CATEGORICAL,
        low=0.0,
        high=float(len(found) - 1),
        choices=tuple(labels),
        keys=tuple(found),
        changed=len(declared) > 1,
    )


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
