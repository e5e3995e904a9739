"""Queued studies start by themselves, in order, and whatever is killed leaves nothing stuck."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import psutil
import pytest

from storage.journal import STUDY_NAME, open_journal
from storage.locks import FileLock, is_held
from storage.paths import RunFolder
from storage.records import write_record
from tuning import cores, jobs, launch, queue, runner
from tuning.access import ReadOnly
from tuning.jobs import AlreadyRunning, JobState, job_status

N_CORES = cores.usable_cores()

HOLD = """
import sys, time
from pathlib import Path
from storage.locks import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def until(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def study(runs_dir, fault_spec, end_processes_under):
    """Create studies that want every core and have a trial for each; once they run they are done at once."""

    def create(name="tiny", **over):
        spec = fault_spec(name=name, budget={"n_trials": N_CORES}, **{"n_workers": N_CORES, **over})
        folder = launch.create_study(spec, runs_dir)
        study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
        study.add_trials([optuna.trial.create_trial(value=1.0) for _ in range(N_CORES)])
        return folder

    yield create
    end_processes_under(runs_dir)


@pytest.fixture
def busy(study, monkeypatch):
    """A study that a process of ours holds: it runs with a worker for each core, until it is killed."""
    folder = study("busy")
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder.lock)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_free_machine_makes_a_queued_study_run_to_its_end(study):
    folder = study()
    launch.enqueue(folder)
    until(lambda: job_status(folder).state == JobState.FINISHED)
    assert not folder.ticket.exists()
    assert queue.queued(folder.path.parent) == []


def test_studies_wait_in_line_and_start_when_the_running_one_is_killed(busy, study, runs_dir):
    first, second = study("first"), study("second")
    for folder in (first, second, first):  # a second press keeps the place
        launch.enqueue(folder)
    assert [job_status(f).state for f in (first, second)] == [JobState.QUEUED] * 2
    assert not JobState.QUEUED.alive
    assert JobState.QUEUED.moves
    assert queue.queued(runs_dir) == [first, second]
    place = queue.place(second)
    assert (place.position, place.n_waiting, place.n_needed, place.n_free) == (2, 2, N_CORES, 0)
    assert [use.study.startswith("busy") for use in place.uses] == [True]
    waiter = psutil.Process(job_status(first).pid)
    modules = waiter.memory_maps()
    assert not any("torch" in m.path or "numpy" in m.path for m in modules)  # it waits cheaply
    queue.move_up(second)
    queue.move_up(second)  # it is the first one already
    assert queue.queued(runs_dir) == [second, first]
    busy.kill()
    busy.wait()
    until(lambda: {job_status(f).state for f in (first, second)} == {JobState.FINISHED}, 60)
    assert job_status(second).ended_at < job_status(first).ended_at


def test_a_killed_waiter_stays_queued_and_gets_a_new_runner_from_whoever_looks(busy, study, runs_dir):
    folder = study()
    launch.enqueue(folder)
    old = job_status(folder).pid
    os.kill(old, signal.SIGTERM)  # as a machine that shuts down does
    until(lambda: not is_held(folder.lock))
    assert job_status(folder).state == JobState.QUEUED
    assert queue.take_up(runs_dir)
    assert not queue.take_up(runs_dir)
    assert is_held(folder.lock)
    assert job_status(folder).pid != old
    assert queue.leave(folder)
    assert job_status(folder).state == JobState.STOPPED
    assert job_status(folder).reason == queue.LEFT
    until(lambda: not is_held(folder.lock))


def test_one_look_gives_all_killed_waiters_new_runners_and_starts_only_the_first(busy, study, runs_dir):
    folders = [study(), study("second"), study("third")]
    for folder in folders:
        launch.enqueue(folder)
    for pid in [job_status(folder).pid for folder in folders]:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(is_held(folder.lock) for folder in folders))
    assert queue.take_up(runs_dir)
    until(lambda: all(is_held(folder.lock) for folder in folders))
    assert len(queue._revived) == 1
    assert queue.queued(runs_dir) == folders


def test_who_leaves_when_the_turn_has_just_come_is_stopped(study, monkeypatch):
    folder = study()
    write_record(folder.ticket, {"turn": 1})

    class TurnComes(FileLock):
        def __enter__(self):
            folder.ticket.unlink(missing_ok=True)  # as its runner does, which holds the lock
            return super().__enter__()

    with FileLock(folder.lock):
        monkeypatch.setattr(queue, "FileLock", TurnComes)
        assert launch.stop(folder, "after")
        assert jobs.requested_stop(folder) == "now"


def test_a_waiter_that_does_not_answer_is_still_queued(study):
    folder = study()
    write_record(folder.ticket, {"turn": 1})
    with FileLock(folder.lock), pytest.raises(queue.QueueBusy, match="was asked to leave"):
        queue.leave(folder, wait_s=0.1)
    assert jobs.requested_stop(folder) == "now"


@pytest.mark.parametrize(
    ("path", "kind", "root"),
    [
        ("/data/jobs/pendulum-ab12", "study", "/data/jobs"),
        ("/data/jobs/pendulum-ab12/jobs/probe-cd34", "probe", "/data/jobs"),
        ("/runs/pendulum-ab12/rollouts/rollout-cd34", "rollout", "/runs"),
        ("/runs/.budget-checks/jobs/budget-check-cd34", "budget-check", "/runs"),
        ("/x", None, "/"),
    ],
)
def test_which_queue_a_runner_looks_after(path, kind, root):
    assert runner._queue_of(RunFolder(Path(path)), kind) == Path(root)


def test_run_now_does_not_wait_for_cores(busy, study):
    folder = study()
    launch.enqueue(folder)
    launch.resume(folder)
    assert job_status(folder).state != JobState.QUEUED
    until(lambda: job_status(folder).state == JobState.FINISHED)


def test_a_queued_study_whose_waiter_died_can_run_now_leave_and_be_deleted(busy, study, runs_dir):
    folder, other = study(), study("other")
    for each in (folder, other):
        launch.enqueue(each)
        os.kill(job_status(each).pid, signal.SIGKILL)
        until(lambda each=each: not is_held(each.lock))
    launch.delete(other)
    assert not other.path.exists()
    assert launch.stop(folder, "now")
    assert job_status(folder).state == JobState.STOPPED
    launch.enqueue(folder)
    os.kill(job_status(folder).pid, signal.SIGKILL)
    until(lambda: not is_held(folder.lock))
    launch.resume(folder)
    until(lambda: job_status(folder).state == JobState.FINISHED)


def test_a_waiting_study_can_be_deleted(busy, study, runs_dir):
    folder = study()
    launch.enqueue(folder)
    pid = job_status(folder).pid
    launch.delete(folder)
    assert not folder.path.exists()
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_running_study_is_not_queued(busy, runs_dir):
    folder = next(f for f in launch.list_runs(runs_dir) if f.id.startswith("busy"))
    with pytest.raises(AlreadyRunning):
        launch.enqueue(folder)
    assert not folder.ticket.exists()


def test_a_runner_that_cannot_start_leaves_the_queue_with_the_reason(study, tmp_path, monkeypatch):
    script = tmp_path / "runner.sh"
    script.write_text("#!/bin/sh\necho boom\nexit 1")
    script.chmod(0o700)
    monkeypatch.setattr(jobs.sys, "executable", str(script))
    folder = study()
    with pytest.raises(jobs.StartFailed, match="boom"):
        launch.enqueue(folder)
    status = job_status(folder)
    assert status.state == JobState.FAILED
    assert "boom" in status.reason


def test_a_server_that_only_shows_studies_starts_nobody(study, runs_dir, monkeypatch):
    folder = study()
    write_record(folder.ticket, {"turn": 1})
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    assert not queue.take_up(runs_dir)
    for action in (queue.join, queue.leave, queue.run_now, queue.move_up):
        with pytest.raises(ReadOnly):
            action(folder)
    assert folder.ticket.exists()
    assert not is_held(folder.lock)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"turn": "x"}', '{"turn": 1e400}', '{"turn": null}'])
def test_a_ticket_that_cannot_be_read_comes_last(study, text, runs_dir):
    odd, first = study("odd"), study("first")
    odd.ticket.write_text(text)
    write_record(first.ticket, {"turn": 3})
    assert queue.queued(runs_dir) == [first, odd]
    assert job_status(odd).state == JobState.QUEUED


@pytest.mark.parametrize(
    ("n_workers", "busy_with", "n_waiting", "expected"),
    [(2, 0, 0, True), (2, 1, 0, False), (1, 1, 0, True), (8, 0, 0, True), (1, 0, 1, False), (1, 5, 0, False)],
)
def test_what_fits(n_workers, busy_with, n_waiting, expected):
    uses = [cores.CoreUse("a", "study", busy_with)] if busy_with else []
    assert queue.fits(n_workers, uses, n_waiting=n_waiting, n_cores=2) is expected


def test_jobs_of_a_study_use_cores_and_waiting_studies_do_not(study, runs_dir):
    folder = study("base", n_workers=3)
    job, video = folder.jobs / "probe-0001", folder.rollouts / "rollout-0001"
    for path, kind in ((job, "probe"), (video, "rollout")):
        path.mkdir(parents=True)
        write_record(path / "job.json", {"kind": kind})
    write_record(job / "plan.json", {"n_workers": 4})
    write_record(folder.ticket, {"turn": 1})
    with FileLock(folder.lock), FileLock(job / "run.lock"), FileLock(video / "run.lock"):
        uses = cores.cores_in_use(runs_dir)
    assert [(use.kind, use.n_workers) for use in uses] == [("probe", 4), ("rollout", 1)]
    said = cores.cores_sentence(uses, n_cores=8)
    assert said == f"5 of 8 cores busy: probe of {folder.id} (4 workers), rollout of {folder.id} (1 worker)"
    assert cores.cores_in_use(runs_dir) == []
    assert cores.cores_sentence([], n_cores=2) == "All 2 cores are free"
    assert cores.cores_sentence(uses, n_cores=2).startswith("5 workers on 2 cores: probe of")
