"""Train every run of a plan, whatever dies on the way: the engine of probes and of re-evaluation."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from storage.live import drop_heartbeat, read_heartbeats
from storage.paths import RunFolder
from tuning import pool
from tuning.analysis.words import count, listed, three_digits
from tuning.jobs import End, JobState, log, requested_stop
from tuning.retraining_plan import (
    RunResult,
    Spare,
    append_result,
    load_plan,
    read_results,
    spare_nothing,
)
from tuning.retraining_task import NotKept, RunTask, run_training

MAX_DEATHS = 3  # of workers with one run; after that it has failed
MAX_GIVEN_UP_IN_A_ROW = 3  # runs, without a single one ending by itself in between

DIED = f"Its worker process died {MAX_DEATHS} times (killed, or out of memory)."


def run_plan(
    folder: RunFolder, *, spare: Spare = spare_nothing, asked_for: Collection[str] | None = None
) -> End:
    """Train the runs of the job in `folder` that have no result yet, until all have one or are spared.

    The caller holds the job's lock. This process alone writes results; workers hand theirs over. A run that
    fails or diverges is a result. A run whose worker died is trained again, alone: loky ends the innocent
    siblings too, so a death beside others says little about either. One that is given up for that is tried
    again by the next runner of the job: memory may be free by then.

    Args:
        folder: of the job.
        spare: asked before each run, with the results so far, which runs nobody needs any more.
        asked_for: keys of the runs that the job's question names; by default all of the plan. A plan has more
            where an extension broke off before the question was written.
    """
    runner = _Runner(folder, spare, asked_for)
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
            missing, n_workers = suspects[:1], 1
        else:
            n_workers = runner.plan.n_workers
        try:
            runner.batch(missing, n_workers=n_workers)
        except NotKept as error:
            return End(JobState.FAILED, f"{error} Make room, then resume: what is done stays.")


class _Runner:
    """One runner's time with a plan. What is done is read from the results, never counted beside them."""

    def __init__(self, folder: RunFolder, spare: Spare, asked_for: Collection[str] | None) -> None:
        self._folder = folder
        self._spare = spare
        self.plan = load_plan(folder)
        there = {run.key for run in self.plan.runs}
        self._keys = there if asked_for is None else there.intersection(asked_for)
        self._died_before = {key for key, r in read_results(folder, self.plan).items() if r.worker_died}
        self.deaths: Counter[int] = Counter()  # of workers, by run
        self.given_up_in_a_row = 0
        self._drop_heartbeats()  # of a runner that ended without a word

    def missing(self) -> list[int]:
        """Return which runs have no result yet and are needed."""
        done = self._results()
        needed = self._keys - done.keys() - self._spare(done).runs
        return [index for index, run in enumerate(self.plan.runs) if run.key in needed]

    def sentence(self) -> str:
        """Return how many runs are done, how many of them without a value, and what was spared."""
        results = self._results()
        spared = self._spare(results)
        n_spared = len(spared.runs & self._keys)
        states = Counter("died" if r.worker_died else r.state for r in results.values())
        done, planned = states.total(), len(self._keys)
        total = planned - n_spared
        said = f"{done} of {total} runs are done"
        if done == total:
            said = "The only run is done" if total == 1 else f"All {count(total, 'run')} are done"
        words = {"diverged": "diverged", "failed": "failed", "died": "given up because its workers died"}
        lost = [f"{states[state]} {word}" for state, word in words.items() if states[state]]
        said += f", {listed(lost)}." if lost else "."
        if not n_spared:
            return said
        who = count(len(spared.given_up), "candidate")
        return f"{said} Racing gave up {who} and saved {n_spared} of {planned} runs."

    def batch(self, indices: Sequence[int], *, n_workers: int) -> None:
        """Train these runs until all are through, somebody asks to stop, or a worker dies."""
        underway: set[int] = set()

        def tasks() -> Iterator[RunTask]:
            for index in indices:
                if requested_stop(self._folder):
                    return
                # joblib asks for the next run before this process has recorded how the last one ended, so
                # a race may start one run more than it needs.
                if self.plan.runs[index].key in self._spare(self._results()).runs:
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
                key = self.plan.runs[index].key
                self._record(index, RunResult(key=key, state="failed", message=DIED, worker_died=True))
                self.given_up_in_a_row += 1

    def _record(self, index: int, result: RunResult) -> None:
        try:
            append_result(self._folder, result)
        except OSError as error:
            raise NotKept(f"The result of {self.plan.runs[index].label} cannot be kept: {error}.") from error
        self._died_before.discard(result.key)
        what = f"return {three_digits(result.mean)}" if result.mean is not None else result.message
        log(f"{self.plan.runs[index].label}: {result.state}, {what}")

    def _results(self) -> dict[str, RunResult]:
        """Return the results that stand: what died under an earlier runner is tried once more."""
        found = read_results(self._folder, self.plan)
        stands = self._keys - self._died_before
        return {key: result for key, result in found.items() if key in stands}

    def _drop_heartbeats(self) -> None:
        for beat in read_heartbeats(self._folder):
            drop_heartbeat(self._folder, beat.trial)
