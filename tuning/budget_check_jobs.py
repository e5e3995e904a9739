"""Budget checks on disk: jobs of no study, found again by the question that they answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.live import read_heartbeats
from storage.paths import RunFolder, budget_checks, list_runs
from storage.records import write_text
from tuning import jobs, launch, study_jobs
from tuning.access import require_writable
from tuning.budget_check import BudgetCheck, plan_check
from tuning.progress import Progress, retraining_progress
from tuning.retraining_plan import (
    PlanError,
    RetrainPlan,
    RunResult,
    load_plan,
    read_model,
    read_results,
    write_plan,
)
from tuning.spec import StudySpec

KIND = "budget-check"
KEPT = 20  # the newest ones; older ones go when another one starts


@dataclass(frozen=True)
class CheckJob:
    """One budget check as its files show it at one moment."""

    folder: RunFolder
    question: BudgetCheck
    plan: RetrainPlan
    status: jobs.JobStatus
    results: dict[str, RunResult]  # by key
    progress: Progress


def start_check(spec: StudySpec, root: Path, *, after: str | None = None) -> RunFolder:
    """Start the budget check of a request, or go on with the one there is; return its folder.

    Whoever asks the same question gets the same job, so two presses of one button start one.

    Args:
        spec: the request.
        root: the folder of all studies.
        after: id of a finished check of the same question that is to be done again, with new seeds. Where a
            newer one is there, somebody has done so already, and gets that one.

    Raises:
        AlreadyRunning: a check of another question runs, or one is just being started.
        StartFailed: see `jobs.start_job`.
        NoBudgetCheck: the request cannot be checked.
        ReadOnly: this server only shows studies.
    """
    require_writable("start a budget check")
    planned = plan_check(spec)
    newest = newest_check(root, planned.question)
    if newest is not None and newest.status.state.alive:
        return newest.folder
    home = budget_checks(root)
    with _alone(root):
        newest = newest_check(root, planned.question)
        if newest is not None and newest.folder.id != after:
            if newest.status.state != jobs.JobState.FINISHED:
                launch.start(newest.folder)
            return newest.folder

        def write(folder: RunFolder, draw: int) -> None:
            write_text(folder.budget_check, planned.question.model_dump_json(indent=1))
            write_plan(folder, planned.with_draw(draw).plan)

        started = study_jobs.begin_job(home, KIND, write, name=_name(planned.question))
    _sweep(root)
    return started


def resume_check(root: Path, folder: RunFolder) -> None:
    """Go on with a check that ended early; raises as `start_check` does."""
    require_writable("resume a budget check")
    with _alone(root):
        launch.start(folder)


def forget_check(root: Path, folder: RunFolder) -> None:
    """Delete a check with its results.

    Raises:
        Busy: it is running.
        FileNotFoundError: somebody else has just deleted it.
        ReadOnly: this server only shows studies.
    """
    study_jobs.delete_study_job(budget_checks(root), folder)


def find_checks(root: Path) -> list[CheckJob]:
    """Return the checks that can be read, newest first."""
    return list(_readable(list_runs(budget_checks(root).jobs)))


def newest_check(root: Path, question: BudgetCheck, *, finished: bool = False) -> CheckJob | None:
    """Return the newest check of a question, or None; with `finished` only of those that are."""
    name = _name(question)
    folders = [f for f in list_runs(budget_checks(root).jobs) if f.id.startswith(f"{name}-")]
    for job in _readable(folders):
        if finished and job.status.state != jobs.JobState.FINISHED:
            continue
        if job.question.digest == question.digest:
            return job
    return None


def running_check(root: Path) -> CheckJob | None:
    """Return the check that runs, or None: there is one at a time."""
    return next((job for job in find_checks(root) if job.status.state.alive), None)


def read_check(folder: RunFolder) -> CheckJob:
    """Read a check.

    Raises:
        PlanError: its files are not what they were.
    """
    question, plan = read_model(folder.budget_check, BudgetCheck), load_plan(folder)
    status = jobs.job_status(folder)  # before the results, so that a finished check has all of them
    results = read_results(folder, plan)
    beats = read_heartbeats(folder) if status.state.alive else []
    progress = retraining_progress(plan, results.values(), beats)
    return CheckJob(folder, question, plan, status, results, progress)


def _readable(folders: list[RunFolder]) -> Iterator[CheckJob]:
    for folder in folders:
        try:
            yield read_check(folder)
        except PlanError:
            continue  # its files were changed by hand; a new check of the question takes its place


def _name(question: BudgetCheck) -> str:
    return f"check-{question.digest}"


def _sweep(root: Path) -> None:
    """Delete what is older than the newest checks; whatever runs, or resists, stays."""
    home = budget_checks(root)
    for folder in list_runs(home.jobs)[KEPT:]:
        try:
            study_jobs.delete_study_job(home, folder)
        except (launch.Busy, OSError):
            continue


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold what lets nobody else start a check, once it is clear that none runs; else say which one does."""
    try:
        with study_jobs.alone(budget_checks(root)):
            yield
    except jobs.AlreadyRunning:
        other = running_check(root)
        which = f": {other.question.env.id} with {other.question.algorithm}" if other else ""
        raise jobs.AlreadyRunning(
            f"Another budget check is running{which}. Wait until it has ended, or stop it first."
        ) from None
