"""The verdicts on a parameter's range, and the words for them."""

from enum import StrEnum
from typing import Literal

Side = Literal["low", "high"]
Confidence = Literal["confident", "likely"]


class Verdict(StrEnum):
    """What is said about one parameter's range, most urgent first."""

    EDGE = "edge"  # the best lies beyond a bound: widen
    STABILITY = "stability frontier"  # the best lie beside a zone where training breaks: do not widen
    WATCH = "watch"  # the best trials lie at a bound, and so do the others: no evidence
    HERDED = "herded"  # hardly any trial went to one half of the range: nothing is known there
    NOT_ENOUGH = "not enough evidence"
    TOO_WIDE = "too wide"
    NATURAL_LIMIT = "natural limit"  # the best lies at a bound that cannot move
    NO_EFFECT = "no effect detected"
    FINE = "fine"
