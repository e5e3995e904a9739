"""The detached process that owns one running job: `python -m tuning.runner FOLDER`.

It takes the job's lock before anything slow, so that whoever started it knows at once whether it may run.
"""

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psutil

from storage.locks import FileLock, LockHeld
from storage.paths import RunFolder
from storage.records import read_record, write_record, write_text
from tuning.jobs import ALREADY_RUNNING_EXIT, RETRAINING_KINDS, JobState, log, requested_stop

LOCK_WAIT_S = 2.0  # somebody who merely looks whether the lock is held holds it for a moment
STOP_POLL_S = 0.1
STOP_GRACE_S = 1.0  # for workers to leave by themselves; with the poll and the clean-up it stays within 2 s


def main(argv: list[str]) -> int:
    """Run the job in the folder that the one argument names; return the exit code."""
    folder = RunFolder(Path(argv[0]).resolve(strict=True))
    try:
        with FileLock(folder.lock, wait_s=LOCK_WAIT_S):
            return _run_locked(folder)
    except LockHeld:
        return ALREADY_RUNNING_EXIT


def _run_locked(folder: RunFolder) -> int:
    folder.stop.unlink(missing_ok=True)
    folder.exit.unlink(missing_ok=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: write_text(folder.stop, "now"))
    me = {"pid": os.getpid(), "pid_created": psutil.Process().create_time(), "started_at": time.time()}
    write_record(folder.runner, me)
    threading.Thread(target=_enforce_stop, args=(folder,), daemon=True).start()
    try:
        state, reason = _run_kind(folder, me)
    except Exception as error:
        traceback.print_exc()
        state, reason = JobState.FAILED, f"The runner failed: {error}"
    from tuning import pool

    pool.kill_workers()
    write_record(folder.exit, {"state": state.value, "reason": reason, "ended_at": time.time()})
    folder.stop.unlink(missing_ok=True)
    log(f"{state.value}: {reason}")
    return 1 if state == JobState.FAILED else 0


def _run_kind(folder: RunFolder, me: dict[str, Any]) -> tuple[JobState, str]:
    """Hand over to what the job's kind stands for."""
    from tuning.machine import machine_record

    kind = (read_record(folder.job) or {}).get("kind")
    if kind == "study":
        from tuning.engine import run_study as run
    elif kind == "reevaluation":
        from tuning.reevaluation_engine import run_reevaluation as run
    elif kind in RETRAINING_KINDS:
        from tuning.retraining import run_plan as run
    elif kind == "rollout":
        from tuning.rollout_runner import run_rollout as run
    else:
        raise ValueError(f"There is no kind of job called {kind!r}.")
    write_record(folder.runner, {**me, "machine": machine_record()})
    end = run(folder)
    return end.state, end.reason


def _enforce_stop(folder: RunFolder) -> None:
    """Kill workers that do not leave by themselves: SB3's update calls nothing back, and can take minutes."""
    while requested_stop(folder) != "now":
        time.sleep(STOP_POLL_S)
    time.sleep(STOP_GRACE_S)
    from tuning import pool

    pool.kill_workers()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
