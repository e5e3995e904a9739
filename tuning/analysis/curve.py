"""How one trial learned: training episodes, their running mean, and the evaluations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tuning.analysis.look import base_layout, palette
from tuning.analysis.outcomes import read_evaluations
from tuning.analysis.words import count, three_digits, whole

_MOST_DOTS = 2000


@dataclass(frozen=True)
class CurveInfo:
    """One trial's training over env steps; returns are undiscounted."""

    number: int | None  # of the trial
    episodes: tuple[tuple[int, float], ...]  # (env steps, return), thinned evenly when there are many
    running_mean: tuple[tuple[int, float], ...]  # over the last `window` episodes, from every episode
    window: int
    n_episodes: int
    evaluations: tuple[tuple[int, float, float | None, int | None], ...]  # (env steps, mean, std, episodes)


def not_ready(episodes: Sequence[Sequence[float]], evaluations: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why there is no curve, or None."""
    if _finite(episodes) or read_evaluations(list(evaluations)):
        return None
    return "This trial recorded no finished episode and no evaluation. Its curve begins with the first one."


def curve_info(
    episodes: Sequence[Sequence[float]],
    evaluations: Sequence[Mapping[str, Any]],
    *,
    number: int | None = None,
    window: int | None = None,
) -> CurveInfo:
    """Return the curve; pairs and records that are not finite are left out.

    Args:
        episodes: (env steps at the end, undiscounted return) of training episodes.
        evaluations: records as in the trial's user attribute: timesteps, mean, std, n_episodes.
        number: the trial's number.
        window: episodes in the running mean; by default a twentieth of them, 5 to 100.
    """
    finite = _finite(episodes)
    n = len(finite)
    width = max(1, window if window is not None else min(100, max(5, n // 20)))
    returns = np.array([r for _, r in finite])
    sums = np.concatenate([[0.0], np.cumsum(returns)])
    ends = np.arange(1, n + 1)
    starts = np.maximum(0, ends - width)
    means = (sums[ends] - sums[starts]) / (ends - starts)
    kept = _thinned(n)
    return CurveInfo(
        number=number,
        episodes=tuple(finite[i] for i in kept),
        # Parallel envs often end together: one mean for each step, or the line would jump up and down there.
        running_mean=tuple(
            (finite[i][0], float(means[i])) for i in kept if i == n - 1 or finite[i + 1][0] != finite[i][0]
        ),
        window=width,
        n_episodes=n,
        evaluations=tuple(
            (e.timesteps, e.mean, e.std, e.n_episodes) for e in read_evaluations(list(evaluations))
        ),
    )


def curve_figure(info: CurveInfo, *, theme: str = "light") -> go.Figure:
    """Draw the curve; an evaluation's bar is one standard deviation over its episodes."""
    colours = palette(theme)
    figure = go.Figure()
    name = "Trial" if info.number is None else f"Trial {info.number}"
    trial = [info.number]
    if info.episodes:
        steps = [t for t, _ in info.episodes]
        figure.add_scatter(
            x=steps,
            y=[float(f"{r:.6g}") for _, r in info.episodes],
            customdata=trial * len(steps),
            mode="markers",
            name="training episode",
            marker={"size": 3.5, "color": colours.complete, "opacity": 0.45},
            hovertemplate="episode at %{x:,} steps: %{y:.3~g}<extra></extra>",
        )
        figure.add_scatter(
            x=[t for t, _ in info.running_mean],
            y=[float(f"{r:.6g}") for _, r in info.running_mean],
            customdata=trial * len(steps),
            mode="lines",
            name=f"mean of {info.window} episodes",
            line={"color": colours.complete, "width": 2},
            hovertemplate="mean at %{x:,} steps: %{y:.3~g}<extra></extra>",
        )
    if info.evaluations:
        stds = [std for _, _, std, _ in info.evaluations]
        figure.add_scatter(
            x=[t for t, _, _, _ in info.evaluations],
            y=[mean for _, mean, _, _ in info.evaluations],
            error_y={
                "type": "data",
                "array": [std or 0 for std in stds],
                "visible": any(stds),
                "color": colours.best,
                "thickness": 1.5,
                "width": 5,
            },
            customdata=trial * len(stds),
            mode="lines+markers",
            name="evaluation ± std",
            line={"color": colours.best, "width": 1, "dash": "dot"},
            marker={"size": 10, "color": colours.best, "symbol": "diamond"},
            hovertext=[_words(*e) for e in info.evaluations],
            hoverinfo="text",
        )
        steps_at, mean, std, _ = info.evaluations[-1]
        spread = "" if std is None else f" ± {three_digits(std)}"
        title = f"{name}: {three_digits(mean)}{spread} at {whole(steps_at)} steps"
    elif info.running_mean:
        title = f"{name}: training mean {three_digits(info.running_mean[-1][1])}, not evaluated"
    else:
        title = f"{name}: nothing recorded"
    subtitle = f"{count(info.n_episodes, 'training episode')}, {count(len(info.evaluations), 'evaluation')}"
    base_layout(figure, theme=theme, title=title, subtitle=subtitle)
    figure.update_xaxes(title_text="env steps", tickformat=",", nticks=6, rangemode="tozero", showgrid=False)
    figure.update_yaxes(title_text="undiscounted return")
    return figure


def _finite(episodes: Sequence[Sequence[float]]) -> list[tuple[int, float]]:
    pairs = [(p[0], p[1]) for p in episodes if len(p) == 2]
    return sorted((int(t), float(r)) for t, r in pairs if math.isfinite(t) and math.isfinite(r))


def _thinned(n: int) -> list[int]:
    """Return evenly spread indices, always with the last one."""
    if n <= _MOST_DOTS:
        return list(range(n))
    return sorted({round(i * (n - 1) / (_MOST_DOTS - 1)) for i in range(_MOST_DOTS)})


def _words(timesteps: int, mean: float, std: float | None, n_episodes: int | None) -> str:
    spread = "" if std is None else f" ± {three_digits(std)}"
    over = "" if n_episodes is None else f"<br>{count(n_episodes, 'episode')}"
    return f"evaluation at {whole(timesteps)} steps<br>{three_digits(mean)}{spread}{over}"
