"""The numbers behind a verdict: where the best trials lie, what a surrogate believes, what broke where."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import fisher_exact
from threadpoolctl import threadpool_limits

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_belief import Belief, EndBelief, beliefs
from tuning.analysis.saturation_effect import Effect, group_effects
from tuning.analysis.saturation_places import groups, units
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
    belief: float | None  # 0 to 1: how surely the optimum lies beyond this end; None: nothing can be said
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
    feasible: tuple[float, float]  # 5 % and 95 % quantile of all ranked trials' places
    span: tuple[float, float]  # 10 % and 90 % quantile of the best trials' places, in 0 to 1
    swing: tuple[float, float] | None  # 90 % interval: how far the score moves along it, in its deviations
    profile: tuple[tuple[float, float, float], ...]  # (place, expected score, its standard deviation)
    low: EndEvidence
    high: EndEvidence


def study_evidence(scored: ScoredTrials, axes: Mapping[str, UnitAxis], *, least: int) -> dict[str, Evidence]:
    """Return the evidence for every parameter; no belief where fewer than `least` ranked trials have it."""
    places = units(scored, axes)
    effects: dict[str, Effect] = {}
    believed: dict[str, Belief] = {}
    with threadpool_limits(1, user_api="blas"):  # matrices this small only suffer from more threads
        for group in groups(scored, places):
            effects |= group_effects(group, axes)
            if len(group.rows) >= least:
                believed |= beliefs(group, axes)
    return {
        name: _evidence(scored, axes[name], places[name], effects.get(name), believed.get(name))
        for name in axes
    }


def _evidence(
    scored: ScoredTrials, axis: UnitAxis, place: np.ndarray, effect: Effect | None, belief: Belief | None
) -> Evidence:
    u = place[np.isfinite(place)]
    best = _best(scored, place)
    top = place[best]
    broken = np.array([p for t in scored.infeasible if (p := axis.unit(t.params.get(axis.name))) is not None])
    return Evidence(
        n=len(u),
        n_distinct=len(np.unique(u)),
        n_top=len(top),
        top=tuple(scored.ranked[i].number for i in best),
        n_infeasible=len(broken),
        p_effect=effect.p if effect else None,
        effect=effect.share if effect else None,
        halves=(float(np.mean(u < 0.5)), float(np.mean(u >= 0.5))) if len(u) else (0.0, 0.0),
        span=_quantiles(top, 0.1, 0.9),
        feasible=_quantiles(u, 0.05, 0.95),
        swing=belief.swing if belief else None,
        profile=belief.profile if belief else (),
        low=_end(axis, u, top, broken, belief.low if belief else None, side=-1),
        high=_end(axis, u, top, broken, belief.high if belief else None, side=1),
    )


def _best(scored: ScoredTrials, place: np.ndarray) -> list[int]:
    """Return the best complete trials that have the parameter, and all that tie with the last of them."""
    candidates = [i for i in scored.best if np.isfinite(place[i])]
    n = max(TOP_LEAST, math.ceil(TOP_SHARE * int(np.isfinite(place).sum())))
    if len(candidates) <= n:
        return candidates
    worst = scored.scores[candidates[n - 1]]
    return [i for i in candidates if scored.scores[i] >= worst]


def _quantiles(places: np.ndarray, low: float, high: float) -> tuple[float, float]:
    return tuple(np.quantile(places, [low, high]).tolist()) if len(places) else (0.0, 1.0)


def _end(
    axis: UnitAxis, u: np.ndarray, top: np.ndarray, broken: np.ndarray, belief: EndBelief | None, *, side: int
) -> EndEvidence:
    def within(places: np.ndarray, share: float) -> int:
        distance = places if side < 0 else 1 - places
        return int(np.sum(distance <= share + 1e-9))

    zone = axis.zones[0 if side < 0 else 1]
    n_top, n_all = within(top, zone), within(u, zone)
    outer = max(OUTER_SHARE, zone)
    bad, good = within(broken, outer), within(u, outer)
    p = None
    if len(broken) and len(u):
        table = [[bad, good], [len(broken) - bad, len(u) - good]]
        p = float(fisher_exact(table, alternative="greater")[1])
    return EndEvidence(
        zone=axis.value(zone if side < 0 else 1 - zone),
        n_top=n_top,
        n_all=n_all,
        belief=belief.probability if belief else None,
        model=belief,
        n_outer=bad + good,
        n_outer_infeasible=bad,
        p_infeasible=p,
    )
