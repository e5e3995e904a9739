"""What the model behind a verdict expects along a parameter, from declared bound to declared bound."""

from typing import Any

import plotly.graph_objects as go

from tuning.analysis.look import axis_settings, layout_settings, palette
from tuning.analysis.saturation_points import AxisInfo, ProfilePoint

HEIGHT = 260  # px
_BAND = 1.645  # standard deviations on each side: 90 % of what the model thinks possible
_NEAR = 0.03  # of the range: closer to a bound, the best is said to lie at it


def profile_figure(info: AxisInfo, *, theme: str = "light", height: int = HEIGHT) -> go.Figure:
    """Draw the expected score along the parameter with its 90 % band; `info` must have a profile."""
    colours = palette(theme)
    layout = layout_settings(
        theme=theme, title=_title(info), subtitle="as the model expects it", height=height
    )
    layout["margin"] |= {"t": layout["margin"]["t"] + 4}
    layout["legend"] |= {"itemclick": False, "itemdoubleclick": False}
    line = {"type": "line", "yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}
    layout["shapes"] = [
        *(
            {"type": "rect", "x0": a, "x1": b, "yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}
            | {"fillcolor": colours.edge, "line": {"width": 0}}
            for a, b in info.zones
        ),
        *(
            line | {"x0": x, "x1": x, "line": {"width": 1.4, "color": colours.bound}}
            for x in (info.start, info.end)
        ),
    ]
    layout["xaxis"] = _x_axis(info, theme)
    layout["yaxis"] = axis_settings(theme) | {
        "nticks": 5,
        "title": axis_settings(theme)["title"] | {"text": "expected score"},
    }
    x = [p.position for p in info.profile]
    low = [p.score - _BAND * p.deviation for p in info.profile]
    high = [p.score + _BAND * p.deviation for p in info.profile]
    common: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip"}
    edge = {"width": 0, "color": colours.best}
    return go.Figure(
        [
            go.Scatter(x=x, y=low, line=edge, showlegend=False, **common),
            go.Scatter(
                x=x,
                y=high,
                line=edge,
                fill="tonexty",
                fillcolor=_translucent(colours.best),
                name="90% band",
                **common,
            ),
            go.Scatter(
                x=x,
                y=[p.score for p in info.profile],
                mode="lines",
                line={"color": colours.best, "width": 2.5},
                name="expected",
                hovertext=[f"{p.words}: {p.score:.2f}" for p in info.profile],
                hoverinfo="text",
            ),
        ],
        layout,
    )


def best_place(info: AxisInfo) -> ProfilePoint:
    """Return where the model expects the best within the declared range."""
    return max(info.profile, key=lambda p: p.score)


def _title(info: AxisInfo) -> str:
    best = best_place(info)
    near = _NEAR * (info.profile[-1].position - info.profile[0].position)
    if best.position - info.profile[0].position <= near:
        return f"Best at the lower bound, {best.words}"
    if info.profile[-1].position - best.position <= near:
        return f"Best at the upper bound, {best.words}"
    return f"Best inside, near {best.words}"


def _x_axis(info: AxisInfo, theme: str) -> dict[str, Any]:
    look = axis_settings(theme)
    room = 0.03 * (info.end - info.start)
    last = len(info.ticks) - 1
    return look | {
        "title": look["title"] | {"text": info.parameter.axis.label(), "standoff": 8},
        "range": [info.start - room, info.end + room],
        "tickvals": [x for x, _ in info.ticks],
        "ticktext": [f"<b>{w}</b>" if i in (0, last) else w for i, (_, w) in enumerate(info.ticks)],
        "tickangle": 0,
        "showgrid": False,
    }


def _translucent(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
