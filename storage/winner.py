"""Which trial of a study a person chose in the end, and by which re-evaluation: a small record beside it."""

import math
from dataclasses import asdict, dataclass
from typing import TypeGuard

from storage.paths import NAME_PATTERN, RunFolder
from storage.records import read_record, write_record


@dataclass(frozen=True)
class Winner:
    """The trial that a person chose."""

    trial: int  # its number in the study
    expected: float | None  # honest number for its mean return; None where nobody measured it again
    reevaluation: str | None  # id of the re-evaluation that it rests on
    chosen_at: float  # seconds since the epoch
    pinned: bool = False  # choosing it is what pinned its weights


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
    if isinstance(trial, bool) or not isinstance(trial, int) or trial < 0 or not _is_number(chosen_at):
        return None
    if expected is not None and not _is_number(expected):
        return None
    if reevaluation is not None and not _is_name(reevaluation):
        return None
    return Winner(trial, expected, reevaluation, float(chosen_at), record.get("pinned") is True)


def clear_winner(folder: RunFolder) -> None:
    """Take the choice back; nothing happens where there is none."""
    folder.winner.unlink(missing_ok=True)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_name(value: object) -> TypeGuard[str]:
    """Say whether it can be the name of a job's folder: pages build links from it."""
    return isinstance(value, str) and NAME_PATTERN.fullmatch(value) is not None
