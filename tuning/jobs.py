"""One mechanism for everything that takes long: a folder, a detached runner that holds its lock, a stop file.

A study is the first kind of job. The state of a job is derived from its files whenever somebody asks, never
stored, so it cannot disagree with what really runs.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from storage.locks import is_held
from storage.paths import RunFolder
from storage.records import read_record, write_record, write_text
from storage.source import OPENED, is_opened
from tuning.access import require_writable

StopMode = Literal["now", "after"]

# All of them train what a plan lists; all but the last have a question beside it.
RETRAINING_KINDS = ("probe", "reevaluation", "budget-check", "retraining")
# kind -> what it is called in sentences, where that differs
NOUNS = {"reevaluation": "re-evaluation", "budget-check": "budget check"}

PROJECT_ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 15.0
ALREADY_RUNNING_EXIT = 3
LOOK_WAIT_S = 2.0  # somebody who merely looks whether a lock is held holds it for a moment
START_LOCK = ".start.lock"  # beside a study's jobs: held by whoever starts one. No id, so listings pass it by


class JobState(StrEnum):
    """What a job is doing, as derived from its files."""

    CREATED = "created"  # its runner has not started yet
    QUEUED = "queued"  # it waits for its turn, and starts by itself
    RUNNING = "running"
    STOPPING = "stopping"  # somebody asked it to stop and it has not ended yet
    FINISHED = "finished"  # it did all it was asked to
    STOPPED = "stopped"  # it ended early on request or by its time budget; it can be resumed
    FAILED = "failed"  # it ended itself early, with a reason
    INTERRUPTED = "interrupted"  # its runner died without a word; it can be resumed
    OPENED = "opened"  # a study that is not ours, only read here

    @property
    def alive(self) -> bool:
        """Whether a runner works on the job."""
        return self in (JobState.RUNNING, JobState.STOPPING)

    @property
    def moves(self) -> bool:
        """Whether it may become another state by itself: it runs, or waits for its turn."""
        return self.alive or self == JobState.QUEUED


@dataclass(frozen=True)
class JobStatus:
    """A job's state and what is known about how it came to it."""

    state: JobState
    kind: str
    reason: str  # why it ended; empty while it runs
    created_at: float  # seconds since the epoch
    started_at: float | None  # when the newest runner started
    ended_at: float | None
    pid: int | None  # of the newest runner

    @property
    def noun(self) -> str:
        """What the job is called in sentences."""
        return NOUNS.get(self.kind, self.kind)


@dataclass(frozen=True)
class End:
    """How a runner's work ended, for the exit record."""

    state: JobState
    reason: str


class AlreadyRunning(RuntimeError):
    """A runner holds the job's lock."""


class StartFailed(RuntimeError):
    """The runner ended before it took its lock."""


def create_job(folder: RunFolder, kind: str, *, draw: int | None = None) -> None:
    """Record what kind of job the folder is. It appears in listings from now on, so call this last.

    Args:
        folder: of the job.
        kind: of the job.
        draw: of fresh seeds that no other job of its study has, where it uses any.
    """
    record = {"kind": kind, "created_at": time.time()}
    write_record(folder.job, record if draw is None else {**record, "draw": draw})


def job_status(folder: RunFolder) -> JobStatus:
    """Derive a job's status from its files."""
    # The lock is asked first: an exit record read before the lock went would be the previous one.
    held = is_held(folder.lock)
    waits = folder.ticket.exists()  # after the lock: a runner whose turn comes holds it already
    job = read_record(folder.job) or {}
    runner = read_record(folder.runner)
    ended = None if held or waits else read_record(folder.exit)
    if job.get("kind") == OPENED:
        state = JobState.OPENED
    elif waits:
        state = JobState.QUEUED
    elif held:
        state = JobState.STOPPING if folder.stop.exists() else JobState.RUNNING
    elif ended:
        known = ended.get("state") in (JobState.FINISHED, JobState.STOPPED, JobState.FAILED)
        state = JobState(ended["state"]) if known else JobState.FAILED
    else:
        state = JobState.INTERRUPTED if runner else JobState.CREATED
    return JobStatus(
        state=state,
        kind=str(job.get("kind", "")),
        reason=str((ended or {}).get("reason", "")),
        created_at=_number(job, "created_at") or 0.0,
        started_at=_number(runner, "started_at"),
        ended_at=_number(ended, "ended_at"),
        pid=int(_number(runner, "pid") or 0) or None,
    )


def start_job(folder: RunFolder, *, queued: bool = False) -> subprocess.Popen[bytes]:
    """Start the job's runner, detached from this process, and wait until it holds the lock.

    With `queued` it waits for its turn first, see `tuning.queue`; else a ticket that the job has goes.

    The caller should keep the handle and `poll()` it once in a while, or a finished runner stays a zombie
    until the caller exits.

    Raises:
        AlreadyRunning: another runner holds the lock.
        StartFailed: the study is not ours, or the runner ended at once; then it quotes the end of its log.
        ReadOnly: this server only shows studies.
    """
    require_writable("start anything")
    if is_opened(folder):
        raise StartFailed(f"{folder.id} was opened from a file that is not ours: it is only read here.")
    if is_held(folder.lock):
        raise AlreadyRunning(f"{folder.id} is already running.")
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tuning.runner", str(folder.path), *(["--queued"] if queued else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=PROJECT_ROOT,
            env={**os.environ, **threads},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        record = read_record(folder.runner)
        if record and record.get("pid") == process.pid:
            return process
        code = process.poll()
        if code == ALREADY_RUNNING_EXIT:
            raise AlreadyRunning(f"{folder.id} is already running.")
        if code is not None:
            raise StartFailed(f"The runner of {folder.id} ended at once. Its log ends: {log_tail(folder, 3)}")
        time.sleep(0.02)
    process.kill()
    raise StartFailed(f"The runner of {folder.id} did not start within {START_TIMEOUT_S:.0f} s.")


def request_stop(folder: RunFolder, mode: StopMode) -> bool:
    """Ask a running job to stop; say whether there was one to ask.

    `now` ends running work within 2 s, `after` lets it finish. `now` may follow `after`, never the reverse.

    Raises:
        ReadOnly: this server only shows studies.
    """
    require_writable("stop anything")
    if not is_held(folder.lock):
        return False
    if not (mode == "after" and requested_stop(folder) == "now"):
        write_text(folder.stop, mode)
    return True


def requested_stop(folder: RunFolder) -> StopMode | None:
    """Return how the job was asked to stop, or None."""
    try:
        return "now" if folder.stop.read_text().strip() == "now" else "after"
    except OSError:
        return None


def log(sentence: str) -> None:
    """Write a line to the job's log, which is the runner's standard output."""
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)


def log_tail(folder: RunFolder, n_lines: int, *, max_bytes: int = 65_536) -> str:
    """Return the last lines of the job's log."""
    try:
        with folder.log.open("rb") as log:
            log.seek(max(0, folder.log.stat().st_size - max_bytes))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-n_lines:])
    except OSError:
        return ""


def _number(record: dict[str, Any] | None, key: str) -> float | None:
    value = (record or {}).get(key)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None
