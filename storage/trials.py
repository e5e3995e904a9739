"""Reading a study's trials, and the names under which a trial keeps what Optuna has no field for."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from storage.dashboard_notes import dashboard_notes

# User attributes of a trial. Everything is plain JSON.
RESOLVED = "resolved"  # dict: the keyword arguments SB3 got, beside the stored (transformed) parameters
RUN = "run"  # dict: task, alone, train_seed, eval_seed
EVALUATIONS = (
    # list of dicts: mark, timesteps (env steps), mean, std, n_episodes (undiscounted return); where they say
    # something, training (from 1, which one of several), unit (seconds: of the mark) and reported (with two
    # objectives: what a study with one would have told Optuna at that mark)
    "evaluations"
)
TRAINER = "trainer"  # dict: name (fast | sb3) and, for a fallback, reason; see `tuning.trainers`
TIMESTEPS = "timesteps"  # int: env steps trained, whole rollouts, over all trainings of the trial
SEED_VALUES = "seed_values"  # list of floats: the value of each training, where a trial has several
SECOND = "second"  # float: the second objective, where a study has one; smaller is better
N_REACHED = "n_reached"  # int: how many of its trainings reached the threshold of the second objective
FAILURE = "failure"  # dict: kind (error | killed | stopped | interrupted), message, traceback
DIVERGED = "diverged"  # str: why the trial counts as pruned although no pruner asked for it
PRUNED = "pruned"  # str: what the pruner saw
DRAWN_AT_RANDOM = "drawn_at_random"  # true: it belongs to the share of random trials, whatever the sampler
BASELINE = "baseline"  # str: what the configuration is when it was not sampled, e.g. "SB3 defaults"
PROPOSED_BY = "proposed_by"  # str: who queued the configuration, e.g. "by hand", "RL Zoo"
RETRY_OF = "retry_of"  # int: number of the trial whose worker died or was stopped
CRASHES = "crashes"  # int: how often a worker died with this configuration
RETRIES = "retries"  # int: how many of its retries ran alone and died
# str: id of the study that ran this trial, kept from copy to copy; it does not count toward the budget
IMPORTED_FROM = "imported_from"
IMPORTED_TRIAL = "imported_trial"  # int: its number there
RERUN_OF = "rerun_of"  # dict: study (id) and trial (number) whose configuration was queued to run again here

COUNTED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class StudyData:
    """One study as the analysis sees it."""

    name: str
    maximize: bool
    trials: tuple[FrozenTrial, ...]  # by number; shared with the storage, so never to be changed
    # what optuna-dashboard noted in the same file, by trial number; None: on the study
    notes: Mapping[int | None, str] = field(default_factory=dict)


def read_study(storage: BaseStorage, name: str) -> StudyData:
    """Return a snapshot of the study; the trials are not copied.

    Of a study with two objectives, trials are shown with the first one alone, so that whatever ranks, draws
    or weighs values need not know of the second; that one stays in their attributes, as `SECOND`.

    Raises:
        KeyError: the storage holds no study of that name.
    """
    study_id = storage.get_study_id_from_name(name)
    direction, *others = storage.get_study_directions(study_id)
    trials = storage.get_all_trials(study_id, deepcopy=False)
    if others:
        trials = [_first_alone(trial) for trial in trials]
    notes = dashboard_notes(storage.get_study_system_attrs(study_id))
    numbers = {None: None} | ({t._trial_id: t.number for t in trials} if notes else {})
    return StudyData(
        name,
        direction == optuna.study.StudyDirection.MAXIMIZE,
        tuple(trials),
        {numbers[place]: note for place, note in notes.items() if place in numbers},
    )


def _first_alone(trial: FrozenTrial) -> FrozenTrial:
    """Return the trial with its first value, and with the reports that Optuna takes of one objective only.

    Others may have written its attributes: what is no report is left out.
    """
    shown = copy.copy(trial)
    values = trial.values
    shown.values = values[:1] if values else None
    reports = trial.user_attrs.get(EVALUATIONS)
    if isinstance(reports, list):
        shown.intermediate_values = {
            r["mark"]: reported
            for r in reports
            if isinstance(r, dict)
            and type(r.get("mark")) is int
            and (reported := _finite(r.get("reported"))) is not None
        }
    return shown


def with_all_objectives(trial: FrozenTrial) -> FrozenTrial:
    """Return a trial as `read_study` shows it with the values that a journal of two objectives holds."""
    second = second_objective(trial)
    whole = copy.copy(trial)
    whole.intermediate_values = {}
    has_both = trial.state == TrialState.COMPLETE and trial.values and second is not None
    whole.values = [*trial.values, second] if has_both else None
    return whole


def second_objective(trial: FrozenTrial) -> float | None:
    """Return the trial's second objective, or None where it has none."""
    return _finite(trial.user_attrs.get(SECOND))


def n_reached(trial: FrozenTrial) -> tuple[int, int] | None:
    """Return how many of the trial's trainings reached the threshold, and of how many; None: not known."""
    reached, values = trial.user_attrs.get(N_REACHED), trial.user_attrs.get(SEED_VALUES)
    n = len(values) if isinstance(values, list) and values else 1
    return (reached, n) if type(reached) is int and 0 <= reached <= n else None


def is_drawn_at_random(trial: FrozenTrial) -> bool:
    """Say whether the trial belongs to the share that is drawn at random, whatever the sampler."""
    return trial.user_attrs.get(DRAWN_AT_RANDOM) is True


def report_unit(trial: FrozenTrial) -> str:
    """Return what the trial's reports are counted in: env steps, or seconds where it had a time budget."""
    records = trial.user_attrs.get(EVALUATIONS)
    last = records[-1] if isinstance(records, list) and records else None
    return "seconds" if isinstance(last, dict) and last.get("unit") == "seconds" else "env steps"


def own(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that the study ran or will run itself, without those that it imported."""
    return [t for t in trials if IMPORTED_FROM not in t.user_attrs]


def imported(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that were copied from another study."""
    return [t for t in trials if IMPORTED_FROM in t.user_attrs]


def origin(trial: FrozenTrial) -> tuple[str, int] | None:
    """Return the study and the number under which an imported trial ran, or None for any other trial."""
    return _place(trial.user_attrs.get(IMPORTED_FROM), trial.user_attrs.get(IMPORTED_TRIAL))


def rerun_of(trial: FrozenTrial) -> tuple[str, int] | None:
    """Return study and number of the trial whose configuration this one runs again, or None."""
    record = trial.user_attrs.get(RERUN_OF)
    return _place(record.get("study"), record.get("trial")) if isinstance(record, dict) else None


def counted(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that use up the budget: the study's own that are complete or pruned."""
    return [t for t in own(trials) if t.state in COUNTED]


def completed(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the complete trials; Optuna stores a value for pruned ones too, which is not a result."""
    return [t for t in trials if t.state == TrialState.COMPLETE and t.value is not None]


def ranked(trials: Sequence[FrozenTrial], *, maximize: bool) -> list[FrozenTrial]:
    """Return the complete trials, best first.

    Ties go to the better second objective, where there is one, so that the first trial is never one that
    another beats; then by number, so that the order never changes.
    """
    sign = -1.0 if maximize else 1.0

    def place(trial: FrozenTrial) -> tuple[float, float, int]:
        second = second_objective(trial)
        return sign * _value(trial), math.inf if second is None else second, trial.number

    return sorted(completed(trials), key=place)


def failure_kind(trial: FrozenTrial) -> str | None:
    """Return why the trial failed (error, killed, stopped, interrupted), or None when it did not."""
    if trial.state != TrialState.FAIL:
        return None
    record: Any = trial.user_attrs.get(FAILURE)
    return str(record["kind"]) if isinstance(record, dict) and "kind" in record else "error"


def run_record(trial: FrozenTrial) -> dict[str, Any]:
    """Return what the trial's worker recorded when it started; empty when it did not come to that."""
    record = trial.user_attrs.get(RUN)
    return record if isinstance(record, dict) else {}


def task_number(trial: FrozenTrial) -> int | None:
    """Return the number of the task that ran the trial, or None when that is not known."""
    number = run_record(trial).get("task")
    return number if type(number) is int else None


def _finite(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None  # others may write attributes
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _place(study: Any, number: Any) -> tuple[str, int] | None:
    is_place = isinstance(study, str) and type(number) is int and number >= 0  # others may write attributes
    return (study, number) if is_place else None


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value
