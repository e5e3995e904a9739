"""How two parameters act together: a smoothed surface over their declared bounds, and the trials on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from tuning.analysis.look import base_layout, palette
from tuning.analysis.marks import marks
from tuning.analysis.outcomes import nothing_complete, value_of
from tuning.analysis.space import CATEGORICAL, DeclaredAxis, declared_space
from tuning.analysis.value_axis import outlier_limit
from tuning.analysis.words import count, safe, three_digits

MIN_TRIALS = 4
_CELLS = 36  # a side
_BANDWIDTH = 0.09  # of the declared range
_REACH = 0.18  # of the declared range: no colour farther from every trial


@dataclass(frozen=True)
class ContourInfo:
    """The complete trials that have both parameters, and the smoothed value between them."""

    maximize: bool
    x: DeclaredAxis
    y: DeclaredAxis
    points: tuple[tuple[int, float, float, float, str], ...]  # (trial, x position, y position, value, words)
    grid_x: tuple[float, ...]  # positions
    grid_y: tuple[float, ...]
    grid: tuple[tuple[float | None, ...], ...]  # (len(grid_y), len(grid_x)); None: no trial is near
    best_number: int | None  # among these trials


def not_ready(trials: Sequence[FrozenTrial], *, x: str, y: str) -> str | None:
    """Return why the pair cannot be shown, or None."""
    missing = nothing_complete(trials)
    if missing is not None:
        return missing
    space = declared_space(trials)
    if len(space) < 2:
        return "A pair needs two parameters and this study has fewer. The slices show each one alone."
    unknown = [name for name in (x, y) if name not in space]
    if unknown:
        return f"This study has no parameter named {unknown[0]!r}. Pick two of its {len(space)} parameters."
    if x == y:
        return "Pick two different parameters."
    both = sum(value_of(t) is not None and x in t.params and y in t.params for t in trials)
    if both < MIN_TRIALS:
        return f"{both} complete trials have both parameters; this view needs {MIN_TRIALS}. Run more trials."
    return None


def contour_info(trials: Sequence[FrozenTrial], *, maximize: bool, x: str, y: str) -> ContourInfo:
    """Return trials and surface for two parameters of the study.

    The surface is a kernel-weighted mean of the trials' values, over shares of the declared ranges; different
    categories never mix. It is left blank where no trial is near, instead of guessing.

    Raises:
        KeyError: the study has no such parameter; `not_ready` says so first.
    """
    space = declared_space(trials)
    x_axis, y_axis = space[x], space[y]
    points = []
    for trial in sorted(trials, key=lambda t: t.number):
        value = value_of(trial)
        if value is None or x not in trial.params or y not in trial.params:
            continue
        at_x, at_y = x_axis.position(trial.params[x]), y_axis.position(trial.params[y])
        if at_x is None or at_y is None:
            continue
        words = ", ".join(f"{safe(a.name, 24)} {a.words(trial.params[a.name])}" for a in (x_axis, y_axis))
        points.append((trial.number, at_x, at_y, value, words))
    cells = CATEGORICAL in (x_axis.kind, y_axis.kind)
    grid_x, grid_y = _grid(x_axis, cells=cells), _grid(y_axis, cells=cells)
    sign = -1.0 if maximize else 1.0
    return ContourInfo(
        maximize=maximize,
        x=x_axis,
        y=y_axis,
        points=tuple(points),
        grid_x=tuple(grid_x),
        grid_y=tuple(grid_y),
        grid=_surface(points, x_axis, y_axis, grid_x, grid_y, maximize=maximize),
        best_number=min(points, key=lambda p: (sign * p[3], p[0]))[0] if points else None,
    )


def contour_figure(info: ContourInfo, *, theme: str = "light") -> go.Figure:
    """Draw filled contours, or cells where a parameter is categorical; stronger colour is better."""
    colours = palette(theme)
    figure = go.Figure()
    values = [p[3] for p in info.points]
    limit = outlier_limit(values, maximize=info.maximize)
    scale = (
        [[0, colours.poor], [1, colours.good]] if info.maximize else [[0, colours.good], [1, colours.poor]]
    )
    if values:
        low, high = min(values), max(values)
        if limit is not None:
            low, high = (limit, high) if info.maximize else (low, limit)
        surface = {
            "x": list(info.grid_x),
            "y": list(info.grid_y),
            "z": [list(row) for row in info.grid],
            "zmin": low,
            "zmax": high if high > low else low + 1,
            "colorscale": scale,
            "hoverinfo": "skip",
            "colorbar": _colour_bar(info, low, high, limit, theme),
        }
        if CATEGORICAL in (info.x.kind, info.y.kind):
            gaps = [2 if axis.kind == CATEGORICAL else 0 for axis in (info.x, info.y)]
            figure.add_heatmap(**surface, xgap=gaps[0], ygap=gaps[1])
        else:
            step = (high - low) / 8 or 1.0
            contours = {"start": low + step, "end": high, "size": step, "coloring": "heatmap"}
            line = {"width": 0.6, "color": colours.muted, "smoothing": 0.8}
            figure.add_contour(**surface, contours=contours, line=line, connectgaps=False, autocontour=False)
    for role in ("complete", "best"):
        points = [p for p in info.points if (p[0] == info.best_number) == (role == "best")]
        if points:
            trace = marks(
                role,
                [_spread(info.x, p[1], p[0]) for p in points],
                [_spread(info.y, p[2], p[0] + 7) for p in points],
                [p[0] for p in points],
                [f"trial {p[0]}: {three_digits(p[3])}<br>{p[4]}" for p in points],
                theme=theme,
                show_legend=False,
            )
            trace.marker.line = {
                "width": 1,
                "color": colours.background if role == "complete" else colours.text,
            }
            trace.marker.opacity = 1.0
            figure.add_trace(trace)
    best = next((p for p in info.points if p[0] == info.best_number), None)
    title = "No trial has both parameters" if best is None else f"Best: {three_digits(best[3])} at {best[4]}"
    subtitle = f"{count(len(info.points), 'complete trial')}; stronger is better, blank untried"
    base_layout(figure, theme=theme, title=title, subtitle=subtitle)
    _bounded_axis(figure, info.x, [p[1] for p in info.points], theme, vertical=False)
    _bounded_axis(figure, info.y, [p[2] for p in info.points], theme, vertical=True)
    return figure


def _grid(axis: DeclaredAxis, *, cells: bool) -> list[float]:
    """Return where the surface is computed: the middles of cells, or points from bound to bound."""
    if axis.kind == CATEGORICAL:
        return [float(i) for i in range(len(axis.choices))]
    inset = (axis.end - axis.start) / _CELLS / 2 if cells else 0.0
    return [float(f"{p:.6g}") for p in np.linspace(axis.start + inset, axis.end - inset, _CELLS)]


def _surface(
    points: Sequence[tuple[int, float, float, float, str]],
    x_axis: DeclaredAxis,
    y_axis: DeclaredAxis,
    grid_x: Sequence[float],
    grid_y: Sequence[float],
    *,
    maximize: bool,
) -> tuple[tuple[float | None, ...], ...]:
    if not points:
        return ()
    values = np.array([p[3] for p in points])
    limit = outlier_limit(values.tolist(), maximize=maximize)
    if limit is not None:  # one diverged trial must not stain its whole neighbourhood
        values = np.maximum(values, limit) if maximize else np.minimum(values, limit)
    x_gap = _squared_gaps(x_axis, [p[1] for p in points], grid_x)  # (n_points, len(grid_x))
    y_gap = _squared_gaps(y_axis, [p[2] for p in points], grid_y)
    squared = y_gap[:, :, None] + x_gap[:, None, :]  # (n_points, len(grid_y), len(grid_x))
    weights = np.exp(-0.5 * squared / _BANDWIDTH**2)
    near = squared.min(axis=0) <= _REACH**2
    mean = (weights * values[:, None, None]).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-300)
    return tuple(
        tuple(float(f"{z:.4g}") if ok else None for z, ok in zip(row, shown, strict=True))
        for row, shown in zip(mean, near, strict=True)
    )


def _squared_gaps(axis: DeclaredAxis, positions: Sequence[float], grid: Sequence[float]) -> np.ndarray:
    gaps = np.subtract.outer(np.asarray(positions, dtype=float), np.asarray(grid, dtype=float))
    if axis.kind == CATEGORICAL:
        return np.where(np.abs(gaps) < 0.5, 0.0, 1e6)
    span = axis.end - axis.start
    return (gaps / span) ** 2 if span > 0 else np.zeros_like(gaps)


def _spread(axis: DeclaredAxis, position: float, number: int) -> float:
    return (
        position + ((number * 0.6180339887498949) % 1 - 0.5) * 0.5 if axis.kind == CATEGORICAL else position
    )


def _colour_bar(info: ContourInfo, low: float, high: float, limit: float | None, theme: str) -> dict:
    colours = palette(theme)
    name = "return" if info.maximize else "value"
    words = [three_digits(low), three_digits(high)]
    if limit is not None:
        words = [f"{words[0]} or less", words[1]] if info.maximize else [words[0], f"{words[1]} or more"]
    words = [f"{name} {word}" for word in words]
    return {
        "orientation": "h",
        "x": 0.5,
        "y": 0,
        "yref": "container",
        "yanchor": "bottom",
        "thickness": 10,
        "len": 0.8,
        "tickvals": [low, high] if high > low else [low],
        "ticktext": words if high > low else words[:1],
        "tickfont": {"size": 11, "color": colours.muted},
        "outlinewidth": 0,
    }


def _bounded_axis(
    figure: go.Figure, axis: DeclaredAxis, positions: list[float], theme: str, *, vertical: bool
) -> None:
    low, high = min([axis.start, *positions]), max([axis.end, *positions])
    room = (high - low) * 0.05 or 0.5
    ticks, words = axis.ticks()
    settings = {
        "title_text": axis.label(),
        "range": [low - room, high + room],
        "tickvals": list(ticks),
        "ticktext": list(words),
        "showgrid": False,
    }
    line = {"width": 1.2, "color": palette(theme).bound}
    for bound in dict.fromkeys((axis.start, axis.end)):
        if vertical:
            figure.add_hline(y=bound, line=line)
        else:
            figure.add_vline(x=bound, line=line)
    if vertical:
        figure.update_yaxes(**settings)
    else:
        figure.update_xaxes(tickangle=0, **settings)
