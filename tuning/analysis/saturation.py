"""Was the search space too narrow, too wide, or fine? One verdict for each parameter, with its evidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from tuning.analysis.outcomes import nothing_complete
from tuning.analysis.saturation_axis import UnitAxis, unit_axes
from tuning.analysis.saturation_evidence import TOP_LEAST, EndEvidence, Evidence, study_evidence
from tuning.analysis.saturation_range import narrowed_range, widened_range
from tuning.analysis.saturation_scores import score_trials
from tuning.analysis.saturation_words import sentence
from tuning.analysis.space import DeclaredAxis
from tuning.analysis.verdicts import Confidence, Side, Verdict
from tuning.space.limits import Limit

LEAST_TRIALS = 30  # ranked ones; below this there is no verdict
LEAST_VALUES = 3  # different ones
NO_EFFECT_TRIALS = 50
CONFIDENT = 0.9  # belief that the optimum lies beyond a bound: right in 95 of 100 on the tuning families
LIKELY = 0.6  # right in 85 of 100
DOUBTED = 0.2  # below this the model does not expect better values there
MUCH_NARROWER = 0.7  # of the range: a suggestion that saves less is not worth a word
_NEAR_BROKEN = 0.15  # of the range
_FEW = 4  # trials in an outer quarter, below which nothing is said about it
_NEAR_LIMIT = 0.05  # of the range's width: closer than this to a natural limit, a bound cannot move
_NO_LIMITS: Mapping[str, Limit] = {}


@dataclass(frozen=True)
class ParameterSaturation:
    """The verdict on one parameter's range."""

    name: str
    axis: DeclaredAxis
    verdict: Verdict
    side: Side | None  # of the bound that the verdict is about
    confidence: Confidence | None  # of an edge verdict
    low: float | None  # declared bounds; None where the choices have no order
    high: float | None
    suggested: tuple[float, float] | None  # a range to try next; only for edge and too wide
    limit: Limit | None  # natural limit, where there is one
    missing: int  # trials still needed for a verdict; 0 when there are enough
    evidence: Evidence
    sentence: str  # plain text


@dataclass(frozen=True)
class SaturationInfo:
    """Every parameter's verdict, most urgent first."""

    maximize: bool
    n_finished: int  # finished trials this was computed from
    n_ranked: int  # of those, complete or pruned with something to rank
    parameters: tuple[ParameterSaturation, ...]

    @property
    def worst(self) -> ParameterSaturation | None:
        """The most urgent verdict, or None when no parameter varies."""
        return self.parameters[0] if self.parameters else None


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why nothing at all can be said yet, or None; too few trials is a verdict of its own."""
    missing = nothing_complete(trials)
    if missing is None and not unit_axes(trials):
        return "No parameter of this study varies: there is no range to judge."
    return missing


def saturation_info(
    trials: Sequence[FrozenTrial], *, maximize: bool, limits: Mapping[str, Limit] = _NO_LIMITS
) -> SaturationInfo:
    """Judge every parameter's declared range by the finished trials of any Optuna study.

    Args:
        trials: of one objective, in any state; running ones are left out.
        maximize: the direction.
        limits: natural limits by parameter name; a bound that lies at one is never to be widened.
    """
    finished = [t for t in trials if t.state.is_finished()]
    axes = unit_axes(finished)
    scored = score_trials(finished, maximize=maximize)
    evidence = study_evidence(scored, axes, least=LEAST_TRIALS)
    found = [_judge(axes[name], evidence[name], limits.get(name), len(scored.ranked)) for name in axes]
    found.sort(key=_urgency)
    return SaturationInfo(maximize, len(finished), len(scored.ranked), tuple(found))


def _judge(axis: UnitAxis, e: Evidence, limit: Limit | None, n_ranked: int) -> ParameterSaturation:
    limit = limit if limit is not None and _keeps_to(axis, limit) else None
    verdict, side, confidence = _verdict(axis, e, limit)
    suggested = None
    if verdict == Verdict.EDGE and side is not None:
        suggested = widened_range(axis, side, limit)
    elif verdict == Verdict.TOO_WIDE:
        suggested = narrowed_range(axis, *_enough(e))
    missing = _missing(e, n_ranked) if verdict == Verdict.NOT_ENOUGH else 0
    return ParameterSaturation(
        name=axis.name,
        axis=axis.declared,
        verdict=verdict,
        side=side,
        confidence=confidence,
        low=axis.low if axis.ordered else None,
        high=axis.high if axis.ordered else None,
        suggested=suggested,
        limit=limit,
        missing=missing,
        evidence=e,
        sentence=sentence(
            axis, verdict, side, confidence, e, suggested=suggested, limit=limit, missing=missing
        ),
    )


def _keeps_to(axis: UnitAxis, limit: Limit) -> bool:
    """Say whether the declared range does: else a namesake is meant, as the gamma of a kernel."""
    return not axis.ordered or (limit.admits(axis.low) and limit.admits(axis.high))


def _missing(e: Evidence, n_ranked: int) -> int:
    """Return how many more trials a verdict needs, if as many of them have the parameter as up to now."""
    lacking = max(LEAST_TRIALS - e.n, TOP_LEAST - e.n_top, 0)
    share = e.n / n_ranked if e.n else 1.0
    return math.ceil(lacking / share)


def _verdict(
    axis: UnitAxis, e: Evidence, limit: Limit | None
) -> tuple[Verdict, Side | None, Confidence | None]:
    few_values = e.n_distinct < min(LEAST_VALUES, axis.levels or LEAST_VALUES)
    if e.n < LEAST_TRIALS or e.n_top < TOP_LEAST or few_values:
        return Verdict.NOT_ENOUGH, None, None
    ends: tuple[tuple[Side, EndEvidence], ...] = (("low", e.low), ("high", e.high)) if axis.has_ends else ()
    for side, end in ends:
        confidence = _edge_confidence(end)
        stuck = _at_limit(axis, limit, side) or widened_range(axis, side, limit) is None
        if confidence is not None and stuck:
            return Verdict.NATURAL_LIMIT, side, None
        if _breaks(end) and (confidence is not None or _best_beside(e, side)):
            return Verdict.STABILITY, side, None
        if confidence is not None:
            return Verdict.EDGE, side, confidence
    for side, end in ends:
        if end.n_outer == 0:
            return Verdict.HERDED, side, None
    gate = e.p_effect is not None and e.p_effect < 0.05
    for side, end in ends:
        doubted = not gate or (end.belief or 0.0) >= DOUBTED
        stuck = _at_limit(axis, limit, side) or widened_range(axis, side, limit) is None
        if end.n_top >= 0.5 * e.n_top and doubted and not stuck:
            return Verdict.WATCH, side, None
    if not gate:
        if ends and min(e.halves) < 0.15:
            return Verdict.HERDED, "low" if e.halves[0] < e.halves[1] else "high", None
        if e.n >= NO_EFFECT_TRIALS and e.p_effect is not None:
            return Verdict.NO_EFFECT, None, None
    elif ends and e.p_effect is not None and e.p_effect < 0.01 and _is_much_narrower(axis, e):
        return Verdict.TOO_WIDE, None, None
    return Verdict.FINE, None, None


def _enough(e: Evidence) -> tuple[float, float]:
    """Return the part of the range, in 0 to 1, that would do: where the best trials lie, with room around."""
    return max(0.0, e.span[0] - 0.15), min(1.0, e.span[1] + 0.15)


def _is_much_narrower(axis: UnitAxis, e: Evidence) -> bool:
    """Say whether a narrower range would do, with nothing at either end to speak against it."""
    low_u, high_u = _enough(e)
    if high_u - low_u > MUCH_NARROWER or e.low.n_top or e.high.n_top or _breaks(e.low) or _breaks(e.high):
        return False
    low, high = narrowed_range(axis, low_u, high_u)
    return low < high and max(e.low.belief or 0.0, e.high.belief or 0.0) < DOUBTED


def _edge_confidence(end: EndEvidence) -> Confidence | None:
    if end.belief is None or end.belief < LIKELY or end.n_outer == 0:
        return None  # where no trial has been near, the model only extrapolates
    return "confident" if end.belief >= CONFIDENT else "likely"


def _breaks(end: EndEvidence) -> bool:
    """Say whether training breaks in at least half of the outer quarter, and not everywhere alike."""
    often = end.n_outer >= _FEW and end.n_outer_infeasible >= 0.5 * end.n_outer
    return often and end.p_infeasible is not None and end.p_infeasible < 0.01


def _best_beside(e: Evidence, side: Side) -> bool:
    """Say whether the best trials lie in the half next to this end, or where the trials that work end."""
    middle = sum(e.span) / 2
    if side == "low":
        return middle <= 0.5 or e.span[0] <= e.feasible[0] + _NEAR_BROKEN
    return middle >= 0.5 or e.span[1] >= e.feasible[1] - _NEAR_BROKEN


def _at_limit(axis: UnitAxis, limit: Limit | None, side: Side) -> bool:
    """Say whether the bound can hardly move before it meets its natural limit."""
    end = None if limit is None else limit.low if side == "low" else limit.high
    if end is None:
        return False
    if axis.numbers:
        return False  # a list can go on as long as one more level keeps to the limit
    bound, width = (axis.low if side == "low" else axis.high), axis.high - axis.low
    if axis.declared.log:
        return end > 0 and abs(math.log(bound / end)) <= _NEAR_LIMIT * math.log(axis.high / axis.low)
    step = 0.0 if axis.levels is None else (axis.declared.step or 1.0)
    return abs(bound - end) <= _NEAR_LIMIT * width or abs(bound - end) < step


_ORDER = tuple(Verdict)


def _urgency(p: ParameterSaturation) -> tuple[int, int, float]:
    likely = p.confidence == "likely"
    effect = p.evidence.effect or 0.0
    return _ORDER.index(p.verdict), likely, -effect
