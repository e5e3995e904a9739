"""Locks that the kernel frees: never held by the dead, never by two."""

import shutil
import subprocess
import sys
import threading
import time

import pytest

from storage.locks import FileLock, LockHeld, is_held

HOLD = """
import sys, time
from pathlib import Path
from storage.locks import FileLock
with FileLock(Path(sys.argv[1]), wait_s=5):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_an_absent_or_free_lock_is_not_held(tmp_path):
    path = tmp_path / "run.lock"
    assert not is_held(path)
    assert not path.exists()
    with FileLock(path):
        assert is_held(path)
    assert path.exists()
    assert not is_held(path)


def test_a_second_holder_is_refused_in_the_same_process_too(tmp_path):
    path = tmp_path / "run.lock"
    with FileLock(path), pytest.raises(LockHeld, match=r"run\.lock is held"), FileLock(path):
        pass
    with FileLock(path):
        assert is_held(path)


def test_an_error_inside_frees_the_lock(tmp_path):
    path = tmp_path / "run.lock"
    with pytest.raises(KeyboardInterrupt), FileLock(path):
        raise KeyboardInterrupt
    assert not is_held(path)


def test_another_process_holds_it_until_it_is_killed(tmp_path):
    path = tmp_path / "run.lock"
    process = holder(path)
    try:
        assert is_held(path)
        started = time.monotonic()
        with pytest.raises(LockHeld), FileLock(path, wait_s=0.2):
            pass
        assert 0.2 <= time.monotonic() - started < 5
        process.kill()
        with FileLock(path, wait_s=5):  # before it is even reaped: a zombie holds nothing
            assert process.returncode is None
    finally:
        process.kill()
        process.communicate()


def test_waiting_succeeds_when_the_holder_leaves(tmp_path):
    path = tmp_path / "run.lock"
    first = FileLock(path)
    first.__enter__()
    timer = threading.Timer(0.2, first.__exit__, (None, None, None))
    timer.start()
    with FileLock(path, wait_s=10):
        pass
    timer.join()


def test_asking_does_not_take_the_lock_away_from_who_waits(tmp_path):
    path = tmp_path / "run.lock"
    path.touch()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            is_held(path)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(50):
            with FileLock(path, wait_s=10):
                pass
    finally:
        stop.set()
        asker.join()


def test_child_processes_do_not_inherit_the_lock(tmp_path):
    path = tmp_path / "run.lock"
    with FileLock(path):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        assert not is_held(path)
    finally:
        child.kill()
        child.wait()


def test_who_waits_while_the_folder_is_deleted_gets_an_error_not_a_lock_on_nothing(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    first = FileLock(folder / "run.lock")
    first.__enter__()

    def delete():
        folder.rename(tmp_path / "grave")
        first.__exit__(None, None, None)
        shutil.rmtree(tmp_path / "grave")

    timer = threading.Timer(0.2, delete)
    timer.start()
    with pytest.raises(FileNotFoundError), FileLock(folder / "run.lock", wait_s=10):
        pytest.fail("held the lock of a deleted folder")
    timer.join()
    assert not folder.exists()


def test_a_lock_file_that_was_replaced_meanwhile_is_locked_anew(tmp_path):
    path = tmp_path / "run.lock"
    first = FileLock(path)
    first.__enter__()

    def replace():
        path.unlink()
        first.__exit__(None, None, None)

    timer = threading.Timer(0.2, replace)
    timer.start()
    with FileLock(path, wait_s=10):
        assert is_held(path)
    timer.join()


def test_no_folder_is_made_for_a_lock(tmp_path):
    with pytest.raises(FileNotFoundError), FileLock(tmp_path / "absent" / "run.lock"):
        pass
    assert not (tmp_path / "absent").exists()
