"""What becomes of trials that nobody runs any more: fail them, and queue their configuration again.

Everything is derived from the journal, so whoever dies half-way leaves nothing that the next one cannot
finish. Only the holder of the run's lock may call this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from storage.artifacts import drop_policies_except, kept_trials
from storage.journal import STUDY_NAME
from storage.live import drop_heartbeat, read_heartbeats
from storage.paths import RunFolder
from storage.trials import (
    BASELINE,
    CRASHES,
    DRAWN_AT_RANDOM,
    FAILURE,
    PROPOSED_BY,
    RERUN_OF,
    RETRIES,
    RETRY_OF,
    failure_kind,
    own,
    run_record,
)

MAX_RETRIES = 2  # of one configuration, each of them running alone
MAX_SHARED_CRASHES = 2  # with others; after that a configuration is suspect and runs alone

MESSAGES = {
    "killed": "The worker process died (killed, or out of memory). The configuration is queued again.",
    "stopped": "Stopped before it ended. The configuration is queued again and runs on resume.",
    "interrupted": "The runner ended while this trial ran. The configuration is queued again.",
}


@dataclass(frozen=True)
class Retry:
    """A configuration to run again."""

    params: dict[str, Any]  # stored values; those missing are sampled
    attributes: dict[str, Any]  # user attributes of the queued trial
    suspect: bool  # its worker died too often beside others: run it alone


def recover(folder: RunFolder, storage: BaseStorage, *, kind: str) -> list[int]:
    """Fail every trial that is RUNNING, and queue again all that is due and not suspect.

    Args:
        folder: the run.
        storage: its journal, open in this process.
        kind: why they no longer run: killed, stopped or interrupted.

    Returns:
        The numbers of the trials that were failed.
    """
    study_id = storage.get_study_id_from_name(STUDY_NAME)
    failed = []
    for trial in storage.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,)):
        try:
            storage.set_trial_user_attr(trial._trial_id, FAILURE, {"kind": kind, "message": MESSAGES[kind]})
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:  # a worker that has just lost its runner was faster
            continue
        failed.append(trial.number)
    for beat in read_heartbeats(folder):
        drop_heartbeat(folder, beat.trial)
    drop_policies_except(folder, kept_trials(folder) - set(failed))
    for retry in due_retries(storage.get_all_trials(study_id, deepcopy=False)):
        if not retry.suspect:
            queue(storage, retry)
    return failed


def queue(storage: BaseStorage, retry: Retry) -> int:
    """Queue a configuration and return its trial number."""
    study = optuna.load_study(study_name=STUDY_NAME, storage=storage)
    study.enqueue_trial(retry.params, user_attrs=retry.attributes)
    trials = storage.get_all_trials(study._study_id, deepcopy=False)
    retry_of = retry.attributes[RETRY_OF]
    return next(t.number for t in reversed(trials) if t.user_attrs.get(RETRY_OF) == retry_of)


def next_suspect(storage: BaseStorage, trials: Sequence[FrozenTrial]) -> int | None:
    """Return the number of a queued trial that must run alone; queue one where one is due."""
    for trial in trials:  # queued by a runner that ended before it ran
        if trial.state == TrialState.WAITING and _shared_crashes(trial) >= MAX_SHARED_CRASHES:
            return trial.number
    due = next((retry for retry in due_retries(trials) if retry.suspect), None)
    return None if due is None else queue(storage, due)


def due_retries(trials: Sequence[FrozenTrial]) -> list[Retry]:
    """Return what must run again: failed without its own fault, tried seldom enough, and not queued yet."""
    ours = own(trials)  # others count in their own study
    retried = {_number(t, RETRY_OF) for t in ours if RETRY_OF in t.user_attrs}
    due = []
    for trial in ours:
        kind = failure_kind(trial)
        if kind in MESSAGES and trial.number not in retried and not exhausted(trial):
            fixed = trial.system_attrs.get("fixed_params")
            params = {**(fixed if isinstance(fixed, dict) else {}), **trial.params}
            if params:  # a worker that died before it sampled anything leaves nothing to repeat
                due.append(
                    Retry(
                        params, _attributes(trial, kind), suspect=_shared_crashes(trial) >= MAX_SHARED_CRASHES
                    )
                )
    return due


def exhausted(trial: FrozenTrial) -> bool:
    """Say whether a failed trial has used up the retries of its configuration."""
    return failure_kind(trial) == "killed" and _failed_retries(trial) >= MAX_RETRIES


def _attributes(trial: FrozenTrial, kind: str) -> dict[str, Any]:
    attributes = {
        RETRY_OF: trial.number,
        CRASHES: _shared_crashes(trial),
        RETRIES: _failed_retries(trial),
    }
    marks = (BASELINE, DRAWN_AT_RANDOM, PROPOSED_BY, RERUN_OF)
    kept = {name: trial.user_attrs[name] for name in marks if name in trial.user_attrs}
    return attributes | kept


def _ran_alone(trial: FrozenTrial) -> bool:
    return bool(run_record(trial).get("alone"))


def _shared_crashes(trial: FrozenTrial) -> int:
    """Worker deaths of this configuration so far, beside others (loky kills innocent siblings too)."""
    died = failure_kind(trial) == "killed" and not _ran_alone(trial)
    return _number(trial, CRASHES) + int(died)


def _failed_retries(trial: FrozenTrial) -> int:
    died = failure_kind(trial) == "killed" and _ran_alone(trial) and RETRY_OF in trial.user_attrs
    return _number(trial, RETRIES) + int(died)


def _number(trial: FrozenTrial, name: str) -> int:
    value = trial.user_attrs.get(name)
    return value if type(value) is int else 0  # others may write to the journal too


def claim(study: optuna.Study, number: int) -> optuna.Trial:
    """Take one particular queued trial, where `study.ask()` would take the first in line.

    Raises:
        ValueError: it is no longer queued.
    """
    trial_id = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
    if not study._storage.set_trial_state_values(trial_id, TrialState.RUNNING):
        raise ValueError(f"Trial {number} is no longer queued.")
    return optuna.Trial(study, trial_id)
