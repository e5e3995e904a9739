"""The command line as a person or a script meets it: real processes, real studies."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
import yaml
from typer.testing import CliRunner

from storage.paths import RunFolder
from storage.records import write_record
from tuning import launch
from tuning.__main__ import app
from tuning.cli import studies
from tuning.cli.exits import outcome
from tuning.jobs import JobState, JobStatus
from tuning.remarks import rename, set_tags
from tuning.spec import parse_spec

ROOT = Path(__file__).resolve().parents[2]
TINY = """
name: tiny
env: {id: CartPole-v1}
hyperparameters: {n_steps: 32, n_epochs: 1, policy_kwargs.net_arch: [8]}
search_space:
  - {name: learning_rate, kind: float, low: 1e-4, high: 1e-2, log: true}
  - {name: activation_fn, kind: categorical, choices: [tanh, relu], transform: activation_fn}
budget: {n_trials: 2, n_timesteps: 256, n_evaluations: 2, n_eval_episodes: 2}
pruner: {name: none}
n_train_envs: 2
n_eval_envs: 2
n_workers: 1
"""


def edgewise(*arguments):
    """Run one command in a process of its own and return it when it has ended."""
    return subprocess.run(
        [sys.executable, "-m", "tuning", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )


def here(*arguments):
    """Run one command in this process, which saves the imports, and return what it printed and its code."""
    result = CliRunner().invoke(app, [*map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answer(*arguments):
    """Run one command that succeeds and return what its --json says."""
    result = here(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refusal(*arguments):
    """Run one command that must not succeed; return its code and the sentences on stderr."""
    result = here(*arguments)
    assert result.exit_code != 0
    assert result.stdout == ""
    return result.exit_code, result.stderr


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def created(runs_dir):
    """A study that was never started, so no trial is complete."""
    return launch.create_study(parse_spec(TINY), runs_dir)


def test_presets_and_environments():
    algorithms = answer("presets")
    assert [p["name"] for p in algorithms[0]["presets"]] == ["starter", "rl-zoo", "learning-rate-only"]
    assert "n_steps_pow    int" in here("presets").stdout
    assert "Pendulum-v1" in [e["id"] for e in answer("environments")]
    assert answer("environments", "--id", "Pendulum-v1", "--kwargs", '{"g": 5}')["policy"] == "MlpPolicy"


def test_a_package_of_environments_appears(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "envs_package"))
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "edgewise_test_envs")
    listed = edgewise("environments", "--json")
    assert json.loads(listed.stdout)[0] == {
        "id": "EdgewiseTarget-v1",
        "max_episode_steps": 20,
        "reward_threshold": -1.0,
        "source": "edgewise_test_envs",
    }
    assert "says hello" in listed.stderr  # and stdout is JSON alone
    broken = edgewise("environments", "--id", "edgewise/Broken-v0")
    assert broken.returncode == 2
    assert broken.stderr.splitlines()[-1].startswith("error: edgewise/Broken-v0 cannot be made")
    assert "Traceback" not in broken.stderr


@pytest.mark.parametrize("kwargs", ["[]", "{", "3", "[" * 50_000])
def test_malformed_arguments_of_an_environment(kwargs):
    code, said = refusal("environments", "--id", "Pendulum-v1", "--kwargs", kwargs)
    assert (code, "must be a JSON object" in said) == (2, True)


def test_every_fault_of_a_spec_is_a_line(tmp_path, runs_dir):
    path = tmp_path / "bad.yaml"
    path.write_text(TINY.replace("n_trials: 2", "n_trials: 0").replace("n_workers: 1", "workers: 1"))
    code, said = refusal("launch", path)
    assert code == 2
    lines = said.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)
    assert "budget.n_trials" in said
    assert list(runs_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("{id: Pendulum-v7}", "Did you mean Pendulum-v1?"),
        ("{id: Blackjack-v1}", "can read observations"),
        ("{id: Pendulum-v1, kwargs: {gravity: 3}}", "it has no argument gravity"),
        ("{id: 'os:Pendulum-v1'}", "env.id"),
    ],
)
def test_environments_are_tried_before_anything_is_written(env, expected, tmp_path, runs_dir):
    path = tmp_path / "bad.yaml"
    path.write_text(TINY.replace("{id: CartPole-v1}", env))
    code, said = refusal("launch", path)
    assert (code, expected in said) == (2, True)
    assert list(runs_dir.iterdir()) == []


def test_environments_are_listed_for_an_algorithm():
    ran = edgewise("environments", "--for", "SAC", "--json")
    listed = [info["id"] for info in json.loads(ran.stdout)]
    assert {"MountainCarContinuous-v0", "Pendulum-v1"} <= set(listed)
    assert "CartPole-v1" not in listed
    assert "hidden: SAC acts in continuous actions only." in ran.stderr
    assert "There is no algorithm 'XYZ'" in refusal("environments", "--for", "XYZ")[1]


def test_the_policy_must_fit_the_environment(tmp_path, runs_dir):
    path = tmp_path / "bad.yaml"
    path.write_text(TINY + "policy: CnnPolicy\n")
    assert refusal("launch", path)[0] == 2
    assert list(runs_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("state", "timed_out", "code"),
    [
        (JobState.FINISHED, False, 0),
        (JobState.STOPPED, True, 0),
        (JobState.STOPPED, False, 1),
        (JobState.FAILED, False, 1),
        (JobState.FAILED, True, 1),
        (JobState.INTERRUPTED, False, 1),
    ],
)
def test_how_a_study_ended_is_the_exit_code_of_waiting(state, timed_out, code):
    status = JobStatus(state, "study", "", 0.0, None, None, None)
    assert outcome(status, timed_out=timed_out) == code


@pytest.mark.parametrize("command", ["status", "stop", "resume", "best", "trials", "delete"])
@pytest.mark.parametrize("study", ["nope", "../etc", "."])
def test_no_such_study(command, study, runs_dir):
    code, said = refusal(command, study)
    assert (code, "There is no study" in said) == (4, True)


def test_usage_errors_and_help():
    assert refusal("bogus")[0] == 2
    assert refusal("best", "x", "--format", "toml")[0] == 2
    assert refusal("launch", "not-there.yaml")[0] == 2
    assert "4 no such study" in " ".join(here("best", "--help").stdout.split())


def test_an_empty_list(runs_dir):
    assert answer("list") == []
    shown = here("list")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "launch SPEC.yaml" in shown.stderr


def test_a_study_without_results(created):
    code, said = refusal("best", created.id)
    assert code == 5
    assert "No trial is complete" in said
    assert refusal("best", created.id, "--trial", 7)[0] == 2
    assert answer("status", created.id)["state"] == "created"
    assert [t["state"] for t in answer("trials", created.id)] == ["waiting"]  # the defaults
    assert refusal("best", created.id, "--trial", 0)[0] == 5


def test_a_damaged_study_does_not_hide_the_others(created, runs_dir):
    other = launch.create_study(parse_spec(TINY), runs_dir)
    created.journal.write_text("not json\n")
    listed = {record["id"]: record for record in answer("list")}
    assert "damaged" in listed[created.id]["error"]
    assert listed[other.id]["state"] == "created"
    assert "cannot be read" in here("list").stdout
    assert refusal("status", created.id)[0] == 1
    created.journal.unlink()
    assert "moved or deleted" in refusal("best", created.id)[1]
    other.spec.write_text("{}")
    assert refusal("status", other.id)[0] == 2
    assert here("list").exit_code == 0


def test_deleting_needs_a_yes(created):
    code, said = refusal("delete", created.id)
    assert (code, "--yes" in said) == (2, True)
    assert created.path.is_dir()
    assert answer("delete", created.id, "--yes") == {"id": created.id, "deleted": True}
    assert not created.path.exists()


def test_deleting_says_which_studies_lose_weights(created, runs_dir, monkeypatch):
    child = launch.create_study(parse_spec(TINY), runs_dir)
    write_record(child.parent, {"id": created.id, "origins": [created.id]})
    lost = (
        f"Trials of {created.id} were imported by {child.id}. They stay there with their values, but their "
    )
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(studies, "sys", SimpleNamespace(stdin=terminal, stdout=sys.stdout))
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    asked = here("delete", created.id)
    assert lost + "weights and learning curves go." in asked.stderr
    assert created.path.is_dir()
    assert lost + "weights and learning curves are gone." in here("delete", created.id, "--yes").stderr


def test_listing_imports_neither_torch_nor_pandas(created):
    code = (
        "import sys, runpy\n"
        "sys.argv = ['tuning', 'list']\n"
        "try:\n runpy.run_module('tuning', run_name='__main__')\n"
        "except SystemExit as end:\n assert not end.code\n"
        "print([m for m in ('torch', 'stable_baselines3', 'pandas', 'streamlit') if m in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr


def test_from_launch_to_delete(tiny, runs_dir, tmp_path, end_processes_under):
    """A whole study: launched, waited for, read in every way, extended, deleted."""
    launched = edgewise("launch", tiny, "--wait", "--name", "renamed", "--seed", 3)
    assert launched.returncode == 0, launched.stderr
    study = launched.stdout.strip()
    assert study.startswith("renamed-")
    assert "2/2 trials" in launched.stderr
    assert f"{study} is finished" in launched.stderr

    status = answer("status", study)
    assert (status["state"], status["done"], status["total"], status["running"]) == ("finished", 2, 2, [])
    assert [s["id"] for s in answer("list")] == [study]
    assert (status["trainer"], status["trained_by"]) == ("auto", "fast kernels")
    assert "finished" in (said := here("status", study).stdout)
    assert "  trained by fast kernels\n" in said

    entry = yaml.safe_load(here("best", study).stdout)["CartPole-v1"]
    assert entry["n_steps"] == 32
    assert entry["n_timesteps"] == 256.0
    best = answer("best", study)
    assert best["trial"] == status["best"]["trial"]
    assert entry["learning_rate"] == best["hyperparameters"]["learning_rate"]

    file = tmp_path / "trials.csv"
    assert here("trials", study, "--csv", file).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["state"] for row in rows] == ["complete", "complete"]
    assert [t["value"] for t in answer("trials", study)] == [float(row["value"]) for row in rows]
    assert "complete" in here("trials", study).stdout

    assert "already has its 2 trials" in here("resume", study).stderr
    assert refusal("resume", study, "--trials", 1)[0] == 2
    assert edgewise("resume", study, "--trials", 3, "--wait").returncode == 0
    assert answer("status", study)["done"] == 3
    assert here("stop", study).exit_code == 0  # nothing to stop is no failure
    assert here("delete", study, "--yes").exit_code == 0
    assert answer("list") == []


def test_a_used_up_time_budget_is_an_end_as_planned(tiny, runs_dir, end_processes_under):
    tiny.write_text(TINY.replace("n_trials: 2,", "n_trials: 1000, timeout_s: 1,"))
    ended = edgewise("launch", tiny, "--wait", "--json")
    end_processes_under(runs_dir)
    assert ended.returncode == 0, ended.stderr
    assert "time budget" in json.loads(ended.stdout)["reason"]


def test_the_exported_script_repeats_the_trial(tiny, runs_dir, tmp_path):
    """Same seeds, same configuration, plain SB3: the same mean return, to the digit that is printed."""
    tiny.write_text(TINY + "trainer: sb3\n")
    study = edgewise("launch", tiny, "--wait", "--trials", 1).stdout.strip()
    script = here("best", study, "--format", "python").stdout
    (tmp_path / "best.py").write_text(script)
    ran = subprocess.run(
        [sys.executable, "best.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    value = answer("best", study)["value"]
    assert ran.stdout.splitlines()[-1].startswith(f"mean return {value:.1f},")


def test_a_running_study(tiny, runs_dir, end_processes_under):
    """Conflicts, a larger budget while it runs, Ctrl-C while waiting, stop, resume."""
    tiny.write_text(TINY.replace("n_timesteps: 256", "n_timesteps: 10000000"))
    study = edgewise("launch", tiny).stdout.strip()
    folder = RunFolder(runs_dir / study)
    try:
        _wait_for(lambda: answer("status", study)["running"])
        assert answer("status", study)["state"] == "running"
        assert refusal("delete", study, "--yes")[0] == 3
        assert refusal("resume", study)[0] == 3
        assert answer("resume", study, "--trials", 4)["total"] == 4
        assert refusal("best", study)[0] == 5

        waiting = subprocess.Popen(
            [sys.executable, "-m", "tuning", "resume", study, "--trials", "5", "--wait"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # whoever runs the tests in the background has them ignore Ctrl-C, and their children with them
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert waiting.stdout.readline().strip() == study
        time.sleep(1)
        os.kill(waiting.pid, signal.SIGINT)
        _, said = waiting.communicate(timeout=30)
        assert waiting.returncode == 130
        assert f"{study} keeps running" in said
        assert "Traceback" not in said
        assert answer("status", study)["state"] == "running"

        stopped = edgewise("stop", study)
        assert (stopped.returncode, "has stopped" in stopped.stderr) == (0, True)
        status = answer("status", study)
        assert (status["state"], status["total"], status["counts"]["running"]) == ("stopped", 5, 0)

        assert edgewise("resume", study).stdout.strip() == study
        _wait_for(lambda: answer("status", study)["running"])
        os.kill(launch.read_run(folder).status.pid, signal.SIGKILL)
        _wait_for(lambda: answer("status", study)["state"] == "interrupted")
        assert answer("status", study)["counts"]["running"] == 0  # failed and queued again by looking
    finally:
        end_processes_under(runs_dir)


def _wait_for(true, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_people_say_about_a_study_is_listed(created, runs_dir):
    rename(created, "Swing up")
    set_tags(created, ["robot"])
    (record,) = answer("list")
    assert (record["id"], record["called"], record["tags"]) == (created.id, "Swing up", ["robot"])
    assert "Swing up: PPO on " in here("list").stdout
    assert f"{created.id} (Swing up): created" in here("status", created.id).stdout
