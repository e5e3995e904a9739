"""Studies that are not ours: where their trials lie. The record stands in a run folder of our own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from storage.paths import RunFolder
from storage.records import read_record, write_record

OPENED = "opened"  # kind of the job that such a folder is: one that nothing here ever runs

SourceKind = Literal["journal", "sqlite"]


class SourceUnreadable(ValueError):
    """A study that is not ours cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """One study in a file that somebody else writes, or wrote."""

    path: Path  # absolute
    study: str  # its name in that file: any text
    kind: SourceKind


def is_opened(folder: RunFolder) -> bool:
    """Say whether the folder stands for a study that is not ours."""
    return folder.source.exists()


def write_source(folder: RunFolder, source: Source) -> None:
    """Record where the study's trials lie."""
    record = {"path": str(source.path), "study": source.study, "kind": source.kind}
    write_record(folder.source, record)


def read_source(folder: RunFolder) -> Source | None:
    """Return where the study's trials lie, or None for a study of ours.

    Raises:
        SourceUnreadable: the record is damaged.
    """
    if not is_opened(folder):
        return None
    record = read_record(folder.source) or {}
    path, study, kind = (record.get(key) for key in ("path", "study", "kind"))
    whole = isinstance(path, str) and isinstance(study, str) and kind in get_args(SourceKind)
    if not whole or "\0" in str(path) or not Path(str(path)).is_absolute():
        raise SourceUnreadable(
            f"The record of where {folder.id} came from is damaged. Remove it from the list and open the "
            "file again."
        )
    return Source(Path(str(path)), str(study), kind)  # type: ignore[arg-type]  # just checked
