"""Which environments an algorithm can be trained in, and what is said of those it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuning.algorithms import Algorithm
from tuning.env_survey import Surveyed


@dataclass(frozen=True)
class Fit:
    """The environments of a list, as one algorithm sees them."""

    ids: tuple[str, ...]  # that it can be trained in, or that nobody has looked at yet
    hidden: Mapping[str, str]  # the others, with why, one sentence each
    words: str  # how many are hidden for which reason; empty when none is


def env_fit(ids: Sequence[str], found: Mapping[str, Surveyed], known: Algorithm) -> Fit:
    """Return which of these environments an algorithm can be trained in, by what is known of them so far."""
    hidden: dict[str, str] = {}
    reasons: dict[str, int] = {}
    for env_id in ids:
        if env_id not in found:
            continue
        fault, reason = _misfit(found[env_id], known)
        if fault:
            hidden[env_id] = fault
            reasons[reason] = reasons.get(reason, 0) + 1
    words = " ".join(f"{n} hidden: {reason}." for reason, n in reasons.items())
    return Fit(tuple(env_id for env_id in ids if env_id not in hidden), hidden, words)


def _misfit(surveyed: Surveyed, known: Algorithm) -> tuple[str, str]:
    """Return why an environment does not fit, and the reason that others may share; empty when it fits."""
    seen = surveyed.description
    if seen is None:
        return surveyed.fault, "cannot be made"
    if fault := known.action_fault(seen.action_kind, seen.id):
        *others, last = known.actions
        kinds = f"{', '.join(others)} or {last}" if others else last
        return fault, f"{known.name} acts in {kinds} actions only"
    if seen.fault:
        return seen.fault, "no algorithm here can be trained there"
    if fault := known.observation_fault(seen.observation_kind, seen.id):
        return fault, f"{known.name} has no policy for the observations"
    return "", ""
