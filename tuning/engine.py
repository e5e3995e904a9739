"""Run a study to its exact budget, whatever dies on the way."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from storage import artifacts
from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder
from storage.trials import counted, ranked
from tuning import pool, recovery
from tuning.jobs import JobState, requested_stop
from tuning.spec import StudySpec, load_spec
from tuning.worker import Outcome, Task, run_trial

MAX_FAILURES_IN_A_ROW = 3
MAX_DEATHS_IN_A_ROW = 20  # of workers, without a single trial ending in between


@dataclass(frozen=True)
class End:
    """How a run of the study ended, for the exit record."""

    state: JobState
    reason: str


@dataclass
class _Tally:
    """What this run has seen; shared by the main thread and joblib's dispatching threads."""

    started: float = field(default_factory=time.monotonic)
    next_index: int = 0
    failures_in_a_row: int = 0
    deaths_in_a_row: int = 0
    last_failure: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end_due(self, folder: RunFolder, spec: StudySpec) -> End | None:
        """Return why no further trial may start, budget apart, or None."""
        if mode := requested_stop(folder):
            how = "at once" if mode == "now" else "after the running trials"
            return End(JobState.STOPPED, f"Stopped on request, {how}.")
        timeout_s = spec.budget.timeout_s
        if timeout_s is not None and time.monotonic() - self.started >= timeout_s:
            return End(JobState.STOPPED, f"The time budget of {timeout_s:g} s was used up.")
        if self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            said = f"{self.failures_in_a_row} trials failed in a row. The last one: {self.last_failure}"
            return End(JobState.FAILED, said)
        if self.deaths_in_a_row >= MAX_DEATHS_IN_A_ROW:
            said = f"Workers died {self.deaths_in_a_row} times in a row. Is the machine out of memory?"
            return End(JobState.FAILED, said)
        return None

    def note(self, outcome: Outcome) -> None:
        """Take up how a trial ended."""
        with self.lock:
            if outcome.state in ("COMPLETE", "PRUNED"):
                self.failures_in_a_row = self.deaths_in_a_row = 0
            elif outcome.failure == "error":
                self.deaths_in_a_row = 0
                self.failures_in_a_row += 1
                self.last_failure = outcome.sentence


def run_study(folder: RunFolder) -> End:
    """Run the study in `folder` until its budget is used or something ends it earlier.

    The caller holds the run's lock. Workers append to the journal themselves; this process only fails and
    queues again what they left behind, and sweeps policies that are no longer among the best.
    """
    storage = open_journal(folder.journal)
    for number in recovery.recover(folder, storage, kind="interrupted"):
        _log(f"Trial {number} was left running; its configuration is queued again.")
    tally = _Tally(next_index=sum(t.state != TrialState.WAITING for t in _trials(storage)))
    while True:
        spec = load_spec(folder.spec)
        trials = _trials(storage)
        if len(counted(trials)) >= spec.budget.n_trials:
            return End(JobState.FINISHED, f"{len(counted(trials))} trials.")
        if end := tally.end_due(folder, spec):
            return end
        suspect = next((r for r in recovery.due_retries(trials) if r.suspect), None)
        if suspect:
            alone = recovery.queue(storage, suspect)
            _log(f"Trial {alone} repeats a configuration whose worker died twice; it runs alone.")
            tasks = iter([_task(folder, spec, tally, alone=True, trial=alone)])
            n_workers = 1
        else:
            tasks, n_workers = _claims(folder, storage, tally), spec.n_workers
        _run_batch(folder, storage, tasks, tally, n_workers)


def _run_batch(
    folder: RunFolder, storage: JournalStorage, tasks: Iterator[Task], tally: _Tally, n_workers: int
) -> None:
    """Run tasks until there are none or a worker dies; in the end no trial is RUNNING."""
    try:
        for outcome in pool.run_tasks(run_trial, tasks, n_workers=n_workers, folder=folder.path):
            tally.note(outcome)
            _log(outcome.sentence)
            _sweep(folder, storage)
    except pool.WorkerDied:
        kind = "stopped" if requested_stop(folder) == "now" else "killed"
        if kind == "killed":
            tally.deaths_in_a_row += 1
        for number in recovery.recover(folder, storage, kind=kind):
            _log(f"Trial {number}: {recovery.MESSAGES[kind]}")
            if recovery.exhausted(_trials(storage)[number]):
                failed = f"Trial {number} killed its worker {recovery.MAX_RETRIES + 1} times."
                tally.note(Outcome(number, "FAIL", "error", failed))


def _claims(folder: RunFolder, storage: JournalStorage, tally: _Tally) -> Iterator[Task]:
    """Yield tasks for as long as the budget has room for every trial underway to count.

    joblib asks for the next task in a thread of its own, before the last result has been read, so results are
    taken from the journal, where a trial that ended is to be seen for certain.
    """
    first = len(_trials(storage, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
    claimed = 0
    while True:
        spec = load_spec(folder.spec)
        ended = _trials(storage, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        underway = claimed - (len(ended) - first)
        if len(counted(ended)) + underway >= spec.budget.n_trials or tally.end_due(folder, spec):
            return
        claimed += 1
        yield _task(folder, spec, tally, alone=spec.n_workers == 1)


def _task(
    folder: RunFolder, spec: StudySpec, tally: _Tally, *, alone: bool, trial: int | None = None
) -> Task:
    with tally.lock:
        index = tally.next_index
        tally.next_index += 1
    return Task(str(folder.path), spec, index, alone, trial)


def _sweep(folder: RunFolder, storage: JournalStorage) -> None:
    """Delete the policies of complete trials that are neither among the best nor pinned."""
    spec = load_spec(folder.spec)
    best = {t.number for t in ranked(_trials(storage), maximize=spec.maximize)[: spec.retention.top]}
    running = {t.number for t in _trials(storage, TrialState.RUNNING)}
    artifacts.drop_policies_except(folder, best | running | artifacts.pinned_trials(folder))


def _trials(storage: JournalStorage, *states: TrialState) -> list[FrozenTrial]:
    study_id = storage.get_study_id_from_name(STUDY_NAME)
    return storage.get_all_trials(study_id, deepcopy=False, states=states or None)


def _log(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)
