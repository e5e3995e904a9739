"""How every figure looks: colours by role for each theme, one layout, and the words for numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuning.analysis.words import THIN, age, count, duration, safe, three_digits, whole, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "HEIGHT",
    "Palette",
    "age",
    "axis_settings",
    "base_layout",
    "blend",
    "count",
    "duration",
    "empty_figure",
    "layout_settings",
    "palette",
    "safe",
    "selected_trial",
    "three_digits",
    "whole",
]

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
HEIGHT = 420  # px: plots in a row share it
_TITLE_CHARACTERS = 38  # what fits 390 px at the title's size
_SUBTITLE_CHARACTERS = 56


@dataclass(frozen=True)
class Palette:
    """Colours by role for one theme; safe for colour-blind readers, and never the only difference."""

    accent: str
    best: str
    complete: str
    pruned: str
    failed: str
    running: str
    baseline: str
    bound: str
    edge: str  # translucent band
    suggested: str
    edge_confident: str
    edge_likely: str
    watch: str
    fine: str
    natural_limit: str
    background: str
    surface: str
    text: str
    muted: str
    grid: str
    early: str  # the first trials, where colour stands for the order
    late: str
    poor: str  # the worst values, where colour stands for the value
    good: str


_LIGHT = Palette(
    accent="#0F766E",
    best="#0F766E",
    complete="#4C78A8",
    pruned="#A16207",
    failed="#B91C1C",
    running="#7C3AED",
    baseline="#6B7280",
    bound="#1B2430",
    edge="rgba(217,119,6,0.12)",
    suggested="#D97706",
    edge_confident="#C2410C",
    edge_likely="#D97706",
    watch="#A16207",
    fine="#15803D",
    natural_limit="#6B7280",
    background="#FFFFFF",
    surface="#F6F8FA",
    text="#1B2430",
    muted="#5B6675",
    grid="#E3E8EE",
    early="#B4CBE6",
    late="#173F70",
    poor="#EAF0F4",
    good="#0F766E",
)
_DARK = Palette(
    accent="#2DD4BF",
    best="#2DD4BF",
    complete="#8AB4E8",
    pruned="#E0B84C",
    failed="#F87171",
    running="#B79CFA",
    baseline="#A1A8B3",
    bound="#E5E7EB",
    edge="rgba(251,191,36,0.14)",
    suggested="#FBBF24",
    edge_confident="#FB923C",
    edge_likely="#FBBF24",
    watch="#E0B84C",
    fine="#4ADE80",
    natural_limit="#A1A8B3",
    background="#0F141A",
    surface="#171E26",
    text="#E5E7EB",
    muted="#A1A8B3",
    grid="#27313C",
    early="#3B5679",
    late="#CFE3FC",
    poor="#1C2732",
    good="#2DD4BF",
)


def palette(theme: str) -> Palette:
    """Return the colours of a theme; anything that is not "dark" is light, as a report is."""
    return _DARK if theme == "dark" else _LIGHT


def blend(first: str, last: str, share: float) -> str:
    """Return the colour at `share` (0 to 1) of the way between two #RRGGBB colours."""
    channels = [
        round(int(first[i : i + 2], 16) * (1 - share) + int(last[i : i + 2], 16) * share) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{c:02X}" for c in channels)


def base_layout(
    figure: "go.Figure", *, theme: str, title: str, subtitle: str = "", height: int = HEIGHT
) -> "go.Figure":
    """Give a figure our fonts, margins, colours and a legend below the plot; return the same figure.

    Everything is set on the figure itself, since Streamlit's theme replaces templates but not a figure's
    own settings. `title` and `subtitle` must be safe already; they are broken to fit 390 px.
    """
    figure.update_layout(**layout_settings(theme=theme, title=title, subtitle=subtitle, height=height))
    figure.update_xaxes(**axis_settings(theme))
    figure.update_yaxes(**axis_settings(theme))
    return figure


def layout_settings(*, theme: str, title: str, subtitle: str = "", height: int = HEIGHT) -> dict[str, Any]:
    """Return the layout without its axes, for figures with many panels: one update each would be slow."""
    colours = palette(theme)
    heading = f"<b>{wrapped(title, _TITLE_CHARACTERS)}</b>"
    top = 28 + 20 * (heading.count("<br>") + 1)
    if subtitle:
        style = f"font-size:12px;font-weight:normal;color:{colours.muted}"  # Streamlit makes titles bold
        below = wrapped(subtitle, _SUBTITLE_CHARACTERS)
        heading += f'<br><span style="{style}">{below}</span>'
        top += 18 * (below.count("<br>") + 1)
    return {
        "template": "none",
        "height": height,
        "title": {
            "text": heading,
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1 - 18 / height,
            "yref": "container",
            "yanchor": "top",
            "pad": {"l": 4},
            "font": {"size": 15, "color": colours.text, "family": FONT, "weight": "normal"},
        },
        "font": {"family": FONT, "size": 12, "color": colours.text},
        "margin": {"l": 8, "r": 12, "t": top, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": colours.surface,
            "bordercolor": colours.grid,
            "font": {"family": FONT, "size": 12, "color": colours.text},
            "align": "left",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colours.muted, "activecolor": colours.text},
        "legend": {
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "font": {"size": 12, "color": colours.text, "family": FONT},
            "bgcolor": "rgba(0,0,0,0)",
            "itemsizing": "constant",
        },
        "separators": f".{THIN}",
    }


def axis_settings(theme: str) -> dict[str, Any]:
    """Return the look of one axis."""
    colours = palette(theme)
    return {
        "gridcolor": colours.grid,
        "linecolor": colours.grid,
        "zeroline": False,
        "automargin": True,
        "ticks": "",
        "tickfont": {"size": 11, "color": colours.muted, "family": FONT},
        "title": {"font": {"size": 12, "color": colours.muted, "family": FONT}, "standoff": 8},
    }


def empty_figure(*, theme: str, title: str, why: str, height: int = HEIGHT) -> "go.Figure":
    """Return a figure without data that keeps its title and says why it is empty."""
    import plotly.graph_objects as go  # slow, and pages without a figure want only the words above

    figure = base_layout(go.Figure(), theme=theme, title=title, height=height)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text=wrapped(safe(why, 300), _SUBTITLE_CHARACTERS),
        xref="paper",
        yref="paper",
        x=0.5,
        y=0.5,
        showarrow=False,
        font={"color": palette(theme).muted, "size": 13},
    )
    return figure


def selected_trial(points: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the trial number of the first clicked point that carries one, as Streamlit reports points."""
    for point in points:
        data = point.get("customdata")
        if isinstance(data, list | tuple):
            data = data[0] if data else None
        if isinstance(data, int | float) and not isinstance(data, bool):
            return int(data)
    return None
