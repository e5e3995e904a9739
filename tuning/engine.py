"""Run a study to its exact budget, whatever dies on the way."""

import threading
import time
from collections.abc import Iterator, Sequence

from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from storage import artifacts
from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder
from storage.trials import BASELINE, FAILURE, counted, failure_kind, own, ranked, read_study, task_number
from tuning import pool, recovery
from tuning.combinations import all_tried_sentence, combinations_left
from tuning.jobs import End, JobState, log, requested_stop
from tuning.spec import StudySpec, stored_spec
from tuning.worker import Task, run_trial

MAX_FAILURES_IN_A_ROW = 3
MAX_DEATHS_IN_A_ROW = 20  # of workers, without a single trial ending by itself in between


def run_study(folder: RunFolder) -> End:
    """Run the study in `folder` until its budget is used or something ends it earlier.

    The caller holds the run's lock. Workers append to the journal themselves; this process only fails and
    queues again what they left behind, and sweeps policies that are no longer among the best.
    """
    storage = open_journal(folder.journal)
    for number in recovery.recover(folder, storage, kind="interrupted"):
        log(f"Trial {number} was left running; its configuration is queued again.")
    run = _Run(folder, storage)
    while True:
        spec = stored_spec(folder)
        trials = run.trials()
        if len(counted(trials)) >= spec.budget.n_trials:
            return End(JobState.FINISHED, f"All {len(counted(trials))} trials are done.")
        if end := run.early_end(spec, trials):
            return end
        suspect = recovery.next_suspect(storage, trials)
        if suspect is None and combinations_left(spec, trials) == 0:
            return End(JobState.FINISHED, all_tried_sentence(spec, trials))
        if suspect is not None:
            log(f"Trial {suspect} repeats a configuration whose worker died twice; it runs alone.")
            run.batch(iter([run.task(spec, alone=True, trial=suspect)]), n_workers=1)
        else:
            run.batch(run.claims(), n_workers=spec.n_workers)


class _Run:
    """One runner's time with a study. What ended is read from the journal, never counted beside it."""

    def __init__(self, folder: RunFolder, storage: JournalStorage) -> None:
        self._folder = folder
        self._storage = storage
        self._started = time.monotonic()
        self._before = {t.number for t in self.trials() if t.state.is_finished()}
        # Imported trials too: the study goes on where its parent's task numbers end.
        numbers = (task_number(t) for t in self.trials())
        self._next_index = 1 + max((n for n in numbers if n is not None), default=-1)
        self._index_lock = threading.Lock()
        self._deaths_in_a_row = 0
        self._ended_at_last_death = 0

    def trials(self) -> list[FrozenTrial]:
        """Return all trials of the study, by number, with their first objective; not copied."""
        return list(read_study(self._storage, STUDY_NAME).trials)

    def task(self, spec: StudySpec, *, alone: bool, trial: int | None = None) -> Task:
        """Return the next task. Its index goes on where the last runner's ended: each has its own streams."""
        with self._index_lock:
            index = self._next_index
            self._next_index += 1
        timeout_s = spec.budget.timeout_s
        deadline = None if timeout_s is None else self._started + timeout_s
        return Task(str(self._folder.path), spec, index, alone, trial, deadline)

    def claims(self) -> Iterator[Task]:
        """Yield tasks for as long as the budget has room for every trial underway to count.

        joblib asks for tasks in a thread of its own, when a worker has told how its trial ended but this
        process may not have read the worker's answer yet: hence the journal decides. It also asks for some
        ahead of time, so a worker looks again whether its trial may still start.
        """
        claimed: set[int] = set()
        while True:
            spec = stored_spec(self._folder)
            trials = self.trials()
            underway = claimed - {task_number(t) for t in trials if t.state.is_finished()}
            if len(counted(trials)) + len(underway) >= spec.budget.n_trials or self.early_end(spec, trials):
                return
            left, unseen = combinations_left(spec, trials), claimed - {task_number(t) for t in trials}
            if left is not None and left <= len(unseen):
                return
            task = self.task(spec, alone=spec.n_workers == 1)
            claimed.add(task.index)
            yield task

    def batch(self, tasks: Iterator[Task], *, n_workers: int) -> None:
        """Run tasks until there are none or a worker dies; in the end no trial is RUNNING."""
        kind = "interrupted"  # a worker that had just lost an earlier runner may have taken a trial
        try:
            for outcome in pool.run_tasks(run_trial, tasks, n_workers=n_workers, folder=self._folder.path):
                log(outcome.sentence)
                self._sweep()
        except pool.WorkerDied:
            kind = "stopped" if requested_stop(self._folder) == "now" else "killed"
            ended = sum(failure_kind(t) in (None, "error") for t in self._ended(self.trials()))
            self._deaths_in_a_row = 1 if ended > self._ended_at_last_death else self._deaths_in_a_row + 1
            self._ended_at_last_death = ended
        for number in recovery.recover(self._folder, self._storage, kind=kind):
            log(f"Trial {number}: {recovery.MESSAGES[kind]}")

    def early_end(self, spec: StudySpec, trials: Sequence[FrozenTrial]) -> End | None:
        """Return why no further trial may start although the budget has room, or None."""
        if mode := requested_stop(self._folder):
            how = "at once" if mode == "now" else "after the running trials"
            return End(JobState.STOPPED, f"Stopped on request, {how}.")
        timeout_s = spec.budget.timeout_s
        if timeout_s is not None and time.monotonic() - self._started >= timeout_s:
            return End(JobState.STOPPED, f"The time budget of {timeout_s:g} s was used up.")
        failures = _failures_in_a_row(self._ended(trials))
        if len(failures) >= MAX_FAILURES_IN_A_ROW:
            last = failures[0]
            message = last.user_attrs.get(FAILURE, {}).get("message", "")
            if recovery.exhausted(last):
                message = "its worker died each time it ran, the last times with no other trial beside it."
            said = f"{len(failures)} trials failed in a row. The last one, trial {last.number}: {message}"
            return End(JobState.FAILED, said)
        if self._deaths_in_a_row >= MAX_DEATHS_IN_A_ROW:
            said = f"Workers died {self._deaths_in_a_row} times in a row. Is the machine out of memory?"
            return End(JobState.FAILED, said)
        return None

    def _ended(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Return the trials that ended under this runner, newest first; by number, as clocks may jump."""
        return [t for t in reversed(trials) if t.state.is_finished() and t.number not in self._before]

    def _sweep(self) -> None:
        """Delete the policies of complete trials that are not among the best, no baseline and not pinned."""
        spec = stored_spec(self._folder)
        trials = self.trials()
        best = {t.number for t in ranked(own(trials), maximize=spec.maximize)[: spec.retention.top]}
        baselines = {t.number for t in own(trials) if BASELINE in t.user_attrs}  # to be shown beside the best
        running = {t.number for t in trials if t.state == TrialState.RUNNING}
        keep = best | baselines | running | artifacts.pinned_trials(self._folder)
        artifacts.drop_policies_except(self._folder, keep)


def _failures_in_a_row(newest_first: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the newest trials that failed by their own fault, up to the first that did not, newest first."""
    failures = []
    for trial in newest_first:
        kind = failure_kind(trial)
        if kind == "error" or recovery.exhausted(trial):
            failures.append(trial)
        elif kind is None:
            break  # killed, stopped or interrupted say nothing about the configuration
    return failures
