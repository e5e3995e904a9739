"""A SQLite file that somebody else owns, opened so that neither it nor its folder changes in a single byte.

`mode=ro` alone is not enough: on a database in WAL mode it makes the `-wal` and `-shm` files that it misses,
and writes to the shared index of the process that runs the study.
"""

import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

SQLITE_HEADER = b"SQLite format 3\0"
BUSY_S = 2.0  # how long to wait for a writer
_WAL = 2  # read version in the header of a database in WAL mode


class Connection(sqlite3.Connection):
    """A connection that keeps the private copy it reads, where there is one, for as long as it lives."""

    copy: "tempfile.TemporaryDirectory[str] | None" = None

    def close(self) -> None:
        """Close the connection and drop the copy."""
        super().close()
        if self.copy is not None:
            self.copy.cleanup()
            self.copy = None


def connect(path: Path) -> Connection:
    """Open the database for reading. Every connection looks anew at how the file lies there.

    Raises:
        OSError: the file is gone or may not be read.
        sqlite3.Error: SQLite cannot open it.
    """
    wal, index = Path(f"{path}-wal"), Path(f"{path}-shm")
    if not _in_wal_mode(path):
        return _open(path, "mode=ro")
    if wal.exists() and index.exists():
        return _open(path, "mode=ro&readonly_shm=1")  # a writer is there, or died; its index stays as it is
    if wal.exists() and wal.stat().st_size:
        return _open_copy(path, wal)  # copied without its index, so nobody writes to it
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


def _open_copy(path: Path, wal: Path) -> Connection:
    folder = tempfile.TemporaryDirectory(prefix="edgewise-", ignore_cleanup_errors=True)
    try:
        copy = Path(folder.name) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(wal, f"{copy}-wal")
        connection = _open(copy, "mode=ro")
    except BaseException:
        folder.cleanup()
        raise
    connection.copy = folder
    return connection
