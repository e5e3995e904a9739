"""A thread in every worker process: it hears *stop now*, and never lets a worker outlive its runner."""

import os
import threading
import time
from pathlib import Path

from storage.paths import RunFolder
from tuning.jobs import requested_stop

POLL_S = 0.2
GRACE_S = 1.5  # to fail the own trial after the runner died


class Control:
    """What the process has been told; read by whoever runs long loops in it."""

    def __init__(self) -> None:
        self.stop_kind: str | None = None  # "stopped" or "interrupted" once work must end
        self.busy = False  # a trial is underway


CONTROL = Control()


def start(folder: str, runner_pid: int) -> None:
    """Start watching; loky calls this once in each new worker process, before its first task."""
    thread = threading.Thread(target=_watch, args=(RunFolder(Path(folder)), runner_pid), daemon=True)
    thread.start()


def _watch(folder: RunFolder, runner_pid: int) -> None:
    while os.getppid() == runner_pid:
        CONTROL.stop_kind = "stopped" if requested_stop(folder) == "now" else None
        time.sleep(POLL_S)
    CONTROL.stop_kind = "interrupted"
    deadline = time.monotonic() + GRACE_S
    while CONTROL.busy and time.monotonic() < deadline:
        time.sleep(0.02)
    os._exit(1)  # the interpreter's own shutdown would wait for the dead runner's queues
