"""Which parameters decide whether a trial is among the best? PED-ANOVA importance."""

import logging
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import optuna
import plotly.graph_objects as go
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, create_trial

from tuning.analysis.look import base_layout, palette
from tuning.analysis.outcomes import finite_values, nothing_complete
from tuning.analysis.space import CATEGORICAL, INT, DeclaredAxis, declared_space
from tuning.analysis.words import count, safe

MIN_TRIALS = 10
_TOP_TRIALS = 5  # PED-ANOVA wants at least five trials above its quantile (its docstring)
_TOP_QUANTILE = 0.1


@dataclass(frozen=True)
class ImportanceInfo:
    """Shares of importance, largest first; they sum to 1."""

    importances: tuple[tuple[str, float], ...]  # (parameter, share), ties by name
    n_trials: int  # complete trials it rests on
    n_top: int  # of them, those whose parameters are told apart from the rest
    conditional: tuple[str, ...]  # parameters that only some of these trials have
    problem: str | None = None  # a sentence, when it cannot be computed


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why importance cannot be told, or None."""
    missing = nothing_complete(trials, needed=MIN_TRIALS)
    if missing is not None:
        return missing
    if len(set(finite_values(trials).values())) < 2:
        return "All complete trials have the same value, so no parameter explains a difference. Run more."
    if not any(axis.end > axis.start for axis in declared_space(trials).values()):
        return "No parameter of this study varies. Widen the search space and launch again."
    return None


def importance_info(trials: Sequence[FrozenTrial], *, maximize: bool) -> ImportanceInfo:
    """Return how much each parameter separates the best trials from the others.

    Trials are first brought to one declared space, since changed bounds must not split the study.
    The top is the best tenth, or five trials where that is more. Nothing in it is random.

    Source: PED-ANOVA (arXiv 2304.10255) and its conditional form (arXiv 2601.20800), as in Optuna.
    """
    values = finite_values(trials)
    used = sorted((t for t in trials if t.number in values), key=lambda t: t.number)
    space = {name: axis for name, axis in declared_space(used).items() if axis.end > axis.start}
    quantile = min(0.5, max(_TOP_QUANTILE, _TOP_TRIALS / len(used))) if used else 0.5
    n_top = math.ceil(quantile * len(used))
    conditional = tuple(sorted(n for n in space if any(n not in t.params for t in used)))
    problem = not_ready(trials)
    raw: dict[str, float] = {}
    if problem is None:
        try:
            raw = _evaluate(used, values, space, quantile, maximize=maximize)
        except Exception as error:
            problem = (
                f"Importance could not be computed ({type(error).__name__}). The slices show every trial."
            )
        else:
            total = sum(raw.values())
            if not (math.isfinite(total) and total > 0):
                problem = "The best trials have the same parameters as the others, so none stands out yet."
    if problem is not None:
        return ImportanceInfo((), len(used), n_top, conditional, problem)
    shares = sorted(((name, raw[name] / total) for name in raw), key=lambda item: (-item[1], item[0]))
    return ImportanceInfo(tuple(shares), len(used), n_top, conditional)


def importance_figure(info: ImportanceInfo, *, theme: str = "light") -> go.Figure:
    """Draw horizontal bars, the most important on top."""
    colours = palette(theme)
    figure = go.Figure()
    bars = info.importances[::-1]
    if bars:
        name, share = info.importances[0]
        title = f"{safe(name, 30)} matters most: {share:.0%}"
        subtitle = (
            f"what sets the best {info.n_top} of {count(info.n_trials, 'complete trial')} apart (PED-ANOVA)"
        )
        if info.n_trials < 30:
            subtitle += ". A rough guide below 30 trials"
        if info.conditional:
            subtitle += f". * {count(len(info.conditional), 'parameter')} not in every trial"
    else:
        title, subtitle = "Parameter importance", safe(info.problem or "no parameter to show", 200)
    rows = list(range(len(bars)))
    figure.add_bar(
        orientation="h",
        x=[share for _, share in bars],
        y=rows,
        text=[f"{share:.0%}" for _, share in bars],
        textposition="outside",
        textfont={"color": colours.text},
        cliponaxis=False,
        marker={"color": [colours.complete] * (len(bars) - 1) + [colours.best]},
        hovertext=[f"{safe(name, 60)}: {share:.1%}" for name, share in bars],
        hoverinfo="text",
        showlegend=False,
    )
    base_layout(figure, theme=theme, title=title, subtitle=subtitle, height=max(240, 130 + 28 * len(bars)))
    most = max((share for _, share in bars), default=1.0)
    figure.update_xaxes(title_text="share of importance", tickformat=".0%", range=[0, most * 1.15], nticks=5)
    labels = [safe(n, 22) + (" *" if n in info.conditional else "") for n, _ in bars]
    figure.update_yaxes(tickvals=rows, ticktext=labels, showgrid=False)
    if not bars:
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return figure


def _evaluate(
    trials: Sequence[FrozenTrial],
    values: dict[int, float],
    space: dict[str, DeclaredAxis],
    quantile: float,
    *,
    maximize: bool,
) -> dict[str, float]:
    distributions = {name: _distribution(axis) for name, axis in space.items()}
    copies = []
    for trial in trials:
        params = {}
        for name, axis in space.items():
            if name in trial.params and (position := axis.position(trial.params[name])) is not None:
                params[name] = _inside(axis, position)
        copies.append(
            create_trial(
                value=values[trial.number],
                params=params,
                distributions={name: distributions[name] for name in params},
            )
        )
    # Creating a study in memory logs a line each time, which a page would repeat at every visit.
    logging.getLogger("optuna.storages._in_memory").setLevel(logging.WARNING)
    study = optuna.create_study(direction="maximize" if maximize else "minimize")
    study.add_trials(copies)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of regimes with one trial; the figure says "rough guide"
        evaluator = PedAnovaImportanceEvaluator(target_quantile=quantile)
        return {name: float(x) for name, x in evaluator.evaluate(study).items()}


def _distribution(axis: DeclaredAxis) -> BaseDistribution:
    if axis.kind == CATEGORICAL:
        return CategoricalDistribution(tuple(range(len(axis.choices))))
    if axis.kind == INT:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def _inside(axis: DeclaredAxis, position: float) -> float:
    """Return the value at a position, within the declared bounds: an enqueued trial may lie outside."""
    if axis.kind == CATEGORICAL:
        return int(position)
    value = min(max(10**position if axis.log else position, axis.low), axis.high)
    return round(value) if axis.kind == INT else value
