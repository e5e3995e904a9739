"""How much better than its own value is each probed one? A mark for each pair, the mean with its interval."""

import plotly.graph_objects as go

from tuning.analysis.look import Palette, base_layout, empty_figure, palette
from tuning.analysis.paired import LEVEL
from tuning.analysis.probe import ProbedValue, ProbeInfo, ProbeVerdict
from tuning.analysis.words import count, safe, three_digits

HEIGHT = 300  # px
_SYMBOLS = ("circle", "square", "triangle-up", "x", "hexagon", "star-triangle-down")
_TITLES = {
    ProbeVerdict.BETTER_BEYOND: "Better beyond the bound",
    ProbeVerdict.BETTER_INSIDE: "Better within the range",
    ProbeVerdict.WORSE_BEYOND: "Worse beyond the bound",
    ProbeVerdict.BREAKS_BEYOND: "Training breaks beyond the bound",
    ProbeVerdict.CANNOT_TELL: "The probe cannot tell",
}
_FIRST, _LAST = 0.1, 0.34  # beside a value's mean, where its pairs stand: the first and last configuration


def probe_figure(info: ProbeInfo, *, theme: str = "light") -> go.Figure:
    """Draw the differences from the configurations' own value, from inside the range outward."""
    n_pairs = sum(len(value.pairs) for value in info.values)
    title = _TITLES[info.verdict]
    if not n_pairs:
        why = "No pair of runs is complete yet." if not info.n_lost else "No pair of runs gave a value."
        return empty_figure(theme=theme, title=title, why=why, height=HEIGHT)
    colours = palette(theme)
    figure = go.Figure()
    for index, trial in enumerate(info.trials):
        _add_pairs(figure, info, index, trial, colours)
    _add_means(figure, info, colours)
    subtitle = f"{count(n_pairs, 'pair')} of runs that share their seeds"
    if info.n_done < info.n_runs:
        subtitle += f", after {info.n_done} of {info.n_runs} runs"
    base_layout(figure, theme=theme, title=title, subtitle=subtitle, height=HEIGHT)
    figure.add_hline(y=0, line={"color": colours.baseline, "dash": "dash", "width": 1.5})
    _draw_bound(figure, info, colours)
    n = len(info.values)
    places = [_place(info, k) for k in range(-1, n)]
    words = ["own value", *(_tick(value) for value in info.values)]
    figure.update_xaxes(
        tickvals=places,
        ticktext=words,
        showgrid=False,
        range=[-0.4, n + 0.5],
        title_text=safe(info.parameter, 32),
    )
    figure.update_yaxes(title_text="return, against own value", nticks=5)
    return figure


def _place(info: ProbeInfo, index: int) -> int:
    """Return where a value stands, -1 being the own one; numbers rise to the right, as on any axis."""
    return index + 1 if info.side == "high" else len(info.values) - index - 1


def _add_pairs(figure: go.Figure, info: ProbeInfo, index: int, trial: int, colours: Palette) -> None:
    xs, ys, texts = [], [], []
    n_trials = len(info.trials)
    for k, value in enumerate(info.values):
        pairs = [pair for pair in value.pairs if pair.trial == trial]
        offset = _FIRST + (_LAST - _FIRST) * index / max(n_trials - 1, 1)
        for pair in pairs:
            xs.append(_place(info, k) + offset)
            ys.append(pair.after - pair.before)
            texts.append(
                f"trial {trial} at {three_digits(value.value)}<br>"
                f"{three_digits(pair.after)}, at its own value {three_digits(pair.before)}"
            )
    if not xs:
        return
    figure.add_scatter(
        x=xs,
        y=ys,
        mode="markers",
        name=f"trial {trial}",
        marker={
            "symbol": _SYMBOLS[index % len(_SYMBOLS)],
            "size": 8,
            "color": colours.complete,
            "opacity": 0.7,
        },
        hovertext=texts,
        hoverinfo="text",
    )


def _add_means(figure: go.Figure, info: ProbeInfo, colours: Palette) -> None:
    by_direction = {"better": colours.best, "worse": colours.failed, "cannot tell": colours.muted}
    named = False
    for k, value in enumerate(info.values):
        d = value.difference
        if d is None:
            continue
        figure.add_scatter(
            x=[_place(info, k)],
            y=[d.mean],
            mode="markers",
            name=f"mean, {LEVEL:.0%} interval".replace("%", " %"),
            legendgroup="mean",
            showlegend=not named,
            marker={"symbol": "diamond", "size": 13, "color": by_direction[d.direction]},
            error_y={
                "type": "data",
                "symmetric": True,
                "array": [0.0 if d.high is None else d.high - d.mean],
                "color": by_direction[d.direction],
                "thickness": 3,
                "width": 8,
            },
            hovertext=f"mean {three_digits(d.mean)}, better in {d.wins} of {count(d.n, 'pair')}",
            hoverinfo="text",
        )
        named = True


def _draw_bound(figure: go.Figure, info: ProbeInfo, colours: Palette) -> None:
    first = next((k for k, value in enumerate(info.values) if value.past), None)
    if first is None:
        return
    x = (_place(info, first) + _place(info, first - 1)) / 2
    figure.add_vline(x=x, line={"color": colours.bound, "width": 2})
    figure.add_annotation(
        x=x,
        y=1,
        yref="paper",
        yanchor="bottom",
        text=f"bound {three_digits(info.bound)}",
        showarrow=False,
        font={"size": 11, "color": colours.muted},
    )


def _tick(value: ProbedValue) -> str:
    broke = f"<br>{value.n_broken} broke" if value.n_broken else ""
    return three_digits(value.value) + broke
