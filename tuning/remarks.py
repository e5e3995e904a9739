"""Name, tag, annotate and archive a study: what pages and the command line may do to its remarks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage.paths import RunFolder
from storage.remarks import (
    MAX_NAME,
    Remarks,
    change_remarks,
    clean_note,
    clean_tags,
    one_line,
    with_trial_note,
)
from tuning.access import require_writable


@dataclass(frozen=True)
class Saved:
    """What became of a note."""

    text: str  # as it stands now
    merged: bool  # somebody else had changed it meanwhile: their lines were kept as well


def rename(folder: RunFolder, name: str) -> None:
    """Give a study another name for people; its id, and so every link, stays. An empty name takes it back.

    Raises:
        ReadOnly: this server only shows studies; so do all below.
        LockHeld, OSError: it could not be written down.
    """
    require_writable("rename a study")
    text = one_line(name, MAX_NAME)
    change_remarks(folder, lambda old: replace(old, name="" if text == folder.id else text))


def set_tags(folder: RunFolder, tags: Iterable[str]) -> None:
    """Replace a study's tags."""
    require_writable("change a study's tags")
    kept = clean_tags(tags)
    change_remarks(folder, lambda old: replace(old, tags=kept))


def set_archived(folder: RunFolder, *, archived: bool) -> None:
    """Leave a study out of the list, or take it back in; nothing else changes."""
    require_writable("archive a study")
    change_remarks(folder, lambda old: replace(old, archived=archived))


def write_note(folder: RunFolder, text: str, *, base: str, trial: int | None = None) -> Saved:
    """Save a note on a study, or on one of its trials.

    Args:
        folder: the study's.
        text: the note.
        base: what the note was when the writer began: tells what somebody else has written since.
        trial: number of the trial that the note is on; None: the study.
    """
    require_writable("change a note")
    result = Saved("", merged=False)

    def change(old: Remarks) -> Remarks:
        nonlocal result
        there = old.note if trial is None else old.trial_notes.get(trial, "")
        result = merged_note(clean_note(text), there, base=base)
        return replace(old, note=result.text) if trial is None else with_trial_note(old, trial, result.text)

    change_remarks(folder, change)
    return result


def merged_note(mine: str, theirs: str, *, base: str) -> Saved:
    """Return my text followed by the lines that somebody else has added since `base`."""
    if theirs in (base, mine):
        return Saved(mine, merged=False)
    known = {*base.splitlines(), *mine.splitlines()}
    added = [line for line in theirs.splitlines() if line.strip() and line not in known]
    if not added:
        return Saved(mine, merged=False)
    return Saved(clean_note("\n".join([mine, *added])), merged=True)
