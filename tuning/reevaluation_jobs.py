"""The re-evaluations of a study on disk: jobs in a folder of the study's own, found again at any time."""

from dataclasses import dataclass

from storage.paths import RunFolder
from tuning import jobs
from tuning.progress import Progress
from tuning.reevaluation import Reevaluation
from tuning.reevaluation_plan import PlannedReevaluation
from tuning.retraining_plan import RetrainPlan, RunResult

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
        ReadOnly: this server only shows studies.
    """
    raise NotImplementedError


def resume_reevaluation(study: RunFolder, folder: RunFolder) -> None:
    """Go on with a re-evaluation that ended early; raises as `start_reevaluation` does."""
    raise NotImplementedError


def extend_reevaluation(study: RunFolder, folder: RunFolder, n_seeds: int) -> None:
    """Give each candidate a new total of seeds, and train what is missing; not while it runs.

    Raises:
        ReevaluationError: it has that many seeds already, or plays kept policies.
        AlreadyRunning, StartFailed, PlanError, ReadOnly: see `start_reevaluation`.
    """
    raise NotImplementedError


def find_reevaluations(study: RunFolder) -> list[ReevaluationJob | UnreadableReevaluation]:
    """Return the re-evaluations of a study, newest first."""
    raise NotImplementedError


def read_reevaluation(folder: RunFolder) -> ReevaluationJob:
    """Read a re-evaluation.

    Raises:
        PlanError: its files are not what they were.
    """
    raise NotImplementedError


def delete_reevaluation(study: RunFolder, folder: RunFolder) -> None:
    """Delete a re-evaluation with its curves and weights.

    Raises:
        Busy: it is running.
        FileNotFoundError: somebody else has just deleted it.
        ReadOnly: this server only shows studies.
    """
    raise NotImplementedError
