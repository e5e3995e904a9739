"""What people say about a study: another name, tags, notes. A small file beside it, never the journal."""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from storage.locks import FileLock
from storage.paths import RunFolder
from storage.records import read_record, write_record

MAX_NAME = 80  # characters
MAX_TAG = 30
MAX_TAGS = 12
MAX_NOTE = 20_000
MAX_TRIAL_NOTES = 5_000
_WAIT_S = 5.0  # whoever changes remarks holds the lock for some milliseconds


@dataclass(frozen=True)
class Remarks:
    """All remarks on one study; plain text, which pages show as it is."""

    name: str = ""  # empty: the study goes by its id
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False  # left out of the list of studies unless somebody asks
    trial_notes: Mapping[int, str] = field(default_factory=dict)  # by trial number


def read_remarks(folder: RunFolder) -> Remarks:
    """Return the remarks; what is missing, or none of ours, counts as nothing said."""
    record = read_record(folder.remarks) or {}
    tags, notes = record.get("tags"), record.get("trials")
    return Remarks(
        name=one_line(record.get("name"), MAX_NAME),
        tags=clean_tags(tags if isinstance(tags, list) else ()),
        note=_text(record.get("note")),
        archived=record.get("archived") is True,
        trial_notes=dict(_trial_notes(notes) if isinstance(notes, dict) else ()),
    )


def study_name(folder: RunFolder) -> str:
    """Return what people call the study: the name it was given later, else its id."""
    return read_remarks(folder).name or folder.id


def change_remarks(folder: RunFolder, change: Callable[[Remarks], Remarks]) -> Remarks:
    """Replace the remarks by what `change` makes of the newest ones, and return that.

    Two who change different things at a time lose nothing: each works on what the other has written.

    Raises:
        LockHeld: somebody holds the lock for seconds.
        OSError: the folder is gone, or cannot be written to.
    """
    with FileLock(folder.remarks_lock, wait_s=_WAIT_S):
        if folder.remarks.exists() and read_record(folder.remarks) is None:
            with contextlib.suppress(FileNotFoundError):  # somebody broke it: keep what it holds
                os.replace(folder.remarks, folder.remarks.with_suffix(".damaged"))
        remarks = change(read_remarks(folder))
        write_record(
            folder.remarks,
            {
                "name": remarks.name,
                "tags": list(remarks.tags),
                "note": remarks.note,
                "archived": remarks.archived,
                "trials": {str(n): text for n, text in sorted(remarks.trial_notes.items()) if text},
            },
        )
    return remarks


def with_trial_note(remarks: Remarks, trial: int, text: str) -> Remarks:
    """Return the remarks with another note on a trial; an empty one takes it away."""
    notes = {n: note for n, note in remarks.trial_notes.items() if n != trial}
    return replace(remarks, trial_notes=notes | ({trial: text} if text else {}))


def one_line(text: Any, limit: int) -> str:
    """Return text without line breaks and control characters, cut to length; anything else is empty."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit].strip()


def clean_tags(tags: Iterable[Any]) -> tuple[str, ...]:
    """Return tags as they are kept: one line each, no doubles whatever their case, at most `MAX_TAGS`."""
    found: dict[str, str] = {}
    for tag in tags:
        text = one_line(tag, MAX_TAG).replace(",", " ").strip()
        if text:
            found.setdefault(text.casefold(), text)
    return tuple(found.values())[:MAX_TAGS]


def clean_note(text: str) -> str:
    """Return a note as it is kept: lines of printable text, without space at either end, cut to length."""
    lines = ("".join(c if c.isprintable() or c == "\t" else " " for c in line) for line in text.splitlines())
    return "\n".join(line.rstrip() for line in lines).strip()[:MAX_NOTE]


def _text(text: Any) -> str:
    return clean_note(text) if isinstance(text, str) else ""


def _trial_notes(notes: dict[Any, Any]) -> Iterable[tuple[int, str]]:
    for key, text in list(notes.items())[:MAX_TRIAL_NOTES]:
        if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 10:
            if note := _text(text):
                yield int(key), note
