"""How much of what the search measured was luck? Its values against those measured again, with y = x."""

import plotly.graph_objects as go

from tuning.analysis.look import Palette, base_layout, empty_figure, palette
from tuning.analysis.reevaluation_figure import estimate
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.reevaluation_words import winner_word
from tuning.analysis.words import safe, three_digits

HEIGHT = 420  # px
_ROOM = 0.08  # of the range, left free around the points
_SIDES = ("middle left", "middle right")
_TITLE = "Regression to the mean"


def regression_figure(info: ReevaluationInfo, *, theme: str = "light") -> go.Figure:
    """Draw each candidate of the search as a point: what was measured then, what is measured now.

    The distance to the line y = x is what the search flattered by, so the line is always in view.
    Baselines are left out: the search did not choose them, and they lie far from the rest.
    """
    points = [c for c in info.candidates if _is_point(c)]
    if not is_worth_drawing(info):
        why = "It needs two candidates with a value of the search and one measured again."
        return empty_figure(theme=theme, title=_TITLE, why=why, height=HEIGHT)
    colours = palette(theme)
    figure = go.Figure()
    low, high = _range([_searched(c) for c in points], [_measured(c) for c in points])
    bottom, top = _padded([low, high, *(_measured(c) for c in points)], _ROOM)
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        name="y = x: as the search said",
        line={"color": colours.baseline, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    _add_points(figure, info, points, colours)
    base_layout(figure, theme=theme, title=_title(info), subtitle=_subtitle(info), height=HEIGHT)
    figure.update_xaxes(title_text="return in the search", range=[low, high], nticks=6)
    figure.update_yaxes(title_text="return measured again", range=[bottom, top], nticks=6)
    return figure


def is_worth_drawing(info: ReevaluationInfo) -> bool:
    """Say whether two candidates of the search have values of then and of now, so that they compare."""
    return sum(map(_is_point, info.candidates)) > 1


def _add_points(
    figure: go.Figure, info: ReevaluationInfo, points: list[CandidateResult], colours: Palette
) -> None:
    winner = info.winner.candidate.key if info.winner else None
    kinds = (
        (winner_word(info), "star", 17, colours.best, [c for c in points if c.candidate.key == winner]),
        (
            "tied with it",
            "diamond",
            11,
            colours.best,
            [c for c in points if c.is_tied and c.candidate.key != winner],
        ),
        (
            "other candidates",
            "circle",
            9,
            colours.complete,
            [c for c in points if not c.is_tied and c.candidate.key != winner],
        ),
    )
    from_the_left = sorted(points, key=lambda c: (_searched(c), _measured(c)))
    sides = {c.candidate.key: _SIDES[i % 2] for i, c in enumerate(from_the_left)}  # so that few overlap
    for name, shape, size, colour, members in kinds:
        if not members:
            continue
        figure.add_scatter(
            x=[_searched(c) for c in members],
            y=[_measured(c) for c in members],
            mode="markers+text",
            name=name,
            marker={
                "symbol": shape,
                "size": size,
                "color": colour,
                "line": {"width": 1, "color": colours.background},
            },
            text=[str(c.candidate.trial) if c.candidate.trial is not None else "" for c in members],
            textposition=[sides[c.candidate.key] for c in members],
            textfont={"size": 11, "color": colours.text},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_reach(c)[1] for c in members],
                "arrayminus": [_reach(c)[0] for c in members],
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            hovertext=[
                f"{safe(c.candidate.name)}<br>search {three_digits(_searched(c))}, "
                f"measured again {three_digits(_measured(c))}"
                for c in members
            ],
            hoverinfo="text",
        )


def _range(searched: list[float], measured: list[float]) -> tuple[float, float]:
    """Return the range of the search's values, not so narrow that the line y = x looks level."""
    low, high = _padded(searched, _ROOM)
    wanted = (max(measured) - min(measured)) / 3
    room = max(0.0, wanted - (high - low)) / 2
    return low - room, high + room


def _padded(values: list[float], share: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = share * ((high - low) or max(abs(high) * 0.1, 1e-9))
    return low - room, high + room


def _title(info: ReevaluationInfo) -> str:
    if info.optimism is None:
        return _TITLE
    gap = three_digits(abs(info.optimism))
    if info.optimism > 0:
        return f"The search's values were {gap} too good on average"
    if info.optimism < 0:
        return f"The search's values were {gap} too poor on average"
    return "The search's values were right on average"


def _subtitle(info: ReevaluationInfo) -> str:
    if info.slope is None:
        return ""
    return f"slope {three_digits(info.slope)}: 1 would mean real differences, 0 nothing but luck"


def _is_point(result: CandidateResult) -> bool:
    known = result.candidate.search_value is not None and estimate(result) is not None
    return known and not result.candidate.is_baseline


def _searched(result: CandidateResult) -> float:
    assert result.candidate.search_value is not None
    return result.candidate.search_value


def _measured(result: CandidateResult) -> float:
    value = estimate(result)
    assert value is not None
    return value


def _reach(result: CandidateResult) -> tuple[float, float]:
    interval = result.iqm_interval if result.shown == "IQM" else result.mean_interval
    if interval is None:
        return 0.0, 0.0
    value = _measured(result)
    return max(0.0, value - interval.low), max(0.0, interval.high - value)
