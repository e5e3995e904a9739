"""The jobs that belong to a study, such as probes: one at a time, each with fresh seeds of its own."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storage import locks
from storage.paths import RunFolder, create_run, list_runs
from storage.records import read_record, write_record
from tuning import jobs, launch
from tuning.access import require_writable

_DRAWS = ".draws.json"  # no id of a job, so listings pass it by


def start_study_job(study: RunFolder, kind: str, write: Callable[[RunFolder, int], None]) -> RunFolder:
    """Start a job of a study and return its folder.

    Args:
        study: whose job it is.
        kind: of the job, which also begins the folder's name.
        write: puts the job's files into its folder; gets the folder, and which draw of fresh seeds is the
            job's own.

    Raises:
        AlreadyRunning: a job of this study runs, or is just being started.
        StartFailed: see `jobs.start_job`.
        ReadOnly: this server only shows studies.
    """
    with alone(study):
        return begin_job(study, kind, write)


def begin_job(
    study: RunFolder, kind: str, write: Callable[[RunFolder, int], None], *, name: str | None = None
) -> RunFolder:
    """Do what `start_study_job` does, for whoever holds `alone`; `name` begins the id instead of `kind`.

    Raises:
        StartFailed: see `jobs.start_job`.
    """
    draw = next_draw(study)
    folder = create_run(study.jobs, name or kind)
    try:
        write(folder, draw)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    write_record(study.jobs / _DRAWS, {"used": draw + 1})
    jobs.create_job(folder, kind, draw=draw)
    launch.start(folder)
    return folder


def running_job(study: RunFolder) -> str | None:
    """Return the kind of the study's job that runs, or None when none does."""
    for folder in list_runs(study.jobs):
        if locks.is_held(folder.lock):
            return jobs.job_status(folder).kind
    return None


def resume_study_job(study: RunFolder, folder: RunFolder) -> None:
    """Go on with a job that ended early; raises as `start_study_job` does."""
    with alone(study):
        launch.start(folder)


def delete_study_job(study: RunFolder, folder: RunFolder) -> None:
    """Delete a job of a study with everything it recorded.

    Raises:
        Busy: it is running.
        ValueError: it is no job of this study.
        FileNotFoundError: somebody else has just deleted it.
        ReadOnly: this server only shows studies.
    """
    require_writable(f"delete {folder.id}")
    if folder.path.parent != study.jobs:
        raise ValueError(f"{folder.id} is no job of {study.id}.")
    try:
        with locks.FileLock(folder.lock, wait_s=launch.PROBE_S):
            grave = folder.path.with_name(f".deleted-{folder.id}-{secrets.token_hex(4)}")
            os.rename(folder.path, grave)  # at once gone from every listing, however long the rest takes
    except locks.LockHeld:
        raise launch.Busy(f"{folder.id} is running: stop it first.") from None
    shutil.rmtree(grave, ignore_errors=True)


def study_jobs(study: RunFolder, kind: str) -> list[RunFolder]:
    """Return the study's jobs of one kind, newest first."""
    return [folder for folder in list_runs(study.jobs) if jobs.job_status(folder).kind == kind]


def next_draw(study: RunFolder) -> int:
    """Return which draw of fresh seeds the study's next job takes; true while nobody else starts one.

    A draw is used once, even after its job was deleted: whoever has seen how it ended could otherwise take
    the same runs for a confirmation. Jobs of older versions recorded none; theirs is their place in time.
    """
    taken = [_whole(read_record(study.jobs / _DRAWS), "used")]
    for place, folder in enumerate(reversed(list_runs(study.jobs))):
        record = read_record(folder.job)
        taken.append(1 + _whole(record, "draw", missing=place))
    return max(taken)


@contextmanager
def alone(study: RunFolder) -> Iterator[None]:
    """Hold what lets nobody else start a job of this study, once it is clear that none runs.

    Two of them would only slow each other, and two presses of one button are no wish for two.

    Raises:
        AlreadyRunning, ReadOnly: see `start_study_job`.
    """
    require_writable("train anything")
    study.jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with locks.FileLock(study.jobs / jobs.START_LOCK):
            for folder in list_runs(study.jobs):
                if locks.is_held(folder.lock):
                    noun = jobs.job_status(folder).noun
                    raise jobs.AlreadyRunning(
                        f"A {noun} of {study.id} is running. Wait until it has ended, or stop it first."
                    )
            yield
    except locks.LockHeld:
        raise jobs.AlreadyRunning(f"A job of {study.id} is just being started.") from None


def _whole(record: dict[str, object] | None, name: str, *, missing: int = 0) -> int:
    value = (record or {}).get(name)
    return value if type(value) is int and 0 <= value < 2**53 else missing
