"""Study files that lie under a folder, found within bounds of depth, number and time."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.source import SourceKind
from storage.sqlite_file import SQLITE_HEADER

ENDINGS = (".log", ".journal", ".db", ".sqlite", ".sqlite3")
MAX_DEPTH = 4
MAX_FILES = 60
MAX_FOLDERS = 5_000
MAX_S = 0.5
_SKIPPED = ("node_modules", "__pycache__", "site-packages", "venv")
_JOURNAL = b'"op_code"'
_START = 4_096  # bytes


def find_candidates(roots: Sequence[Path], *, skip: Sequence[Path] = ()) -> list[Path]:
    """Return study files under the roots, the newest first; hidden folders and `skip` are left out.

    A file is one by its first bytes, so that the log of another program is not offered. Links are not
    followed, and a root with more than the bounds allow gives what was found until then.
    """
    deadline = time.monotonic() + MAX_S
    found: dict[Path, float] = {}
    for root in roots:
        for path in _walk(root, {p.resolve() for p in skip}, deadline):
            if path not in found and likely_kind(path):
                found[path] = _changed_at(path)
            if len(found) >= MAX_FILES:
                break
    return sorted(found, key=lambda path: (-found[path], path))


def likely_kind(path: Path) -> SourceKind | None:
    """Return what kind of study file this looks like, or None for none."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        return None
    if start.startswith(SQLITE_HEADER):
        return "sqlite"
    return "journal" if start.startswith(b"{") and _JOURNAL in start.partition(b"\n")[0] else None


def _walk(root: Path, skip: set[Path], deadline: float) -> Iterator[Path]:
    """Yield files with a likely ending, those nearest to the root first."""
    level, n_folders = [root], 0
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Path] = []
        for folder in level:
            n_folders += 1
            if n_folders > MAX_FOLDERS or time.monotonic() > deadline:
                return
            for entry in _entries(folder):
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name not in _SKIPPED and path not in skip:
                        deeper.append(path)
                elif entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(ENDINGS):
                    yield path
        level = deeper


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
