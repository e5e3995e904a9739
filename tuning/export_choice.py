"""Which trial an export is about, and which of its trained policies goes along."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from optuna.trial import FrozenTrial, TrialState

from storage.artifacts import KeptPolicy, kept_trials, load_policy
from storage.paths import RunFolder
from storage.records import read_record
from storage.trials import own
from storage.winner import read_winner
from tuning.analysis.outcomes import nothing_complete
from tuning.analysis.words import count, three_digits
from tuning.export import ExportError, best_trial
from tuning.launch import Run
from tuning.lineage import trial_home
from tuning.reevaluation import Candidate
from tuning.reevaluation_choice import at_study_budget, ranked_reevaluations, reevaluations_of
from tuning.reevaluation_jobs import ReevaluationJob


class Which(StrEnum):
    """Which of a trial's trained policies is meant."""

    TYPICAL = "typical"  # the median run of its re-evaluation where there is one, else the search's
    SEARCH = "search"  # the one that the search trained and judged


class NothingToExport(ExportError):
    """There is no trial yet that could be exported."""


class UnknownTrial(ExportError):
    """The study has no trial of that number."""


@dataclass(frozen=True)
class ChosenTrial:
    """The trial that an export is about, and why that one."""

    trial: FrozenTrial
    why: str  # after "trial 55": "the winner that was chosen", "the best of the search", "picked by hand"
    instead: Candidate | None = None  # a baseline that is recommended instead


@dataclass(frozen=True)
class PolicyPlace:
    """Where a trained policy lies."""

    folder: RunFolder  # of a study, or of a job
    number: int  # of the trial, or of the run in the job's plan
    about: str  # for people, in a sentence or two
    job: ReevaluationJob | None = None  # that trained it; None for the agent of the search

    @property
    def is_run(self) -> bool:
        """Whether the folder is that of a job."""
        return self.job is not None

    def load(self) -> KeptPolicy:
        """Read it.

        Raises:
            ExportError: it is damaged, or gone meanwhile.
        """
        try:
            return load_policy(self.folder, self.number)
        except (FileNotFoundError, ValueError) as error:
            raise ExportError(str(error)) from None


def choose_trial(run: Run, number: int | None = None) -> ChosenTrial:
    """Return the trial that was asked for, else the chosen winner, else the recommended one, else the best.

    Raises:
        UnknownTrial: there is no such trial.
        NothingToExport: no trial is complete yet, or the one asked for has not started.
    """
    trial = None if number is None else _trial(run, number)
    for found in _candidates(run):
        if number is None or found.trial.number == number:
            return found
    if trial is not None:
        return ChosenTrial(trial, "picked by hand")
    reason = nothing_complete(own(run.study.trials)) or "No trial is complete yet."
    raise NothingToExport(f"{run.folder.id}: {reason}")


def _candidates(run: Run) -> Iterator[ChosenTrial]:
    """Yield the trials that something speaks for, the strongest reason first."""
    winner = read_winner(run.folder)
    if winner is not None:
        found = next((t for t in run.study.trials if t.number == winner.trial), None)
        if found is not None:
            yield ChosenTrial(found, "the winner that was chosen")
    if (recommended := _recommended(run)) is not None:
        yield recommended
    best = best_trial(own(run.study.trials), maximize=run.study.maximize)
    if best is not None:
        yield ChosenTrial(best, "the best of the search")


def choose_policy(run: Run, trial: FrozenTrial, which: Which = Which.TYPICAL) -> PolicyPlace:
    """Return the trained policy that stands for a trial.

    The search kept the policy that looked best, so a trial that was trained again is represented by the
    median of those runs: of two middle ones the worse.

    Raises:
        ExportError: none is kept.
    """
    if which == Which.TYPICAL:
        for job in reevaluations_of(run.folder, trial.number):
            if (place := _median_run(job, trial.number)) is not None:
                return place
    home = trial_home(run.folder, trial)
    if home.folder is not None and home.number in kept_trials(home.folder):
        request = read_record(home.folder.weights / str(home.number) / "request.json") or {}
        value = request.get("value")
        # Of this agent: the trial's value may be the mean of several evaluations and trainings.
        got = f" Its last evaluation gave {three_digits(value)}." if isinstance(value, int | float) else ""
        where = "the search" if home.folder == run.folder else home.study
        return PolicyPlace(home.folder, home.number, f"The agent that {where} itself trained.{got}")
    raise ExportError(
        f"No weights of trial {trial.number} are kept: only the best and the pinned trials keep theirs. Its "
        "configuration can be exported as YAML, Python or JSON, and trained again."
    )


def _recommended(run: Run) -> ChosenTrial | None:
    """Return the trial that the most credible re-evaluation at the study's own budget recommends.

    Where it recommends a baseline, that is the best of its trials. One with too few runs recommends nothing.
    """
    from tuning.analysis.reevaluation import reevaluation_info  # SciPy
    from tuning.analysis.reevaluation_words import is_early

    by_number = {t.number: t for t in run.study.trials}
    for job in ranked_reevaluations(run.folder):
        if not at_study_budget(job.question):
            continue
        info = reevaluation_info(job.question, job.results)
        if info.winner is None or is_early(info):
            continue
        if info.winner.candidate.trial in by_number:
            return ChosenTrial(by_number[info.winner.candidate.trial], "recommended by its re-evaluation")
        best = next((c for c in info.candidates if c.candidate.trial in by_number and c.rank), None)
        if best is not None and best.candidate.trial is not None:
            why = (
                f"the best trial of its re-evaluation, which recommends {info.winner.candidate.name} instead"
            )
            return ChosenTrial(by_number[best.candidate.trial], why, info.winner.candidate)
    return None


def _median_run(job: ReevaluationJob, trial: int) -> PolicyPlace | None:
    """Return the median of a trial's runs in a re-evaluation, if that run kept its policy."""
    candidate = next(c for c in job.question.candidates if c.trial == trial)
    keys = {job.question.run_key(candidate, seed) for seed in range(job.question.n_seeds)}
    places = {run.key: index for index, run in enumerate(job.plan.runs)}
    ended = [
        (result.mean, places[key])
        for key, result in job.results.items()
        if key in keys and result.mean is not None
    ]
    if not ended:
        return None
    ended.sort(reverse=not job.question.maximize)  # worst first
    mean, index = ended[(len(ended) - 1) // 2]
    if index not in kept_trials(job.folder):
        return None  # any other would not be typical
    return PolicyPlace(
        job.folder,
        index,
        f"{_who(len(ended))} Its mean return was {three_digits(mean)} over "
        f"{count(job.question.n_episodes, 'episode')}.",
        job,
    )


def _who(n: int) -> str:
    if n == 1:
        return "The only agent that was trained anew on a fresh seed."
    return f"The median of {count(n, 'agent')} that were trained anew on fresh seeds."


def _trial(run: Run, number: int) -> FrozenTrial:
    for found in run.study.trials:
        if found.number == number:
            if found.state == TrialState.WAITING:
                raise NothingToExport(f"Trial {number} of {run.folder.id} has not started yet.")
            return found
    last = len(run.study.trials) - 1
    there = f"Its trials are 0 to {last}." if last >= 0 else "It has none yet."
    raise UnknownTrial(f"{run.folder.id} has no trial {number}. {there}")
