"""The axis on which values are drawn: its range, its outliers, and the distance to the best on a log axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.analysis.words import three_digits

_ROOM = 0.06  # of the range, left free above and below
_SHOWN_GAPS = 8.0  # how many times the best third's distance to the best stays in view
_MIN_TO_CLIP = 8


@dataclass(frozen=True)
class ValueAxis:
    """Where values lie on the drawn axis; positions are values, or logarithms of the gap to the best."""

    maximize: bool
    title: str
    low: float  # drawn range, in positions
    high: float
    rug: float  # position of the crosses of failed trials
    limit: float | None = None  # values worse than this are marked at the border
    best: float | None = None  # set on the log axis only
    floor: float = 0.0  # log axis: the gap at which the best itself is drawn
    ticks: tuple[tuple[float, str], ...] = ()  # own ticks, (position, words); empty: Plotly's

    def outside(self, value: float) -> bool:
        """Return whether the value is worse than what the axis shows."""
        if self.limit is None:
            return False
        return value < self.limit if self.maximize else value > self.limit

    def position(self, value: float) -> float:
        """Return where a value is drawn; one outside lies on the border."""
        if self.best is not None:
            gap = self.best - value if self.maximize else value - self.best
            exponent = math.log10(max(gap, self.floor))
            return -exponent if self.maximize else exponent
        if self.limit is not None and self.outside(value):
            return self.limit
        return value

    def layout(self) -> dict:
        """Return the settings of the Plotly axis."""
        settings: dict = {"title": {"text": self.title}, "range": [self.low, self.high]}
        if self.ticks:
            settings |= {"tickvals": [p for p, _ in self.ticks], "ticktext": [text for _, text in self.ticks]}
        return settings


def value_axis(
    values: Sequence[float], *, maximize: bool, log_scale: bool = False, clip_outliers: bool = False
) -> ValueAxis:
    """Return the axis for finite values, with room for a rug of failed trials below.

    `log_scale` shows the distance to the best value, since returns are often negative; better stays where
    it is on the plain axis. It needs two different values, and shows all: `clip_outliers` does nothing there.
    """
    title = "return (higher is better)" if maximize else "value (lower is better)"
    if not values:
        return ValueAxis(maximize, title, 0.0, 1.0, 0.06, ticks=((-1.0, ""),))
    best = max(values) if maximize else min(values)
    gaps = sorted(abs(best - v) for v in values)
    positive = [g for g in gaps if g > 0]
    if log_scale and positive:
        return _log_axis(best, positive, maximize=maximize)
    limit = outlier_limit(values, maximize=maximize) if clip_outliers else None
    worst = limit if limit is not None else best + (-gaps[-1] if maximize else gaps[-1])
    low, high = min(best, worst), max(best, worst)
    span = (high - low) or max(abs(high) * 0.1, 1e-12) or 1.0
    if high == low:
        low, high = low - span / 2, high + span / 2
    low, high = low - span * (_ROOM + 0.06), high + span * _ROOM
    return ValueAxis(maximize, title, low, high, low + span * 0.04, limit)


def outlier_limit(values: Sequence[float], *, maximize: bool) -> float | None:
    """Return the value beyond which trials hide the interesting part, or None when none does.

    The best third of the trials sets the scale: eight times its distance to the best stays in view. Early
    random trials are no noise to be removed by quartiles; there may be more of them than of good ones.
    """
    if len(values) < _MIN_TO_CLIP:
        return None
    best = max(values) if maximize else min(values)
    gaps = sorted(abs(best - v) for v in values)
    scale = next((g for share in (3, 2) if (g := gaps[len(gaps) // share]) > 0), 0.0)
    reach = _SHOWN_GAPS * scale
    inside = [g for g in gaps if g <= reach]
    if scale == 0 or len(inside) == len(gaps) or gaps[-1] < 1.25 * inside[-1]:
        return None
    return best - inside[-1] if maximize else best + inside[-1]


def _log_axis(best: float, gaps: list[float], *, maximize: bool) -> ValueAxis:
    floor = gaps[0] / 2
    low, high = math.log10(floor), math.log10(gaps[-1])
    decades = range(math.ceil(low + 0.2), math.floor(high) + 1)
    steps = [10.0**d for d in decades]
    if len(steps) < 3:
        steps = [m * 10.0**d for d in range(math.floor(low), math.floor(high) + 1) for m in (1, 2, 5)]
        steps = [s for s in steps if low + 0.2 <= math.log10(s) <= high]
    elif len(steps) > 8:
        steps = steps[:: math.ceil(len(steps) / 8)]
    sign = -1.0 if maximize else 1.0
    ticks = [(sign * low, "best"), *((sign * math.log10(s), three_digits(s)) for s in steps)]
    bottom, top = sorted((sign * low, sign * high))
    span = (top - bottom) or 1.0
    return ValueAxis(
        maximize,
        "gap to best (log)",
        bottom - span * (_ROOM + 0.06),
        top + span * _ROOM,
        bottom - span * (_ROOM + 0.02),
        best=best,
        floor=floor,
        ticks=tuple(sorted(ticks)),
    )
