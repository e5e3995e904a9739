"""How a sampler concentrates: which values it tried, from the first trial to the last."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from storage.trials import counted
from tuning.analysis.look import base_layout, palette, three_digits
from tuning.analysis.outcomes import finite_ranked

HEIGHT = 340  # px
_BEST_SHARE = 0.25  # of the complete trials


@dataclass(frozen=True)
class ConcentrationInfo:
    """One parameter's values in the order of the trials."""

    name: str
    low: float  # declared
    high: float
    log: bool
    n_startup: int  # random trials before the sampler models anything
    good: tuple[tuple[int, float], ...]  # (trial, value) of the best quarter of the complete ones
    others: tuple[tuple[int, float], ...]
    usual: tuple[float, float]  # range of the middle half of the last third of the trials


def concentration_info(
    trials: Sequence[FrozenTrial], name: str, *, n_startup: int, maximize: bool
) -> ConcentrationInfo:
    """Return how one numeric parameter was sampled over a study's own trials.

    Args:
        trials: of a study.
        name: stored name of the parameter.
        n_startup: random trials before the sampler models anything.
        maximize: the study's direction.
    """
    shown = [t for t in counted(trials) if name in t.params]
    distribution = shown[0].distributions[name]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    ranked = finite_ranked(shown, maximize=maximize)
    best = {t.number for t in ranked[: max(1, round(_BEST_SHARE * len(ranked)))]}
    late = sorted(t.params[name] for t in shown[-(len(shown) // 3) :])
    return ConcentrationInfo(
        name=name,
        low=float(distribution.low),
        high=float(distribution.high),
        log=distribution.log,
        n_startup=n_startup,
        good=tuple((t.number, t.params[name]) for t in shown if t.number in best),
        others=tuple((t.number, t.params[name]) for t in shown if t.number not in best),
        usual=(late[len(late) // 4], late[-1 - len(late) // 4]),
    )


def concentration_figure(info: ConcentrationInfo, *, theme: str = "light") -> go.Figure:
    """Draw the values over the trials, the best ones filled."""
    colours = palette(theme)
    figure = go.Figure()
    for label, points, colour, symbol in (
        ("others", info.others, colours.complete, "circle-open"),
        ("best quarter", info.good, colours.best, "star"),
    ):
        figure.add_scatter(
            x=[number for number, _ in points],
            y=[value for _, value in points],
            mode="markers",
            name=label,
            marker={"symbol": symbol, "size": 9 if symbol == "star" else 7, "color": colour},
            hovertemplate=f"trial %{{x}}: {info.name} %{{y:.3~g}}<extra></extra>",
        )
    low, high = (three_digits(float(f"{v:.2g}")) for v in info.usual)
    title = f"Late trials stay near {low} to {high}"
    sub = f"{info.name}, declared {three_digits(info.low)} to {three_digits(info.high)}"
    base_layout(figure, theme=theme, title=title, subtitle=sub, height=HEIGHT)
    for bound in (info.low, info.high):
        figure.add_hline(y=bound, line={"width": 1.4, "color": colours.bound})
    figure.add_vrect(
        x0=-0.5, x1=info.n_startup - 0.5, fillcolor=colours.grid, opacity=0.5, line_width=0, layer="below"
    )
    figure.add_annotation(
        text="random", x=info.n_startup / 2, y=1, yref="y domain", yanchor="bottom", showarrow=False
    )
    figure.update_xaxes(title_text="trial", showgrid=False)
    middle = math.sqrt(info.low * info.high) if info.log else (info.low + info.high) / 2
    ticks = [info.low, middle, info.high]
    figure.update_yaxes(
        title_text=info.name,
        type="log" if info.log else "linear",
        tickvals=ticks,
        ticktext=[three_digits(v) for v in ticks],
    )
    return figure
