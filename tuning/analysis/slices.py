"""Which parameters matter, and where? Value over each parameter, across its declared bounds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState
from plotly.subplots import make_subplots

from tuning.analysis.look import base_layout, palette
from tuning.analysis.marks import marks
from tuning.analysis.outcomes import finite_ranked, nothing_complete, reached, value_of
from tuning.analysis.space import CATEGORICAL, DeclaredAxis, declared_space
from tuning.analysis.value_axis import ValueAxis, value_axis
from tuning.analysis.words import count, three_digits

_PANEL_PX = 215
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class SlicePoint:
    """One trial in one panel."""

    number: int
    position: float  # on the parameter's axis
    words: str  # the parameter's value, safe to show
    value: float | None  # None: the trial failed


@dataclass(frozen=True)
class SlicePanel:
    """One parameter: every trial that has it."""

    axis: DeclaredAxis
    complete: tuple[SlicePoint, ...]
    pruned: tuple[SlicePoint, ...]
    failed: tuple[SlicePoint, ...]


@dataclass(frozen=True)
class SlicesInfo:
    """One panel for each parameter, in declared order."""

    maximize: bool
    panels: tuple[SlicePanel, ...]
    best_number: int | None
    best_value: float | None
    last_number: int  # the latest trial shown; colour runs from 0 to it
    values: tuple[float, ...]  # every value drawn, each trial once; they share the y axis


def not_ready(trials: Sequence[FrozenTrial], parameters: Sequence[str] | None = None) -> str | None:
    """Return why there are no slices yet, or None."""
    missing = nothing_complete(trials)
    if missing is not None:
        return missing
    space = declared_space(trials)
    if not space:
        return "The trials of this study have no parameters. Add one to the search space and launch again."
    if parameters is not None and not any(name in space for name in parameters):
        return (
            f"Pick at least one of the {count(len(space), 'parameter')} to see how the value depends on it."
        )
    return None


def slices_info(
    trials: Sequence[FrozenTrial], *, maximize: bool, parameters: Sequence[str] | None = None
) -> SlicesInfo:
    """Return the panels of `parameters` (all when None); unknown names are left out."""
    space = declared_space(trials)
    names = list(space) if parameters is None else [n for n in dict.fromkeys(parameters) if n in space]
    ordered = sorted(trials, key=lambda t: t.number)
    panels = []
    shown: dict[int, float] = {}
    for name in names:
        axis = space[name]
        complete: list[SlicePoint] = []
        pruned: list[SlicePoint] = []
        failed: list[SlicePoint] = []
        for trial in ordered:
            if name not in trial.params:
                continue
            position = axis.position(trial.params[name])
            if position is None:
                continue
            value = reached(trial)
            point = SlicePoint(trial.number, position, axis.words(trial.params[name]), value)
            if value is not None:
                shown[trial.number] = value
                (complete if trial.state == TrialState.COMPLETE else pruned).append(point)
            elif trial.state.is_finished():
                failed.append(point)
        panels.append(SlicePanel(axis, tuple(complete), tuple(pruned), tuple(failed)))
    best = next(iter(finite_ranked(trials, maximize=maximize)), None)
    return SlicesInfo(
        maximize=maximize,
        panels=tuple(panels),
        best_number=None if best is None else best.number,
        best_value=None if best is None else value_of(best),
        last_number=max(shown, default=0),
        values=tuple(shown[n] for n in sorted(shown)),
    )


def slices_figure(
    info: SlicesInfo,
    *,
    theme: str = "light",
    columns: int = 3,
    show_pruned: bool = True,
    clip_outliers: bool = False,
) -> go.Figure:
    """Draw the panels in a grid with one shared y axis; use one column on a narrow screen."""
    if info.best_value is None:
        title = "No complete trial yet"
    else:
        title = f"Best: {three_digits(info.best_value)}, trial {info.best_number}"
    n = len(info.panels)
    if n == 0:
        figure = base_layout(
            go.Figure(), theme=theme, title=title, subtitle="no parameter to show", height=240
        )
        return figure.update_xaxes(visible=False).update_yaxes(visible=False)
    columns = max(1, min(columns, n))
    rows = math.ceil(n / columns)
    values = info.values if show_pruned else _complete_values(info)
    axis = value_axis(values, maximize=info.maximize, clip_outliers=clip_outliers)
    height = 120 + _PANEL_PX * rows
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=0 if rows == 1 else min(66 / (height - 120), 1 / (rows - 1)),
    )
    outside = sum(axis.outside(v) for v in values)
    side = "below" if info.maximize else "above"
    subtitle = (
        "value over each parameter; darker is later"
        if theme != "dark"
        else ("value over each parameter; brighter is later")
    )
    if outside and axis.limit is not None:
        subtitle += f" · {outside} {'lies' if outside == 1 else 'lie'} {side} {three_digits(axis.limit)}"
    base_layout(figure, theme=theme, title=title, subtitle=subtitle, height=height)
    for i, panel in enumerate(info.panels):
        row, column = i // columns + 1, i % columns + 1
        _draw_panel(figure, panel, info, axis, theme, row, column, show_pruned)
        figure.update_yaxes(range=[axis.low, axis.high], row=row, col=column)
        if column == 1:
            figure.update_yaxes(title_text="return" if info.maximize else "value", row=row, col=1)
    _draw_legend(figure, info, theme, show_pruned)
    return figure


def _complete_values(info: SlicesInfo) -> list[float]:
    values = {p.number: p.value for panel in info.panels for p in panel.complete if p.value is not None}
    return [values[n] for n in sorted(values)]


def _draw_panel(
    figure: go.Figure,
    panel: SlicePanel,
    info: SlicesInfo,
    axis: ValueAxis,
    theme: str,
    row: int,
    column: int,
    show_pruned: bool,
) -> None:
    colours = palette(theme)
    declared = panel.axis
    groups = [
        ("failed", panel.failed),
        ("pruned", panel.pruned if show_pruned else ()),
        ("complete", panel.complete),
    ]
    best = tuple(p for p in panel.complete if p.number == info.best_number)
    for role, points in (*groups, ("best", best)):
        if not points:
            continue
        shades = None
        if role == "complete":
            last = max(info.last_number, 1)
            shades = [round(p.number / last, 3) for p in points]
        figure.add_trace(
            marks(
                role,
                [p.position + _jitter(declared, p.number) for p in points],
                [axis.rug if p.value is None else axis.position(p.value) for p in points],
                [p.number for p in points],
                [_hover(p, role) for p in points],
                theme=theme,
                symbol=_symbols(points, role, axis),
                shades=shades,
                show_legend=False,
            ),
            row=row,
            col=column,
        )
    positions = [p.position for _, points in groups for p in points]
    low, high = min([declared.start, *positions]), max([declared.end, *positions])
    room = (high - low) * 0.06 or 0.5
    ticks, words = declared.ticks()
    if declared.kind != CATEGORICAL:
        words = (f"<b>{words[0]}</b>", *words[1:-1], f"<b>{words[-1]}</b>") if len(words) > 1 else words
    figure.update_xaxes(
        title_text=declared.label(),
        range=[low - room, high + room],
        tickvals=list(ticks),
        ticktext=list(words),
        tickangle=0,
        showgrid=False,
        row=row,
        col=column,
    )
    for bound in dict.fromkeys((declared.start, declared.end)):
        figure.add_vline(x=bound, line={"width": 1.2, "color": colours.bound}, row=row, col=column)


def _draw_legend(figure: go.Figure, info: SlicesInfo, theme: str, show_pruned: bool) -> None:
    """Say in words what colour, shape and line mean; one entry for all panels."""
    colours = palette(theme)
    last = info.last_number
    entries: list[tuple[str, dict]] = [
        (f"trial {min(last, 0)}", {"symbol": "circle", "color": colours.early, "size": 8}),
        (f"trial {last}", {"symbol": "circle", "color": colours.late, "size": 8}),
    ]
    if info.best_number is not None:
        entries.append(("best", {"symbol": "star", "color": colours.best, "size": 12}))
    if show_pruned and any(panel.pruned for panel in info.panels):
        line = {"width": 1.5, "color": colours.pruned}
        entries.append(
            ("pruned", {"symbol": "circle-open", "color": colours.pruned, "size": 8, "line": line})
        )
    if any(panel.failed for panel in info.panels):
        line = {"width": 1.5, "color": colours.failed}
        entries.append(("failed", {"symbol": "x-thin", "color": colours.failed, "size": 8, "line": line}))
    for name, marker in entries:
        figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, hoverinfo="skip")
    line = {"width": 1.2, "color": colours.bound}
    figure.add_scatter(x=[None], y=[None], mode="lines", name="declared bound", line=line, hoverinfo="skip")
    figure.update_layout(legend={"itemclick": False, "itemdoubleclick": False})


def _hover(point: SlicePoint, role: str) -> str:
    outcome = "failed" if point.value is None else three_digits(point.value)
    return f"{'best: ' if role == 'best' else ''}trial {point.number}<br>{point.words}: {outcome}"


def _symbols(points: Sequence[SlicePoint], role: str, axis: ValueAxis) -> list[str] | None:
    """Return a triangle for each point on the border; None where all lie inside (one symbol draws faster)."""
    outside = [p.value is not None and axis.outside(p.value) for p in points]
    if not any(outside):
        return None
    inside = "circle-open" if role == "pruned" else "circle"
    border = ("triangle-down" if axis.maximize else "triangle-up") + ("-open" if role == "pruned" else "")
    return [border if out else inside for out in outside]


def _jitter(axis: DeclaredAxis, number: int) -> float:
    """Spread trials of one category sideways, each always to the same place."""
    return ((number * _GOLDEN) % 1 - 0.5) * 0.5 if axis.kind == CATEGORICAL else 0.0
