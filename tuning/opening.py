"""Open a study that is not ours: a folder of our own that says where it lies, so that every page finds it."""

import re
from collections.abc import Sequence
from pathlib import Path

from storage.foreign import NoSuchStudy, StudyListing, open_source, source_kind
from storage.paths import RunFolder, UnknownRun, create_run, find_run, list_runs
from storage.source import OPENED, Source, SourceUnreadable, read_source, write_source
from tuning import jobs
from tuning.access import require_writable


def open_study(path: Path, study: str | None, root: Path) -> RunFolder:
    """Return the folder that stands for a study in somebody else's file, the same one every time.

    The journal of a study of ours is that study.

    Args:
        path: a journal or a SQLite file.
        study: its name in the file; None where the file holds one that can be opened.
        root: the runs folder.

    Raises:
        SourceUnreadable, NoSuchStudy: the file, or the study in it, cannot be opened.
        ReadOnly: this server only shows the studies that are there.
    """
    require_writable("open another study")
    path = path.absolute()
    if own := _own(path, root):
        return own
    kind = source_kind(path)
    storage = open_source(path)
    name = pick_study(storage.studies(), study, str(path))
    storage.study(name)  # it can be read, or that is said now
    source = Source(path.resolve(), name, kind)
    for folder in list_runs(root):
        if _same(folder, source):
            return folder
    folder = create_run(root, _folder_name(source))
    write_source(folder, source)
    jobs.create_job(folder, OPENED)
    return folder


def pick_study(studies: Sequence[StudyListing], wanted: str | None, shown: str) -> str:
    """Return the name of the study that is meant.

    Raises:
        NoSuchStudy: there is none of that name, or none at all, or several and none was named.
    """
    if not studies:
        raise NoSuchStudy(f"{shown} holds no study yet: whoever uses it has created none.")
    if wanted is not None:
        if wanted not in {s.name for s in studies}:
            raise NoSuchStudy(f"There is no study {wanted[:80]!r} in {shown}. It holds {_names(studies)}.")
        return wanted
    usable = [s for s in studies if s.supported] or list(studies)
    if len(usable) > 1:
        raise NoSuchStudy(f"{shown} holds {len(studies)} studies: name one of {_names(usable)}.")
    return usable[0].name


def _names(studies: Sequence[StudyListing], most: int = 12) -> str:
    shown = ", ".join(repr(s.name[:80]) for s in studies[:most])
    return shown + (f" and {len(studies) - most} more" if len(studies) > most else "")


def _own(path: Path, root: Path) -> RunFolder | None:
    real = path.resolve()
    if real.parent.parent != root.resolve():
        return None
    try:
        folder = find_run(root, real.parent.name)
    except UnknownRun:
        return None
    return folder if real == folder.journal.resolve() and folder.spec.is_file() else None


def _same(folder: RunFolder, source: Source) -> bool:
    try:
        return read_source(folder) == source
    except SourceUnreadable:
        return False


def _folder_name(source: Source) -> str:
    """Return a name for the folder: the study's, or the file's where that has no letter to begin with."""
    for text in (source.study, source.path.stem):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
        if name:
            return name[:56]
    return OPENED
