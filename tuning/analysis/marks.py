"""The marks of trials: one shape and one colour for each role, the same in every figure."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from tuning.analysis.look import palette

# Role -> (Plotly symbol, size in px, words in the legend).
_MARKS = {
    "complete": ("circle", 7, "complete"),
    "pruned": ("circle-open", 7, "pruned"),
    "failed": ("x-thin", 7, "failed"),
    "running": ("diamond-open", 8, "running"),
    "baseline": ("square", 9, "baseline"),
    "best": ("star", 15, "best"),
    "imported": ("circle", 5, "imported"),
    "repeated": ("diamond", 9, "best of the parent, again"),
    "proposed": ("hexagon", 10, "queued, not sampled"),
}
_OPACITY = {"complete": 0.7, "imported": 0.55}
# role -> the role whose colour it has
_COLOURS = {"imported": "baseline", "repeated": "complete", "proposed": "complete"}


def marks(
    role: str,
    x: Sequence[Any],
    y: Sequence[float],
    numbers: Sequence[int],
    hover: Sequence[str],
    *,
    theme: str,
    name: str | None = None,
    symbol: str | Sequence[str] | None = None,
    shades: Sequence[float] | None = None,
    show_legend: bool = True,
    panel: int = 1,
) -> go.Scatter:
    """Return the trace of trials in one role; each point carries its trial's number.

    `hover` holds one safe text a point. `shades` (0 early, 1 late) colours by the trial's order.
    `panel` is the number of the axes to draw on.
    """
    shape, size, words = _MARKS[role]
    colours = palette(theme)
    colour: Any = getattr(colours, _COLOURS.get(role, role)) if shades is None else list(shades)
    order = {"colorscale": [[0, colours.early], [1, colours.late]], "cmin": 0, "cmax": 1, "showscale": False}
    thin = role in ("failed", "pruned")
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="markers",
        name=name or words,
        legendgroup=role,
        showlegend=show_legend,
        customdata=list(numbers),
        hovertext=list(hover),
        hoverinfo="text",
        marker={
            "symbol": list(symbol) if symbol is not None and not isinstance(symbol, str) else symbol or shape,
            "size": size,
            "color": colour,
            "opacity": _OPACITY.get(role, 1.0) if shades is None else 1.0,
            "line": {
                "width": 1.5 if thin else 1 if role in ("best", "baseline") else 0.5,
                "color": colour if thin else colours.background,
            },
            **({} if shades is None else order),
        },
        unselected={"marker": {"opacity": 0.35}},  # Plotly's own choice makes the others vanish
        cliponaxis=False,
        xaxis=f"x{panel}",
        yaxis=f"y{panel}",
    )
