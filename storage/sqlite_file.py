"""A SQLite file that somebody else owns, opened so that neither it nor its folder changes in a single byte.

`mode=ro` alone is not enough: on a database in WAL mode it makes the `-wal` and `-shm` files that it misses,
and writes to the shared index of the process that runs the study.
"""

import shutil
import sqlite3
import tempfile
import threading
import weakref
from pathlib import Path
from urllib.parse import quote

from storage.source import SourceUnreadable

SQLITE_HEADER = b"SQLite format 3\0"
BUSY_S = 2.0  # how long to wait for a writer
MOST_COPIED = 2_000_000_000  # bytes of a file that is only readable as a copy, with its `-wal`
KEPT_COPIES = 4  # of different files
_WAL = 2  # read version in the header of a database in WAL mode

_Stamp = tuple[tuple[int, int, int], ...]


class _Copy:
    """A private copy of a database and its `-wal`, deleted once nothing holds it, and at exit."""

    def __init__(self, path: Path, stamp: _Stamp) -> None:
        self.stamp = stamp  # of what was copied
        folder = tempfile.mkdtemp(prefix="edgewise-")
        delete = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = Path(folder) / "copy.db"
        try:
            for file, ending in zip(files_of(path), ("", "-wal"), strict=True):
                shutil.copyfile(file, f"{self.path}{ending}")
        except BaseException:
            delete()
            raise


_copies: dict[Path, _Copy] = {}  # the last used one at the end
_copying = threading.Lock()


class Connection(sqlite3.Connection):
    """A connection that keeps the private copy it reads, where there is one, until it is closed."""

    copy: _Copy | None = None

    def close(self) -> None:
        """Close the connection and let go of the copy."""
        super().close()
        self.copy = None


def connect(path: Path) -> Connection:
    """Open the database for reading. Every connection looks anew at how the file lies there.

    Raises:
        OSError: the file is gone or may not be read.
        SourceUnreadable: only a copy could be read, and it would be too large.
        sqlite3.Error: SQLite cannot open it.
    """
    wal, index = Path(f"{path}-wal"), Path(f"{path}-shm")
    in_wal_mode = _in_wal_mode(path)
    if in_wal_mode and not index.exists() and wal.exists() and wal.stat().st_size:
        return _open_copy(path)  # copied without its index, so nobody writes to it
    _copies.pop(path, None)
    if not in_wal_mode:
        return _open(path, "mode=ro")
    if wal.exists() and index.exists():
        return _open(path, "mode=ro&readonly_shm=1")  # a writer is there, or died; its index stays as it is
    return _open(path, "mode=ro&immutable=1")  # complete in itself, and no writer has it open


def files_of(path: Path) -> tuple[Path, Path]:
    """Return the files that change when the database does."""
    return path, Path(f"{path}-wal")


def _in_wal_mode(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[19:20] == bytes([_WAL])


def _open(path: Path, how: str) -> Connection:
    uri = f"file:{quote(str(path))}?{how}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False, factory=Connection)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")  # views and triggers are somebody else's too
    except BaseException:
        connection.close()
        raise
    return connection


def _open_copy(path: Path) -> Connection:
    copy = _copy_of(path)
    connection = _open(copy.path, "mode=ro")
    connection.copy = copy
    return connection


def _copy_of(path: Path) -> _Copy:
    """Return the copy of the file as it is now; made anew only when the file or its `-wal` has changed.

    A study is read through many connections, one after the other, and its file may be large.
    """
    with _copying:
        stats = [file.stat() for file in files_of(path)]
        stamp = tuple((s.st_ino, s.st_size, s.st_mtime_ns) for s in stats)
        copy = _copies.pop(path, None)
        if copy is None or copy.stamp != stamp or not copy.path.exists():  # temporary folders get cleaned
            _check_size(path, sum(s.st_size for s in stats))
            copy = None  # before the next one takes as much room
            copy = _Copy(path, stamp)
        _copies[path] = copy
        while len(_copies) > KEPT_COPIES:
            _copies.pop(next(iter(_copies)))
        return copy


def _check_size(path: Path, size: int) -> None:
    if size > MOST_COPIED:
        raise SourceUnreadable(
            f"{path} was left with a -wal file beside it, so only a copy can be read, and its "
            f"{size / 1e9:.1f} GB are more than the {MOST_COPIED / 1e9:g} GB that are copied. Let its own "
            "program open and close it once, which merges the two."
        )
