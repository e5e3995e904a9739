"""Which of a study's re-evaluations is believed, where several measured the same: one order for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from storage.paths import RunFolder
from storage.winner import read_winner
from tuning.jobs import JobState
from tuning.reevaluation import Candidate, Reevaluation
from tuning.reevaluation_jobs import ReevaluationJob, find_reevaluations
from tuning.retraining_plan import RunResult

ENOUGH_VALUES = 3  # runs of a candidate; below, its mean and its median run are nearly those of one seed

Weight = tuple[bool, bool, bool, bool, bool]


@dataclass(frozen=True)
class MeasuredAgain:
    """What a trial gave when it was trained again as long as by the study."""

    mean: float  # return, over the runs with a value
    n_runs: int
    reevaluation: str  # id


def at_study_budget(question: Reevaluation) -> bool:
    """Say whether it trained again, and as long as the study did."""
    return question.mode == "retrain" and question.n_timesteps == question.study_timesteps


def n_values(question: Reevaluation, results: Mapping[str, RunResult], candidate: Candidate) -> int:
    """Return how many runs of a candidate gave a value."""
    keys = (question.run_key(candidate, seed) for seed in range(question.n_seeds))
    return sum(key in results and results[key].mean is not None for key in keys)


def weight(question: Reevaluation, n_values: int, *, is_finished: bool, is_chosen: bool) -> Weight:
    """Return a key to sort re-evaluations by, the one to believe first; give them newest first.

    Args:
        question: what was asked.
        n_values: runs with a value of the candidate that matters; of the least known one where all do.
        is_finished: all that was asked for was done.
        is_chosen: a person chose the study's winner by it.
    """
    return (
        not is_chosen,
        question.mode != "retrain",
        not at_study_budget(question),
        n_values < ENOUGH_VALUES,  # before the next: two runs of each tell less than five of ten
        not is_finished,
    )


def ranked_reevaluations(study: RunFolder) -> list[ReevaluationJob]:
    """Return a study's re-evaluations that have a result, the one to believe first."""
    return _ranked(study, [job for job in _readable(study) if job.results], None)


def reevaluations_of(study: RunFolder, trial: int) -> list[ReevaluationJob]:
    """Return those with a value for a trial trained as long as by the study, most credible first."""
    found = [
        job
        for job in _readable(study)
        if at_study_budget(job.question)
        and any(n_values(job.question, job.results, c) for c in job.question.candidates if c.trial == trial)
    ]
    return _ranked(study, found, trial)


def measured_again(study: RunFolder, trial: int) -> MeasuredAgain | None:
    """Return what the most credible re-evaluation measured for a trial, or None when none did."""
    for job in reevaluations_of(study, trial):
        candidate = next(c for c in job.question.candidates if c.trial == trial)
        keys = [job.question.run_key(candidate, seed) for seed in range(job.question.n_seeds)]
        means = [job.results[key].mean for key in keys if key in job.results]
        values = [mean for mean in means if mean is not None]
        return MeasuredAgain(fmean(values), len(values), job.folder.id)
    return None


def _readable(study: RunFolder) -> list[ReevaluationJob]:
    return [job for job in find_reevaluations(study) if isinstance(job, ReevaluationJob)]


def _ranked(study: RunFolder, jobs: Sequence[ReevaluationJob], trial: int | None) -> list[ReevaluationJob]:
    winner = read_winner(study)

    def weighed(job: ReevaluationJob) -> Weight:
        values = [
            n_values(job.question, job.results, c)
            for c in job.question.candidates
            if trial is None or c.trial == trial
        ]
        return weight(
            job.question,
            min(values) if trial is not None else sorted(values)[len(values) // 2],
            is_finished=job.status.state == JobState.FINISHED,
            is_chosen=winner is not None and winner.reevaluation == job.folder.id,
        )

    return sorted(jobs, key=weighed)  # stable: the newest of equals stays first
