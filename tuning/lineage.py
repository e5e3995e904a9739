"""Which study continues which: the record beside a study, its ancestors, its children."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial
from pydantic import ValidationError

from storage.paths import NAME_PATTERN, RunFolder, UnknownRun, find_run, list_runs
from storage.records import read_record, write_record
from storage.trials import IMPORTED_FROM, RERUN_OF, origin
from tuning.continuation import Continuation
from tuning.space.parameters import Parameter
from tuning.widen import Change

MAX_GENERATIONS = 100
_MAX_CHANGES = 100


@dataclass(frozen=True)
class Parent:
    """The study that another one continues, as the other one remembers it."""

    id: str
    name: str
    changes: tuple[Change, ...]
    n_imported: int
    origins: tuple[str, ...]  # ids of the studies in which the imported trials ran
    created_at: float  # when it was continued, seconds since the epoch
    folder: RunFolder | None  # None when it was deleted

    @property
    def changed(self) -> str:
        """What is searched differently, in a few words; empty when nothing is."""
        return ", ".join(change.words for change in self.changes)


@dataclass(frozen=True)
class TrialHome:
    """Where a trial ran: there lie its curve and its weights."""

    study: str  # id
    folder: RunFolder | None  # None when that study was deleted
    number: int  # of the trial in that study


def record_parent(folder: RunFolder, continuation: Continuation) -> None:
    """Write down what the study in `folder` continues."""
    write_record(
        folder.parent,
        {
            "id": continuation.parent_id,
            "name": continuation.parent_name,
            "changes": [
                {"name": c.name, "before": _plain(c.before), "after": _plain(c.after)}
                for c in continuation.changes
            ],
            "n_imported": len(continuation.imported),
            "origins": sorted({t.user_attrs[IMPORTED_FROM] for t in continuation.imported}),
            "queued": [t.user_attrs[RERUN_OF] for t in continuation.rerun],
            "created_at": time.time(),
        },
    )


def parent_of(folder: RunFolder) -> Parent | None:
    """Return the study that this one continues, or None when it continues none or the record is damaged."""
    record = read_record(folder.parent) or {}
    study = record.get("id")
    if not isinstance(study, str) or not NAME_PATTERN.fullmatch(study) or study == folder.id:
        return None
    changes, n_imported, created_at = (record.get(k) for k in ("changes", "n_imported", "created_at"))
    origins = record.get("origins")
    return Parent(
        id=study,
        name=str(record.get("name", ""))[:64],
        changes=tuple(_changes(changes)) if isinstance(changes, list) else (),
        n_imported=n_imported if type(n_imported) is int and n_imported >= 0 else 0,
        origins=tuple(str(o) for o in origins[:MAX_GENERATIONS]) if isinstance(origins, list) else (),
        created_at=float(created_at) if isinstance(created_at, int | float) else 0.0,
        folder=_existing(folder, study),
    )


def ancestors(folder: RunFolder) -> tuple[Parent, ...]:
    """Return the line of studies that led here, the nearest first; it ends at a deleted one."""
    line: list[Parent] = []
    seen = {folder.id}
    current: RunFolder | None = folder
    while current is not None and len(line) < MAX_GENERATIONS:
        parent = parent_of(current)
        if parent is None or parent.id in seen:  # somebody wrote a circle
            break
        seen.add(parent.id)
        line.append(parent)
        current = parent.folder
    return tuple(line)


def children(folder: RunFolder) -> tuple[RunFolder, ...]:
    """Return the studies that continue this one directly, the newest first."""
    return tuple(other for other, parent in _continuing(folder) if parent.id == folder.id)


def borrowers(folder: RunFolder) -> tuple[RunFolder, ...]:
    """Return the studies with imported trials whose weights and curves lie in this one, the newest first."""
    return tuple(other for other, parent in _continuing(folder) if folder.id in parent.origins)


def trial_home(folder: RunFolder, trial: FrozenTrial) -> TrialHome:
    """Return where a trial of the study in `folder` ran: there, or in an ancestor."""
    place = origin(trial)
    if place is None or place[0] == folder.id:
        return TrialHome(folder.id, folder, trial.number)
    return TrialHome(place[0], _existing(folder, place[0]), place[1])


def _continuing(folder: RunFolder) -> Iterator[tuple[RunFolder, Parent]]:
    """Yield every study beside this one that continues any other, the newest first."""
    for other in list_runs(folder.path.parent):
        if other.parent.exists() and (parent := parent_of(other)) is not None:
            yield other, parent


def _existing(folder: RunFolder, study: str) -> RunFolder | None:
    try:
        return find_run(folder.path.parent, study)
    except UnknownRun:
        return None


def _plain(p: Parameter | None) -> dict[str, Any] | None:
    return None if p is None else p.model_dump(mode="json", exclude_none=True)


def _changes(records: list[Any]) -> list[Change]:
    found = []
    for record in records[:_MAX_CHANGES]:
        try:
            ends = [
                None if record[end] is None else Parameter.model_validate(record[end])
                for end in ("before", "after")
            ]
            found.append(Change(str(record["name"])[:64], *ends))
        except (ValidationError, TypeError, KeyError, AttributeError):
            continue  # the record is for people to read; nothing is computed from it
    return found
