"""`python -m tuning widen`, and what the other commands say of a study that continues another one."""

import json

import optuna
import pytest
from typer.testing import CliRunner

from storage.artifacts import load_policy
from storage.journal import STUDY_NAME, open_journal
from storage.trials import counted, imported, own, rerun_of
from tuning import launch
from tuning.__main__ import app
from tuning.analysis import saturation
from tuning.cli import widen as command
from tuning.jobs import JobState
from tuning.lineage import children, parent_of, trial_home
from tuning.spec import build_spec

TINY = {
    "name": "old",
    "env": {"id": "CartPole-v1"},
    "hyperparameters": {"n_steps": 32, "n_epochs": 1, "policy_kwargs.net_arch": [8]},
    "search_space": [
        {"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-3, "log": True},
        {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.999},
    ],
    "budget": {"n_trials": 2, "n_timesteps": 128, "n_evaluations": 2, "n_eval_episodes": 2},
    "pruner": {"name": "none"},
    "defaults_first": False,
    "tuned_first": False,
    "n_train_envs": 2,
    "n_eval_envs": 2,
    "n_workers": 1,
}
WIDER = "learning_rate=1e-4..1e-2"


def run(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def parent(runs_dir):
    """A parent with five trials that nobody trained."""
    folder = launch.create_study(build_spec(TINY), runs_dir)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    for index in range(5):
        trial = study.ask()
        for p in build_spec(TINY).search_space:
            p.suggest(trial)
        study.tell(trial, 10.0 * index)
    return folder


@pytest.fixture
def started(monkeypatch):
    folders = []
    monkeypatch.setattr(launch, "start", folders.append)
    monkeypatch.setattr(command, "check_request", lambda spec: None)
    return folders


def test_a_given_range_starts_a_study_that_continues_the_other(parent, started):
    result = run("widen", parent.id, "--set", WIDER, "--trials", "7", "--name", "wide")
    assert result.exit_code == 0
    (folder,) = started
    assert result.stdout.strip() == folder.id
    assert folder.id.startswith("wide-")
    assert "learning_rate: 1e-4 … 0.001 -> 1e-4 … 0.01" in result.stderr
    assert f"Continues {parent.id}: 5 trials are imported, the best 3 run again." in result.stderr
    spec = launch.read_run(folder).spec
    assert (spec.parameter("learning_rate").high, spec.budget.n_trials) == (1e-2, 7)
    assert parent_of(folder).id == parent.id


def test_a_dry_run_starts_nothing(parent, started, runs_dir):
    result = run("widen", parent.id, "--set", WIDER, "--set", "gamma=0.95..0.999", "--dry-run")
    assert result.exit_code == 0
    assert "gamma: 0.9 … 0.999 -> 0.95 … 0.999" in result.stdout
    assert "would run 2 trials of its own" in result.stdout
    record = json.loads(run("widen", parent.id, "--set", WIDER, "--dry-run", "--json").stdout)
    assert (record["continues"], record["imported"], len(record["run_again"])) == (parent.id, 5, 2)
    assert record["changes"][0]["after"]["high"] == 1e-2
    assert started == []
    assert [folder.name for folder in runs_dir.iterdir()] == [parent.id]


def test_what_is_measured_otherwise_is_said(parent, started, monkeypatch):
    real = command.widened_spec

    def noisier(spec, changes, **named):
        wide = real(spec, changes, **named)
        return wide.model_copy(update={"budget": wide.budget.model_copy(update={"n_eval_episodes": 1})})

    assert "noisier" not in run("widen", parent.id, "--set", WIDER, "--dry-run").stdout
    monkeypatch.setattr(command, "widened_spec", noisier)
    note = "Imported values are means of 2 episodes, new ones of 1: the new ones are noisier."
    assert note in run("widen", parent.id, "--set", WIDER, "--dry-run").stdout
    assert json.loads(run("widen", parent.id, "--set", WIDER, "--dry-run", "--json").stdout)["notes"] == [
        note
    ]
    assert note in run("widen", parent.id, "--set", WIDER).stderr


def test_without_a_range_the_suggested_ones_are_taken(parent, started, monkeypatch):
    from types import SimpleNamespace

    edge = SimpleNamespace(
        name="gamma", verdict="edge", suggested=(0.85, 0.999), low=0.9, high=0.999, missing=0
    )
    found = SimpleNamespace(parameters=(edge,))
    monkeypatch.setattr(saturation, "saturation_info", lambda *_, **__: found)
    result = run("widen", parent.id)
    assert result.exit_code == 0
    assert "gamma: 0.9 … 0.999 -> 0.85 … 0.999" in result.stderr
    edge.suggested = None
    result = run("widen", parent.id)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "presses a bound: there is nothing to widen. --set NAME=LOW..HIGH" in result.stderr


def test_too_few_trials_are_no_evidence(parent, started):
    result = run("widen", parent.id)
    assert result.exit_code == 5
    assert "not enough evidence: run at least" in result.stderr
    assert started == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "learning_rate"], "--set must be NAME=LOW..HIGH, such as"),
        (["--set", "learning_rate=1e-4..x"], "--set must be NAME=LOW..HIGH"),
        (["--set", "=1..2"], "--set must be NAME=LOW..HIGH"),
        (["--set", "nope=1..2"], "There is no parameter 'nope' in old"),
        (["--set", "learning_rate=1e-2..1e-4"], "Swap them?"),
        (["--set", "gamma=0.9..1.5"], "gamma"),
        (["--set", "gamma=0.9..nan"], "should be a finite number: received nan"),
        (["--set", "gamma=0.9..0.99", "--set", "gamma=0.8..0.99"], "names 'gamma' more than once"),
        (["--set", WIDER, "--name", "../x"], "name"),
        (["--set", WIDER, "--trials", "0"], "n_trials"),
    ],
)
def test_bad_input_is_a_sentence_and_starts_nothing(parent, started, runs_dir, arguments, said):
    result = run("widen", parent.id, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert started == []
    assert [folder.name for folder in runs_dir.iterdir()] == [parent.id]


def test_a_study_that_is_only_read_is_not_called_missing(parent, tmp_path):
    file = tmp_path / "theirs.log"
    file.write_bytes(parent.journal.read_bytes())
    result = run("widen", file)
    assert result.exit_code == 2
    assert f"{file} is a study that Edgewise only reads" in result.stderr


def test_no_such_study(runs_dir):
    assert run("widen", "nobody-0000").exit_code == 4


def test_other_commands_count_own_trials_and_name_the_parent(parent, started):
    run("widen", parent.id, "--set", WIDER)
    (child,) = started
    record = json.loads(run("status", child.id, "--json").stdout)
    assert (record["continues"], record["imported"], record["done"], record["best"]) == (
        parent.id,
        5,
        0,
        None,
    )
    assert record["counts"]["complete"] == 0
    text = run("status", child.id).stdout
    assert "0 of 2 trials (2 waiting)" in text
    assert f"continues {parent.id}: 5 trials imported" in text
    assert "0/2" in run("list").stdout
    best = run("best", child.id)
    assert best.exit_code == 5
    assert "imported trial 4 reached 40; --trial 4 prints its configuration" in best.stderr
    trials = run("trials", child.id).stdout
    assert f"imported: trial 4 of {parent.id}" in trials
    assert f"again: trial 4 of {parent.id}" in trials
    assert "ORIGIN" not in run("trials", parent.id).stdout
    assert json.loads(run("status", parent.id, "--json").stdout)["continues"] is None


@pytest.fixture
def processes(runs_dir, end_processes_under):
    yield
    end_processes_under(runs_dir)


def test_a_real_study_is_continued_to_its_exact_budget(runs_dir, processes, wait_until_ended):
    first = launch.launch(build_spec(TINY), runs_dir)
    assert wait_until_ended(first).state == JobState.FINISHED
    result = run("widen", first.id, "--set", WIDER, "--trials", "3", "--wait")
    assert result.exit_code == 0, result.stderr
    (folder,) = children(first)
    child = launch.read_run(folder)
    assert child.status.reason == "All 3 trials are done."
    assert len(imported(child.study.trials)) == 2
    ours = own(child.study.trials)
    assert len(counted(child.study.trials)) == len(ours) == 3
    assert [rerun_of(t) for t in ours][2] is None
    assert {rerun_of(t)[1] for t in ours[:2]} == {0, 1}
    seeds = [t.user_attrs["run"]["train_seed"] for t in child.study.trials]
    assert len(set(seeds)) == 5  # none of the parent's is used again
    homes = [trial_home(folder, t) for t in imported(child.study.trials)]
    assert {home.folder for home in homes} == {first}
    assert all(load_policy(home.folder, home.number).arrays for home in homes)
    numbers = {t.number for t in ours}
    assert {int(p.name) for p in child.folder.weights.iterdir()} == numbers
