"""The check command on files made by hand; test_budget_check_jobs.py runs a real one."""

import json

import pytest
from typer.testing import CliRunner

from storage.locks import FileLock
from storage.records import write_record
from tuning import launch
from tuning.__main__ import app
from tuning.budget_check_jobs import find_checks, read_check
from tuning.retraining_plan import RunResult, append_result


@pytest.fixture
def started(monkeypatch):
    found = []
    monkeypatch.setattr(launch, "start", found.append)
    return found


@pytest.fixture
def file(tmp_path, fault_spec):
    path = tmp_path / "spec.yaml"
    path.write_text(fault_spec(algorithm="A2C", hyperparameters={}).to_yaml())
    return path


def here(*arguments):
    result = CliRunner().invoke(app, ["check", *map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def finish(folder):
    job = read_check(folder)
    for run in job.plan.runs:
        steps = job.plan.steps_of(run)
        append_result(folder, RunResult(key=run.key, state="ok", mean=-1e6 / steps, timesteps=steps))
    write_record(folder.exit, {"state": "finished", "reason": "Because.", "ended_at": 1.0})


def test_a_check_is_started_found_again_done_again_and_forgotten(file, runs_dir, started):
    result = here(file)
    assert result.exit_code == 0
    assert "for 1, 2 and 4 times the 520 steps of a trial (512 rounded up to whole rollouts)" in result.output
    assert ": created, 0 of 9 runs." in result.output
    (folder,) = started
    finish(folder)
    shown = here(file, "--status")
    assert "Train longer: with 4 times the steps the defaults reach -481" in shown.output
    assert started == [folder]
    said = json.loads(here(file, "--json").stdout)
    assert (said["answer"], said["longer"], said["threshold"], said["state"]) == (
        "longer",
        4,
        None,
        "finished",
    )
    assert [level["timesteps"] for level in said["budgets"]] == [520, 1040, 2080]
    assert started == [folder], "what is finished is shown"
    here(file, "--again")
    assert len(started) == 2
    assert here(file, "--forget").exit_code == 0
    assert [job.folder for job in find_checks(runs_dir)] == [folder]


def test_what_cannot_be_done_is_said_with_its_code(file, tmp_path, fault_spec, runs_dir, started):
    for option in ("--status", "--stop", "--forget"):
        result = here(file, option)
        assert (result.exit_code, "There is no check of this request" in result.output) == (5, True)
    assert here(file, "--again", "--stop").exit_code == 2
    assert here(tmp_path / "absent.yaml").exit_code == 2
    clock = tmp_path / "clock.yaml"
    clock.write_text(fault_spec(budget={"trial_seconds": 30}).to_yaml())
    result = here(clock)
    assert (result.exit_code, "ends by the clock" in result.output) == (2, True)
    here(file)
    other = tmp_path / "other.yaml"
    other.write_text(fault_spec(budget={"n_timesteps": 600}).to_yaml())
    with FileLock(started[0].lock):
        result = here(other)
        assert (result.exit_code, "Another budget check is running" in result.output) == (3, True)
        assert here(file, "--forget").exit_code == 3
