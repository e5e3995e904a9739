"""Advisory `flock` locks: the kernel frees them when their holder dies, so they never lie."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType


class LockHeld(RuntimeError):
    """Another process holds the lock."""


class FileLock:
    """An exclusive lock on `path` for as long as this object is entered.

    The descriptor is close-on-exec, so worker processes never inherit the lock.

    Raises:
        LockHeld: another process still holds it after `wait_s`.
        FileNotFoundError: its folder does not exist, or went while this waited.
    """

    def __init__(self, path: Path, *, wait_s: float = 0.0) -> None:
        self._path = path
        self._wait_s = wait_s
        self._descriptor: int | None = None

    def __enter__(self) -> "FileLock":
        deadline = time.monotonic() + self._wait_s
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Without this check, who waited for the lock of a folder that was deleted would hold nothing.
                if os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                    self._descriptor, descriptor = descriptor, -1
                    return self
            except FileNotFoundError:
                continue
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockHeld(f"{self._path} is held by another process.") from None
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            time.sleep(0.02)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Say whether some process holds the lock.

    The probe takes a shared lock for a moment: whoever wants the exclusive one must be ready to wait.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
