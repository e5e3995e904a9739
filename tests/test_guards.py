"""The guards in tests/conftest.py: what belongs to a test is ended, what belongs to its neighbours is not."""

import os
import subprocess
import sys

import psutil
import pytest

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def start():
    started = []

    def run(*arguments, **env):
        argv = [sys.executable, "-c", SLEEP, *map(str, arguments)]
        # a parent that ends at once, so that it looks like an orphan; stdout=2: it would keep the pipe open
        code = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=2).pid)"
        parent = subprocess.run(
            [sys.executable, "-c", code, *argv],
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        started.append(psutil.Process(int(parent.stdout)))
        return started[-1]

    yield run
    for process in started:
        if process.is_running():
            process.kill()


def test_only_what_works_in_the_folder_is_ended(start, tmp_path, end_processes_under):
    mine, others = (
        tmp_path / "popen-gw1",
        tmp_path / "popen-gw10",
    )  # as pytest-xdist names its workers' folders
    runner = start("tuning.runner", mine / "runs" / "study")
    orphan = start(EDGEWISE_RUNS_DIR=str(mine / "runs"))
    neighbours = [
        start("tuning.runner", others / "runs" / "study"),
        start(EDGEWISE_RUNS_DIR=str(others / "runs")),
        start("tuning.runner", tmp_path / "runs", EDGEWISE_RUNS_DIR=str(tmp_path / "runs")),
    ]

    end_processes_under(mine)

    assert not [p for p in (runner, orphan) if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert all(process.is_running() for process in neighbours)
