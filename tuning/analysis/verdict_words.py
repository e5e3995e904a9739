"""Verdicts in a few words, with the colour that goes with them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tuning.analysis.look import count
from tuning.analysis.verdicts import Verdict

if TYPE_CHECKING:  # with SciPy, which pages that only show a badge do without
    from tuning.analysis.saturation import ParameterSaturation, SaturationInfo

Colour = Literal["red", "orange", "yellow", "blue", "green", "gray"]

URGENT = (Verdict.EDGE, Verdict.STABILITY, Verdict.WATCH)  # what a person should look at

_NUMBERS = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
_ENDS = {"low": "below", "high": "above"}
_COLOURS: dict[Verdict, Colour] = {
    Verdict.EDGE: "orange",
    Verdict.STABILITY: "red",
    Verdict.WATCH: "yellow",
    Verdict.HERDED: "yellow",
    Verdict.NOT_ENOUGH: "gray",
    Verdict.TOO_WIDE: "blue",
    Verdict.NATURAL_LIMIT: "gray",
    Verdict.NO_EFFECT: "gray",
    Verdict.FINE: "green",
}
_NAMED = 2  # parameters that a badge names before it counts the rest
_NAME_CHARACTERS = 28


def colour(parameter: "ParameterSaturation") -> Colour:
    """Return the colour of a badge, a name that Streamlit knows."""
    return _COLOURS[parameter.verdict]


def label(p: "ParameterSaturation") -> str:
    """Return one verdict in two to four words."""
    where = _ENDS[p.side] if p.side else ""
    match p.verdict:
        case Verdict.EDGE:
            return f"Too narrow {where}" if p.confidence == "confident" else f"Probably too narrow {where}"
        case Verdict.STABILITY:
            return f"Training breaks {where}"
        case Verdict.WATCH:
            return "Watch the upper end" if p.side == "high" else "Watch the lower end"
        case Verdict.HERDED:
            return "Upper end unexplored" if p.side == "high" else "Lower end unexplored"
        case Verdict.NOT_ENOUGH:
            return "Not enough trials" if p.missing else "Too few values"
        case Verdict.TOO_WIDE:
            return "Wider than needed"
        case Verdict.NATURAL_LIMIT:
            return "At its natural limit"
        case Verdict.NO_EFFECT:
            return "No effect seen"
    return "Fine"


def study_label(info: "SaturationInfo") -> str | None:
    """Return the worst verdict of a study in a few words, not yet escaped; None where nothing varies."""
    worst = info.worst
    if worst is None:
        return None
    same = [p for p in info.parameters if (p.verdict, p.confidence) == (worst.verdict, worst.confidence)]
    match worst.verdict:
        case Verdict.EDGE:
            word = "Too narrow" if worst.confidence == "confident" else "Probably too narrow"
            return f"{word}: {_names(same)}"
        case Verdict.STABILITY:
            return f"Training breaks: {_names(same)}"
        case Verdict.WATCH:
            return f"Watch: {_names(same)}"
        case Verdict.HERDED:
            return f"Unexplored: {_names(same)}"
        case Verdict.NOT_ENOUGH:
            return "Not enough trials yet" if worst.missing else f"Too few values: {_names(same)}"
    return "No range has an effect" if _nothing_matters(info) else "Ranges fine"


def study_word(info: "SaturationInfo") -> str:
    """Return the worst verdict of a study in one or two words, for a narrow column."""
    worst = info.worst
    match worst.verdict if worst else None:
        case None:
            return ""
        case Verdict.EDGE:
            return "Too narrow" if worst and worst.confidence == "confident" else "Narrow?"
        case Verdict.STABILITY:
            return "Breaks"
        case Verdict.WATCH:
            return "Watch"
        case Verdict.HERDED:
            return "Unexplored"
        case Verdict.NOT_ENOUGH:
            return "Few trials" if worst and worst.missing else "Few values"
    return "No effect" if _nothing_matters(info) else "Fine"


def answer(info: "SaturationInfo") -> str | None:
    """Return the answer to "was the search space too narrow?", not yet escaped; None where nothing varies."""
    if not info.parameters:
        return None
    edges = [p for p in info.parameters if p.verdict == Verdict.EDGE]
    total = len(info.parameters)
    if edges:
        verb = "is" if len(edges) == 1 else "are"
        all_likely = all(p.confidence == "likely" for p in edges)
        where = ", ".join(
            f"{_cut(p.name)} {'probably ' if p.confidence == 'likely' and not all_likely else ''}"
            f"{_ENDS[p.side or 'high']}"
            for p in edges
        )
        if total == 1:
            return f"The range {verb} {'probably ' if all_likely else ''}too narrow: {where}."
        some = f"{_number(len(edges))} of {_number(total).lower()} ranges"
        return f"{some} {verb} {'probably ' if all_likely else ''}too narrow: {where}."
    missing = most_missing(info)
    if missing and all(p.verdict == Verdict.NOT_ENOUGH for p in info.parameters):
        return f"Not enough evidence yet: run at least {count(missing, 'more trial')}."
    breaking = [p for p in info.parameters if p.verdict == Verdict.STABILITY]
    if breaking:
        return f"No range is too narrow, but training breaks beside the best values of {_names(breaking)}."
    unclear = [p for p in info.parameters if p.verdict in (Verdict.WATCH, Verdict.HERDED)]
    if unclear:
        return f"No range is shown to be too narrow; the trials cannot tell for {_names(unclear)}."
    if missing:
        few = [p for p in info.parameters if p.missing]
        return f"No range is shown to be too narrow; there are not enough trials of {_names(few)} yet."
    wide = [p for p in info.parameters if p.verdict == Verdict.TOO_WIDE]
    also = f" {_names(wide)} could be narrower." if wide else ""
    if _nothing_matters(info):
        what = "the range" if total == 1 else "any of the ranges" if total > 2 else "either range"
        return f"Nothing in {what} has an effect on the value: a probe beyond a bound would tell more."
    if total == 1:
        return f"No: nothing says that the range is too narrow.{also}"
    which = "either range" if total == 2 else f"any of the {_number(total).lower()} ranges"
    return f"No: nothing says that {which} is too narrow.{also}"


def _nothing_matters(info: "SaturationInfo") -> bool:
    """Say whether no range that was judged moves the value: it may lie far from all that helps."""
    judged = [p for p in info.parameters if p.low is not None]
    return bool(judged) and all(p.verdict == Verdict.NO_EFFECT for p in judged)


def most_missing(info: "SaturationInfo") -> int:
    """Return how many more trials it takes until every parameter can be judged."""
    return max((p.missing for p in info.parameters), default=0)


def _names(parameters: Sequence["ParameterSaturation"]) -> str:
    named = ", ".join(_cut(p.name) for p in parameters[:_NAMED])
    rest = len(parameters) - _NAMED
    return f"{named} and {rest} more" if rest > 0 else named


def _cut(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"


def _number(n: int) -> str:
    return _NUMBERS[n] if n < len(_NUMBERS) else str(n)
