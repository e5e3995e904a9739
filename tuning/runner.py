"""The detached process that owns one running job: `python -m tuning.runner FOLDER [--queued]`.

It takes the job's lock before anything slow, so that whoever started it knows at once whether it may run.
With `--queued` it then waits until it is the study's turn.
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
from tuning import queue
from tuning.jobs import ALREADY_RUNNING_EXIT, LOOK_WAIT_S, RETRAINING_KINDS, JobState, log, requested_stop

STOP_POLL_S = 0.1
STOP_GRACE_S = 1.0  # for workers to leave by themselves; with the poll and the clean-up it stays within 2 s


def main(argv: list[str]) -> int:
    """Run the job in the folder that the first argument names; return the exit code."""
    folder = RunFolder(Path(argv[0]).resolve(strict=True))
    kind = _kind(folder)  # before it runs, as its folder may be deleted then
    try:
        with FileLock(folder.lock, wait_s=LOOK_WAIT_S):
            code = _wait_and_run(folder) if "--queued" in argv[1:] else _run_locked(folder)
    except LockHeld:
        return ALREADY_RUNNING_EXIT
    # Those who wait may have died, and then only this one is left to see it.
    queue.take_up(_queue_of(folder, kind))
    return code


def _wait_and_run(folder: RunFolder) -> int:
    """Wait for the study's turn, then run it. A signal meanwhile just ends this: the study stays queued."""
    if not folder.ticket.exists():
        return 0  # it left the queue before this process had the lock
    folder.stop.unlink(missing_ok=True)
    write_record(folder.runner, _me())
    log("Waiting in the queue.")
    return _run_locked(folder, was_queued=True) if queue.wait_for_turn(folder) else 0


def _queue_of(folder: RunFolder, kind: object) -> Path:
    """Return the folder of the studies, also for a job of one of them, which lies in a folder of its own."""
    return folder.path.parents[2 if kind in (*RETRAINING_KINDS, "rollout") else 0]


def _kind(folder: RunFolder) -> object:
    return (read_record(folder.job) or {}).get("kind")


def _me() -> dict[str, Any]:
    return {"pid": os.getpid(), "pid_created": psutil.Process().create_time(), "started_at": time.time()}


def _run_locked(folder: RunFolder, *, was_queued: bool = False) -> int:
    if not was_queued:  # else whoever stopped it meanwhile would not be heard
        folder.stop.unlink(missing_ok=True)
    folder.exit.unlink(missing_ok=True)
    queue.drop_ticket(folder)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: write_text(folder.stop, "now"))
    me = _me()
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

    kind = _kind(folder)
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
