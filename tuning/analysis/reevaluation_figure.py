"""How good is each candidate really? Every run as a dot, an estimate with its interval, the search's word."""

from statistics import median
from typing import Any

import plotly.graph_objects as go

from tuning.analysis.look import Palette, base_layout, empty_figure, palette
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.reevaluation_words import names, winner_word
from tuning.analysis.value_axis import outlier_limit
from tuning.analysis.words import count, safe, three_digits, wrapped

_ROW_PX = 52
_HEADING_PX = 280  # title, axis, and a legend that needs a line for each entry at 390 px
_ROOM = 0.06  # of the range, left free on either side
_NAME_CHARACTERS = 15  # in a line of a row's name

# Where things stand in a row, as shares of it from the middle, downward.
_SEARCH = -0.34
_ESTIMATE = -0.14
_FIRST_DOT, _LAST_DOT = 0.06, 0.36
_MANY = 30  # dots of a candidate; more of them are drawn smaller
_STEP = 0.6180339887  # golden section: neighbouring seeds lie far apart


def reevaluation_figure(
    info: ReevaluationInfo, *, theme: str = "light", clip_outliers: bool = True
) -> go.Figure:
    """Draw a row for each candidate, the best on top.

    `clip_outliers` keeps the interesting part in view: what is much worse is marked at the border.
    """
    height = _HEADING_PX + _ROW_PX * len(info.candidates)
    if not any(c.n_runs or c.n_broken for c in info.candidates):
        why = "No run is done yet. Each one appears here when it ends."
        return empty_figure(theme=theme, title="Nothing measured again yet", why=why, height=max(height, 300))
    colours, scale = palette(theme), _Scale(info, clip_outliers=clip_outliers)
    figure = go.Figure()
    for place, result in enumerate(info.candidates):
        if result.is_tied and len(info.tied) > 1:
            band = {"fillcolor": colours.best, "opacity": 0.08, "line_width": 0, "layer": "below"}
            figure.add_hrect(y0=place - 0.5, y1=place + 0.5, **band)
    _add_runs(figure, info, scale, colours)
    _add_broken(figure, info, scale, colours)
    _add_search(figure, info, scale, colours)
    _add_estimates(figure, info, scale, colours)
    base_layout(figure, theme=theme, title=_title(info), subtitle=_subtitle(info), height=height)
    figure.update_xaxes(title_text=_axis_title(info), range=[scale.low, scale.high], nticks=6)
    figure.update_yaxes(
        tickvals=list(range(len(info.candidates))),
        ticktext=[_row_words(info, result) for result in info.candidates],
        range=[len(info.candidates) - 0.5, -0.5],
        showgrid=False,
        tickfont={"size": 12, "color": colours.text},
    )
    return figure


def has_outliers(info: ReevaluationInfo) -> bool:
    """Say whether clipping hides how far away some runs are."""
    return _Scale(info, clip_outliers=True).limit is not None


def estimate(result: CandidateResult) -> float | None:
    """Return the number that stands for a candidate."""
    return result.iqm if result.shown == "IQM" else result.mean


def estimate_words(result: CandidateResult, unit: str) -> str:
    """Return the number that stands for a candidate with its interval, and by how many runs.

    Args:
        result: the candidate's; it has a value.
        unit: what its runs are: "run" or "episode".
    """
    value = estimate(result)
    said = three_digits(value) if value is not None else "no value"
    interval = result.iqm_interval if result.shown == "IQM" else result.mean_interval
    n = count(result.n_runs, unit)
    if interval is None:
        return f"{said} ({n})"
    low, high = three_digits(interval.low), three_digits(interval.high)
    return f"{said} (95 % interval {low} to {high}, {n})"


def _named_estimate(result: CandidateResult, unit: str) -> str:
    """Return the number of the mark; said to be an IQM where it is one, as the text gives the mean."""
    return ("IQM " if result.shown == "IQM" else "") + estimate_words(result, unit)


def unit_of(info: ReevaluationInfo) -> str:
    """Return what one dot is: a training run, or an episode of one trained agent."""
    return "run" if info.question.mode == "retrain" else "episode"


class _Scale:
    """The drawn part of the value axis, and where a value lies on it."""

    def __init__(self, info: ReevaluationInfo, *, clip_outliers: bool) -> None:
        self._maximize = info.question.maximize
        runs = [x for c in info.candidates for x in c.returns if x is not None]
        searched = [c.candidate.search_value for c in info.candidates if c.candidate.search_value is not None]
        values = runs + searched
        self.limit = outlier_limit(runs, maximize=self._maximize) if clip_outliers else None
        if self.limit is not None:
            middles = [
                median(_known(c)) for c in info.candidates if _known(c) and not c.candidate.is_baseline
            ]
            worst = min if self._maximize else max
            self.limit = worst([self.limit, *middles])  # no candidate of the search leaves the picture
            values = [v for v in values if not self.outside(v)]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        span = (high - low) or max(abs(high) * 0.1, 1e-9)
        self.low, self.high = low - _ROOM * span, high + _ROOM * span
        if self.limit is not None and len(values) == len(runs) + len(searched):
            self.limit = None  # nothing lies beyond it after all
        self.border = self.low + 0.015 * span if self._maximize else self.high - 0.015 * span

    def outside(self, value: float) -> bool:
        """Say whether a value is worse than what is drawn."""
        if self.limit is None:
            return False
        return value < self.limit if self._maximize else value > self.limit

    def position(self, value: float) -> float:
        return self.border if self.outside(value) else value

    def arrow(self, shape: str, value: float) -> str:
        """Return the mark's shape, pointing outward where the value lies there."""
        if not self.outside(value):
            return shape
        return "triangle-left" if self._maximize else "triangle-right"


def _add_runs(figure: go.Figure, info: ReevaluationInfo, scale: _Scale, colours: Palette) -> None:
    unit = unit_of(info)
    for index_of_group, (role, members) in enumerate(_groups(info)):
        xs, ys, shapes, texts = [], [], [], []
        for place, result in members:
            for index, value in enumerate(result.returns):
                if value is None:
                    continue
                xs.append(scale.position(value))
                ys.append(place + _FIRST_DOT + (_LAST_DOT - _FIRST_DOT) * ((index + 1) * _STEP % 1))
                shapes.append(scale.arrow("square" if role == "baseline" else "circle", value))
                which = "seed" if unit == "run" else "episode"
                texts.append(f"{safe(result.candidate.name)}<br>{which} {index + 1}: {three_digits(value)}")
        many = max((len(result.returns) for _, result in members), default=0) > _MANY
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="markers",
            name=f"one {unit}" if role != "baseline" else f"one {unit} of a baseline",
            legendgroup=role,
            showlegend=index_of_group == 0 or role == "baseline",
            marker={
                "symbol": shapes,
                "size": 5 if many else 8,
                "color": getattr(colours, role),
                "opacity": 0.4 if many else 0.6,
                "line": {"width": 0.5, "color": colours.background},
            },
            hovertext=texts,
            hoverinfo="text",
            cliponaxis=False,
        )


def _groups(info: ReevaluationInfo) -> list[tuple[str, list[tuple[int, CandidateResult]]]]:
    """Return the rows by their role as (role, [(place, candidate)]); no role is empty."""
    rows = list(enumerate(info.candidates))
    by_role = {
        "best": [(i, c) for i, c in rows if c.is_tied and not c.candidate.is_baseline],
        "complete": [(i, c) for i, c in rows if not c.is_tied and not c.candidate.is_baseline],
        "baseline": [(i, c) for i, c in rows if c.candidate.is_baseline],
    }
    return [(role, members) for role, members in by_role.items() if members]


def _add_broken(figure: go.Figure, info: ReevaluationInfo, scale: _Scale, colours: Palette) -> None:
    xs, ys, texts = [], [], []
    step = (scale.high - scale.low) * 0.012 * (1 if info.question.maximize else -1)
    for place, result in enumerate(info.candidates):
        for index in range(min(result.n_broken, 20)):
            xs.append(scale.border + index * step)
            ys.append(place + _LAST_DOT)
            texts.append(f"{safe(result.candidate.name)}: {count(result.n_broken, 'run')} broke")
    if xs:
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="markers",
            name="broke, no value",
            marker={"symbol": "x-thin", "size": 8, "line": {"width": 1.5, "color": colours.failed}},
            hovertext=texts,
            hoverinfo="text",
            cliponaxis=False,
        )


def _add_search(figure: go.Figure, info: ReevaluationInfo, scale: _Scale, colours: Palette) -> None:
    rows = [
        (place, c.candidate, c.candidate.search_value)
        for place, c in enumerate(info.candidates)
        if c.candidate.search_value is not None
    ]
    if not rows:
        return
    figure.add_scatter(
        x=[scale.position(value) for _, _, value in rows],
        y=[place + _SEARCH for place, _, _ in rows],
        mode="markers",
        name="in the search, once",
        marker={
            "symbol": [
                "triangle-down-open" if not scale.outside(v) else scale.arrow("", v) for _, _, v in rows
            ],
            "size": 10,
            "color": colours.text,
            "line": {"width": 1.5},
        },
        hovertext=[f"{safe(c.name)}<br>the search measured {three_digits(v)}" for _, c, v in rows],
        hoverinfo="text",
        cliponaxis=False,
    )


def _add_estimates(figure: go.Figure, info: ReevaluationInfo, scale: _Scale, colours: Palette) -> None:
    named: set[str] = set()
    unit = unit_of(info)
    for place, result in enumerate(info.candidates):
        value = estimate(result)
        if value is None:
            continue
        is_winner = info.winner is not None and result.candidate.key == info.winner.candidate.key
        role, shape = _estimate_role(result, is_winner=is_winner)
        words = winner_word(info) if is_winner else "mean or IQM, 95 % interval"
        colour = getattr(colours, role)
        interval = result.iqm_interval if result.shown == "IQM" else result.mean_interval
        error: dict[str, Any] = {}
        if interval is not None and not scale.outside(value):
            error = {
                "type": "data",
                "symmetric": False,
                "array": [max(0.0, interval.high - value)],
                "arrayminus": [max(0.0, value - interval.low)],
                "color": colour,
                "thickness": 3,
                "width": 7,
            }
        figure.add_scatter(
            x=[scale.position(value)],
            y=[place + _ESTIMATE],
            mode="markers+text" if scale.outside(value) else "markers",
            name=words,
            legendgroup=words,
            showlegend=words not in named and (is_winner or not scale.outside(value)),
            marker={
                "symbol": scale.arrow(shape, value),
                "size": 19 if is_winner else 13,
                "color": colour,
                "line": {"width": 1.5, "color": colours.background},
            },
            text=[f"  {result.shown} {three_digits(value)}, far off"],
            textposition="middle right" if info.question.maximize else "middle left",
            textfont={"size": 12, "color": colours.text},
            error_x=error or None,
            hovertext=f"{safe(result.candidate.name)}<br>{result.shown} {estimate_words(result, unit)}",
            hoverinfo="text",
            cliponaxis=False,
        )
        if is_winner or not scale.outside(value):
            named.add(words)


def _estimate_role(result: CandidateResult, *, is_winner: bool) -> tuple[str, str]:
    """Return the role whose colour an estimate has, and its shape."""
    if is_winner:
        return "best", "star"
    if result.candidate.is_baseline:
        return "baseline", "square"
    return ("best" if result.is_tied else "complete"), "diamond"


def _title(info: ReevaluationInfo) -> str:
    best = info.winner or next(c for c in info.candidates if c.n_runs or c.n_broken)
    agent = (
        "the trained agent of "
        if info.question.mode == "weights" and best.candidate.trial is not None
        else ""
    )
    if info.winner is None:
        return "No candidate has a value yet"
    if len(info.tied) > 1:
        said = safe(names(info.tied), 160)
        of = (
            f"The trained agents of {said[:1].lower()}{said[1:]}" if info.question.mode == "weights" else said
        )
        return f"{of} cannot be told apart"
    said = f"{agent}{safe(best.candidate.name)} leads: {_named_estimate(best, unit_of(info))}"
    return said[:1].upper() + said[1:]


def _subtitle(info: ReevaluationInfo) -> str:
    parts = []
    if info.winner is not None and len(info.tied) > 1:
        parts.append(f"{safe(info.winner.candidate.name)}: {_named_estimate(info.winner, unit_of(info))}")
    if info.question.mode == "weights":
        parts.append("these agents, not their configurations")
    expected = info.n_runs - info.n_saved
    if info.n_done < expected:
        parts.append(f"after {info.n_done} of {expected} runs")
    return "; ".join(parts)


def _axis_title(info: ReevaluationInfo) -> str:
    better = "higher is better" if info.question.maximize else "lower is better"
    return f"return ({better})"


def _row_words(info: ReevaluationInfo, result: CandidateResult) -> str:
    name = wrapped(safe(result.candidate.name, 2 * _NAME_CHARACTERS), _NAME_CHARACTERS)
    is_winner = info.winner is not None and result.candidate.key == info.winner.candidate.key
    words = f"<b>{name}</b>" if is_winner else name
    if result.dropped_after is not None:
        return f"{words}<br><i>given up</i>"
    return words


def _known(result: CandidateResult) -> list[float]:
    return [value for value in result.returns if value is not None]
