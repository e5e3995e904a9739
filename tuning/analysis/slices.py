"""Which parameters matter, and where? Value over each parameter, across its declared bounds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState

from tuning.analysis.look import axis_settings, base_layout, layout_settings, palette
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
    subtitle = f"each mark a trial, {'brighter' if theme == 'dark' else 'darker'} is later"
    outside = sum(axis.outside(v) for v in values)
    if outside and axis.limit is not None:
        side = "below" if info.maximize else "above"
        subtitle += f" · {outside} {side} {three_digits(axis.limit)}"
    height = 120 + _PANEL_PX * rows
    layout = layout_settings(theme=theme, title=title, subtitle=subtitle, height=height)
    layout["legend"] |= {"itemclick": False, "itemdoubleclick": False}
    layout["shapes"] = []
    traces: list[go.Scatter] = []
    gap = 66 / (height - 120) if rows > 1 else 0.0  # room for the words below a panel
    tall, wide = (1 - gap * (rows - 1)) / rows, (1 - 0.05 * (columns - 1)) / columns
    for i, panel in enumerate(info.panels):
        row, column = divmod(i, columns)
        top, left = 1 - row * (tall + gap), column * (wide + 0.05)
        traces += _panel_traces(panel, i + 1, info, axis, theme, show_pruned)
        layout["shapes"] += _bound_lines(panel.axis, i + 1, theme)
        layout[f"xaxis{i + 1}"] = _x_axis(panel, theme, show_pruned) | {
            "domain": [left, min(1.0, left + wide)],
            "anchor": f"y{i + 1}",
        }
        layout[f"yaxis{i + 1}"] = axis_settings(theme) | {
            "domain": [max(0.0, top - tall), top],
            "anchor": f"x{i + 1}",
            "range": [axis.low, axis.high],
            "showticklabels": column == 0,
            "nticks": 5,
            **({"matches": "y"} if i else {}),
        }
        if column == 0:
            layout[f"yaxis{i + 1}"]["title"] = axis_settings(theme)["title"] | {
                "text": "return" if info.maximize else "value"
            }
    return go.Figure([*traces, *_legend(info, theme, show_pruned)], layout)


def _complete_values(info: SlicesInfo) -> list[float]:
    values = {p.number: p.value for panel in info.panels for p in panel.complete if p.value is not None}
    return [values[n] for n in sorted(values)]


def _panel_traces(
    panel: SlicePanel, place: int, info: SlicesInfo, axis: ValueAxis, theme: str, show_pruned: bool
) -> list[go.Scatter]:
    best = tuple(p for p in panel.complete if p.number == info.best_number)
    pruned = panel.pruned if show_pruned else ()
    traces = []
    for role, points in (
        ("failed", panel.failed),
        ("pruned", pruned),
        ("complete", panel.complete),
        ("best", best),
    ):
        if not points:
            continue
        last = max(info.last_number, 1)
        traces.append(
            marks(
                role,
                [p.position + _jitter(panel.axis, p.number) for p in points],
                [axis.rug if p.value is None else axis.position(p.value) for p in points],
                [p.number for p in points],
                [_hover(p, role) for p in points],
                theme=theme,
                symbol=_symbols(points, role, axis),
                shades=[round(p.number / last, 3) for p in points] if role == "complete" else None,
                show_legend=False,
                panel=place,
            )
        )
    return traces


def _x_axis(panel: SlicePanel, theme: str, show_pruned: bool) -> dict[str, Any]:
    declared = panel.axis
    points = (*panel.complete, *panel.failed, *(panel.pruned if show_pruned else ()))
    low = min([declared.start, *(p.position for p in points)])  # an enqueued trial may lie outside the bounds
    high = max([declared.end, *(p.position for p in points)])
    room = (high - low) * 0.06 or 0.5
    ticks, words = declared.ticks()
    if declared.kind != CATEGORICAL:
        words = tuple(f"<b>{w}</b>" if i in (0, len(words) - 1) else w for i, w in enumerate(words))
    look = axis_settings(theme)
    return look | {
        "title": look["title"] | {"text": declared.label(), "standoff": 8},
        "range": [low - room, high + room],
        "tickvals": list(ticks),
        "ticktext": list(words),
        "tickangle": 0,
        "showgrid": False,
    }


def _bound_lines(axis: DeclaredAxis, place: int, theme: str) -> list[dict[str, Any]]:
    line = {"width": 1.2, "color": palette(theme).bound}
    suffix = "" if place == 1 else place
    where = {
        "type": "line",
        "xref": f"x{suffix}",
        "yref": f"y{suffix} domain",
        "y0": 0,
        "y1": 1,
        "line": line,
    }
    return [where | {"x0": bound, "x1": bound} for bound in dict.fromkeys((axis.start, axis.end))]


def _legend(info: SlicesInfo, theme: str, show_pruned: bool) -> list[go.Scatter]:
    """Say in words what colour, shape and line mean; one entry for all panels."""
    colours = palette(theme)
    last = info.last_number
    entries: list[tuple[str, dict]] = [
        ("trial 0", {"symbol": "circle", "color": colours.early, "size": 8}),
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
    line = {"width": 1.2, "color": colours.bound}
    common = {"x": [None], "y": [None], "hoverinfo": "skip"}
    # A group each: Plotly stacks the entries without a group once any trace has one.
    return [
        *(go.Scatter(mode="markers", name=n, legendgroup=f"={n}", marker=m, **common) for n, m in entries),
        go.Scatter(mode="lines", name="declared bound", legendgroup="=bound", line=line, **common),
    ]


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
