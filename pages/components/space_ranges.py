"""Each range of the search space drawn: a strip for numbers, chips for choices, and why it is searched."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.components import frame
from tuning.algorithms import Algorithm
from tuning.analysis.look import Palette, palette
from tuning.space.parameters import Parameter
from tuning.space.strips import Chips, Strip, range_info, reasons

HEIGHT = 64
_ROW = {"bar": 0.5, "above": 0.06, "below": 0.94}


def draw(parameters: Sequence[Parameter], known: Algorithm) -> None:
    """Draw every parameter: its name, why it is searched, and its range on its own axis."""
    why = reasons(parameters, known.presets, known.arguments)
    colours = palette(frame.theme())
    for parameter in parameters:
        info = range_info(parameter, known.arguments.get(parameter.target))
        with st.container(key=f"range-{parameter.name}"):
            words, picture = st.columns([2, 3], vertical_alignment="center", gap="medium")
            with words:
                scale = info.scale if isinstance(info, Strip) else "choices"
                st.markdown(f"**{frame.escape(info.argument)}** :gray[· {frame.escape(scale)}]")
                if why[parameter.name]:
                    st.caption(frame.escape(why[parameter.name]))
            with picture:
                if isinstance(info, Chips):
                    st.markdown(chips_text(info))
                else:
                    st.vega_lite_chart(
                        strip_chart(info, colours), theme=None, key=f"strip-{parameter.name}", width="stretch"
                    )
                if info.note:
                    st.caption(frame.escape(info.note[:1].upper() + info.note[1:] + "."))


def chips_text(info: Chips) -> str:
    """Return choices as badges in Markdown; the default says that it is one."""
    chips = []
    for text, is_default in info.choices:
        words = frame.escape(text[:60])
        chips.append(f":gray-badge[{words} · default]" if is_default else f":blue-badge[{words}]")
    return " ".join(chips)


def strip_chart(info: Strip, colours: Palette) -> dict[str, Any]:
    """Return one range as a Vega-Lite chart: the band that is searched on its axis, and the marks there."""
    layers = [
        _layer(
            [{"x": x} for x in info.ticks],
            {"type": "tick", "thickness": 1, "size": 8, "color": colours.muted, "opacity": 0.6},
            y=_ROW["bar"],
        ),
        _layer([{"x": 0, "x2": 1}], {"type": "rule", "color": colours.grid, "strokeWidth": 2}, y=_ROW["bar"]),
        _layer(
            [{"x": info.low.place, "x2": info.high.place}],
            {"type": "bar", "height": 16, "color": colours.complete, "opacity": 0.35},
            y=_ROW["bar"],
        ),
        _layer(
            [{"x": bound.place} for bound in (info.low, info.high)],
            {"type": "tick", "thickness": 2, "size": 20, "color": colours.bound, "opacity": 1},
            y=_ROW["bar"],
        ),
        *_texts([info.low, info.high], colours.text, y=_ROW["below"]),
    ]
    if info.limits:
        layers.append(
            _layer(
                [{"x": limit.place} for limit in info.limits],
                {"type": "tick", "thickness": 4, "size": 30, "color": colours.natural_limit, "opacity": 1},
                y=_ROW["bar"],
            )
        )
        layers += _texts([limit for limit in info.limits if limit.label], colours.muted, y=_ROW["below"])
    if info.default is not None:
        layers.append(
            _layer(
                [{"x": info.default.place}],
                {"type": "point", "shape": "square", "size": 70, "filled": True, "opacity": 1}
                | {"color": colours.baseline, "stroke": colours.background},
                y=_ROW["bar"],
            )
        )
        layers += _texts([info.default], colours.muted, y=_ROW["above"])
    return {
        "layer": layers,
        "height": HEIGHT,
        "background": "transparent",
        "padding": {"left": 2, "right": 2, "top": 2, "bottom": 2},
        "config": {"view": {"stroke": None}, "font": "system-ui, sans-serif"},
    }


def _texts(ticks: Sequence[Any], colour: str, *, y: float) -> list[dict[str, Any]]:
    """Return labels, those at the ends turned inwards so that none leaves the chart."""
    layers = []
    for align in ("left", "center", "right"):
        rows = [{"x": tick.place, "text": tick.label} for tick in ticks if _align(tick.place) == align]
        if rows:
            mark = {"type": "text", "align": align, "baseline": "middle", "fontSize": 12, "color": colour}
            layer = _layer(rows, mark, y=y)
            layer["encoding"]["text"] = {"field": "text", "type": "nominal"}
            layers.append(layer)
    return layers


def _align(place: float) -> str:
    return "left" if place < 0.12 else "right" if place > 0.88 else "center"


def _layer(rows: Sequence[dict[str, Any]], mark: dict[str, Any], *, y: float) -> dict[str, Any]:
    encoding: dict[str, Any] = {
        "x": {"field": "x", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": None},
        "y": {"datum": y, "type": "quantitative", "scale": {"domain": [1, 0]}, "axis": None},
    }
    if rows and "x2" in rows[0]:
        encoding["x2"] = {"field": "x2"}
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}
