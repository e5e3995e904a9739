"""Who was first, and who is now? A line for each candidate from its old rank to its new one."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from tuning.analysis.look import base_layout, empty_figure, palette
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.words import safe, three_digits, wrapped

_HEADING_PX = 130
_ROW_PX = 34
_MIN_HEIGHT = 320
_NAME_CHARACTERS = 12  # in a line of a name; what fits beside the lines at 390 px
_TITLE = "Ranks before and after"


@dataclass(frozen=True)
class RankLine:
    """One candidate in two rankings."""

    name: str
    before: int  # 1 is best
    after: int
    role: str  # winner, tied, baseline or other


def rank_figure(info: ReevaluationInfo, *, theme: str = "light") -> go.Figure:
    """Draw how the ranks of the search change when its candidates are measured again."""
    lines = [
        RankLine(c.candidate.name, c.search_rank, c.rank, _role(info, c))
        for c in info.candidates
        if c.search_rank is not None and c.rank is not None
    ]
    return ranking_figure(
        lines,
        ("search", "measured again"),
        tau=info.rank_correlation,
        theme=theme,
        why="It needs two candidates with a value of the search and one measured again.",
    )


def ranking_figure(
    lines: Sequence[RankLine],
    sides: tuple[str, str],
    *,
    tau: float | None,
    theme: str = "light",
    why: str,
) -> go.Figure:
    """Draw two rankings of the same candidates beside each other.

    Ranks are numbered anew among the lines, so that a candidate with one rank only leaves no hole.

    Args:
        lines: the candidates.
        sides: what the two rankings are, safe to show.
        tau: Kendall's rank correlation of them; None where it cannot be told.
        theme: "light" or "dark".
        why: what to say where there are fewer than two lines.
    """
    if len(lines) < 2:
        return empty_figure(theme=theme, title=_TITLE, why=why, height=_MIN_HEIGHT)
    colours = palette(theme)
    looks = {
        "winner": (colours.best, 4, "solid", "star", 16),
        "tied": (colours.best, 2, "solid", "diamond", 10),
        "baseline": (colours.baseline, 2, "dash", "square", 9),
        "other": (colours.complete, 2, "solid", "circle", 9),
    }
    left = _places([line.before for line in lines])
    right = _places([line.after for line in lines])
    figure = go.Figure()
    for index, line in enumerate(lines):
        colour, width, dash, shape, size = looks[line.role]
        name = safe(line.name, 2 * _NAME_CHARACTERS)
        before, after = _padded(name, left=True), _padded(name, left=False)
        figure.add_scatter(
            x=[0, 1],
            y=[left[index], right[index]],
            mode="lines+markers+text",
            showlegend=False,
            line={"color": colour, "width": width, "dash": dash},
            marker={"symbol": shape, "size": size, "color": colour},
            text=[before, after],
            textposition=["middle left", "middle right"],
            textfont={"size": 12, "color": colours.text},
            hovertext=f"{name}<br>{sides[0]}: {line.before}, {sides[1]}: {line.after}",
            hoverinfo="text",
            cliponaxis=False,
        )
    height = max(_MIN_HEIGHT, _HEADING_PX + _ROW_PX * len(lines))
    base_layout(figure, theme=theme, title=_rank_title(lines), subtitle=_tau_words(tau), height=height)
    figure.update_xaxes(
        tickvals=[0, 1],
        ticktext=list(sides),
        range=[-0.8, 1.8],
        showgrid=False,
        side="top",
        tickfont={"size": 12, "color": colours.text},
    )
    figure.update_yaxes(visible=False, range=[len(lines) + 0.5, 0.5])
    return figure


def _role(info: ReevaluationInfo, result: CandidateResult) -> str:
    if info.winner is not None and result.candidate.key == info.winner.candidate.key:
        return "winner"
    if result.candidate.is_baseline:
        return "baseline"
    return "tied" if result.is_tied else "other"


def _places(ranks: Sequence[int]) -> list[int]:
    """Return a place of its own for each rank, so that equal ranks do not lie on each other."""
    order = sorted(range(len(ranks)), key=lambda index: ranks[index])
    places = [0] * len(ranks)
    for place, index in enumerate(order, start=1):
        places[index] = place
    return places


def _padded(name: str, *, left: bool) -> str:
    """Return a name over at most two or three short lines, kept off its mark."""
    lines = wrapped(name, _NAME_CHARACTERS).split("<br>")
    return "<br>".join(f"{line}\u2002" if left else f"\u2002{line}" for line in lines)


def _rank_title(lines: Sequence[RankLine]) -> str:
    first_before = min(lines, key=lambda line: line.before)
    first_after = min(lines, key=lambda line: line.after)
    if first_before.name == first_after.name:
        return f"{safe(first_before.name)} stays first"
    place = sorted(line.after for line in lines).index(first_before.after) + 1
    return f"{safe(first_before.name)} falls from 1 to {place}; {safe(first_after.name)} is first"


def _tau_words(tau: float | None) -> str:
    if tau is None:
        return ""
    return f"Kendall's tau {three_digits(tau)}: 1 would be the same order, 0 no relation"
