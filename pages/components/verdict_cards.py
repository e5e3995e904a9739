"""A card for each parameter: its verdict, its ranges, the axis with its trials, the evidence."""

import streamlit as st

from pages.components import frame, plot, verdict_evidence
from pages.components.probe_panel import draw_probe
from tuning.analysis import verdict_words
from tuning.analysis.look import three_digits
from tuning.analysis.saturation import ParameterSaturation
from tuning.analysis.saturation_figure import HEIGHT, saturation_figure
from tuning.analysis.saturation_points import AxisInfo
from tuning.launch import Run

_CAPTION = (
    "Each mark is a trial; stars are the best {n}. The line is the best value in each {part}: where it still "
    "gains at a solid bound, the range ends too soon. Edge zones are shaded"
)
_NARROW_PX = 420  # on a phone the legend takes more rows
_GHOSTS = {True: ", the suggested range is dashed.", False: "."}


def draw_urgent(run: Run, p: ParameterSaturation, axis: AxisInfo | None, *, narrow: bool) -> None:
    """Draw a card with its plot open."""
    with st.container(border=True, key=f"card-{p.name}"):
        _draw_verdict(p, axis)
        _draw_axis(axis, narrow=narrow)
        draw_probe(run, p)
        st.fragment(_draw_why)(run, p, axis)


def draw_quiet(
    run: Run, p: ParameterSaturation, axis: AxisInfo | None, *, narrow: bool, is_open: bool
) -> None:
    """Draw a card that opens on request, or from the start; nothing of it is drawn while it is closed."""
    st.fragment(_draw_quiet)(run, p, axis, narrow=narrow, is_open=is_open)


def _draw_why(run: Run, p: ParameterSaturation, axis: AxisInfo | None) -> None:
    why = st.expander(
        "Why should I believe this?", icon=":material/fact_check:", key=f"why-{p.name}", on_change="rerun"
    )
    if why.open:
        with why:
            verdict_evidence.draw(run, p, axis)


def _draw_quiet(
    run: Run, p: ParameterSaturation, axis: AxisInfo | None, *, narrow: bool, is_open: bool
) -> None:
    badge = f":{verdict_words.colour(p)}-badge[{verdict_words.label(p)}]"
    label = f"**{frame.escape(p.name)}** {badge}"
    card = st.expander(label, expanded=is_open, key=f"quiet-{p.name}", on_change="rerun")
    if card.open:
        with card:
            st.markdown(frame.escape(p.sentence))
            _draw_ranges(p, axis)
            _draw_axis(axis, narrow=narrow)
            draw_probe(run, p)
            verdict_evidence.draw(run, p, axis)


def _draw_verdict(p: ParameterSaturation, axis: AxisInfo | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(frame.escape(p.name), anchor=False, width="content")
        st.badge(verdict_words.label(p), color=verdict_words.colour(p))
    st.markdown(frame.escape(p.sentence))
    _draw_ranges(p, axis)


def _draw_ranges(p: ParameterSaturation, axis: AxisInfo | None) -> None:
    if p.low is None or p.high is None:
        return
    scale = ", log" if p.axis.log else ""
    words = f"Declared {_range(p.low, p.high)}{scale}"
    if p.suggested is not None:
        words += f" · suggested **{_range(*p.suggested)}**"
    if axis is not None and axis.limits and p.limit is not None and p.limit.about:
        words += f" · {frame.escape(p.limit.about)}"
    st.markdown(words)


def _range(low: float, high: float) -> str:
    return frame.escape(f"{three_digits(low)} to {three_digits(high)}")


def _draw_axis(axis: AxisInfo | None, *, narrow: bool) -> None:
    if axis is None:
        return
    p = axis.parameter
    caption = _CAPTION.format(n=len(axis.top), part="level" if axis.by_level else "tenth of the range")
    plot.draw(
        saturation_figure(axis, theme=frame.theme(), height=_NARROW_PX if narrow else HEIGHT),
        f"axis-{p.name}",
        caption=caption + _GHOSTS[axis.ghost is not None],
        alt=f"Value of each trial over {p.name}, from declared bound to declared bound",
    )
