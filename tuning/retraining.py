"""Train every run of a plan, whatever dies on the way: the engine of probes and of re-evaluation."""

from collections import Counter
from collections.abc import Iterator, Sequence

from storage.live import drop_heartbeat, read_heartbeats
from storage.paths import RunFolder
from tuning import pool
from tuning.analysis.words import count, three_digits
from tuning.jobs import End, JobState, log, requested_stop
from tuning.retraining_plan import (
    RunResult,
    Spare,
    append_result,
    load_plan,
    read_results,
    spare_nothing,
)
from tuning.retraining_task import RunTask, run_training

MAX_DEATHS = 3  # of workers with one run; after that it has failed
MAX_GIVEN_UP_IN_A_ROW = 3  # runs, without a single one ending by itself in between

DIED = f"Its worker process died {MAX_DEATHS} times (killed, or out of memory)."


def run_plan(folder: RunFolder, *, spare: Spare = spare_nothing) -> End:
    """Train the runs of the job in `folder` that have no result yet, until all have one or are spared.

    The caller holds the job's lock. This process alone writes results; workers hand theirs over. A run that
    fails or diverges is a result. A run whose worker died is trained again, alone: loky ends the innocent
    siblings too, so a death beside others says little about either.

    Args:
        folder: of the job.
        spare: asked before each run, with the results so far, which runs nobody needs any more.
    """
    runner = _Runner(folder, spare)
    while True:
        missing = runner.missing()
        if not missing:
            return End(JobState.FINISHED, runner.sentence())
        if mode := requested_stop(folder):
            how = "at once" if mode == "now" else "after the running ones"
            return End(JobState.STOPPED, f"Stopped on request, {how}. {runner.sentence()}")
        if runner.given_up_in_a_row >= MAX_GIVEN_UP_IN_A_ROW:
            said = (
                f"The workers of {runner.given_up_in_a_row} runs in a row died. Is the machine out of memory?"
            )
            return End(JobState.FAILED, said)
        suspects = [index for index in missing if runner.deaths[index]]
        if suspects:
            log(f"{runner.plan.runs[suspects[0]].label}: its worker died; it runs again, alone.")
            runner.batch(suspects[:1], n_workers=1)
        else:
            runner.batch(missing, n_workers=runner.plan.n_workers)


class _Runner:
    """One runner's time with a plan. What is done is read from the results, never counted beside them."""

    def __init__(self, folder: RunFolder, spare: Spare) -> None:
        self._folder = folder
        self._spare = spare
        self.plan = load_plan(folder)
        self.deaths: Counter[int] = Counter()  # of workers, by run
        self.given_up_in_a_row = 0
        self._drop_heartbeats()  # of a runner that ended without a word

    def missing(self) -> list[int]:
        """Return which runs have no result yet and are needed."""
        done = read_results(self._folder, self.plan)
        needless = done.keys() | self._spare(done).runs
        return [index for index, run in enumerate(self.plan.runs) if run.key not in needless]

    def sentence(self) -> str:
        """Return how many runs are done, how many of them without a value, and what was spared."""
        results = read_results(self._folder, self.plan)
        spared = self._spare(results)
        states = Counter(r.state for r in results.values())
        done, planned = states.total(), len(self.plan.runs)
        total = planned - len(spared.runs)
        said = f"All {count(total, 'run')} are done" if done == total else f"{done} of {total} runs are done"
        lost = [f"{states[state]} {state}" for state in ("diverged", "failed") if states[state]]
        said += f", {' and '.join(lost)}." if lost else "."
        if not spared.runs:
            return said
        who = count(len(spared.given_up), "candidate")
        return f"{said} Racing gave up {who} and saved {len(spared.runs)} of {planned} runs."

    def batch(self, indices: Sequence[int], *, n_workers: int) -> None:
        """Train these runs until all are through, somebody asks to stop, or a worker dies."""
        underway: set[int] = set()

        def tasks() -> Iterator[RunTask]:
            for index in indices:
                if requested_stop(self._folder):
                    return
                # joblib asks for the next run before this process has recorded how the last one ended, so
                # a race may start one run more than it needs.
                if self.plan.runs[index].key in self._spare(read_results(self._folder, self.plan)).runs:
                    continue
                underway.add(index)
                yield RunTask(str(self._folder.path), self.plan, index)

        folder = self._folder.path
        try:
            for outcome in pool.run_tasks(run_training, tasks(), n_workers=n_workers, folder=folder):
                underway.discard(outcome.index)
                if outcome.result is not None:
                    self._record(outcome.index, outcome.result)
                    self.given_up_in_a_row = 0
        except pool.WorkerDied:
            if requested_stop(self._folder) != "now":
                self._blame(sorted(underway))
        self._drop_heartbeats()

    def _blame(self, indices: Sequence[int]) -> None:
        for index in indices:
            self.deaths[index] += 1
            if self.deaths[index] >= MAX_DEATHS:
                self._record(index, RunResult(key=self.plan.runs[index].key, state="failed", message=DIED))
                self.given_up_in_a_row += 1

    def _record(self, index: int, result: RunResult) -> None:
        append_result(self._folder, result)
        what = f"return {three_digits(result.mean)}" if result.mean is not None else result.message
        log(f"{self.plan.runs[index].label}: {result.state}, {what}")

    def _drop_heartbeats(self) -> None:
        for beat in read_heartbeats(self._folder):
            drop_heartbeat(self._folder, beat.trial)
