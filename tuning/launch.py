"""Create, start, stop, resume, extend and delete studies: for the pages and the command line."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from storage import locks
from storage.foreign import open_source
from storage.journal import STUDY_NAME, JournalDamaged, append_trials, open_journal
from storage.paths import RunFolder, create_run, list_runs
from storage.records import write_text
from storage.source import Source, is_opened, read_source
from storage.trials import StudyData, counted, read_study, with_all_objectives
from tuning import jobs, lineage, queue, recovery
from tuning.access import is_read_only, require_writable
from tuning.continuation import Continuation
from tuning.first_trials import first_trials
from tuning.spec import StudySpec, stored_spec

BUDGET_WAIT_S = 10.0  # whoever sets a budget reads the journal first
PROBE_S = 0.3  # somebody who merely asks whether the lock is held holds it for a moment

_started: list[subprocess.Popen[bytes]] = []  # runners this process started, kept so that they can be reaped


class Busy(RuntimeError):
    """The study is running, and what was asked needs it to be still."""


@dataclass(frozen=True)
class Run:
    """One study as its files show it at one moment."""

    folder: RunFolder
    spec: StudySpec | None  # None: not ours, so nothing is known but its trials
    status: jobs.JobStatus
    study: StudyData
    source: Source | None = None  # where the trials of a study that is not ours lie

    @property
    def may_run(self) -> bool:
        """Whether a trial that is marked as running may really run: of other studies only they know."""
        return self.status.state.alive or self.source is not None


def create_study(spec: StudySpec, root: Path, *, continues: Continuation | None = None) -> RunFolder:
    """Write a new study's folder: request, journal, and what is to be tried first.

    With `continues` the journal begins with the trials of the study that is continued, its best ones are
    queued, and the folder remembers which study that was. It is listed once all of that is written.

    Raises:
        ReadOnly: this server only shows studies; so do all that change something below.
    """
    require_writable("launch a study")
    folder = create_run(root, spec.name)
    write_text(folder.spec, spec.model_dump_json(indent=1))
    storage = open_journal(folder.journal, create=True)
    directions = [StudyDirection.MAXIMIZE if spec.maximize else StudyDirection.MINIMIZE]
    if spec.objective.second:
        directions.append(StudyDirection.MINIMIZE)
    study = optuna.create_study(storage=storage, study_name=STUDY_NAME, directions=directions)
    if continues:
        both = spec.objective.second is not None
        imported = map(with_all_objectives, continues.imported) if both else continues.imported
        append_trials(folder.journal, list(imported))
    for first in first_trials(spec)[0]:
        study.enqueue_trial(first.stored, user_attrs=first.attributes)
    if continues:
        append_trials(folder.journal, continues.rerun)
        lineage.record_parent(folder, continues)
    jobs.create_job(folder, "study")
    return folder


def start(folder: RunFolder) -> None:
    """Start the study's runner, or go on where it ended.

    Raises:
        AlreadyRunning, StartFailed: see `jobs.start_job`.
    """
    _keep(jobs.start_job(folder))


def enqueue(folder: RunFolder) -> None:
    """Let the study start, or go on, once enough cores are free; which may be at once.

    Raises:
        AlreadyRunning, StartFailed: see `queue.join`.
    """
    _keep(queue.join(folder))


def launch(
    spec: StudySpec, root: Path, *, continues: Continuation | None = None, wait_in_queue: bool = False
) -> RunFolder:
    """Create a study and start it, or let it wait for its turn."""
    folder = create_study(spec, root, continues=continues)
    (enqueue if wait_in_queue else start)(folder)
    return folder


def stop(folder: RunFolder, mode: jobs.StopMode) -> bool:
    """Ask the study to stop, or take it out of the queue; say whether it was running or queued."""
    require_writable("stop a study")
    return queue.leave(folder) or jobs.request_stop(folder, mode)


def resume(folder: RunFolder, *, n_trials: int | None = None, wait_in_queue: bool = False) -> None:
    """Start a study again, to the same budget or to another total of complete and pruned trials.

    With `wait_in_queue` it starts once enough cores are free; a queued one keeps its place. Without, it
    starts now, also a queued one.

    Raises:
        AlreadyRunning: it runs; `extend` changes a running study's budget.
        Busy, ValueError: see `extend`.
    """
    require_writable("resume a study")
    if jobs.job_status(folder).state.alive:
        raise jobs.AlreadyRunning(f"{folder.id} is already running.")
    if n_trials is not None:
        extend(folder, n_trials)
    if wait_in_queue:
        enqueue(folder)
    elif folder.ticket.exists():
        _keep(queue.run_now(folder))
    else:
        start(folder)


def extend(folder: RunFolder, n_trials: int) -> None:
    """Set the total number of complete and pruned trials; a running study takes it up with its next trial.

    Raises:
        Busy: somebody else is changing the budget.
        ValueError: the new budget is below what is already done or runs, or the study is not ours.
    """
    require_writable("extend a study")
    if is_opened(folder):
        raise ValueError(f"{folder.id} was opened from a file that is not ours: it is only read here.")
    with changing_budget(folder):
        _extend(folder, n_trials)


@contextmanager
def changing_budget(folder: RunFolder) -> Iterator[None]:
    """Hold what lets nobody else change the budget: who writes one must not undo what he has not seen.

    Raises:
        Busy: somebody else holds it for long.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locks.FileLock(folder.budget_lock, wait_s=BUDGET_WAIT_S))
        except locks.LockHeld:
            raise Busy(f"Somebody else is changing the budget of {folder.id}. Try again.") from None
        yield


def _extend(folder: RunFolder, n_trials: int) -> None:
    run = read_run(folder)
    assert run.spec is not None  # ours
    done = len(counted(run.study.trials))
    running = sum(t.state == TrialState.RUNNING for t in run.study.trials) if run.status.state.alive else 0
    if n_trials < max(done + running, 1):
        runs = f" and runs {running} more" if running else ""
        raise ValueError(
            f"{folder.id} already has {done} trials{runs}: ask for at least {max(done + running, 1)}, "
            f"received {n_trials}."
        )
    write_text(folder.spec, run.spec.with_trials(n_trials).model_dump_json(indent=1))


def read_run(folder: RunFolder) -> Run:
    """Read a study: ours, or one that was opened from somebody else's file.

    Raises:
        SpecError, JournalMissing, JournalDamaged: its files are not what they were.
        SourceUnreadable, NoSuchStudy: of a study that is not ours.
    """
    source = read_source(folder)
    if source is not None:
        study = open_source(source.path).study(source.study)
        return Run(folder, None, jobs.job_status(folder), study, source)
    spec = stored_spec(folder)
    storage = open_journal(folder.journal)
    try:
        study = read_study(storage, STUDY_NAME)
    except KeyError:
        raise JournalDamaged(f"The journal {folder.journal} no longer holds the study.") from None
    return Run(folder, spec, jobs.job_status(folder), study)


def tidy(folder: RunFolder) -> int:
    """Fail and queue again what a dead runner left running; return how many trials that were.

    Does nothing while a runner lives, to a study that is not ours, where files cannot be read or written, and
    on a server that only shows studies.
    """
    if is_read_only() or is_opened(folder) or locks.is_held(folder.lock):
        return 0
    try:
        storage = open_journal(folder.journal)  # may take seconds, for which no runner waits: before the lock
        with locks.FileLock(folder.lock, wait_s=PROBE_S):
            return len(recovery.recover(folder, storage, kind="interrupted"))
    except (locks.LockHeld, JournalDamaged, KeyError, OSError):  # KeyError: the journal holds no study
        return 0


def delete(folder: RunFolder) -> None:
    """Delete a study with everything it recorded; of one that is not ours, only what was kept here.

    A queued one leaves the queue.

    Raises:
        Busy: it is running, or one of its jobs is.
        FileNotFoundError: somebody else has just deleted it.
    """
    require_writable("delete a study")
    queue.leave(folder)
    try:
        with ExitStack() as held:
            held.enter_context(locks.FileLock(folder.lock, wait_s=PROBE_S))
            for place in (folder.jobs, folder.rollouts):
                _keep_still(folder, place, held)
            grave = folder.path.with_name(f".deleted-{folder.id}-{secrets.token_hex(4)}")
            os.rename(folder.path, grave)  # at once gone from every listing, however long the rest takes
    except locks.LockHeld:
        raise Busy(f"{folder.id} is running: stop it first.") from None
    shutil.rmtree(grave, ignore_errors=True)


def _keep(process: subprocess.Popen[bytes] | None) -> None:
    """Keep a runner's handle, and reap those that have ended."""
    _started[:] = [started for started in _started if started.poll() is None]
    if process is not None:
        _started.append(process)


def _keep_still(folder: RunFolder, place: Path, held: ExitStack) -> None:
    """Take what starts a job in `place`, then each job's own lock: none can start once they were listed."""
    place.mkdir(mode=0o700, exist_ok=True)
    try:
        held.enter_context(locks.FileLock(place / jobs.START_LOCK, wait_s=PROBE_S))
    except locks.LockHeld:
        raise Busy(f"A job of {folder.id} is just being started: stop it first.") from None
    for job in list_runs(place):
        try:
            held.enter_context(locks.FileLock(job.lock, wait_s=PROBE_S))
        except locks.LockHeld:
            raise Busy(f"A {jobs.job_status(job).noun} of {folder.id} is running: stop it first.") from None
