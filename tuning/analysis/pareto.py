"""Which trials does nothing beat in both objectives? The trade-offs of a study with a second one."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from storage.trials import completed, n_reached, second_objective
from tuning.analysis.look import HEIGHT, base_layout, empty_figure, palette
from tuning.analysis.marks import marks
from tuning.analysis.outcomes import number
from tuning.analysis.words import count, safe, three_digits

NAMES = {"training_time": "training time", "steps_to_threshold": "env steps to the mean return"}
UNITS = {"training_time": "s", "steps_to_threshold": "steps"}


@dataclass(frozen=True)
class TradeOff:
    """One complete trial in both objectives."""

    trial: int
    value: float
    second: float  # smaller is better
    is_optimal: bool  # no trial is as good in both and better in one
    n_missed: int = 0  # trainings that never reached the threshold: they count as twice their steps
    n_trainings: int = 1


@dataclass(frozen=True)
class ParetoInfo:
    """The complete trials of a study with two objectives."""

    trials: tuple[TradeOff, ...]  # by the second objective, then by the value, the better first
    maximize: bool
    second: str  # training_time | steps_to_threshold

    @property
    def front(self) -> tuple[TradeOff, ...]:
        """The trials that nothing beats in both."""
        return tuple(t for t in self.trials if t.is_optimal)


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there are no trade-offs to show yet, or None."""
    if not any(second_objective(t) is not None for t in completed(trials)):
        return "No trial is complete yet: trade-offs are drawn from the first one on."
    return None


def pareto_info(trials: Sequence[FrozenTrial], *, maximize: bool, second: str) -> ParetoInfo:
    """Return each complete trial in both objectives, and which of them nothing beats.

    Args:
        trials: of the study; those without a finite value in both are left out.
        maximize: the first objective.
        second: its name; it is always minimized.
    """
    sign = -1.0 if maximize else 1.0
    reached = {t.number: n for t in trials if (n := n_reached(t)) is not None}
    points = [
        (other, sign * value, t.number)
        for t in completed(trials)
        if (value := number(t.value)) is not None and (other := second_objective(t)) is not None
    ]
    found, best = [], float("inf")
    front: set[tuple[float, float]] = set()
    for other, badness, trial in sorted(points):
        if badness < best:  # the first of its second objective, and better than all that are smaller in it
            best = badness
            front.add((other, badness))
        got, n_trainings = reached.get(trial, (1, 1))
        found.append(
            TradeOff(
                trial,
                sign * badness,
                other,
                is_optimal=(other, badness) in front,
                n_missed=n_trainings - got,
                n_trainings=n_trainings,
            )
        )
    return ParetoInfo(tuple(found), maximize, second)


def pareto_title(info: ParetoInfo) -> str:
    """Return the answer in a few words."""
    n = len(info.front)
    return f"{count(n, 'trial')} that nothing beats in both" if n != 1 else "One trial is best in both"


def pareto_figure(info: ParetoInfo, *, theme: str = "light") -> go.Figure:
    """Draw value over the second objective, with the line of the best trade-offs."""
    second = NAMES.get(info.second, "second objective")
    if not info.trials:
        return empty_figure(theme=theme, title="Trade-offs", why="No trial has both objectives.")
    colours = palette(theme)
    figure = go.Figure()
    front = info.front
    figure.add_scatter(
        x=[t.second for t in front],
        y=[t.value for t in front],
        mode="lines",
        line={"color": colours.best, "width": 2, "shape": "hv"},
        name="best trade-offs",
        hoverinfo="skip",
        showlegend=len(front) > 1,
    )
    missed = [t for t in info.trials if t.n_missed]
    for role, chosen, name, symbol in (
        ("complete", [t for t in info.trials if not t.is_optimal and not t.n_missed], "beaten", None),
        ("best", [t for t in front if not t.n_missed], "nothing beats it", None),
        (
            "complete",
            [t for t in missed if not t.is_optimal],
            "beaten, threshold not always reached",
            "circle-open",
        ),
        (
            "best",
            [t for t in missed if t.is_optimal],
            "nothing beats it, threshold not always reached",
            "star-open",
        ),
    ):
        if chosen:
            figure.add_trace(
                marks(
                    role,
                    [t.second for t in chosen],
                    [t.value for t in chosen],
                    [t.trial for t in chosen],
                    [_hover(t, info) for t in chosen],
                    theme=theme,
                    name=name,
                    symbol=symbol,
                )
            )
    base_layout(figure, theme=theme, title=pareto_title(info), height=HEIGHT)
    unit = UNITS.get(info.second)
    figure.update_xaxes(
        title_text=f"{second}, {unit}" if unit == "s" else second, rangemode="tozero", nticks=6
    )
    figure.update_yaxes(title_text="mean return")
    return figure


def _hover(t: TradeOff, info: ParetoInfo) -> str:
    unit = UNITS.get(info.second, "")
    said = f"trial {t.trial}: {three_digits(t.value)} after {three_digits(t.second)} {unit}"
    if t.n_missed:
        said = (
            f"trial {t.trial}: {three_digits(t.value)}, threshold {missed_words(t)}, which counts as twice "
            f"the steps: {three_digits(t.second)}"
        )
    return safe(said, 160)


def missed_words(t: TradeOff) -> str:
    """Return how often the threshold was not reached: "not reached", "not reached in 1 of 3"; or nothing."""
    if not t.n_missed:
        return ""
    return "not reached" if t.n_missed == t.n_trainings else f"not reached in {t.n_missed} of {t.n_trainings}"
