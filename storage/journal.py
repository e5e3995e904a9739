"""An Optuna journal file that one crash, a full disk or a killed lock holder cannot break.

The log itself stays the stock format: plain Optuna and optuna-dashboard read it.
"""

import fcntl
import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

STUDY_NAME = "edgewise"

optuna.logging.set_verbosity(optuna.logging.WARNING)  # our own messages say what happens


class JournalMissing(FileNotFoundError):
    """The journal file is not there: it was moved or deleted."""


class JournalDamaged(ValueError):
    """A line that was once whole can no longer be read; nothing after it can be trusted."""


class SafeJournalBackend(JournalFileBackend):
    """Journal backend with kernel locks, repair of a torn tail, and no silent re-creation.

    A stock file that loses power in mid-line swallows the next append and then refuses every reader. Here
    the writer holds an `flock` on the log itself, moves an unfinished last line to `<name>.torn`, writes all
    or nothing, and syncs.

    Args:
        path: absolute path of the log.
        create: make an empty log when there is none; otherwise a missing log is an error.

    Raises:
        JournalMissing: there is no log and `create` is false.
        ValueError: the path is relative (workers have other working folders).
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not path.is_absolute():
            raise ValueError(f"The journal's path must be absolute: received {path}.")
        if create:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
        elif not path.is_file():
            raise JournalMissing(f"There is no journal at {path}: it was moved or deleted.")
        super().__init__(str(path), lock_obj=_NoLock())

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the operations from `log_number_from` on; an unfinished last line is not one of them."""
        known_end = self._log_number_offset.get(log_number_from, 0)
        try:
            if os.stat(self._file_path).st_size < known_end:
                raise JournalDamaged(
                    f"The journal {self._file_path} has become shorter: it was truncated or replaced."
                )
            yield from super().read_logs(log_number_from)
        except FileNotFoundError:
            raise JournalMissing(f"The journal {self._file_path} was moved or deleted.") from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise JournalDamaged(f"The journal {self._file_path} holds a damaged line: {error}.") from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append whole lines, durably, or leave the log as it was."""
        data = b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs)
        with _locked(self._file_path) as descriptor:
            end = _drop_torn_tail(descriptor, self._file_path)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, end)
                raise


class _NoLock(BaseJournalFileLock):
    """Satisfies the parent class; the real lock is on the log and the kernel frees it."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


@contextmanager
def _locked(path: str) -> Iterator[int]:
    """Open the existing log for appending and hold its lock; never create it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            raise JournalMissing(f"The journal {path} was moved or deleted.") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            opened, current = os.fstat(descriptor), os.stat(path)
            if (opened.st_dev, opened.st_ino) == (current.st_dev, current.st_ino):
                yield descriptor
                return
        except FileNotFoundError:
            raise JournalMissing(f"The journal {path} was moved or deleted.") from None
        finally:
            os.close(descriptor)


def _drop_torn_tail(descriptor: int, path: str) -> int:
    """Move bytes after the last newline to `<path>.torn` and return the log's length without them."""
    size = os.fstat(descriptor).st_size
    end = size
    while end > 0:
        start = max(0, end - 65_536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        with open(f"{path}.torn", "ab") as kept:
            kept.write(os.pread(descriptor, size - end, end) + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        os.ftruncate(descriptor, end)
    return end


def open_journal(path: Path, *, create: bool = False) -> JournalStorage:
    """Open the log as an Optuna storage.

    Build it inside the process that uses it, and keep it open there: the first read replays the whole log,
    later ones only what is new.

    Raises:
        JournalMissing, JournalDamaged: see `SafeJournalBackend`.
    """
    try:
        return JournalStorage(SafeJournalBackend(path, create=create))
    except (AssertionError, KeyError, TypeError) as error:
        raise JournalDamaged(
            f"The journal {path} holds an operation that Optuna does not know: {error!r}."
        ) from error
