"""Linear against logarithmic sampling of a rate, with draws of Optuna's own sampler."""

import math
from dataclasses import dataclass

import optuna
import plotly.graph_objects as go
from optuna.distributions import BaseDistribution, FloatDistribution

from tuning.analysis.look import base_layout, palette, three_digits

HEIGHT = 280  # px
N_DRAWS = 200


@dataclass(frozen=True)
class ScalesInfo:
    """Draws of one parameter from the same range on both scales."""

    name: str
    low: float
    high: float
    middle: float  # where half of the decades are done
    linear: tuple[float, ...]
    log: tuple[float, ...]

    def share_below(self, values: tuple[float, ...]) -> float:
        """Return the share of draws below the middle of the decades, 0 to 1."""
        return sum(v < self.middle for v in values) / len(values)


def scales_info(
    *, name: str = "learning_rate", low: float = 3e-5, high: float = 3e-3, n: int = N_DRAWS, seed: int = 0
) -> ScalesInfo:
    """Draw a parameter from a range on a linear and on a log scale.

    Args:
        name: of the parameter.
        low: end of the range.
        high: end of the range.
        n: draws on each scale.
        seed: of the draws.
    """
    draws = []
    for log in (False, True):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        ranges: dict[str, BaseDistribution] = {name: FloatDistribution(low, high, log=log)}
        draws.append(tuple(float(study.ask(ranges).params[name]) for _ in range(n)))
    return ScalesInfo(name, low, high, math.sqrt(low * high), draws[0], draws[1])


def scales_figure(info: ScalesInfo, *, theme: str = "light") -> go.Figure:
    """Draw both sets of draws above each other, on a log axis."""
    colours = palette(theme)
    figure = go.Figure()
    rows = (("linear", info.linear, colours.pruned), ("log", info.log, colours.best))
    for name, values, colour in rows:
        below = info.share_below(values)
        figure.add_scatter(
            x=values,
            y=[name] * len(values),
            mode="markers",
            marker={"symbol": "line-ns", "size": 26, "line": {"width": 1.3, "color": colour}, "opacity": 0.6},
            hovertemplate=f"{name}: %{{x:.3~g}}<extra></extra>",
            showlegend=False,
        )
        for x, share in ((0.25, below), (0.75, 1 - below)):
            figure.add_annotation(
                text=f"{share:.0%}",
                xref="paper",
                x=x,
                y=name,
                yshift=30,
                showarrow=False,
                font={"size": 12, "color": colours.text},
            )
    title = f"On a linear scale {info.share_below(info.linear):.0%} of the trials explore the lower decade"
    ends = f"{three_digits(info.low)} to {three_digits(info.high)}"
    sub = f"{len(info.log)} random draws of {info.name} from {ends}, share in each decade"
    base_layout(figure, theme=theme, title=title, subtitle=sub, height=HEIGHT)
    edges = [math.log10(info.low) - 0.03, math.log10(info.high) + 0.03]
    ticks = [info.low, info.middle, info.high]
    figure.update_xaxes(
        type="log",
        range=edges,
        showgrid=False,
        tickvals=ticks,
        ticktext=[three_digits(v) for v in ticks],
        title_text=info.name,
    )
    figure.update_yaxes(
        showgrid=False, categoryorder="array", categoryarray=["log", "linear"], range=[-0.5, 1.8]
    )
    figure.add_vline(x=info.middle, line={"width": 1, "dash": "dash", "color": colours.baseline})
    return figure
