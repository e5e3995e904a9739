"""Which trial of a study a person chose in the end, and by which re-evaluation: a small record beside it."""

import sys
from dataclasses import asdict, dataclass
from typing import TypeGuard

from storage.paths import NAME_PATTERN, RunFolder
from storage.records import read_record, write_record

_LATEST_S = 253_402_214_400  # the last day of the year 9999
_MOST = 10**12  # trials, or env steps


@dataclass(frozen=True)
class Winner:
    """The trial that a person chose."""

    trial: int  # its number in the study
    expected: float | None  # honest number for its mean return; None where nobody measured it again
    reevaluation: str | None  # id of the re-evaluation that it rests on
    chosen_at: float  # seconds since the epoch
    pinned: bool = False  # choosing it is what pinned its weights
    mode: str | None = None  # of the re-evaluation: "retrain", or "weights", which judged one trained agent
    n_timesteps: int | None = None  # that `expected` holds for, where they are not the study's own


def write_winner(folder: RunFolder, winner: Winner) -> None:
    """Record the choice; an earlier one is replaced."""
    write_record(folder.winner, asdict(winner))


def read_winner(folder: RunFolder) -> Winner | None:
    """Return what was chosen, or None when nothing was, or the record is none of ours."""
    record = read_record(folder.winner)
    if record is None:
        return None
    trial, expected = record.get("trial"), record.get("expected")
    reevaluation, chosen_at = record.get("reevaluation"), record.get("chosen_at")
    if not _is_whole(trial, least=0) or not _is_time(chosen_at):
        return None
    if expected is not None and not _is_number(expected):
        return None
    if reevaluation is not None and not _is_name(reevaluation):
        return None
    mode, steps = record.get("mode"), record.get("n_timesteps")
    if mode not in (None, "retrain", "weights") or not (steps is None or _is_whole(steps, least=1)):
        return None
    pinned = record.get("pinned") is True
    return Winner(trial, expected, reevaluation, float(chosen_at), pinned, mode, steps)


def clear_winner(folder: RunFolder) -> None:
    """Take the choice back; nothing happens where there is none."""
    folder.winner.unlink(missing_ok=True)


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # False for NaN; a longer whole number is no float


def _is_time(value: object) -> TypeGuard[int | float]:
    """Say whether a clock can have shown it: no calendar has a date for an arbitrary number."""
    return _is_number(value) and 0 <= value <= _LATEST_S


def _is_whole(value: object, *, least: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST


def _is_name(value: object) -> TypeGuard[str]:
    """Say whether it can be the name of a job's folder: pages build links from it."""
    return isinstance(value, str) and NAME_PATTERN.fullmatch(value) is not None
