"""How does a candidate learn? The middle of its training runs on one grid of steps, with their spread."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from storage.live import Curve, read_curve
from storage.paths import RunFolder
from tuning.analysis.look import base_layout, empty_figure, palette
from tuning.analysis.words import count, safe, three_digits
from tuning.reevaluation import Reevaluation
from tuning.retraining_plan import RetrainPlan

HEIGHT = 380  # px
N_STEPS = 50  # points of the grid
_RUNS_FOR_QUARTILES = 5  # with fewer, the band is their whole range
_TITLE = "Learning curves"


@dataclass(frozen=True)
class Band:
    """The runs of one candidate at each step of the grid; steps before the first episode are left out."""

    name: str
    is_baseline: bool
    n_runs: int
    steps: tuple[int, ...]  # env steps
    middle: tuple[float, ...]  # median over the runs
    low: tuple[float, ...]  # lower quartile, or the lowest with few runs
    high: tuple[float, ...]
    is_quartiles: bool


@dataclass(frozen=True)
class LearningBands:
    """What there is to draw."""

    bands: tuple[Band, ...]
    n_timesteps: int


def learning_bands(
    curves: Mapping[str, Sequence[Curve]], *, baselines: frozenset[str] = frozenset(), n_timesteps: int
) -> LearningBands:
    """Summarise training returns over runs.

    A run's value at a step is the mean of its episodes that ended since the step before; where none did, its
    last value stays. A run that broke counts as long as it trained.

    Args:
        curves: training runs by the candidate's name.
        baselines: the names of those that are there to be compared with.
        n_timesteps: env steps of a run.
    """
    grid = np.linspace(n_timesteps / N_STEPS, n_timesteps, N_STEPS)
    bands = [_band(name, runs, grid, is_baseline=name in baselines) for name, runs in curves.items()]
    return LearningBands(tuple(b for b in bands if b is not None), n_timesteps)


def candidate_bands(
    folder: RunFolder,
    question: Reevaluation,
    plan: RetrainPlan,
    results: Collection[str],
    candidates: Sequence[str],
) -> LearningBands:
    """Read the curves of some candidates of a re-evaluation, and summarise them.

    Args:
        folder: of the re-evaluation.
        question: what it asks.
        plan: what it trains; the place of a run in it names its curve.
        results: keys of the runs that have ended; others may have half a curve.
        candidates: keys of those to show.
    """
    places = {run.key: index for index, run in enumerate(plan.runs)}
    by_key = {candidate.key: candidate for candidate in question.candidates}
    curves: dict[str, list[Curve]] = {}
    for key in candidates:
        keys = [question.run_key(by_key[key], seed) for seed in range(question.n_seeds)]
        ended = [places[k] for k in keys if k in results and k in places]
        curves[by_key[key].name] = [read_curve(folder, place) for place in ended]
    baselines = frozenset(by_key[key].name for key in candidates if by_key[key].is_baseline)
    steps = question.n_timesteps
    if question.study_seconds is not None:  # the clock ended the runs, each after steps of its own
        steps = max((e[0] for runs in curves.values() for c in runs for e in c.episodes), default=steps)
    return learning_bands(curves, baselines=baselines, n_timesteps=steps)


def learning_bands_figure(info: LearningBands, *, theme: str = "light") -> go.Figure:
    """Draw a line with a band for each candidate."""
    if not info.bands:
        why = "No training run has shown an episode yet."
        return empty_figure(theme=theme, title=_TITLE, why=why, height=HEIGHT)
    colours = palette(theme)
    figure = go.Figure()
    for band in info.bands:
        colour = colours.baseline if band.is_baseline else colours.best
        figure.add_scatter(
            x=[*band.steps, *reversed(band.steps)],
            y=[*band.high, *reversed(band.low)],
            mode="lines",
            fill="toself",
            fillcolor=_translucent(colour),
            line={"width": 0},
            showlegend=False,
            legendgroup=safe(band.name),
            hoverinfo="skip",
        )
    for band in info.bands:
        figure.add_scatter(
            x=band.steps,
            y=band.middle,
            mode="lines",
            name=f"{safe(band.name, 24)}, {count(band.n_runs, 'run')}",
            legendgroup=safe(band.name),
            line={
                "color": colours.baseline if band.is_baseline else colours.best,
                "dash": "dash" if band.is_baseline else "solid",
                "width": 2 if band.is_baseline else 3,
            },
            hovertemplate="%{x:,.0f} steps: %{y:.4~g}<extra></extra>",
        )
    holds = "holds the middle half of" if all(band.is_quartiles for band in info.bands) else "spans all of"
    subtitle = f"median of the runs; the band {holds} them"
    base_layout(figure, theme=theme, title=_title(info), subtitle=subtitle, height=HEIGHT)
    figure.update_xaxes(title_text="env steps", range=[0, info.n_timesteps], nticks=6)
    figure.update_yaxes(title_text="training return, with exploration", nticks=6)
    return figure


def _band(name: str, runs: Sequence[Curve], grid: np.ndarray, *, is_baseline: bool) -> Band | None:
    rows = [row for run in runs if (row := _on_grid(run, grid)) is not None]
    if not rows:
        return None
    table = np.array(rows)  # (n_runs, n_steps)
    there = np.isfinite(table).sum(axis=0) * 2 > len(rows)  # what most runs have reached
    if not there.any():
        return None
    table = table[:, there]
    is_quartiles = len(rows) >= _RUNS_FOR_QUARTILES
    low, high = (25, 75) if is_quartiles else (0, 100)
    return Band(
        name=name,
        is_baseline=is_baseline,
        n_runs=len(rows),
        steps=tuple(round(float(x)) for x in grid[there]),
        middle=_floats(np.nanmedian(table, axis=0)),
        low=_floats(np.nanpercentile(table, low, axis=0)),
        high=_floats(np.nanpercentile(table, high, axis=0)),
        is_quartiles=is_quartiles,
    )


def _on_grid(run: Curve, grid: np.ndarray) -> np.ndarray | None:
    """Return the run's value at each step; not a number before its first episode and after its end."""
    episodes = [(steps, value) for steps, value in run.episodes if np.isfinite(value)]
    if not episodes:
        return None
    steps = np.array([s for s, _ in episodes], dtype=float)
    values = np.array([v for _, v in episodes])
    cell = np.searchsorted(
        grid, steps
    )  # episodes that end past the last step, in a rollout begun before, join it
    cell = np.minimum(cell, len(grid) - 1)
    n = np.bincount(cell, minlength=len(grid))
    total = np.bincount(cell, weights=values, minlength=len(grid))
    row = np.full(len(grid), np.nan)
    row[n > 0] = total[n > 0] / n[n > 0]
    reached = int(cell.max())
    for index in range(1, reached + 1):
        if np.isnan(row[index]):
            row[index] = row[index - 1]
    if reached < len(grid) - 1 and _lasts_to_the_end(steps, grid):
        row[reached + 1 :] = row[reached]
    return row


def _lasts_to_the_end(steps: np.ndarray, grid: np.ndarray) -> bool:
    """Say whether the run may have gone on to its end: its last episode was no shorter than what is left."""
    ends = np.unique(np.concatenate([[0.0], steps]))
    longest = float(np.diff(ends).max()) if len(ends) > 1 else 0.0
    return bool(grid[-1] - steps.max() <= longest)


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _title(info: LearningBands) -> str:
    tuned = next((b for b in info.bands if not b.is_baseline), None)
    baseline = next((b for b in info.bands if b.is_baseline), None)
    if tuned is None or baseline is None:
        band = info.bands[0]
        return f"{safe(band.name)} ends training at {three_digits(band.middle[-1])}"
    return (
        f"{safe(tuned.name)} ends training at {three_digits(tuned.middle[-1])}, "
        f"{safe(baseline.name)} at {three_digits(baseline.middle[-1])}"
    )


def _translucent(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
