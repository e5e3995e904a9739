"""The numbers behind a verdict: where the best trials lie, what a surrogate believes, what broke where."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import fisher_exact

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_belief import Belief, EndBelief, beliefs
from tuning.analysis.saturation_scores import ScoredTrials

TOP_SHARE = 0.15  # of the ranked trials are called the best ones
TOP_LEAST = 5
OUTER_SHARE = 0.25  # where breaking training is looked for


@dataclass(frozen=True)
class EndEvidence:
    """What is known about one end of a range."""

    zone: float  # value at which the edge zone begins
    n_top: int  # of the best trials in the zone
    n_all: int  # of all ranked trials in the zone
    excess: float  # 0 to 1: how much denser the best are here than all are; 0 when they are not
    belief: (
        float | None
    )  # 0 to 1: how surely the optimum lies beyond this end; None where nothing can be said
    model: EndBelief | None  # the numbers that this belief comes from
    n_outer: int  # trials in the outer quarter, broken ones included
    n_outer_infeasible: int
    p_infeasible: float | None  # Fisher's exact test: does training break more often here than elsewhere?


@dataclass(frozen=True)
class Evidence:
    """What is known about one parameter."""

    n: int  # ranked trials that have the parameter
    n_distinct: int  # different values among them
    n_top: int
    top: tuple[int, ...]  # numbers of the best trials, best first
    n_infeasible: int
    p_effect: float | None  # F-test: could the parameter have no influence? None where it cannot be asked
    effect: float | None  # share of the scores' variance that goes with it, 0 to 1
    halves: tuple[float, float]  # share of all ranked trials in the lower and the upper half of the range
    span: tuple[float, float]  # 10 % and 90 % quantile of the best trials' places, in 0 to 1
    swing: (
        tuple[float, float] | None
    )  # 90 % interval: how far the score moves along the range, in its deviations
    profile: tuple[tuple[float, float, float], ...]  # (place, expected score, its standard deviation)
    low: EndEvidence
    high: EndEvidence


def study_evidence(scored: ScoredTrials, axes: Mapping[str, UnitAxis], *, least: int) -> dict[str, Evidence]:
    """Return the evidence for every parameter; no belief where fewer than `least` ranked trials have it."""
    believed = beliefs(scored, axes, least=least)
    return {name: _evidence(scored, axis, axes, believed.get(name)) for name, axis in axes.items()}


def _evidence(
    scored: ScoredTrials, axis: UnitAxis, axes: Mapping[str, UnitAxis], belief: Belief | None
) -> Evidence:
    placed = [
        (i, at) for i, t in enumerate(scored.ranked) if (at := axis.unit(t.params.get(axis.name))) is not None
    ]
    kept = {i for i, _ in placed}
    u = np.array([place for _, place in placed])
    place = dict(placed)
    n_top = min(len(u), max(TOP_LEAST, math.ceil(TOP_SHARE * len(u))))
    best = [i for i in scored.best if i in kept][:n_top]
    top = np.array([place[i] for i in best])
    broken = np.array([p for t in scored.infeasible if (p := axis.unit(t.params.get(axis.name))) is not None])
    p_effect, effect = _effect(scored, axis, axes, [i for i, _ in placed])
    return Evidence(
        n=len(u),
        n_distinct=len(np.unique(u)),
        n_top=len(top),
        top=tuple(scored.ranked[i].number for i in best),
        n_infeasible=len(broken),
        p_effect=p_effect,
        effect=effect,
        halves=(float(np.mean(u < 0.5)), float(np.mean(u >= 0.5))) if len(u) else (0.0, 0.0),
        span=tuple(np.quantile(top, [0.1, 0.9]).tolist()) if len(top) else (0.0, 1.0),
        swing=belief.swing if belief else None,
        profile=belief.profile if belief else (),
        low=_end(axis, u, top, broken, belief.low if belief else None, side=-1),
        high=_end(axis, u, top, broken, belief.high if belief else None, side=1),
    )


def _end(
    axis: UnitAxis, u: np.ndarray, top: np.ndarray, broken: np.ndarray, belief: EndBelief | None, *, side: int
) -> EndEvidence:
    def within(places: np.ndarray, share: float) -> int:
        distance = places if side < 0 else 1 - places
        return int(np.sum(distance <= share + 1e-9))

    n_top, n_all = within(top, axis.zone), within(u, axis.zone)
    s = n_top / len(top) if len(top) else 0.0
    m = n_all / len(u) if len(u) else 0.0
    outer = max(OUTER_SHARE, axis.zone)
    bad, good = within(broken, outer), within(u, outer)
    p = None
    if len(broken) and len(u):
        table = [[bad, good], [len(broken) - bad, len(u) - good]]
        p = float(fisher_exact(table, alternative="greater")[1])
    return EndEvidence(
        zone=axis.value(axis.zone if side < 0 else 1 - axis.zone),
        n_top=n_top,
        n_all=n_all,
        excess=max(0.0, (s - m) / (1 - m)) if m < 1 else 0.0,
        belief=belief.probability if belief else None,
        model=belief,
        n_outer=bad + good,
        n_outer_infeasible=bad,
        p_infeasible=p,
    )


def _effect(
    scored: ScoredTrials, axis: UnitAxis, axes: Mapping[str, UnitAxis], rows: Sequence[int]
) -> tuple[float | None, float | None]:
    """Return the p-value of "this parameter has no influence" and the share of variance that goes with it.

    An F-test of its slope and bend (or its levels) beside those of all other parameters and of the trial's
    index, which takes up the drift that a sampler causes by getting better.
    """
    y = scored.scores[list(rows)]
    n = len(y)
    mine = _columns(axis, scored, rows)
    others = [_columns(other, scored, rows) for other in axes.values() if other.name != axis.name]
    index = np.linspace(-1, 1, n)[:, None] if n else np.empty((0, 1))
    rest = np.hstack([np.ones((n, 1)), index, index**2, *others])
    full = np.hstack([rest, mine])
    if not mine.shape[1] or n < full.shape[1] + 5 or np.ptp(y) == 0:
        return None, None
    without, with_it = _residual(rest, y), _residual(full, y)
    df = n - full.shape[1]
    statistic = max(0.0, without - with_it) / mine.shape[1] / (with_it / df)
    effect = max(0.0, without - with_it) / float(np.sum((y - y.mean()) ** 2))
    return float(f_distribution.sf(statistic, mine.shape[1], df)), effect


def _columns(axis: UnitAxis, scored: ScoredTrials, rows: Sequence[int]) -> np.ndarray:
    """Return what stands for a parameter in the regression; missing values are the middle."""
    units = [axis.unit(scored.ranked[i].params.get(axis.name)) for i in rows]
    u = np.array([0.5 if p is None else p for p in units])
    if axis.ordered and (axis.levels is None or axis.levels > 2):
        z = 2 * u - 1
        return np.stack([z, z * z], axis=1)
    levels = sorted(set(u.tolist()))[1:][:20]
    return (
        np.stack([(u == level).astype(float) for level in levels], axis=1)
        if levels
        else np.empty((len(u), 0))
    )


def _residual(columns: np.ndarray, y: np.ndarray) -> float:
    weights, *_ = np.linalg.lstsq(columns, y, rcond=None)
    return float(np.sum((y - columns @ weights) ** 2)) + 1e-12
