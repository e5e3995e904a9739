"""Studies that wait for their turn on this machine.

A queued study has a ticket in its folder, and a runner that holds the study's lock and waits, without torch,
until the ticket is the first one and enough cores are free. Then it takes the ticket away and works. So the
queue is nothing but files: **who holds a study's lock may take its ticket away, and nobody else**. A ticket
whose runner died (a reboot, a kill) is still a ticket; `take_up` gives it a new runner, and everybody who
looks calls that: pages, the command line, and the runners that wait themselves.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage.locks import FileLock, LockHeld, is_held
from storage.paths import RunFolder, list_runs
from storage.records import read_record, write_record, write_text
from tuning import jobs
from tuning.access import is_read_only, require_writable
from tuning.cores import CoreUse, asked_workers, cores_in_use, n_busy, usable_cores

QUEUE_LOCK = ".queue.lock"  # in the runs folder; no id, so listings pass it by
POLL_S = 0.5
LOOK_SHARE = 1 / 40  # of a core, at most, that looking at all studies may take: it is longer with hundreds
TAKE_UP_EVERY_S = 5.0
LOCK_WAIT_S = 2.0
LEFT = "Taken out of the queue before its turn."


class QueueBusy(OSError):
    """Somebody holds the lock of the queue for longer than looking at it takes."""


_revived: list[subprocess.Popen[bytes]] = []  # runners this process gave to tickets, kept to be reaped


@dataclass(frozen=True)
class Place:
    """Where a study stands in the queue at one moment, and what it waits for."""

    position: int  # 1: the next one
    n_waiting: int
    n_needed: int  # cores: its workers, or all cores where it asked for more than there are
    n_cores: int
    uses: tuple[CoreUse, ...]  # what runs now

    @property
    def n_free(self) -> int:
        """Cores that no study or job of ours uses."""
        return max(0, self.n_cores - n_busy(self.uses))


def queued(root: Path) -> list[RunFolder]:
    """Return the studies that wait, the next one first."""
    found = []
    for folder in list_runs(root):
        if folder.ticket.exists():
            found.append((_turn(folder), folder))
    return [folder for _, folder in sorted(found, key=lambda entry: (entry[0], entry[1].id))]


def place(folder: RunFolder) -> Place | None:
    """Return where a study stands, or None when it does not wait."""
    root = folder.path.parent
    waiting = queued(root)
    if folder not in waiting:
        return None
    n_cores = usable_cores()
    needed = min(asked_workers(folder), n_cores)
    return Place(1 + waiting.index(folder), len(waiting), needed, n_cores, tuple(cores_in_use(root)))


def join(folder: RunFolder) -> subprocess.Popen[bytes] | None:
    """Put a study at the end of the queue and start the runner that waits; a queued one keeps its place.

    Returns:
        The runner, for the caller to reap; None when somebody else has started one.

    Raises:
        AlreadyRunning: it runs.
        StartFailed, ReadOnly: see `jobs.start_job`. Then it is not queued.
    """
    require_writable("queue a study")
    if jobs.job_status(folder).state.alive:
        raise jobs.AlreadyRunning(f"{folder.id} is already running.")
    root = folder.path.parent
    try:
        with FileLock(folder.lock, wait_s=jobs.LOOK_WAIT_S):
            if not folder.ticket.exists():
                with _changing(root):
                    last = max((_turn(other) for other in queued(root)), default=0.0)
                    write_record(folder.ticket, {"turn": last + 1, "queued_at": time.time()})
    except LockHeld:
        if not folder.ticket.exists():
            raise jobs.AlreadyRunning(f"{folder.id} is already running.") from None
    return _start_waiting(folder)


def leave(folder: RunFolder, *, wait_s: float = LOCK_WAIT_S) -> bool:
    """Take a study out of the queue; say whether it was in it. One whose turn has just come is stopped.

    Raises:
        QueueBusy: it is still queued, as its runner has not answered yet.
        ReadOnly: this server only shows studies.
    """
    require_writable("take a study out of the queue")
    if not folder.ticket.exists():
        return False
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        try:
            with FileLock(folder.lock):
                _leave(folder)  # nobody waits with it any more
                return True
        except LockHeld:
            if folder.ticket.exists():
                if jobs.requested_stop(folder) is None:
                    write_text(folder.stop, "now")
            elif not folder.exit.exists():  # else its runner has taken it out, and ends
                jobs.request_stop(folder, "now")  # its turn has come
                return True
        time.sleep(0.02)
    if folder.ticket.exists():
        raise QueueBusy(f"{folder.id} was asked to leave the queue, and has not within {wait_s:.0f} s.")
    return True


def run_now(folder: RunFolder) -> subprocess.Popen[bytes] | None:
    """Let a queued study go at once, whatever else runs; returns as `join` does.

    Raises:
        StartFailed, ReadOnly: see `jobs.start_job`.
    """
    require_writable("start anything")
    with _changing(folder.path.parent):
        if folder.ticket.exists():
            write_record(folder.ticket, {**(read_record(folder.ticket) or {}), "now": True})
    process = _start_waiting(folder)
    deadline = time.monotonic() + LOCK_WAIT_S
    while folder.ticket.exists() and time.monotonic() < deadline:
        time.sleep(0.02)  # so that who asked sees it run
    return process


def move_up(folder: RunFolder) -> None:
    """Let a queued study change places with the one before it.

    Raises:
        ReadOnly: this server only shows studies.
    """
    require_writable("change the queue")
    root = folder.path.parent
    with _changing(root):
        waiting = queued(root)
        if folder not in waiting[1:]:
            return  # it is the first one, or its turn has come
        before = waiting[waiting.index(folder) - 1]
        turn, earlier = _turn(folder), _turn(before)
        write_record(folder.ticket, {**(read_record(folder.ticket) or {}), "turn": earlier})
        write_record(before.ticket, {**(read_record(before.ticket) or {}), "turn": turn})


def take_up(root: Path) -> bool:
    """Give the first ticket whose runner died a new one; return whether there was one. Never raises.

    One, because starting a runner takes a moment or, where something is wrong, many seconds, and pages wait
    for it; the new runner takes up the next ticket first of all. A study whose runner does not start leaves
    the queue as failed, so that it does not hold up the others.
    """
    if is_read_only():
        return False
    _revived[:] = [process for process in _revived if process.poll() is None]
    for folder in queued(root):
        if is_held(folder.lock):
            continue
        try:
            process = _start_waiting(folder)
        except (jobs.StartFailed, OSError) as error:
            _give_up(folder, str(error))
            return False
        if process is not None:
            _revived.append(process)
            return True
    return False


def wait_for_turn(folder: RunFolder) -> bool:
    """Wait, as the holder of a study's lock, until it may run: True; or until it need not: False."""
    root = folder.path.parent
    take_up_after = look_after = 0.0
    while folder.job.exists():  # else its folder was deleted by hand
        if time.monotonic() >= take_up_after:
            take_up(root)
            take_up_after = time.monotonic() + TAKE_UP_EVERY_S
        with suppress(QueueBusy):  # then it looks again in a moment
            if jobs.requested_stop(folder):
                _leave(folder)
            if not folder.ticket.exists():
                return False
            if time.monotonic() >= look_after or _is_called(folder):
                began = time.process_time()
                with _changing(root):
                    if _may_run(folder):
                        folder.exit.unlink(missing_ok=True)
                        folder.ticket.unlink(missing_ok=True)
                        return True
                look_after = time.monotonic() + (time.process_time() - began) / LOOK_SHARE
        time.sleep(POLL_S)
    return False


def drop_ticket(folder: RunFolder) -> None:
    """Take a ticket away, as the holder of the study's lock, because the study runs without waiting."""
    if folder.ticket.exists():
        with _changing(folder.path.parent):
            folder.ticket.unlink(missing_ok=True)


def fits(n_workers: int, uses: Sequence[CoreUse], *, n_waiting: int, n_cores: int) -> bool:
    """Say whether a study of so many workers would start at once if it were queued."""
    return not n_waiting and min(n_workers, n_cores) <= max(0, n_cores - n_busy(uses))


def _may_run(folder: RunFolder) -> bool:
    if _is_called(folder):
        return True
    root = folder.path.parent
    if next(iter(queued(root)), None) != folder:
        return False
    n_cores = usable_cores()
    return min(asked_workers(folder), n_cores) <= n_cores - n_busy(cores_in_use(root))


def _is_called(folder: RunFolder) -> bool:
    """Say whether somebody asked for it to run now."""
    return (read_record(folder.ticket) or {}).get("now") is True


def _start_waiting(folder: RunFolder) -> subprocess.Popen[bytes] | None:
    try:
        return jobs.start_job(folder, queued=True)
    except jobs.AlreadyRunning:
        return None  # somebody else gave it a runner
    except jobs.StartFailed as error:
        if not folder.ticket.exists():
            return None  # it left the queue, or its turn came, while its runner started
        _give_up(folder, str(error))
        raise


def _leave(folder: RunFolder) -> None:
    """Take the ticket away, with the lock held; the study can be resumed, or started if it never ran."""
    _end(folder, jobs.JobState.STOPPED, LEFT)


def _give_up(folder: RunFolder, reason: str) -> None:
    try:
        with FileLock(folder.lock):
            _end(folder, jobs.JobState.FAILED, reason)
    except (LockHeld, OSError):
        return  # somebody else has given it a runner, or it is gone


def _end(folder: RunFolder, state: jobs.JobState, reason: str) -> None:
    if not folder.ticket.exists():
        return
    with _changing(folder.path.parent):
        write_record(folder.exit, {"state": state.value, "reason": reason, "ended_at": time.time()})
        folder.ticket.unlink(missing_ok=True)
    folder.stop.unlink(missing_ok=True)


@contextmanager
def _changing(root: Path) -> Iterator[None]:
    """Hold what lets nobody else change a ticket: who rewrites one must not bring back one that is gone."""
    try:
        with FileLock(root / QUEUE_LOCK, wait_s=LOCK_WAIT_S):
            yield
    except LockHeld:
        raise QueueBusy(f"The queue of {root} is locked by another process. Try again.") from None


def _turn(folder: RunFolder) -> float:
    """Return a ticket's number; one that cannot be read comes last."""
    turn = (read_record(folder.ticket) or {}).get("turn")
    return float(turn) if isinstance(turn, int | float) and abs(turn) < 1e15 else 1e15
