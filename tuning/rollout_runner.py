"""A rollout's runner: wait for its turn, have a worker play it, write down what came of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.live import drop_heartbeat
from storage.locks import FileLock, LockHeld
from storage.paths import RunFolder
from storage.records import write_text
from tuning import pool
from tuning.analysis.words import count
from tuning.jobs import End, JobState, log, requested_stop
from tuning.rollout import RolloutResult
from tuning.rollout_task import RolloutTask, play_rollout

POLL_S = 0.1
_TURN = ".turn.lock"  # beside the rollouts of a study; held by the one that plays
_FILES = ("*.mp4", ".*.part.*", "poster.jpg", "result.json")

STOPPED = "Stopped on request. It left no video."


def run_rollout(folder: RunFolder) -> End:
    """Play the rollout in `folder`; it starts from the beginning, whatever was there.

    The caller holds the job's lock. Rollouts of one study play one after the other. A worker plays, so that
    an environment that hangs or dies, or an encoder, can be ended within the time that stopping may take.
    """
    clear(folder)
    with _turn(folder) as is_mine:
        if not is_mine:
            return End(JobState.STOPPED, STOPPED)
        try:
            result, failure = _play(folder)
        except pool.WorkerDied:
            result, failure = None, "The process that played it died (killed, or out of memory). Try again."
        drop_heartbeat(folder, 0)
        if result is None or requested_stop(folder) == "now":
            clear(folder)
            if requested_stop(folder) or not failure:
                return End(JobState.STOPPED, STOPPED)
            return End(JobState.FAILED, failure)
        write_text(folder.result, result.model_dump_json(indent=1))
    return End(JobState.FINISHED, sentence(result))


def clear(folder: RunFolder) -> None:
    """Remove what an attempt left behind."""
    for pattern in _FILES:
        for path in folder.path.glob(pattern):
            path.unlink(missing_ok=True)


def sentence(result: RolloutResult) -> str:
    """Return what was played, for the log and the exit record."""
    n_episodes = len(result.actors[0].episodes)
    said = f"{count(len(result.actors), 'policy').replace('policys', 'policies')} played "
    said += (
        f"{count(n_episodes, 'episode')} each." if len(result.actors) > 1 else count(n_episodes, "episode")
    )
    return said.rstrip(".") + (f", without pictures. {result.no_video}" if result.no_video else ".")


def _play(folder: RunFolder) -> tuple[RolloutResult | None, str]:
    tasks = [RolloutTask(str(folder.path))]
    (outcome,) = list(pool.run_tasks(play_rollout, tasks, n_workers=1, folder=folder.path))
    return outcome.result, outcome.failure


@contextmanager
def _turn(folder: RunFolder) -> Iterator[bool]:
    """Hold the study's only place on stage; give False when stopping was asked for before it was free."""
    lock = FileLock(folder.path.parent / _TURN)
    is_said = False
    while True:
        try:
            lock.__enter__()
            break
        except LockHeld:
            if not is_said:
                log("Another video of this study is being rendered: this one waits for its turn.")
                is_said = True
        if requested_stop(folder):
            yield False
            return
        time.sleep(POLL_S)
    try:
        yield True
    finally:
        lock.__exit__(None, None, None)
