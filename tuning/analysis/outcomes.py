"""What a trial of any Optuna study came to: its value, its last report, its state in one word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from storage.trials import BASELINE, DIVERGED, EVALUATIONS, FAILURE, PROPOSED_BY, failure_kind, ranked
from tuning.analysis.words import count

FAILURE_WORDS = {"error": "failed", "killed": "killed", "stopped": "stopped", "interrupted": "interrupted"}


@dataclass(frozen=True)
class Evaluation:
    """One evaluation during a trial; undiscounted return over `n_episodes` episodes."""

    timesteps: int  # env steps trained so far
    mean: float
    std: float | None
    n_episodes: int | None


def value_of(trial: FrozenTrial) -> float | None:
    """Return the finite value of a complete single-objective trial, else None."""
    if trial.state != TrialState.COMPLETE or trial.values is None or len(trial.values) != 1:
        return None
    return number(trial.values[0])


def last_report(trial: FrozenTrial) -> tuple[int, float] | None:
    """Return step and value of the last finite intermediate value."""
    finite = [(step, float(v)) for step, v in trial.intermediate_values.items() if number(v) is not None]
    return max(finite) if finite else None


def reached(trial: FrozenTrial) -> float | None:
    """Return the value to draw: a complete trial's result, a pruned one's last report."""
    if trial.state == TrialState.PRUNED:
        report = last_report(trial)
        if report is not None:
            return report[1]
        return number(trial.values[0]) if trial.values is not None and len(trial.values) == 1 else None
    return value_of(trial)


def finite_ranked(trials: Sequence[FrozenTrial], *, maximize: bool) -> list[FrozenTrial]:
    """Return the complete trials with a finite value, best first; ties as `ranked` breaks them."""
    return ranked([t for t in trials if value_of(t) is not None], maximize=maximize)


def finite_values(trials: Sequence[FrozenTrial]) -> dict[int, float]:
    """Return the finite value of each complete trial by trial number."""
    return {t.number: v for t in trials if (v := value_of(t)) is not None}


def baseline_name(trial: FrozenTrial) -> str | None:
    """Return what the configuration is when it was not sampled."""
    name = trial.user_attrs.get(BASELINE)
    return str(name) if name not in (None, False, "") else None


def proposer(trial: FrozenTrial) -> str | None:
    """Return who queued the configuration, "by hand" or whose values it has; None when it was sampled."""
    name = trial.user_attrs.get(PROPOSED_BY)
    return str(name)[:80] if isinstance(name, str) and name else None


def evaluations_of(trial: FrozenTrial) -> tuple[Evaluation, ...]:
    """Return the evaluations our trainer recorded; none for other studies."""
    return read_evaluations(trial.user_attrs.get(EVALUATIONS))


def read_evaluations(records: Any) -> tuple[Evaluation, ...]:
    """Return the records that can be read as evaluations, by env steps; anything else is left out."""
    found = []
    for record in records if isinstance(records, list | tuple) else ():
        if not isinstance(record, dict):
            continue
        timesteps, mean = number(record.get("timesteps")), number(record.get("mean"))
        if timesteps is None or mean is None:
            continue
        std, episodes = number(record.get("std")), number(record.get("n_episodes"))
        found.append(
            Evaluation(
                int(timesteps),
                mean,
                std if std is None or std >= 0 else None,
                None if episodes is None else int(episodes),
            )
        )
    return tuple(sorted(found, key=lambda e: e.timesteps))


def state_word(trial: FrozenTrial, *, is_running: bool = True) -> str:
    """Return the state in one word; a trial left running by a study that does not run was interrupted."""
    match trial.state:
        case TrialState.COMPLETE:
            return "complete"
        case TrialState.PRUNED:
            return "diverged" if DIVERGED in trial.user_attrs else "pruned"
        case TrialState.RUNNING:
            return "running" if is_running else "interrupted"
        case TrialState.WAITING:
            return "waiting"
    return FAILURE_WORDS.get(failure_kind(trial) or "error", "failed")


def error_line(trial: FrozenTrial) -> str:
    """Return the first line of what went wrong in a failed or diverged trial, else an empty text."""
    if trial.state == TrialState.PRUNED:
        text = trial.user_attrs.get(DIVERGED, "")
    else:
        record = trial.user_attrs.get(FAILURE)
        text = record.get("message", "") if isinstance(record, dict) else ""
        if not text and trial.state == TrialState.FAIL:
            text = trial.system_attrs.get("fail_reason", "")
    lines = str(text).strip().splitlines()
    return lines[0] if lines else ""


def nothing_complete(trials: Sequence[FrozenTrial], *, needed: int = 1) -> str | None:
    """Return why there are not yet `needed` complete trials and what to do, or None when there are."""
    n_values = len(finite_values(trials))
    if n_values >= needed:
        return None
    if not trials:
        return "This study has no trials yet. Start it on the Launch page."
    n = {state: sum(t.state == state for t in trials) for state in TrialState}
    if any(t.values is not None and len(t.values) > 1 for t in trials):
        return "This study has several objectives; these views compare one. Pick a study with one objective."
    active = n[TrialState.RUNNING] + n[TrialState.WAITING]
    if n_values:
        wait = "Wait for more to finish" if active else "Run more trials"
        return f"This view needs {needed} complete trials and the study has {n_values}. {wait}."
    if n[TrialState.FAIL] and not n[TrialState.COMPLETE] + n[TrialState.PRUNED] + active:
        first = next(t.number for t in trials if t.state == TrialState.FAIL)
        failed = "The only trial" if n[TrialState.FAIL] == 1 else f"All {n[TrialState.FAIL]} trials"
        return f"{failed} failed: there is no value to compare. Read the error of trial {first} on History."
    if n[TrialState.COMPLETE]:
        return "No complete trial has a finite value. Check what the objective returns, then run it again."
    if active:
        waiting = f"{count(n[TrialState.RUNNING], 'trial')} running, {n[TrialState.WAITING]} waiting"
        return f"No trial is complete yet: {waiting}. This view fills when the first one completes."
    return (
        f"No trial is complete: {count(n[TrialState.PRUNED], 'trial')} pruned, {n[TrialState.FAIL]} failed. "
        "Run more trials, or let the pruner start later."
    )


def number(value: Any) -> float | None:
    """Return a finite number, or None for anything else (text, NaN, infinity, a boolean)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
