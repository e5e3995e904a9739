"""An Optuna journal file that one crash, a full disk or a killed lock holder cannot break.

The log itself stays the stock format: plain Optuna and optuna-dashboard read it.
"""

import fcntl
import json
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from optuna.trial import FrozenTrial

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
    or nothing, and syncs. One object belongs to one version of the file: once that was cut short or replaced,
    what it has read no longer fits, and it refuses to read or write.

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
        self._identity = _identity(os.stat(path))
        self._next = (0, 0)  # number and offset of the line that follows the last one that was read

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the operations from `log_number_from` on; an unfinished last line is not one of them."""
        try:
            log = open(self._file_path, "rb")
        except FileNotFoundError:
            raise JournalMissing(f"The journal {self._file_path} was moved or deleted.") from None
        with log:
            stat = os.fstat(log.fileno())
            self._check(stat)
            number, offset = self._next if self._next[0] <= log_number_from else (0, 0)
            log.seek(max(0, offset - 1))
            if offset and log.read(1) != b"\n":
                raise JournalDamaged(f"The journal {self._file_path} was rewritten while it was open.")
            for line in log:
                offset += len(line)
                if offset > stat.st_size or not line.endswith(b"\n"):
                    return  # somebody writes it right now, or died while writing it
                if offset == stat.st_size and b"\0" in line:
                    return  # torn as well: the power went before all of its blocks were on the disk
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise JournalDamaged(
                        f"Line {number + 1} of the journal {self._file_path} is damaged: {error}."
                    ) from error
                number += 1
                self._next = (number, offset)
                if number > log_number_from:
                    yield record

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append whole lines, durably, or leave the log as it was."""
        data = b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs)
        with _locked(self._file_path) as descriptor:
            self._check(os.fstat(descriptor))
            end = _drop_torn_tail(descriptor, self._file_path)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, end)
                raise

    def _check(self, stat: os.stat_result) -> None:
        """Raise JournalDamaged when the file is no longer the one that this object has read."""
        if _identity(stat) != self._identity:
            raise JournalDamaged(f"The journal {self._file_path} was replaced by another file.")
        if stat.st_size < self._next[1]:
            raise JournalDamaged(f"The journal {self._file_path} has become shorter: it was truncated.")


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


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
            if _identity(os.fstat(descriptor)) == _identity(os.stat(path)):
                yield descriptor
                return
        except FileNotFoundError:
            raise JournalMissing(f"The journal {path} was moved or deleted.") from None
        finally:
            os.close(descriptor)


def _drop_torn_tail(descriptor: int, path: str) -> int:
    """Move an unfinished last line to `<path>.torn` and return the log's length without it."""
    size = os.fstat(descriptor).st_size
    end = _line_start(descriptor, size)
    if end == size:
        last = _line_start(descriptor, size - 1)
        if b"\0" in os.pread(descriptor, size - last, last):  # its end reached the disk, not all before it
            end = last
    if end < size:
        with open(f"{path}.torn", "ab") as kept:
            kept.write(os.pread(descriptor, size - end, end) + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        os.ftruncate(descriptor, end)
    return end


def _line_start(descriptor: int, end: int) -> int:
    """Return the place after the last newline before `end`."""
    while end > 0:
        start = max(0, end - 65_536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def append_trials(path: Path, trials: Sequence[FrozenTrial]) -> None:
    """Append trials to the study in the log, ended or waiting ones, all of them or none.

    Raises:
        JournalMissing, JournalDamaged: see `SafeJournalBackend`.
        KeyError: the log holds no study.
    """
    backend = SafeJournalBackend(path)
    draft = _Draft(list(backend.read_logs(0)))
    n_written = len(draft.logs)
    storage = JournalStorage(draft)
    study_id = storage.get_study_id_from_name(STUDY_NAME)
    for trial in trials:
        storage.create_new_trial(study_id, template_trial=trial)
    backend.append_logs(draft.logs[n_written:])  # one lock and one sync, however many trials there are


class _Draft(BaseJournalBackend):
    """A copy of a log in memory, on which operations are collected."""

    def __init__(self, logs: list[dict[str, Any]]) -> None:
        self.logs = logs

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        yield from self.logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.logs += logs


def open_journal(path: Path, *, create: bool = False) -> JournalStorage:
    """Open the log as an Optuna storage.

    Build it inside the process that uses it, and keep it open there: the first read replays the whole log,
    later ones only what is new.

    Raises:
        JournalMissing, JournalDamaged: see `SafeJournalBackend`.
    """
    try:
        return JournalStorage(SafeJournalBackend(path, create=create))
    except (JournalMissing, JournalDamaged, OSError):
        raise
    except Exception as error:  # whatever Optuna's replay trips over
        raise JournalDamaged(
            f"The journal {path} holds an operation that Optuna cannot replay: {error!r}."
        ) from error
