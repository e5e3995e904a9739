"""Which cores there are, and which of our studies and jobs use them. Light: a waiting runner asks too."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.locks import is_held
from storage.paths import RunFolder, budget_checks, list_runs
from storage.records import read_record
from tuning.analysis.words import count
from tuning.jobs import NOUNS


@dataclass(frozen=True)
class CoreUse:
    """One study or job that runs now, and how many workers it has."""

    study: str  # id of the study, also of a job's; of no meaning for a budget check, which has none
    kind: str  # study, probe, rollout, budget-check, ...
    n_workers: int


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cores_in_use(root: Path) -> list[CoreUse]:
    """Return what runs in a runs folder, studies and their jobs, the newest study first.

    Who waits in the queue uses nothing. What runs in another runs folder, or is not ours, is not known.
    """
    studies = [*list_runs(root), budget_checks(root)]
    return [use for study in studies for use in _of_study(study)]


def n_busy(uses: Sequence[CoreUse]) -> int:
    """Return how many workers there are in all; more than there are cores when somebody did not wait."""
    return sum(use.n_workers for use in uses)


def asked_workers(folder: RunFolder) -> int:
    """Return how many workers a study or job has when it runs; 1 where its files do not say."""
    if (plan := read_record(folder.plan)) is not None:
        return _whole(plan.get("n_workers"))
    spec = read_record(folder.spec) or {}
    budget = spec.get("budget")
    n_trials = budget.get("n_trials") if isinstance(budget, dict) else None
    return min(_whole(spec.get("n_workers")), _whole(n_trials, missing=10**6))


def cores_sentence(uses: Sequence[CoreUse], *, n_cores: int) -> str:
    """Say how many cores are busy, and with what: "2 of 2 cores busy: pendulum-ab12 (2 workers)"."""
    busy = n_busy(uses)
    if not busy:
        return "The only core is free" if n_cores == 1 else f"All {n_cores} cores are free"
    who = ", ".join(use_words(use) for use in uses)
    if busy > n_cores:
        return f"{count(busy, 'worker')} on {count(n_cores, 'core')}: {who}"
    return f"{busy} of {count(n_cores, 'core')} busy: {who}"


def use_words(use: CoreUse) -> str:
    """Name what runs: "pendulum-ab12 (2 workers)", "probe of pendulum-ab12 (1 worker)"."""
    if use.kind == "budget-check":
        return f"a budget check ({count(use.n_workers, 'worker')})"
    job = "" if use.kind == "study" else f"{NOUNS.get(use.kind, use.kind)} of "
    return f"{job}{use.study} ({count(use.n_workers, 'worker')})"


def _of_study(study: RunFolder) -> Iterator[CoreUse]:
    if is_held(study.lock) and not study.ticket.exists():
        yield CoreUse(study.id, "study", asked_workers(study))
    for place in (study.jobs, study.rollouts):
        for job in list_runs(place):
            if is_held(job.lock):
                kind = str((read_record(job.job) or {}).get("kind", "job"))
                yield CoreUse(study.id, kind, asked_workers(job))


def _whole(value: object, *, missing: int = 1) -> int:
    return value if type(value) is int and 1 <= value < 10**6 else missing
