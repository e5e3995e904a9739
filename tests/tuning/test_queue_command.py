"""The queue from a terminal."""

import json
import os
import signal

import pytest
from typer.testing import CliRunner

from storage.locks import is_held
from storage.paths import RunFolder
from tuning import cores, launch, queue
from tuning.__main__ import app
from tuning.cli import studies
from tuning.jobs import JobState, job_status

N_CORES = cores.usable_cores()


def here(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def spec_file(tmp_path, fault_spec, monkeypatch):
    monkeypatch.setattr(studies, "check_request", lambda spec: None)  # this process must not know the env
    path = tmp_path / "spec.yaml"
    path.write_text(fault_spec(n_workers=N_CORES, budget={"n_trials": N_CORES}).to_yaml())
    return path


@pytest.fixture
def busy(runs_dir, fault_spec, end_processes_under):
    """A study that holds every core, as far as anybody can tell."""
    spec = fault_spec(name="busy", n_workers=N_CORES, budget={"n_trials": N_CORES})
    folder = launch.create_study(spec, runs_dir)
    with queue.FileLock(folder.lock):
        yield folder
    end_processes_under(runs_dir)


def test_launch_status_list_stop_and_resume_know_the_queue(busy, spec_file, runs_dir):
    study = here("launch", spec_file, "--queue").stdout.strip()
    folder = RunFolder(runs_dir / study)
    assert job_status(folder).state == JobState.QUEUED
    said = here("status", study).stdout
    assert f"{study}: queued" in said
    assert "it is the next one and starts by itself" in said
    assert f"busy: {busy.id} ({N_CORES} worker" in said
    record = json.loads(here("status", study, "--json").stdout)
    assert (record["state"], record["queue"]["position"], record["queue"]["of"]) == ("queued", 1, 1)
    assert "1 of 1 in the queue" in here("list").stdout

    os.kill(job_status(folder).pid, signal.SIGKILL)  # as a reboot does
    here("list")
    assert is_held(folder.lock)

    stopped = here("stop", study)
    assert "has left the queue" in stopped.stderr
    assert queue.LEFT in here("status", study).stdout
    assert here("resume", study, "--queue", "--trials", N_CORES + 3).exit_code == 0
    assert job_status(folder).state == JobState.QUEUED
    assert launch.read_run(folder).spec.budget.n_trials == N_CORES + 3
    refused = here("resume", busy.id, "--queue")
    assert refused.exit_code == 3
    assert here("delete", study, "--yes").exit_code == 0
    assert not folder.path.exists()
