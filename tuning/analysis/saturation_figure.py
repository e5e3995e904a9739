"""Does the best of a parameter lie inside its range? Every trial from declared bound to declared bound."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from tuning.analysis.look import axis_settings, layout_settings, palette
from tuning.analysis.marks import marks
from tuning.analysis.saturation_points import AxisInfo, AxisPoint
from tuning.analysis.space import CATEGORICAL
from tuning.analysis.value_axis import ValueAxis, value_axis
from tuning.analysis.verdicts import Verdict
from tuning.analysis.words import count, safe, three_digits

HEIGHT = 340  # px
_LEGEND_PX = 64
_TOP_PX, _BEST_PX = 11, 16
_MANY = 20  # best trials; more are drawn smaller
_GOLDEN = 0.6180339887498949
_TICK_ROOM = 0.1  # of what is shown: closer to another one, a tick's words would touch


def saturation_figure(info: AxisInfo, *, theme: str = "light", height: int = HEIGHT) -> go.Figure:
    """Draw one parameter's axis with its trials, its edge zones and where to look next."""
    axis = value_axis(info.values, maximize=info.maximize, clip_outliers=True)
    layout = layout_settings(theme=theme, title=_title(info), subtitle=_subtitle(info, axis), height=height)
    layout["legend"] |= {"itemclick": False, "itemdoubleclick": False}
    layout["margin"] |= {"t": layout["margin"]["t"] + (18 if info.ghost else 4)}
    layout["shapes"] = _shapes(info, theme)
    layout["annotations"] = _annotations(info, theme)
    layout["xaxis"] = _x_axis(info, theme)
    layout["yaxis"] = axis_settings(theme) | {
        "range": [axis.low, axis.high],
        "nticks": 6,
        "title": axis_settings(theme)["title"] | {"text": "return" if info.maximize else "value"},
    }
    return go.Figure([_best_line(info, axis, theme), *_trials(info, axis, theme)], layout)


def _title(info: AxisInfo) -> str:
    """Return what is seen, with its counts; safe to show."""
    p, e = info.parameter, info.parameter.evidence
    if not e.n_top:
        return f"{count(len(info.values), 'trial')} over {safe(p.name, 32)}"
    if p.verdict == Verdict.STABILITY:
        end = e.low if p.side == "low" else e.high
        quarter = "lower" if p.side == "low" else "upper"
        return f"{end.n_outer_infeasible} of {end.n_outer} broke in the {quarter} quarter"
    if p.verdict == Verdict.HERDED and p.side is not None:
        share, half = (e.halves[0], "lower") if p.side == "low" else (e.halves[1], "upper")
        return f"{share:.0%} of the trials in the {half} half"
    if p.side is not None:
        end = e.low if p.side == "low" else e.high
        if info.by_level:
            where = "at the lowest level" if p.side == "low" else "at the highest level"
        else:
            where = "in the lowest tenth" if p.side == "low" else "in the top tenth"
        return f"{end.n_top} of the best {e.n_top} {where}"
    if not info.joined:
        words = [point.words for point in info.top]
        common = max(dict.fromkeys(words), key=words.count, default="")
        return f"{words.count(common)} of the best {e.n_top} at {common}"
    inside = sorted(info.top, key=lambda point: point.position)
    if not inside:
        return f"{count(len(info.values), 'trial')} over {safe(p.name, 32)}"
    if inside[0].words == inside[-1].words:
        return f"The best {count(e.n_top, 'trial')} lie at {inside[0].words}"
    return f"The best {count(e.n_top, 'trial')}: {inside[0].words} to {inside[-1].words}"


def _subtitle(info: AxisInfo, axis: ValueAxis) -> str:
    parts = []
    if info.top:
        best = info.top[0]
        parts.append(f"best {three_digits(best.value or 0.0)} at {best.words} (trial {best.number})")
    outside = sum(axis.outside(v) for v in info.values)
    if outside and axis.limit is not None:
        parts.append(f"{outside} {'below' if info.maximize else 'above'} {three_digits(axis.limit)}")
    return " · ".join(parts)


def _trials(info: AxisInfo, axis: ValueAxis, theme: str) -> list[go.Scatter]:
    traces = []
    for role, points in (
        ("failed", info.broken),
        ("pruned", info.pruned),
        ("complete", info.complete),
        ("best", info.top),
    ):
        if not points:
            continue
        # The legend shows the symbol of the first mark.
        points = tuple(sorted(points, key=lambda p: p.value is not None and axis.outside(p.value)))
        name = {"failed": "failed or diverged", "best": f"best {len(info.top)}"}.get(role)
        trace = marks(
            role,
            [p.position + _jitter(info, p.number) for p in points],
            [axis.rug if p.value is None else axis.position(p.value) for p in points],
            [p.number for p in points],
            [_hover(p, role) for p in points],
            theme=theme,
            name=name,
            symbol=_symbols(points, role, axis),
        )
        if role == "best":
            small = _TOP_PX if len(points) <= _MANY else _TOP_PX - 2
            trace.marker.size = [_BEST_PX, *([small] * (len(points) - 1))]
        traces.append(trace)
    return traces


def _best_line(info: AxisInfo, axis: ValueAxis, theme: str) -> go.Scatter:
    """Draw the best of each bucket as steps; where no complete trial lies the line has a gap."""
    x: list[float | None] = []
    y: list[float | None] = []
    for bucket in info.buckets:
        inset = 0.0 if info.joined else 0.15 * (bucket.end - bucket.start)
        height = None if bucket.best is None else axis.position(bucket.best)
        x += [bucket.start + inset, bucket.end - inset]
        y += [height, height]
        if not info.joined:
            x.append(None)
            y.append(None)
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name="best of each level" if info.by_level else "best of each tenth",
        line={"color": palette(theme).best, "width": 2},
        opacity=0.55,
        hoverinfo="skip",
    )


def _shapes(info: AxisInfo, theme: str) -> list[dict[str, Any]]:
    """Return edge zones, declared bounds, where to look next, and natural limits."""
    colours = palette(theme)
    bound = {"line": {"width": 1.4, "color": colours.bound}}
    ghost = {"line": {"width": 1.5, "dash": "dash", "color": colours.suggested}}
    limit = {"line": {"width": 1.5, "dash": "dashdot", "color": colours.natural_limit}}
    return [
        *(_rectangle(a, b) | {"fillcolor": colours.edge, "line": {"width": 0}} for a, b in info.zones),
        *([] if info.ghost is None else [_rectangle(*info.ghost) | ghost]),
        *(_line(x) | bound for x in (info.start, info.end)),
        *(_line(x) | limit for x, _ in info.limits),
    ]


def _rectangle(a: float, b: float) -> dict[str, Any]:
    return {"type": "rect", "x0": a, "x1": b, "yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}


def _line(x: float) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}


def _annotations(info: AxisInfo, theme: str) -> list[dict[str, Any]]:
    colours = palette(theme)
    common = {"showarrow": False, "yref": "y domain"}
    found = []
    if info.ghost is not None:
        inside = info.parameter.verdict != Verdict.EDGE
        words = "this much would do" if inside else "try here too"
        style = {"size": 11, "color": colours.watch if theme != "dark" else colours.suggested}
        place = {"x": (info.ghost[0] + info.ghost[1]) / 2, "y": 1, "yanchor": "bottom"}
        found.append(common | place | {"text": words, "font": style})
    for x, words in info.limits:
        # Beside the line, on its side away from the trials where there is room.
        right = x < (info.shown[0] + info.shown[1]) / 2
        place = {"x": x, "xanchor": "left" if right else "right", "y": 0.5, "textangle": -90}
        style = {"size": 11, "color": colours.muted}
        found.append(common | place | {"text": words, "font": style})
    return found


def _x_axis(info: AxisInfo, theme: str) -> dict[str, Any]:
    declared = info.parameter.axis
    look = axis_settings(theme)
    low, high = info.shown
    if declared.kind != CATEGORICAL or info.zones:
        ticks = [
            (x, f"<b>{w}</b>" if i in (0, len(info.ticks) - 1) else w) for i, (x, w) in enumerate(info.ticks)
        ]
    else:
        ticks = list(info.ticks)
    colours = palette(theme)
    colour = colours.watch if theme != "dark" else colours.suggested
    for x, words in info.ghost_ticks:
        near = min(abs(x - other) for other, _ in info.ticks)
        if info.by_level or near > _TICK_ROOM * (high - low):
            ticks.append((x, f'<span style="color:{colour}">{words}</span>'))
    return look | {
        "title": look["title"] | {"text": declared.label(), "standoff": 8},
        "range": [low, high],
        "tickvals": [x for x, _ in ticks],
        "ticktext": [w for _, w in ticks],
        "tickangle": 0,
        "showgrid": False,
    }


def _hover(point: AxisPoint, role: str) -> str:
    if point.value is None:
        return f"trial {point.number}, failed or diverged<br>{point.words}" + (
            f"<br>{point.why}" if point.why else ""
        )
    word = {"best": "one of the best: ", "pruned": "pruned: "}.get(role, "")
    return f"{word}trial {point.number}<br>{point.words}: {three_digits(point.value)}"


def _symbols(points: Sequence[AxisPoint], role: str, axis: ValueAxis) -> list[str] | None:
    """Return a triangle for each point on the border; None where all lie inside."""
    outside = [p.value is not None and axis.outside(p.value) for p in points]
    if not any(outside):
        return None
    inside = {"pruned": "circle-open", "best": "star"}.get(role, "circle")
    border = ("triangle-down" if axis.maximize else "triangle-up") + ("-open" if role == "pruned" else "")
    return [border if out else inside for out in outside]


def _jitter(info: AxisInfo, number: int) -> float:
    """Spread the trials of one level sideways, each always to the same place."""
    if not info.by_level:
        return 0.0
    width = (info.end - info.start) / len(info.buckets)
    return ((number * _GOLDEN) % 1 - 0.5) * 0.5 * width
