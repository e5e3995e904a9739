"""What one joblib task does in a worker process: ask for a trial, run it, and tell how it ended.

What needs torch is imported inside the functions: the watchdog must be up before the seconds that takes.
"""

import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder
from storage.trials import COUNTED, DIVERGED, DRAWN_AT_RANDOM, FAILURE, PRUNED, RUN, counted, read_study
from tuning import recovery, seeds
from tuning.combinations import combinations_left
from tuning.jobs import requested_stop
from tuning.pruners import build_pruner
from tuning.reporter import Reporter
from tuning.samplers import build_sampler, is_drawn_at_random
from tuning.spec import StudySpec, stored_spec
from tuning.watchdog import CONTROL

MAX_TRACEBACK_CHARS = 20_000

_storages: dict[str, JournalStorage] = {}  # one open journal for each log: opening replays it


@dataclass(frozen=True)
class Task:
    """One trial to run. Everything in it crosses a process boundary, so it is plain data."""

    folder: str
    spec: StudySpec
    index: int  # counts the tasks of the study; seeds the trial
    alone: bool  # no other trial runs beside it
    trial: int | None = None  # run this queued trial instead of the next one
    deadline: float | None = None  # on the machine's monotonic clock; start nothing after it


@dataclass(frozen=True)
class Outcome:
    """How one trial ended."""

    trial: int | None  # None when it was not even started
    sentence: str  # for the log


NOT_STARTED = Outcome(None, "A trial that was due is not started.")


def run_trial(task: Task) -> Outcome:
    """Run one trial to its end. Never raises for what the environment or the algorithm does."""
    if requested_stop(RunFolder(Path(task.folder))) or (task.deadline and time.monotonic() >= task.deadline):
        return NOT_STARTED  # joblib takes tasks ahead of time
    CONTROL.busy = True
    try:
        return _run_trial(task)
    finally:
        CONTROL.busy = False


def _run_trial(task: Task) -> Outcome:
    folder, spec = RunFolder(Path(task.folder)), task.spec
    study = optuna.load_study(
        study_name=STUDY_NAME,
        storage=_storage(folder),
        sampler=build_sampler(spec, task=task.index, n_ended=_n_ended(folder)),
        pruner=build_pruner(spec),
    )
    # The imports took a while.
    if CONTROL.stop_kind or _budget_is_taken(folder, is_queued=task.trial is not None):
        return NOT_STARTED
    trial = study.ask() if task.trial is None else recovery.claim(study, task.trial)
    if is_drawn_at_random(spec, task.index) and not _is_given(study, trial):
        trial.set_user_attr(DRAWN_AT_RANDOM, True)
    with Reporter(folder, trial.number, spec.budget.n_timesteps * spec.objective.n_seeds) as reporter:
        try:
            return _train_and_tell(study, trial, task, reporter)
        except optuna.exceptions.UpdateFinishedTrialError:
            return Outcome(trial.number, f"Trial {trial.number} was ended from outside.")


def _budget_is_taken(folder: RunFolder, *, is_queued: bool) -> bool:
    """Say whether done and running trials use up the budget: it may have shrunk since the task was made.

    Where each combination is tried once, another task may have taken the last one; `is_queued`
    is whether this one runs a trial that waits in the journal.
    """
    spec = stored_spec(folder)
    trials = read_study(_storage(folder), STUDY_NAME).trials
    running = sum(t.state == TrialState.RUNNING for t in trials)
    if len(counted(trials)) + running >= spec.budget.n_trials:
        return True
    return not is_queued and combinations_left(spec, trials) == 0


def _is_given(study: optuna.Study, trial: optuna.Trial) -> bool:
    """Say whether the trial's configuration was queued."""
    return "fixed_params" in study._storage.get_trial(trial._trial_id).system_attrs


def _n_ended(folder: RunFolder) -> int:
    return sum(t.state in COUNTED for t in read_study(_storage(folder), STUDY_NAME).trials)


def _train_and_tell(study: optuna.Study, trial: optuna.Trial, task: Task, reporter: Reporter) -> Outcome:
    from tuning.objective import run_objective
    from tuning.training import Seeds
    from tuning.training_callback import Diverged, TrainingStopped

    number, spec = trial.number, task.spec
    first, evaluation = seeds.train_seed(spec.seed, task.index), seeds.eval_seed(spec.seed)
    train_seeds = [first, *seeds.further_train_seeds(spec.seed, task.index, spec.objective.n_seeds)]
    record = {"task": task.index, "alone": task.alone, "train_seed": first, "eval_seed": evaluation}
    trial.set_user_attr(RUN, record | ({"train_seeds": train_seeds} if len(train_seeds) > 1 else {}))
    used = [Seeds(train, evaluation) for train in train_seeds]
    try:
        values = run_objective(
            trial, spec, RunFolder(Path(task.folder)), seeds=used, reporter=reporter, control=CONTROL
        )
    except optuna.TrialPruned as reason:
        reporter.phase("tell")
        sentence = f"Trial {number} was pruned: {reason}."
        trial.set_user_attr(PRUNED, sentence)
        _tell(study, trial, TrialState.PRUNED)
        return Outcome(number, sentence)
    except Diverged as reason:
        reporter.phase("tell")
        rate = trial.params.get("learning_rate")
        at = f" (learning_rate {rate:.3g})" if isinstance(rate, float) else ""
        sentence = f"Trial {number} diverged{at}: {reason}. It counts as pruned."
        trial.set_user_attr(DIVERGED, sentence)
        _tell(study, trial, TrialState.PRUNED)
        return Outcome(number, sentence)
    except TrainingStopped as reason:
        kind = str(reason)
        trial.set_user_attr(FAILURE, {"kind": kind, "message": recovery.MESSAGES[kind]})
        _tell(study, trial, TrialState.FAIL)
        return Outcome(number, f"Trial {number} {kind}.")
    except (Exception, SystemExit) as error:  # an env may raise anything, and must not end the study's worker
        message = "".join(traceback.format_exception_only(error)).strip()[:2000]
        trace = traceback.format_exc()[-MAX_TRACEBACK_CHARS:]
        trial.set_user_attr(FAILURE, {"kind": "error", "message": message, "traceback": trace})
        _tell(study, trial, TrialState.FAIL)
        return Outcome(number, f"Trial {number} failed: {message}")
    reporter.phase("tell")
    _tell(study, trial, TrialState.COMPLETE, values)
    return Outcome(number, f"Trial {number} complete: {', '.join(f'{v:.1f}' for v in values)}")


def _tell(
    study: optuna.Study, trial: optuna.Trial, state: TrialState, values: list[float] | None = None
) -> None:
    """End the trial, unless the runner that came after a dead one did so already: what it wrote stands."""
    told = study.tell(trial, values, state, skip_if_finished=True)
    if told.state != state:
        raise optuna.exceptions.UpdateFinishedTrialError


def _storage(folder: RunFolder) -> JournalStorage:
    key = str(folder.journal)
    if key not in _storages:
        _storages.clear()  # a worker serves one study at a time
        _storages[key] = open_journal(folder.journal)
    return _storages[key]
