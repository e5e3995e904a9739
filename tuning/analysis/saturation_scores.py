"""What each trial is worth as evidence: a normal score by rank, so that only the order of values counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import norm, rankdata

from storage.trials import DIVERGED, failure_kind
from tuning.analysis.outcomes import number, value_of

_CAP = 0.5  # a pruned trial never ranks above this share of the complete ones


@dataclass(frozen=True)
class ScoredTrials:
    """The trials that say something about the objective, and those that broke."""

    ranked: tuple[FrozenTrial, ...]  # complete with a finite value, and pruned; by number
    scores: np.ndarray  # (n_ranked,), normal scores, higher is better
    best: tuple[int, ...]  # indices into `ranked` of the complete ones, best first
    infeasible: tuple[FrozenTrial, ...]  # failed by their own fault, without a finite value, or diverged


def score_trials(trials: Sequence[FrozenTrial], *, maximize: bool) -> ScoredTrials:
    """Rank complete trials by value; place pruned ones by their step.

    Optuna stores a pruned trial's last report as its value. It is not a result: the trial is placed where its
    report ranks among complete trials at the same step, and never in their better half.
    """
    sign = 1.0 if maximize else -1.0
    ordered = sorted(trials, key=lambda t: t.number)
    complete = [(t, sign * v) for t in ordered if (v := value_of(t)) is not None]
    ranks = rankdata([v for _, v in complete]) if complete else np.empty(0)
    ranked = [(t, float(r)) for (t, _), r in zip(complete, ranks, strict=True)]
    for trial in ordered:
        if trial.state == TrialState.PRUNED and DIVERGED not in trial.user_attrs and len(complete):
            share = _share_at_step(trial, [t for t, _ in complete], sign)
            ranked.append((trial, min(share, _CAP) * len(complete) + 0.25))  # between two complete ones
    ranked.sort(key=lambda pair: pair[0].number)
    worth = np.array([v for _, v in ranked])
    scores = norm.ppf((rankdata(worth) - 0.5) / len(worth)) if len(worth) else np.empty(0)
    indices = [i for i, (t, _) in enumerate(ranked) if t.state == TrialState.COMPLETE]
    best = sorted(indices, key=lambda i: (-ranked[i][1], ranked[i][0].number))
    return ScoredTrials(
        tuple(t for t, _ in ranked), scores, tuple(best), tuple(t for t in ordered if _is_infeasible(t))
    )


def _share_at_step(trial: FrozenTrial, complete: Sequence[FrozenTrial], sign: float) -> float:
    """Return which share of the complete trials the pruned one was ahead of at its last step."""
    reports = [(step, number(v)) for step, v in trial.intermediate_values.items()]
    finite = [(step, v) for step, v in reports if v is not None]
    if not finite:
        return _CAP / 2
    step, last = max(finite)
    peers = [v for t in complete if (v := number(t.intermediate_values.get(step))) is not None]
    if not peers:
        return _CAP / 2
    return sum(sign * v < sign * last for v in peers) / len(peers)


def _is_infeasible(trial: FrozenTrial) -> bool:
    if trial.state == TrialState.FAIL:
        return failure_kind(trial) == "error"  # killed and stopped trials say nothing about the configuration
    if trial.state == TrialState.PRUNED:
        return DIVERGED in trial.user_attrs
    single = trial.values is None or len(trial.values) == 1
    return trial.state == TrialState.COMPLETE and single and value_of(trial) is None
