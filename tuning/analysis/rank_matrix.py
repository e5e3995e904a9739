"""Where do the good trials lie, for every pair of parameters? Each trial as a point coloured by its rank."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from tuning.analysis.look import axis_settings, empty_figure, layout_settings, palette
from tuning.analysis.outcomes import finite_ranked, nothing_complete, value_of
from tuning.analysis.space import CATEGORICAL, DeclaredAxis, declared_space
from tuning.analysis.words import count, safe, three_digits

MOST = 5  # parameters; ten panels
MIN_TRIALS = 4
_TITLE = "Ranks over pairs of parameters"
_HEADING_PX = 120
_PANEL_PX = 190
_GAP = 0.035  # of the figure, between panels
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class RankedTrial:
    """One complete trial."""

    number: int
    value: float
    rank: float  # 1 is best; trials with the same value share the mean of their ranks
    positions: tuple[float | None, ...]  # one for each axis; None where the trial has no such parameter
    words: tuple[str, ...]  # its values, safe to show


@dataclass(frozen=True)
class RankMatrixInfo:
    """The parameters and every complete trial, the worst first, so that good ones are drawn on top."""

    axes: tuple[DeclaredAxis, ...]
    trials: tuple[RankedTrial, ...]


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there is nothing to rank over pairs, or None."""
    missing = nothing_complete(trials, needed=MIN_TRIALS)
    if missing is not None:
        return missing
    if len(declared_space(trials)) < 2:
        return "A pair needs two parameters and this study has fewer. The slices show each one alone."
    return None


def rank_matrix_info(
    trials: Sequence[FrozenTrial], *, maximize: bool, parameters: Sequence[str]
) -> RankMatrixInfo:
    """Return the trials with a finite value over these parameters; unknown ones are left out.

    Source: the ranks of `optuna.visualization.plot_rank`, over the declared ranges.
    """
    space = declared_space(trials)
    axes = tuple(space[name] for name in dict.fromkeys(parameters) if name in space)[:MOST]
    ordered = finite_ranked(trials, maximize=maximize)
    values = [value_of(t) for t in ordered]
    found = []
    for trial, value in zip(ordered, values, strict=True):
        assert value is not None
        first = values.index(value)
        rank = first + 1 + (values.count(value) - 1) / 2
        has = [axis.name in trial.params for axis in axes]
        positions = tuple(
            axis.position(trial.params[axis.name]) if there else None
            for axis, there in zip(axes, has, strict=True)
        )
        words = tuple(
            axis.words(trial.params[axis.name]) if there else ""
            for axis, there in zip(axes, has, strict=True)
        )
        found.append(RankedTrial(trial.number, value, rank, positions, words))
    return RankMatrixInfo(axes, tuple(reversed(found)))


def rank_matrix_figure(info: RankMatrixInfo, *, theme: str = "light", narrow: bool = False) -> go.Figure:
    """Draw a triangle of panels, one for each pair; on a narrow screen the pairs below each other."""
    if len(info.axes) < 2 or not info.trials:
        why = "It takes two parameters and a complete trial."
        return empty_figure(theme=theme, title=_TITLE, why=why)
    pairs = list(combinations(range(len(info.axes)), 2))
    side = len(pairs) if narrow else len(info.axes) - 1
    height = _HEADING_PX + _PANEL_PX * (side if side > 1 else 2)
    best = info.trials[-1]
    title = f"Best: trial {best.number} with {three_digits(best.value)}"
    subtitle = f"{count(len(info.trials), 'complete trial')}; stronger is better, the star is the best"
    layout = layout_settings(theme=theme, title=title, subtitle=subtitle, height=height)
    layout |= {"showlegend": False, "shapes": []}
    traces = []
    for panel, (x, y) in enumerate(pairs, start=1):
        column, row = (0, panel - 1) if narrow else (x, y - 1)
        layout |= _panel_axes(info, x, y, panel, (column, row), side, theme, narrow=narrow)
        layout["shapes"] += _bounds(info.axes[x], info.axes[y], panel, theme)
        traces += list(_panel_traces(info, x, y, panel, theme))
    return go.Figure(traces, layout)


def _panel_traces(info: RankMatrixInfo, x: int, y: int, panel: int, theme: str) -> Iterator[go.Scatter]:
    colours = palette(theme)
    shown = [t for t in info.trials if t.positions[x] is not None and t.positions[y] is not None]
    for role, trials in (("others", shown[:-1]), ("best", shown[-1:])):
        if trials:
            yield go.Scatter(
                x=[_spread(info.axes[x], t.positions[x], t.number) for t in trials],
                y=[_spread(info.axes[y], t.positions[y], t.number + 7) for t in trials],
                mode="markers",
                customdata=[t.number for t in trials],
                hovertext=[_hover(info, t, x, y) for t in trials],
                hoverinfo="text",
                marker={
                    "symbol": "circle" if role == "others" else "star",
                    "size": 8 if role == "others" else 14,
                    "color": [t.rank for t in trials],
                    "cmin": 1,
                    "cmax": max(2, len(info.trials)),
                    "colorscale": [[0, colours.good], [1, colours.poor]],
                    "line": {"width": 0.8, "color": colours.muted if role == "others" else colours.text},
                },
                unselected={"marker": {"opacity": 0.35}},
                cliponaxis=False,
                xaxis=f"x{panel}",
                yaxis=f"y{panel}",
            )


def _hover(info: RankMatrixInfo, trial: RankedTrial, x: int, y: int) -> str:
    pair = "<br>".join(f"{safe(info.axes[k].name, 24)} {trial.words[k]}" for k in (x, y))
    rank = f"{trial.rank:g}"
    return f"trial {trial.number}: {three_digits(trial.value)}<br>rank {rank} of {len(info.trials)}<br>{pair}"


def _panel_axes(
    info: RankMatrixInfo,
    x: int,
    y: int,
    panel: int,
    place: tuple[int, int],
    side: int,
    theme: str,
    *,
    narrow: bool,
) -> dict:
    """Return the two axes of a panel; names stand at the outer edge of the triangle only."""
    column, row = place
    columns = 1 if narrow else side
    gap = 0.5 / side * 0.55 if narrow and side > 1 else _GAP
    wide, tall = (1 - _GAP * (columns - 1)) / columns, (1 - gap * (side - 1)) / side
    left, bottom = column * (wide + _GAP), 1 - tall - row * (tall + gap)
    is_left, is_bottom = narrow or column == 0, narrow or row == side - 1
    return {
        f"xaxis{panel}": _axis(info.axes[x], theme, named=is_bottom)
        | {"domain": [left, min(1.0, left + wide)], "anchor": f"y{panel}"},
        f"yaxis{panel}": _axis(info.axes[y], theme, named=is_left)
        | {"domain": [max(0.0, bottom), min(1.0, bottom + tall)], "anchor": f"x{panel}"},
    }


def _axis(axis: DeclaredAxis, theme: str, *, named: bool) -> dict:
    room = (axis.end - axis.start) * 0.07 or 0.5
    ticks, words = axis.ticks(3)
    settings = axis_settings(theme) | {"range": [axis.start - room, axis.end + room], "showgrid": False}
    settings |= {"tickvals": list(ticks), "ticktext": list(words), "tickangle": 0, "showticklabels": named}
    settings["title"] = settings["title"] | {"text": axis.label() if named else ""}
    return settings


def _bounds(x_axis: DeclaredAxis, y_axis: DeclaredAxis, panel: int, theme: str) -> list[dict]:
    """Return the declared bounds of both parameters as a frame."""
    return [
        {
            "type": "rect",
            "xref": f"x{panel}",
            "yref": f"y{panel}",
            "x0": x_axis.start,
            "x1": x_axis.end,
            "y0": y_axis.start,
            "y1": y_axis.end,
            "line": {"width": 1, "color": palette(theme).bound},
            "layer": "below",
        }
    ]


def _spread(axis: DeclaredAxis, position: float | None, number: int) -> float | None:
    if position is None or axis.kind != CATEGORICAL:
        return position
    return position + ((number * _GOLDEN) % 1 - 0.5) * 0.5
