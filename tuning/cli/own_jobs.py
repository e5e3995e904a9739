"""Waiting for a job that belongs to a study, and stopping one."""

import time
from collections.abc import Callable
from typing import Protocol

from storage.paths import RunFolder
from tuning import jobs
from tuning.analysis.words import duration
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.watch import POLL_S, ProgressLine
from tuning.jobs import JobState, JobStatus
from tuning.progress import Progress

STOP_WAIT_S = 15.0


class StudyJob(Protocol):
    """What all jobs of a study show."""

    @property
    def status(self) -> JobStatus:
        """What it is doing."""
        ...

    @property
    def progress(self) -> Progress:
        """How far it is, in runs."""
        ...


def wait(folder: RunFolder, read: Callable[[RunFolder], StudyJob], what: str) -> Exit:
    """Wait until a job has ended, with a progress line; Ctrl-C leaves it running.

    Args:
        folder: of the job.
        read: reads it.
        what: it is, for sentences: "probe".
    """
    line = ProgressLine()
    try:
        while True:
            job = read(folder)
            p = job.progress
            left = "" if p.eta_s is None else f"  {duration(p.eta_s)} left"
            line.show(f"{p.done}/{p.total} runs{left}", last=not job.status.state.alive)
            if not job.status.state.alive:
                break
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        line.end()
        output.note(f"The {what} keeps running. --status shows how it is doing, --stop stops it.")
        return Exit.INTERRUPTED
    line.end()
    return Exit.DONE if job.status.state == JobState.FINISHED else Exit.FAILED


def stop(folder: RunFolder, what: str) -> None:
    """Stop a job at once, and stay until it has stopped.

    Raises:
        Refused: it takes too long.
    """
    if not jobs.request_stop(folder, "now"):
        output.note(f"The {what} is not running.")
        return
    deadline = time.monotonic() + STOP_WAIT_S
    while jobs.job_status(folder).state.alive:
        if time.monotonic() > deadline:
            raise Refused(Exit.FAILED, f"The {what} has not stopped within {STOP_WAIT_S:.0f} s.")
        time.sleep(0.05)
