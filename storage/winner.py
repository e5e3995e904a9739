"""Which trial of a study a person chose in the end, and by which re-evaluation: a small record beside it."""

import math
from dataclasses import asdict, dataclass
from typing import TypeGuard

from storage.paths import NAME_PATTERN, RunFolder
from storage.records import read_record, write_record

_MOST_STEPS = 10**12


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
    if isinstance(trial, bool) or not isinstance(trial, int) or trial < 0 or not _is_number(chosen_at):
        return None
    if expected is not None and not _is_number(expected):
        return None
    if reevaluation is not None and not _is_name(reevaluation):
        return None
    mode, steps = record.get("mode"), record.get("n_timesteps")
    if mode not in (None, "retrain", "weights") or not (steps is None or _is_steps(steps)):
        return None
    pinned = record.get("pinned") is True
    return Winner(trial, expected, reevaluation, float(chosen_at), pinned, mode, steps)


def clear_winner(folder: RunFolder) -> None:
    """Take the choice back; nothing happens where there is none."""
    folder.winner.unlink(missing_ok=True)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_steps(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_STEPS


def _is_name(value: object) -> TypeGuard[str]:
    """Say whether it can be the name of a job's folder: pages build links from it."""
    return isinstance(value, str) and NAME_PATTERN.fullmatch(value) is not None
