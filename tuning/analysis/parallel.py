"""What good trials have in common: every complete trial as a line across the declared bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from tuning.analysis.look import base_layout, blend, palette
from tuning.analysis.outcomes import finite_ranked, nothing_complete, value_of
from tuning.analysis.space import CATEGORICAL, DeclaredAxis, declared_space
from tuning.analysis.value_axis import outlier_limit
from tuning.analysis.words import count, three_digits

MIN_TRIALS = 2
_BANDS = ("top fifth", "second", "third", "fourth", "bottom fifth")


@dataclass(frozen=True)
class ParallelLine:
    """One complete trial."""

    number: int
    value: float
    band: int  # 0: among the best fifth of trials, 4: the worst
    shares: tuple[
        float | None, ...
    ]  # of each axis: 0 lower bound, 1 upper; None: the trial lacks the parameter
    words: tuple[str, ...]  # the same as words, safe to show
    value_share: float  # 0 worst shown, 1 best


@dataclass(frozen=True)
class ParallelInfo:
    """Lines from the best to the worst, and the axes they cross."""

    maximize: bool
    axes: tuple[DeclaredAxis, ...]
    lines: tuple[ParallelLine, ...]
    worst_shown: float | None  # worse values end here
    best_value: float | None


def not_ready(trials: Sequence[FrozenTrial], parameters: Sequence[str] | None = None) -> str | None:
    """Return why there are no lines to compare, or None."""
    missing = nothing_complete(trials, needed=MIN_TRIALS)
    if missing is not None:
        return missing
    space = declared_space(trials)
    if not space:
        return "The trials of this study have no parameters. Add one to the search space and launch again."
    if parameters is not None and not any(name in space for name in parameters):
        return f"Pick at least one of the {count(len(space), 'parameter')}."
    return None


def parallel_info(
    trials: Sequence[FrozenTrial], *, maximize: bool, parameters: Sequence[str] | None = None
) -> ParallelInfo:
    """Return the lines of the complete trials over `parameters` (all when None)."""
    space = declared_space(trials)
    names = list(space) if parameters is None else [n for n in dict.fromkeys(parameters) if n in space]
    axes = tuple(space[name] for name in names)
    ordered = finite_ranked(trials, maximize=maximize)
    values = [v for t in ordered if (v := value_of(t)) is not None]
    limit = outlier_limit(values, maximize=maximize)
    worst = limit if limit is not None else (values[-1] if values else None)
    lines = []
    for rank, (trial, value) in enumerate(zip(ordered, values, strict=True)):
        shares, words = [], []
        for axis in axes:
            raw = trial.params.get(axis.name)
            position = axis.position(raw) if axis.name in trial.params else None
            shares.append(None if position is None else axis.share(position + _spread(axis, trial.number)))
            words.append("" if position is None else axis.words(raw))
        reach = abs(values[0] - worst) if worst is not None else 0.0
        lines.append(
            ParallelLine(
                number=trial.number,
                value=value,
                band=_band(values, rank),
                shares=tuple(shares),
                words=tuple(words),
                value_share=max(0.0, 1 - abs(values[0] - value) / reach) if reach else 1.0,
            )
        )
    return ParallelInfo(maximize, axes, tuple(lines), worst, values[0] if values else None)


def parallel_figure(info: ParallelInfo, *, theme: str = "light", narrow: bool = False) -> go.Figure:
    """Draw the lines; on a narrow screen the axes lie below one another instead of side by side."""
    colours = palette(theme)
    figure = go.Figure()
    bands = sorted({line.band for line in info.lines[1:]}, reverse=True)
    for band in bands:
        members = [line for line in info.lines[1:] if line.band == band]
        shade = blend(colours.late, colours.early, band / 4)
        name = _BANDS[band] if len(bands) > 1 else "other trials"
        _draw(figure, members, shade, 1.6 if band == 0 else 1.0, name, narrow=narrow)
    if info.lines:
        best = info.lines[0]
        _draw(figure, [best], colours.best, 3.5, f"best, trial {best.number}", narrow=narrow)
    shapes: list[dict] = []
    notes: list[dict] = []
    for place, axis in enumerate(info.axes):
        ticks, ticktext = axis.ticks(4, limit=9)
        at = [axis.share(p) for p in ticks]
        _add_axis(shapes, notes, place, axis.label(), at, list(ticktext), theme, narrow=narrow)
    if info.best_value is not None and info.worst_shown is not None:
        ends = [three_digits(info.worst_shown), three_digits(info.best_value)]
        if any(line.value_share == 0 and line.value != info.worst_shown for line in info.lines):
            ends[0] += " or less" if info.maximize else " or more"
        words, at = (ends, [0.0, 1.0]) if ends[0] != ends[1] else (ends[:1], [1.0])
        label = "return" if info.maximize else "value"
        _add_axis(shapes, notes, len(info.axes), label, at, words, theme, narrow=narrow)
    title = "No complete trial yet"
    if info.lines:
        title = f"Best: {three_digits(info.lines[0].value)}, trial {info.lines[0].number}"
    subtitle = f"{count(len(info.lines), 'complete trial')} over the declared bounds"
    height = 130 + 74 * (len(info.axes) + 1) if narrow else 460
    base_layout(figure, theme=theme, title=title, subtitle=subtitle, height=height)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    figure.update_layout(shapes=shapes, annotations=notes)
    n = len(info.axes)
    if narrow:
        figure.update_yaxes(range=[n + 0.35, -0.35]).update_xaxes(range=[-0.06, 1.06])
    else:
        figure.update_xaxes(range=[-0.5, n + 0.3]).update_yaxes(range=[-0.16, 1.06])
    return figure


def _draw(
    figure: go.Figure, lines: Sequence[ParallelLine], colour: str, width: float, name: str, *, narrow: bool
) -> None:
    along: list[float | None] = []
    across: list[float | None] = []
    numbers: list[int | None] = []
    words: list[str] = []
    for line in lines:
        for place, (share, word) in enumerate(zip(line.shares, line.words, strict=True)):
            if share is None:  # the line runs on to the next parameter that the trial has
                continue
            along.append(place)
            across.append(round(share, 4))
            numbers.append(line.number)
            words.append(word)
        along += [len(line.shares), None]
        across += [round(line.value_share, 4), None]
        numbers += [line.number, None]
        words += [three_digits(line.value), ""]
    best = width > 3
    figure.add_scatter(
        x=across if narrow else along,
        y=along if narrow else across,
        customdata=numbers,
        text=words,
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": width},
        marker={"size": 9 if best else 4, "color": colour, "symbol": "star" if best else "circle"},
        hovertemplate="trial %{customdata}<br>%{text}<extra></extra>",
    )


def _add_axis(
    shapes: list[dict],
    notes: list[dict],
    place: int,
    label: str,
    shares: Sequence[float],
    words: Sequence[str],
    theme: str,
    *,
    narrow: bool,
) -> None:
    colours = palette(theme)
    line = {"width": 1.2, "color": colours.bound}
    ends = (
        {"x0": 0, "x1": 1, "y0": place, "y1": place}
        if narrow
        else {"x0": place, "x1": place, "y0": 0, "y1": 1}
    )
    shapes.append({"type": "line", "line": line, "layer": "below", **ends})
    behind = {"showarrow": False, "bgcolor": colours.background}
    small = {"size": 11, "color": colours.muted}
    for share, word in zip(shares, words, strict=True):
        at = {"x": share, "y": place} if narrow else {"x": place, "y": share}
        pushed = (
            {"yanchor": "top", "yshift": -4, "xanchor": _towards_inside(share)}
            if narrow
            else {"xanchor": "right", "xshift": -6}
        )
        notes.append({"text": word, "font": small, **behind, **at, **pushed})
    name = {"text": label, "font": {"size": 12, "color": colours.text}, **behind}
    if narrow:
        notes.append({"x": 0, "y": place, "xanchor": "left", "yanchor": "bottom", "yshift": 5, **name})
    else:
        notes.append({"x": place, "y": -0.04, "yanchor": "top", **name})


def _towards_inside(share: float) -> str:
    return "left" if share < 0.05 else "right" if share > 0.95 else "center"


def _band(values: Sequence[float], rank: int) -> int:
    """Return the fifth a rank falls in; trials with the same value share the better one."""
    return min(4, values.index(values[rank]) * 5 // len(values))


def _spread(axis: DeclaredAxis, number: int) -> float:
    return ((number * 0.6180339887498949) % 1 - 0.5) * 0.4 if axis.kind == CATEGORICAL else 0.0
