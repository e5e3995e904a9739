"""A study in a few numbers, cheap enough to be computed for every study of a list."""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from storage.trials import DIVERGED, counted, failure_kind, own
from tuning.analysis.outcomes import finite_ranked, finite_values


@dataclass(frozen=True)
class StudySummary:
    """Counts, the best value and the times of one study's own trials, without those that it imported."""

    n_trials: int
    n_complete: int
    n_pruned: int  # includes the diverged ones
    n_diverged: int
    n_failed: int
    failures: tuple[tuple[str, int], ...]  # (kind, how many), by kind
    n_running: int
    n_waiting: int
    n_counted: int  # what uses up the budget: complete and pruned
    best_value: float | None
    best_number: int | None  # the first by `ranked`
    n_tied: int  # other trials with exactly the best value
    best_so_far: tuple[float, ...]  # after each complete trial, by number
    first_started: datetime.datetime | None
    last_finished: datetime.datetime | None  # last completion, or last start where nothing completed
    n_imported: int = 0  # trials copied from the study that this one continues; in no other number here


def study_summary(trials: Sequence[FrozenTrial], *, maximize: bool) -> StudySummary:
    """Return the summary; values that are not finite count as complete but never as best."""
    n_all, trials = len(trials), own(trials)
    states = Counter(t.state for t in trials)
    values = sorted(finite_values(trials).items())
    so_far: list[float] = []
    best: tuple[int, float] | None = None
    for number, value in values:
        if best is None or (value > best[1] if maximize else value < best[1]):
            best = (number, value)
        so_far.append(best[1])
    started = [t.datetime_start for t in trials if t.datetime_start is not None]
    finished = [t.datetime_complete for t in trials if t.datetime_complete is not None]
    kinds = Counter(kind for t in trials if (kind := failure_kind(t)) is not None)
    return StudySummary(
        n_trials=len(trials),
        n_complete=states[TrialState.COMPLETE],
        n_pruned=states[TrialState.PRUNED],
        n_diverged=sum(t.state == TrialState.PRUNED and DIVERGED in t.user_attrs for t in trials),
        n_failed=states[TrialState.FAIL],
        failures=tuple(sorted(kinds.items())),
        n_running=states[TrialState.RUNNING],
        n_waiting=states[TrialState.WAITING],
        n_counted=len(counted(trials)),
        best_value=None if best is None else best[1],
        best_number=next((t.number for t in finite_ranked(trials, maximize=maximize)), None),
        n_tied=0 if best is None else sum(value == best[1] for _, value in values) - 1,
        best_so_far=tuple(so_far),
        first_started=min(started, default=None),
        last_finished=max(finished or started, default=None),
        n_imported=n_all - len(trials),
    )
