"""Queue trials in a study that exists, while it runs or not: nothing is lost, the budget stays exact."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from storage import locks
from storage.journal import append_trials
from storage.paths import RunFolder
from storage.records import write_text
from storage.trials import PROPOSED_BY, RETRY_OF, counted
from tuning import jobs, launch
from tuning.access import require_writable
from tuning.analysis.words import count
from tuning.combinations import combinations_left
from tuning.first_trials import BY_HAND
from tuning.jobs import JobState
from tuning.space.configurations import read_configuration
from tuning.spec import SpecError, StudySpec

END_WAIT_S = 10.0  # for a runner that was about to end when the configuration came
MAX_AT_ONCE = 100


@dataclass(frozen=True)
class Queued:
    """What came of queueing."""

    trials: tuple[int, ...]  # their numbers
    n_trials: int  # the study's budget now
    n_more: int  # how far it had to grow for them
    is_running: bool

    @property
    def words(self) -> str:
        """What happened, for a person."""
        many = len(self.trials) > 1
        which = f"Trials {self.trials[0]} to {self.trials[-1]} are" if many else f"Trial {self.trials[0]} is"
        said = f"{which} queued."
        if self.n_more:
            said += f" The budget was used up, so it is {count(self.n_trials, 'trial')} now."
        if not self.is_running:
            said += f" {'They run' if many else 'It runs'} when the study does."
        return said


def queue_trials(
    folder: RunFolder,
    configurations: Sequence[Mapping[str, Any]],
    *,
    who: str = BY_HAND,
    resume: bool = False,
) -> Queued:
    """Queue configurations behind those that wait already; running workers take them up next.

    They take trials of the budget that no other has claimed; where none is left, the budget grows by as many
    as it takes. A study that finishes at that moment is started again.

    Args:
        folder: a study of ours.
        configurations: as `read_configuration` takes them.
        who: proposed them, for people.
        resume: start the study when it does not run; one that waits for its turn keeps its place.

    Raises:
        ReadOnly: this server only shows studies.
        SpecError: a value lies outside the search space, or the budget cannot grow; nothing is queued.
        Busy: somebody else is changing the budget; nothing is queued.
        ValueError: the study is not ours.
        StartFailed: they are queued, but the study could not be started.
    """
    require_writable("queue a configuration")
    with launch.changing_budget(folder):
        queued, before = _queue(folder, configurations, who)
    running = _keep_running(folder, queued, before) if queued.is_running else False
    if resume and not running and not folder.ticket.exists():
        with suppress(jobs.AlreadyRunning):  # then somebody was faster
            launch.resume(folder)
        running = True
    return Queued(queued.trials, queued.n_trials, queued.n_more, running)


def _queue(
    folder: RunFolder, configurations: Sequence[Mapping[str, Any]], who: str
) -> tuple[Queued, StudySpec]:
    """Return what came of it, and the request as it was before."""
    run = launch.read_run(folder)
    if run.spec is None:
        raise ValueError(f"{folder.id} was opened from a file that is not ours: it is only read here.")
    alive, known = run.status.state.alive, {t.number for t in run.study.trials}
    waiting = _waiting(run.spec.search_space, configurations, who)
    before = run.spec.budget.n_trials
    run.spec.with_trials(max(before, claimed(run.study.trials, alive=alive) + len(waiting)))  # may it be so?
    append_trials(folder.journal, waiting)
    trials = launch.read_run(folder).study.trials
    new = [
        t.number
        for t in trials
        if t.number not in known and PROPOSED_BY in t.user_attrs and RETRY_OF not in t.user_attrs
    ]
    total = max(before, claimed(trials, alive=alive))
    if total > before:  # after the trials are there: a worker that is free would sample one in their place
        write_text(folder.spec, run.spec.with_trials(total).model_dump_json(indent=1))
    return Queued(tuple(new[: len(configurations)]), total, total - before, alive), run.spec


def claimed(trials: Sequence[FrozenTrial], *, alive: bool) -> int:
    """Return how many trials of the budget are used, run, or wait in the queue."""
    states = (TrialState.WAITING, TrialState.RUNNING) if alive else (TrialState.WAITING,)
    # What a dead runner left running is queued again when the study is resumed.
    left = 0 if alive else sum(t.state == TrialState.RUNNING for t in trials)
    return len(counted(trials)) + sum(t.state in states for t in trials) + left


def _waiting(space: Any, configurations: Sequence[Mapping[str, Any]], who: str) -> list[FrozenTrial]:
    faults, waiting = [], []
    if not 1 <= len(configurations) <= MAX_AT_ONCE:
        raise SpecError([f"Queue 1 to {MAX_AT_ONCE} configurations at once: received {len(configurations)}."])
    for number, values in enumerate(configurations, start=1):
        stored, wrong = read_configuration(space, values)
        faults += [f"Configuration {number}: {w}" if len(configurations) > 1 else w for w in wrong]
        waiting.append(
            optuna.trial.create_trial(
                state=TrialState.WAITING,
                system_attrs={"fixed_params": stored},
                user_attrs={PROPOSED_BY: who},
            )
        )
    if faults:
        raise SpecError(faults)
    return waiting


def _keep_running(folder: RunFolder, queued: Queued, before: StudySpec) -> bool:
    """Say whether the study's runner takes the queue up; start it again where it had just finished.

    A runner reads the budget, then the trials, and finishes when no trial runs and the one covers the other,
    or when every combination was tried. Where neither is so without what was queued, it has not.
    """
    deadline = time.monotonic() + END_WAIT_S
    while time.monotonic() < deadline:
        if not locks.is_held(folder.lock):
            if jobs.job_status(folder).state != JobState.FINISHED:
                return False  # it was stopped, failed or died: that is for a person to decide
            with suppress(jobs.AlreadyRunning):  # then somebody was faster
                launch.start(folder)
            return True
        trials = launch.read_run(folder).study.trials
        others = [t for t in trials if t.number not in queued.trials]
        if not any(trials[number].state == TrialState.WAITING for number in queued.trials):
            return True
        if any(t.state == TrialState.RUNNING for t in others):
            return True
        if len(counted(others)) < before.budget.n_trials and combinations_left(before, others) != 0:
            return True
        time.sleep(0.05)
    return True
