"""A job's state is whatever its files say, and starting one never starts two."""

import json
import subprocess
import sys
import time

import psutil
import pytest

from storage.locks import FileLock
from storage.paths import RunFolder
from storage.records import write_record
from tuning import jobs
from tuning.jobs import (
    ALREADY_RUNNING_EXIT,
    AlreadyRunning,
    JobState,
    StartFailed,
    create_job,
    job_status,
    log_tail,
    request_stop,
    requested_stop,
    start_job,
)

HOLD = """
import sys, time
from pathlib import Path
from storage.locks import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    create_job(folder, "study")
    return folder


@pytest.fixture
def held(folder):
    """Another process holds the job's lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder.lock)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def fake_runner(tmp_path, monkeypatch):
    """Put a shell script in the place of the runner."""

    def use(script):
        path = tmp_path / "runner.sh"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o700)
        monkeypatch.setattr(jobs.sys, "executable", str(path))

    return use


EXITS = {
    "finished": {"state": "finished", "reason": "5 trials.", "ended_at": 20.0},
    "stopped": {"state": "stopped", "reason": "asked", "ended_at": 20.0},
    "failed": {"state": "failed", "reason": "bug", "ended_at": 20.0},
}


@pytest.mark.parametrize("is_held", [False, True])
@pytest.mark.parametrize("has_runner", [False, True])
@pytest.mark.parametrize("has_stop", [False, True])
@pytest.mark.parametrize("has_ticket", [False, True])
@pytest.mark.parametrize("exit_state", [None, *EXITS])
def test_the_state_follows_from_the_files(folder, is_held, has_runner, has_stop, has_ticket, exit_state):
    if has_ticket:
        write_record(folder.ticket, {"turn": 1})
    if has_runner:
        write_record(folder.runner, {"pid": 12, "pid_created": 1.0, "started_at": 10.0})
    if has_stop:
        folder.stop.write_text("now")
    if exit_state:
        write_record(folder.exit, EXITS[exit_state])
    if is_held:
        with FileLock(folder.lock):
            status = job_status(folder)
    else:
        status = job_status(folder)
    if has_ticket:
        expected = JobState.QUEUED
    elif is_held:
        expected = JobState.STOPPING if has_stop else JobState.RUNNING
    elif exit_state:
        expected = JobState(exit_state)
    else:
        expected = JobState.INTERRUPTED if has_runner else JobState.CREATED
    assert status.state == expected
    assert status.state.alive is (is_held and not has_ticket)
    ended = exit_state and not is_held and not has_ticket
    assert status.reason == (EXITS[exit_state]["reason"] if ended else "")
    assert status.ended_at == (20.0 if ended else None)
    assert (status.pid, status.started_at) == ((12, 10.0) if has_runner else (None, None))
    assert status.kind == "study"
    assert abs(time.time() - status.created_at) < 60


def test_a_lock_of_another_process_is_the_truth_until_it_dies(folder, held):
    write_record(folder.runner, {"pid": held.pid, "started_at": 1.0})
    assert job_status(folder).state == JobState.RUNNING
    held.kill()
    held.wait()
    assert job_status(folder).state == JobState.INTERRUPTED


@pytest.mark.parametrize(
    "record",
    [
        {"state": "running"},
        {"state": "stopping"},
        {"state": "created"},
        {"state": "exploded"},
        {"state": ["finished"]},
        {"state": None},
        {"reason": 5},
        {"state": "failed", "reason": None, "ended_at": "soon"},
        {"state": "failed", "ended_at": 10**400},
        {"state": "failed", "ended_at": float("nan")},
    ],
    ids=repr,
)
def test_an_exit_record_that_makes_no_sense_is_a_failure(folder, record):
    folder.exit.write_text(json.dumps(record))
    status = job_status(folder)
    assert status.state == JobState.FAILED
    assert isinstance(status.reason, str)
    assert status.ended_at is None


@pytest.mark.parametrize("value", ["x", None, [], {}, -1e400, 10**400, float("nan")])
def test_hostile_records_never_raise(folder, value):
    folder.job.write_text(json.dumps({"kind": value, "created_at": value}))
    folder.runner.write_text(json.dumps({"pid": value, "started_at": value}))
    status = job_status(folder)
    assert (status.state, status.created_at, status.started_at) == (JobState.INTERRUPTED, 0.0, None)
    assert status.pid is None
    assert isinstance(status.kind, str)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"\0" * 100])
def test_torn_records_never_raise(folder, content):
    for path in (folder.job, folder.runner, folder.exit):
        path.write_bytes(content)
    assert job_status(folder).state == JobState.CREATED


def test_a_deleted_folder_is_just_created(tmp_path):
    assert job_status(RunFolder(tmp_path / "absent")).state == JobState.CREATED


# -- stopping


def test_a_job_that_does_not_run_cannot_be_stopped(folder):
    assert request_stop(folder, "now") is False
    assert requested_stop(folder) is None
    assert not folder.stop.exists()


def test_now_may_follow_after_but_never_the_reverse(folder, held):
    assert request_stop(folder, "after")
    assert requested_stop(folder) == "after"
    assert job_status(folder).state == JobState.STOPPING
    assert request_stop(folder, "now")
    assert request_stop(folder, "after")
    assert requested_stop(folder) == "now"


@pytest.mark.parametrize(("content", "mode"), [("", "after"), ("rubbish", "after"), (" now\n", "now")])
def test_a_stop_file_by_hand_stops_too(folder, content, mode):
    folder.stop.write_text(content)
    assert requested_stop(folder) == mode


# -- starting


def test_a_held_lock_refuses_a_start_at_once(folder, held):
    with pytest.raises(AlreadyRunning, match="run is already running"):
        start_job(folder)
    assert not folder.log.exists()


def test_a_runner_that_finds_the_lock_taken_is_reported(folder, fake_runner):
    fake_runner(f"exit {ALREADY_RUNNING_EXIT}")
    with pytest.raises(AlreadyRunning):
        start_job(folder)


def test_a_runner_that_ends_at_once_is_reported_with_its_last_words(folder, fake_runner):
    folder.log.write_text("an older line\n")
    fake_runner("echo one\necho two\necho three\necho boom >&2\nexit 1")
    with pytest.raises(StartFailed, match="ended at once") as error:
        start_job(folder)
    assert "three\nboom" in str(error.value)
    assert folder.log.read_text().startswith("an older line\none\n")


def test_a_runner_that_hangs_is_killed(folder, fake_runner, monkeypatch, tmp_path):
    monkeypatch.setattr(jobs, "START_TIMEOUT_S", 0.3)
    fake_runner(f"echo $$ > {tmp_path}/pid\nexec sleep 60")
    with pytest.raises(StartFailed, match="did not start within"):
        start_job(folder)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_somebody_elses_record_is_not_taken_for_the_new_runner(folder, fake_runner):
    write_record(folder.runner, {"pid": 1, "started_at": 1.0})
    fake_runner("sleep 0.2\nexit 7")
    with pytest.raises(StartFailed):
        start_job(folder)


def test_an_interpreter_that_is_not_there(folder, monkeypatch):
    monkeypatch.setattr(jobs.sys, "executable", "/nonexistent/python")
    with pytest.raises(OSError, match="nonexistent"):
        start_job(folder)


# -- the log


def test_log_tail(folder):
    assert log_tail(folder, 3) == ""
    folder.log.write_bytes(b"first\n" + b"x" * 100_000 + b"\nsecond\xff\nlast\n")
    assert log_tail(folder, 2) == "second\ufffd\nlast"
    assert len(log_tail(folder, 5, max_bytes=100)) <= 100
    assert log_tail(folder, 0) in ("", log_tail(folder, 100))
