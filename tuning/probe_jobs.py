"""The probes of a study on disk: jobs in a folder of the study's own, found again whenever somebody asks."""

from dataclasses import dataclass

from storage.live import read_heartbeats
from storage.paths import RunFolder
from storage.records import write_text
from tuning import jobs
from tuning.access import require_writable
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
from tuning.study_jobs import resume_study_job, start_study_job, study_jobs

KIND = "probe"


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
        ReadOnly: this server only shows studies.
    """
    require_writable("start a probe")

    def write(folder: RunFolder, draw: int) -> None:
        write_text(folder.question, planned.question.model_dump_json(indent=1))
        write_plan(folder, planned.with_draw(draw).plan)

    return start_study_job(study, KIND, write)


def resume_probe(study: RunFolder, folder: RunFolder) -> None:
    """Go on with a probe that ended early.

    Raises:
        AlreadyRunning, StartFailed, ReadOnly: see `start_probe`.
    """
    require_writable("resume a probe")
    resume_study_job(study, folder)


def find_probes(study: RunFolder, parameter: str | None = None) -> list[ProbeJob | UnreadableProbe]:
    """Return the probes of a study, newest first; of one parameter, those that cannot be read left out."""
    found: list[ProbeJob | UnreadableProbe] = []
    for folder in study_jobs(study, KIND):
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
