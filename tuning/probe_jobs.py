"""The probes of a study on disk: jobs in a folder of the study's own, found again whenever somebody asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage import locks
from storage.live import read_heartbeats
from storage.paths import RunFolder, create_run, list_runs
from storage.records import write_text
from tuning import jobs, launch
from tuning.probe import PlannedProbe, Probe
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

KIND = "probe"
_LOCK = ".start.lock"  # no name of a job, so listings pass it by


@dataclass(frozen=True)
class ProbeJob:
    """One probe as its files show it at one moment."""

    folder: RunFolder
    question: Probe
    plan: RetrainPlan
    status: jobs.JobStatus
    results: dict[str, RunResult]  # by key
    progress: Progress


@dataclass(frozen=True)
class UnreadableProbe:
    """A probe whose files are not what they were."""

    folder: RunFolder
    reason: str


def start_probe(study: RunFolder, planned: PlannedProbe) -> RunFolder:
    """Start a probe of a study, with seeds that none of its jobs had, and return its folder.

    Raises:
        AlreadyRunning: a probe of this study runs, or is just being started.
        StartFailed: see `jobs.start_job`.
        PlanError: the plan is too long.
    """
    with _alone(study):
        planned = planned.with_draw(_next_draw(study))
        folder = create_run(study.jobs, KIND)
        write_text(folder.question, planned.question.model_dump_json(indent=1))
        write_plan(folder, planned.plan)
        jobs.create_job(folder, KIND)
        launch.start(folder)
    return folder


def resume_probe(study: RunFolder, folder: RunFolder) -> None:
    """Go on with a probe that ended early.

    Raises:
        AlreadyRunning, StartFailed: see `start_probe`.
    """
    with _alone(study):
        launch.start(folder)


def find_probes(study: RunFolder, parameter: str | None = None) -> list[ProbeJob | UnreadableProbe]:
    """Return the probes of a study, newest first; of one parameter, those that cannot be read left out."""
    found: list[ProbeJob | UnreadableProbe] = []
    for folder in list_runs(study.jobs):
        if jobs.job_status(folder).kind != KIND:
            continue
        try:
            job = read_probe(folder)
        except PlanError as error:
            if parameter is None:
                found.append(UnreadableProbe(folder, str(error)))
            continue
        if parameter is None or job.question.parameter == parameter:
            found.append(job)
    return found


def read_probe(folder: RunFolder) -> ProbeJob:
    """Read a probe.

    Raises:
        PlanError: its files are not what they were.
    """
    question, plan = read_model(folder.question, Probe), load_plan(folder)
    status = jobs.job_status(folder)  # before the results, so that a finished probe has all of them
    results = read_results(folder, plan)
    beats = read_heartbeats(folder) if status.state.alive else []
    progress = retraining_progress(plan, results.values(), beats)
    return ProbeJob(folder, question, plan, status, results, progress)


def _next_draw(study: RunFolder) -> int:
    """Return which draw of fresh seeds the study's next job takes; true while nobody else starts one."""
    return len(list_runs(study.jobs))


@contextmanager
def _alone(study: RunFolder) -> Iterator[None]:
    """Hold what lets nobody else start a probe of this study, once it is clear that none runs.

    Two probes would only slow each other, and two presses of one button are no wish for two.
    """
    study.jobs.mkdir(mode=0o700, exist_ok=True)
    try:
        with locks.FileLock(study.jobs / _LOCK):
            for folder in list_runs(study.jobs):
                if locks.is_held(folder.lock):
                    kind = jobs.job_status(folder).kind
                    raise jobs.AlreadyRunning(
                        f"A {kind} of {study.id} is running. Wait until it has ended, or stop it first."
                    )
            yield
    except locks.LockHeld:
        raise jobs.AlreadyRunning(f"A probe of {study.id} is just being started.") from None
