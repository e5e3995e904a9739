"""How far the mean of a few episodes is from an agent's true mean return."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from tuning.analysis.look import base_layout, count, palette, three_digits, whole

HEIGHT = 340  # px
N_EPISODES = (1, 3, 10, 30)
N_DRAWS = 200  # of evaluations of each size


@dataclass(frozen=True)
class NoiseInfo:
    """What evaluations of several sizes would have measured of one agent."""

    agent: str
    returns: tuple[float, ...]  # undiscounted, of the episodes that were really played
    mean: float
    std: float  # over episodes, sample
    sizes: tuple[int, ...]  # episodes of an evaluation
    evaluations: tuple[tuple[float, ...], ...]  # for each size: means of episodes drawn from `returns`

    def standard_error(self, n: int) -> float:
        """Return the standard error of the mean of `n` episodes."""
        return float(self.std / np.sqrt(n))


def noise_info(agent: str, returns: np.ndarray, *, seed: int = 0) -> NoiseInfo:
    """Draw evaluations of several sizes from the returns of one agent, with replacement.

    Args:
        agent: what to call it.
        returns: (n_episodes,), undiscounted; at least two.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(returns, size=(N_DRAWS, n)).mean(axis=1) for n in N_EPISODES]
    return NoiseInfo(
        agent=agent,
        returns=tuple(float(r) for r in returns),
        mean=float(returns.mean()),
        std=float(returns.std(ddof=1)),
        sizes=N_EPISODES,
        evaluations=tuple(tuple(float(v) for v in values) for values in drawn),
    )


def noise_figure(info: NoiseInfo, *, theme: str = "light") -> go.Figure:
    """Draw what evaluations of each size measure, with one standard error to each side of the mean."""
    colours = palette(theme)
    figure = go.Figure()
    jitter = np.random.default_rng(0).uniform(-0.28, 0.28, N_DRAWS)
    for place, (n, values) in enumerate(zip(info.sizes, info.evaluations, strict=True)):
        figure.add_scatter(
            x=place + jitter,
            y=values,
            mode="markers",
            marker={"size": 4, "color": colours.complete, "opacity": 0.45},
            hovertemplate=f"{count(n, 'episode')}: %{{y:.3~g}}<extra></extra>",
            showlegend=False,
        )
        error = info.standard_error(n)
        figure.add_scatter(
            x=[place],
            y=[info.mean],
            error_y={"type": "constant", "value": error, "thickness": 2.5, "width": 9, "color": colours.best},
            mode="markers",
            marker={"size": 7, "color": colours.best},
            hovertemplate=f"standard error {three_digits(error)}<extra></extra>",
            showlegend=False,
        )
    ten = three_digits(float(f"{info.standard_error(10):.2g}"))
    title = f"10 episodes leave a standard error of {ten}"
    sub = f"one agent, {info.agent}: {N_DRAWS} evaluations of each size, from {len(info.returns)} episodes"
    base_layout(figure, theme=theme, title=title, subtitle=sub, height=HEIGHT)
    figure.add_hline(y=info.mean, line={"width": 1, "dash": "dash", "color": colours.baseline})
    figure.update_xaxes(
        tickvals=list(range(len(info.sizes))),
        ticktext=[whole(n) for n in info.sizes],
        title_text="episodes of an evaluation",
        showgrid=False,
    )
    figure.update_yaxes(title_text="mean return")
    return figure
