"""One plain sentence for each verdict, with the counts that a person can check."""

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_evidence import Evidence
from tuning.analysis.verdicts import Confidence, Side, Verdict
from tuning.analysis.words import count, three_digits
from tuning.space.limits import Limit

FEW_AT_END = 0.3  # of the best trials: fewer in the edge zone do not speak for themselves
_ENDS = {"low": "lower", "high": "upper"}


def sentence(
    axis: UnitAxis,
    verdict: Verdict,
    side: Side | None,
    confidence: Confidence | None,
    e: Evidence,
    *,
    suggested: tuple[float, float] | None,
    limit: Limit | None,
    missing: int,
) -> str:
    """Return what to know and what to do, in one or two sentences of plain text."""
    name = axis.name
    end = e.low if side == "low" else e.high
    bound = f"its {_ENDS[side]} bound" if side else ""
    where = (
        f"{end.n_top} of the best {e.n_top} trials lie in the {_zone_words(axis, side)}, "
        f"which holds {_percent(end.n_all, e.n)} of all trials"
        if side
        else ""
    )
    model = (
        "" if end.model is None else f"{_percent(end.model.past_end, 1)} of the model's curves peak past it"
    )
    match verdict:
        case Verdict.EDGE:
            assert suggested is not None
            verb = "presses" if confidence == "confident" else "probably presses"
            direction = (
                f"down to {_number(axis, suggested[0])}"
                if side == "low"
                else f"up to {_number(axis, suggested[1])}"
            )
            if end.n_top < FEW_AT_END * e.n_top:  # the counts alone would not convince, nor did they
                where = f"the value still rises towards it, and {model}"
            if side == "low" and suggested[0] < 0 <= axis.low:
                direction += ", if it may be negative"
            return f"{name} {verb} {bound}: {where}. Try {direction}."
        case Verdict.STABILITY:
            return (
                f"The best values of {name} lie beside a zone where training breaks: "
                f"{end.n_outer_infeasible} of {count(end.n_outer, 'trial')} in the {_ENDS[side or 'high']} "
                "quarter failed or diverged. Make training stable there; a wider range would only break more."
            )
        case Verdict.NATURAL_LIMIT:
            rule = limit.about if limit and limit.about else "the scale has no value beyond"
            return f"{name} presses {bound}, and that is as far as it goes: {rule}. Leave it."
        case Verdict.WATCH:
            told = f", and {model}: too few to tell" if model else ""
            return (
                f"{name} crowds {bound}: {where}. Samplers herd, so that alone is no evidence{told}. "
                "A probe, or 20 random trials, would tell."
            )
        case Verdict.HERDED:
            share = e.halves[0] if side == "low" else e.halves[1]
            if end.n_outer == 0:
                return (
                    f"No trial went to the {_ENDS[side or 'low']} quarter of {name}, so nothing is known "
                    "there. A probe, or 20 random trials, would tell."
                )
            return (
                f"Only {share:.0%} of the trials went to the {_ENDS[side or 'low']} half of {name}, so "
                "nothing is known there. A probe, or 20 random trials, would tell."
            )
        case Verdict.NOT_ENOUGH if missing:
            more = "1 more trial" if missing == 1 else f"{missing} more trials"
            return f"Not enough evidence on {name}: run at least {more}."
        case Verdict.NOT_ENOUGH:
            return f"Not enough evidence on {name}: only {count(e.n_distinct, 'value')} of it was tried."
        case Verdict.TOO_WIDE:
            assert suggested is not None
            low, high = (_number(axis, x) for x in suggested)
            return (
                f"The best values of {name} lie close together, well inside its range. {low} to {high} would "
                "be enough for a next study."
            )
        case Verdict.NO_EFFECT:
            return (
                f"{name} shows no effect on the value over {count(e.n, 'trial')}. It could be fixed, unless "
                "the whole range lies where nothing helps: a probe beyond a bound would tell."
            )
    if not axis.has_ends:
        return f"{name} has no order, so it has no ends to press."
    return f"The range of {name} looks fine: nothing says that better values lie beyond a bound."


def _zone_words(axis: UnitAxis, side: Side) -> str:
    if axis.levels is not None and axis.levels < 10:
        return "lowest level" if side == "low" else "highest level"
    return "lowest tenth of the range" if side == "low" else "top tenth of the range"


def _percent(part: float, whole: int) -> str:
    return f"{part / whole:.0%}".replace("%", " %") if whole else "none"


def _number(axis: UnitAxis, x: float) -> str:
    return axis.declared.words(x) if not axis.numbers else three_digits(x)
