"""What a pruner cuts: Optuna's median pruner, replayed on trainings that were recorded to their end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
import plotly.graph_objects as go

from tuning.analysis.look import base_layout, palette, three_digits, whole

HEIGHT = 360  # px
N_TRIALS = 60
N_STARTUP = 10


@dataclass(frozen=True)
class PrunedTraining:
    """One recorded training and where the pruner ended it."""

    number: int
    steps: tuple[int, ...]  # env steps of its evaluations
    values: tuple[float, ...]  # mean return of each
    cut: int | None  # index of the evaluation after which it was ended; None: it ran to its end

    @property
    def seen(self) -> int:
        """Return how many of its evaluations took place."""
        return len(self.values) if self.cut is None else self.cut + 1


@dataclass(frozen=True)
class PruningInfo:
    """What one pruner does to a list of trainings."""

    warmup_fraction: float
    trainings: tuple[PrunedTraining, ...]
    best: int  # number of the training that ends best when nothing is cut
    kept: int  # number of the one that ends best among those that were not cut

    @property
    def n_cut(self) -> int:
        """Return how many were ended early."""
        return sum(t.cut is not None for t in self.trainings)

    @property
    def saved_share(self) -> float:
        """Return the share of all env steps that were not trained, 0 to 1."""
        trained = sum(t.steps[t.seen - 1] for t in self.trainings)
        return 1 - trained / sum(t.steps[-1] for t in self.trainings)

    @property
    def lost(self) -> float:
        """Return by how much the best of the survivors is worse than the best of all."""
        ends = {t.number: t.values[-1] for t in self.trainings}
        return ends[self.best] - ends[self.kept]


def pruning_info(
    means: np.ndarray, marks: Sequence[int], *, warmup_fraction: float, n_startup: int = N_STARTUP
) -> PruningInfo:
    """Replay the median pruner on trainings, one after the other.

    Args:
        means: (n_trainings, n_marks), mean return of each evaluation; higher is better.
        marks: env steps of the evaluations, ascending.
        warmup_fraction: share of a training before which nothing is cut.
        n_startup: complete trainings before anything is cut.
    """
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=n_startup, n_warmup_steps=int(warmup_fraction * marks[-1])
    )
    study = optuna.create_study(direction="maximize", pruner=pruner)
    trainings = []
    for number, values in enumerate(means):
        trial, cut = study.ask(), None
        for index, (step, value) in enumerate(zip(marks, values, strict=True)):
            trial.report(float(value), step)
            if index < len(marks) - 1 and trial.should_prune():
                cut = index
                break
        state = optuna.trial.TrialState.COMPLETE if cut is None else optuna.trial.TrialState.PRUNED
        study.tell(trial, float(values[-1]) if cut is None else None, state)
        trainings.append(PrunedTraining(number, tuple(marks), tuple(float(v) for v in values), cut))
    survivors = [t for t in trainings if t.cut is None]
    return PruningInfo(
        warmup_fraction,
        tuple(trainings),
        best=max(trainings, key=lambda t: t.values[-1]).number,
        kept=max(survivors, key=lambda t: t.values[-1]).number,
    )


def pruning_figure(info: PruningInfo, *, theme: str = "light") -> go.Figure:
    """Draw every training up to where it was ended, and what would have come of it."""
    colours = palette(theme)
    figure = go.Figure()
    cut = [t for t in info.trainings if t.cut is not None]
    groups = (
        (
            "not trained",
            [(t.steps[t.seen - 1 :], t.values[t.seen - 1 :]) for t in cut],
            "pruned",
            "dot",
            0.35,
        ),
        ("pruned", [(t.steps[: t.seen], t.values[: t.seen]) for t in cut], "pruned", "solid", 0.8),
        (
            "complete",
            [(t.steps, t.values) for t in info.trainings if t.cut is None],
            "complete",
            "solid",
            0.5,
        ),
        (
            "best of all",
            [(t.steps, t.values) for t in info.trainings if t.number == info.best],
            "best",
            "solid",
            1,
        ),
    )
    for name, lines, role, dash, opacity in groups:
        x: list[int | None] = []
        y: list[float | None] = []
        for steps, values in lines:
            x += [*steps, None]
            y += [*values, None]
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name=name,
            opacity=opacity,
            line={"color": getattr(colours, role), "dash": dash, "width": 3.5 if role == "best" else 1.4},
            hoverinfo="skip",
        )
    title = f"{info.n_cut} of {len(info.trainings)} trials cut, {info.saved_share:.0%} of the steps saved"
    if info.best == info.kept:
        sub = "the best one survives"
    else:
        sub = f"the best one is among them: the next best ends {three_digits(info.lost)} lower"
    base_layout(figure, theme=theme, title=title, subtitle=sub, height=HEIGHT)
    last = info.trainings[0].steps[-1]
    figure.add_vrect(
        x0=0,
        x1=info.warmup_fraction * last,
        fillcolor=colours.grid,
        opacity=0.5,
        line_width=0,
        layer="below",
    )
    figure.update_xaxes(title_text="env steps", range=[0, last * 1.02], tickformat=",", showgrid=False)
    figure.update_yaxes(title_text="mean return")
    return figure


def pruning_words(info: PruningInfo) -> str:
    """Return what the pruner did, in one sentence."""
    early = whole(round(info.warmup_fraction * info.trainings[0].steps[-1]))
    fate = "and the best training survives" if info.best == info.kept else "and the best training is lost"
    return f"No pruning before {early} steps: {info.n_cut} of {len(info.trainings)} are cut, {fate}."
