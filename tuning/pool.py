"""Run tasks in joblib's loky processes, and know when one of them died."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import BrokenProcessPool, ShutdownExecutorError

from tuning import watchdog

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of its task; loky has ended the others with it."""


def run_tasks(
    function: Callable[[Task], Result], tasks: Iterable[Task], *, n_workers: int, folder: Path
) -> Iterator[Result]:
    """Yield results as they come, with at most `n_workers` tasks underway.

    `tasks` is advanced only when a worker is free, by one of joblib's threads: it may decide late.

    Raises:
        WorkerDied: after which no worker process is left; call again to go on.
    """
    parallel = Parallel(
        # With one job joblib would run the task in this very process; two, fed one at a time, keep it out.
        n_jobs=max(2, n_workers),
        pre_dispatch=n_workers,
        batch_size=1,
        backend="loky",
        return_as="generator_unordered",
        max_nbytes=None,
        initializer=watchdog.start,
        initargs=(str(folder), os.getpid()),
    )
    try:
        yield from parallel(delayed(function)(task) for task in tasks)
    except (BrokenProcessPool, ShutdownExecutorError) as error:
        kill_workers()
        raise WorkerDied(str(error).splitlines()[0]) from error


def kill_workers() -> None:
    """Kill every worker process of this one, with whatever it started, and reap it."""
    found = [child for child in psutil.Process().children() if _is_worker(child)]
    doomed = [*found]
    for worker in found:
        try:
            doomed += worker.children(recursive=True)
        except psutil.NoSuchProcess:
            continue
    for process in doomed:
        try:
            process.kill()  # psutil compares creation times, so a reused pid is safe
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(doomed, timeout=2.0)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("loky.backend.popen" in part for part in process.cmdline())
    except psutil.Error:
        return False
