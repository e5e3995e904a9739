"""The re-evaluations of a study on disk: jobs in a folder of the study's own, found again at any time."""

import shutil
from dataclasses import dataclass

from storage.live import read_heartbeats
from storage.paths import RunFolder
from storage.records import write_text
from tuning import jobs, launch
from tuning.access import require_writable
from tuning.candidates import ReevaluationError
from tuning.lineage import TrialHome
from tuning.progress import Progress, retraining_progress
from tuning.race import spared
from tuning.reevaluation import Reevaluation
from tuning.reevaluation_plan import PlannedReevaluation, extended
from tuning.retraining_plan import (
    PlanError,
    RetrainPlan,
    RunResult,
    load_plan,
    read_model,
    read_results,
    write_plan,
)
from tuning.study_jobs import alone, delete_study_job, resume_study_job, start_study_job, study_jobs

KIND = "reevaluation"


@dataclass(frozen=True)
class ReevaluationJob:
    """One re-evaluation as its files show it at one moment."""

    folder: RunFolder
    question: Reevaluation
    plan: RetrainPlan
    status: jobs.JobStatus
    results: dict[str, RunResult]  # by key
    progress: Progress

    @property
    def has_died(self) -> bool:
        """Whether a run was given up because its workers died: another runner tries it again."""
        return any(result.worker_died for result in self.results.values())


@dataclass(frozen=True)
class UnreadableReevaluation:
    """A re-evaluation whose files are not what they were."""

    folder: RunFolder
    reason: str


def start_reevaluation(study: RunFolder, planned: PlannedReevaluation) -> RunFolder:
    """Start a re-evaluation of a study, with seeds that none of its jobs had, and return its folder.

    Raises:
        AlreadyRunning: a job of this study's own runs, or is just being started.
        StartFailed: see `jobs.start_job`.
        PlanError: the plan is too long.
        ReevaluationError: a kept policy that is to play was deleted meanwhile.
        ReadOnly: this server only shows studies.
    """
    require_writable("start a re-evaluation")

    def write(folder: RunFolder, draw: int) -> None:
        for index, home in enumerate(planned.policies):
            _copy_policy(home, folder, index)
        write_text(folder.reevaluation, planned.question.model_dump_json(indent=1))
        write_plan(folder, planned.with_draw(draw).plan)

    return start_study_job(study, KIND, write)


def resume_reevaluation(study: RunFolder, folder: RunFolder) -> None:
    """Go on with a re-evaluation that ended early; raises as `start_reevaluation` does."""
    require_writable("resume a re-evaluation")
    resume_study_job(study, folder)


def extend_reevaluation(study: RunFolder, folder: RunFolder, n_seeds: int) -> None:
    """Give each candidate a new total of seeds, and train what is missing; not while it runs.

    Raises:
        ReevaluationError: it has that many seeds already, or plays kept policies.
        AlreadyRunning, StartFailed, PlanError, ReadOnly: see `start_reevaluation`.
    """
    require_writable("extend a re-evaluation")
    with alone(study):
        job = read_reevaluation(folder)
        question, plan = extended(job.question, job.plan, n_seeds, done=job.results)
        # What breaks off in between leaves runs in the plan that the question does not name: nobody trains
        # them, and they can be asked for again.
        write_plan(folder, plan)
        write_text(folder.reevaluation, question.model_dump_json(indent=1))
        launch.start(folder)


def find_reevaluations(study: RunFolder) -> list[ReevaluationJob | UnreadableReevaluation]:
    """Return the re-evaluations of a study, newest first."""
    found: list[ReevaluationJob | UnreadableReevaluation] = []
    for folder in study_jobs(study, KIND):
        try:
            found.append(read_reevaluation(folder))
        except PlanError as error:
            found.append(UnreadableReevaluation(folder, str(error)))
    return found


def read_reevaluation(folder: RunFolder) -> ReevaluationJob:
    """Read a re-evaluation.

    Raises:
        PlanError: its files are not what they were.
    """
    question, plan = read_model(folder.reevaluation, Reevaluation), load_plan(folder)
    status = jobs.job_status(folder)  # before the results, so that a finished one has all of them
    results = read_results(folder, plan)
    beats = read_heartbeats(folder) if status.state.alive else []
    planned, asked_for = {run.key for run in plan.runs}, set(question.run_keys)
    n_spared = len(planned - asked_for) + len(planned & spared(question, results).runs)
    ended = [result for key, result in results.items() if key in asked_for]
    progress = retraining_progress(plan, ended, beats, n_spared=n_spared)
    return ReevaluationJob(folder, question, plan, status, results, progress)


def delete_reevaluation(study: RunFolder, folder: RunFolder) -> None:
    """Delete a re-evaluation with its curves and weights.

    Raises:
        Busy: it is running.
        FileNotFoundError: somebody else has just deleted it.
        ReadOnly: this server only shows studies.
    """
    require_writable("delete a re-evaluation")
    delete_study_job(study, folder)


def _copy_policy(home: TrialHome, folder: RunFolder, index: int) -> None:
    """Copy a kept policy into the job: its study may drop it once it finds better ones."""
    try:
        if home.folder is None:
            raise FileNotFoundError
        source, target = home.folder.weights / str(home.number), folder.weights / str(index)
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    except OSError as error:
        raise ReevaluationError(
            f"The policy of trial {home.number} of {home.study} cannot be copied: "
            f"{error.strerror or 'it is no longer there'}. Retrain it instead."
        ) from error
