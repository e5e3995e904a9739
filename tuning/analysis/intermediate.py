"""How trials learn: the values each one reported on its way, over env steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState

from storage.trials import EVALUATIONS, report_unit
from tuning.analysis.look import base_layout, palette
from tuning.analysis.outcomes import finite_ranked, nothing_complete, number
from tuning.analysis.value_axis import value_axis
from tuning.analysis.words import count, three_digits, whole

_GROUPS = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}
_DASHES = {"complete": "solid", "pruned": "dot", "failed": "dash", "running": "solid"}
_END_SYMBOLS = {
    "complete": "circle",
    "pruned": "circle-open",
    "failed": "x-thin",
    "running": "diamond-open",
    "best": "star",
}


@dataclass(frozen=True)
class ReportedLine:
    """What one trial reported, in order of its steps."""

    number: int
    group: str  # complete | pruned | failed | running
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class IntermediateInfo:
    """One line for each trial that reported a finite value."""

    maximize: bool
    lines: tuple[ReportedLine, ...]  # by trial number
    best_number: int | None  # of the best complete trial, if it reported
    best_value: float | None
    env_steps: bool  # steps are env steps, as our trainer counts them, or seconds
    unit: str = "env steps"  # what they are then


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there are no intermediate values, or None."""
    if any(number(v) is not None for t in trials for v in t.intermediate_values.values()):
        return None
    if any(t.state == TrialState.COMPLETE for t in trials):
        return "No trial of this study reported a value on its way, so there are no curves to compare."
    return nothing_complete(trials) or "No trial has reported a finite value yet."


def intermediate_info(trials: Sequence[FrozenTrial], *, maximize: bool) -> IntermediateInfo:
    """Return what every trial reported; values that are not finite are left out."""
    lines = []
    for trial in sorted(trials, key=lambda t: t.number):
        if trial.state not in _GROUPS:
            continue
        reports = sorted((s, v) for s, v in trial.intermediate_values.items() if number(v) is not None)
        if reports:
            steps, values = zip(*reports, strict=True)
            lines.append(ReportedLine(trial.number, _GROUPS[trial.state], tuple(steps), tuple(values)))
    reported = {line.number for line in lines}
    best = next((t for t in finite_ranked(trials, maximize=maximize)), None)
    shown = best is not None and best.number in reported
    return IntermediateInfo(
        maximize=maximize,
        lines=tuple(lines),
        best_number=best.number if best is not None and shown else None,
        best_value=best.value if best is not None and shown else None,
        env_steps=any(EVALUATIONS in t.user_attrs for t in trials),
        unit=next((u for t in trials if (u := report_unit(t)) != "env steps"), "env steps"),
    )


def intermediate_figure(
    info: IntermediateInfo, *, theme: str = "light", show_pruned: bool = True, clip_outliers: bool = False
) -> go.Figure:
    """Draw the lines in one trace for each state, and the best trial's thick and on top."""
    colours = palette(theme)
    lines = [line for line in info.lines if show_pruned or line.group != "pruned"]
    axis = value_axis(
        [v for line in lines for v in line.values], maximize=info.maximize, clip_outliers=clip_outliers
    )
    figure = go.Figure()
    many = len(lines) > 60
    for group in ("pruned", "failed", "complete", "running"):
        members = [line for line in lines if line.group == group and line.number != info.best_number]
        if members:
            colour = getattr(colours, group)
            _draw(figure, members, group, colour, f"{group} ({len(members)})", 1.0, 0.3 if many else 0.55)
    best = [line for line in lines if line.number == info.best_number]
    if best:
        _draw(figure, best, "best", colours.best, f"best, trial {info.best_number}", 3.5, 1.0)
    if info.best_value is not None:
        title = f"Trial {info.best_number} ends best at {three_digits(info.best_value)}"
    else:
        title = "What trials reported on their way"
    step_word = info.unit if info.env_steps else "step"
    last = max((line.steps[-1] for line in lines), default=0)
    reach = f"{whole(last)} {info.unit}" if info.env_steps else f"step {whole(last)}"
    subtitle = f"{count(len(lines), 'trial')} with reports, up to {reach}" if lines else ""
    outside = sum(any(axis.outside(v) for v in line.values) for line in lines)
    if outside and axis.limit is not None:
        side = "below" if info.maximize else "above"
        leave = "leaves" if outside == 1 else "leave"
        subtitle += f" · {outside} {leave} the view {side} {three_digits(axis.limit)}"
    base_layout(figure, theme=theme, title=title, subtitle=subtitle)
    figure.update_xaxes(title_text=step_word, tickformat=",", nticks=6, rangemode="tozero", showgrid=False)
    figure.update_yaxes(**axis.layout())
    return figure


def _draw(
    figure: go.Figure,
    lines: Sequence[ReportedLine],
    group: str,
    colour: str,
    name: str,
    width: float,
    opacity: float,
) -> None:
    x: list[int | None] = []
    y: list[float | None] = []
    numbers: list[int | None] = []
    sizes: list[int] = []
    for line in lines:  # a None between two lines breaks the stroke: hundreds of trials in one trace
        x += [*line.steps, None]
        y += [*line.values, None]
        numbers += [line.number] * len(line.steps) + [None]
        end = 13 if group == "best" else 6
        sizes += [0] * (len(line.steps) - 1) + [end, 0]  # only the end is marked; a single report is an end
    figure.add_scatter(
        x=x,
        y=y,
        customdata=numbers,
        mode="lines+markers",
        name=name,
        opacity=opacity,
        line={"color": colour, "width": width, "dash": _DASHES.get(group, "solid")},
        marker={
            "symbol": _END_SYMBOLS[group],
            "size": sizes,
            "color": colour,
            "opacity": 1,
            "line": {"width": 1.5 if group in ("failed", "pruned", "running") else 0, "color": colour},
        },
        hovertemplate="trial %{customdata}<br>%{x:,} steps: %{y:.3~g}<extra></extra>",
    )
