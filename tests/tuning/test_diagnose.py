"""`python -m tuning diagnose`: any study, only read, and JSON that a script can rely on."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from tuning import launch
from tuning.__main__ import app
from tuning.opening import open_study
from tuning.spec import build_spec

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    "name",
    "verdict",
    "side",
    "confidence",
    "low",
    "high",
    "suggested_low",
    "suggested_high",
    "sentence",
]


def run(*arguments):
    """Run the command in this process; return its exit code, stdout and stderr."""
    result = CliRunner().invoke(app, ["diagnose", *map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def judged(*arguments):
    """Return the parameters of a study that can be judged, by name."""
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    answer = json.loads(out)
    assert list(answer) == ["parameters"]
    assert all(list(p) == KEYS for p in answer["parameters"])
    return {p["name"]: p for p in answer["parameters"]}


def store(path: Path, objective) -> Path:
    """Run 60 random trials in memory and write them to a journal or a SQLite file."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=3))
    study.optimize(objective, n_trials=60)
    storage = f"sqlite:///{path}"
    if path.suffix == ".log":
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    optuna.create_study(storage=storage, study_name="ppo", direction="maximize").add_trials(study.trials)
    return path


def press_upper_bound(trial: optuna.Trial) -> float:
    """An objective whose best learning rates lie far above its range."""
    rate = trial.suggest_float("learning_rate", 1e-5, 1e-3, log=True)
    epochs = trial.suggest_int("n_epochs", 1, 20)
    trial.suggest_categorical("net", ["small", "medium", "large"])
    return -((math.log10(rate) + 1.0) ** 2) - 0.01 * abs(epochs - 10)


@pytest.fixture(scope="module", params=["study.log", "study.db"])
def pressed(tmp_path_factory, request):
    """A file with a study that presses an upper bound."""
    return store(tmp_path_factory.mktemp("theirs") / request.param, press_upper_bound)


def test_a_file_is_judged_and_left_alone(pressed, everything_in):
    before = everything_in(pressed.parent)
    rate = judged(pressed)["learning_rate"]
    assert (rate["verdict"], rate["side"]) == ("edge", "high")
    assert rate["confidence"] in ("confident", "likely")
    assert (rate["low"], rate["high"]) == (1e-5, 1e-3)
    assert rate["suggested_high"] > 1e-3
    assert "learning_rate" in rate["sentence"]
    assert everything_in(pressed.parent) == before


def test_what_does_not_exist_is_null_and_whole_numbers_are_whole(pressed):
    parameters = judged(pressed)
    assert all(parameters["net"][key] is None for key in ("low", "high", "suggested_low", "suggested_high"))
    assert parameters["net"]["confidence"] is None
    assert (parameters["n_epochs"]["low"], parameters["n_epochs"]["high"]) == (1, 20)
    assert all(type(parameters["n_epochs"][key]) is int for key in ("low", "high"))


def test_an_opened_id_an_own_id_and_a_url_are_the_same_study(pressed, runs_dir):
    expected = judged(pressed)
    folder = open_study(pressed, None, runs_dir)
    assert judged(folder.id) == expected
    assert judged(folder.id, "--study", "ppo") == expected
    assert run(folder.id, "--study", "sac")[0] == 4
    if pressed.suffix == ".db":
        assert judged(f"sqlite:///{pressed}") == expected
        assert judged(f"sqlite:///file:{pressed}?mode=rw&uri=true") == expected


def test_people_read_a_table_and_the_sentences(pressed):
    code, out, _ = run(pressed)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == f"ppo in {pressed}: 60 finished trials, maximize"
    assert lines[2].split() == ["VERDICT", "PARAMETER", "RANGE", "TRY"]
    assert lines[3].startswith("edge high, ")
    assert "learning_rate" in lines[3]
    assert any(line.startswith("learning_rate ") for line in lines[7:])


def test_a_process_prints_json_and_nothing_else(pressed):
    done = subprocess.run(
        [sys.executable, "-m", "tuning", "diagnose", str(pressed), "--json"],
        cwd=ROOT,
        env={**os.environ, "EDGEWISE_STUDY_ROOTS": "/nowhere"},  # of pages, not of the command line
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert {p["name"] for p in json.loads(done.stdout)["parameters"]} == {"learning_rate", "n_epochs", "net"}
    assert done.stderr == ""


def test_several_studies_are_listed_and_one_is_named(tmp_path, write_study):
    path = write_study(tmp_path / "study.db", "a", n_trials=2)
    write_study(path, "b", n_trials=4)
    write_study(path, "c", directions=("minimize", "maximize"))
    code, out, err = run(path)
    assert (code, out) == (2, "")
    assert [line.split() for line in err.splitlines()[:4]] == [
        ["STUDY", "DIRECTION", "TRIALS"],
        ["a", "minimize", "2"],
        ["b", "minimize", "4"],
        ["c", "minimize,", "maximize", "3"],
    ]
    assert "name one with --study" in err
    assert judged(path, "--study", "b")["learning_rate"]["verdict"] == "not enough evidence"
    assert run(path, "--study", "c")[0] == 1
    assert run(path, "--study", "d")[0] == 4


def test_a_natural_limit_is_known_by_the_name_of_a_parameter(tmp_path):
    path = store(
        tmp_path / "study.log",
        lambda trial: trial.suggest_float("gae_lambda", 0.8, 1.0) + trial.suggest_float("x", 0, 0.01),
    )
    assert judged(path)["gae_lambda"]["verdict"] == "natural limit"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_study_with_nothing_to_judge_says_so(tmp_path, write_study, as_json):
    path = write_study(tmp_path / "study.log", n_trials=0)
    code, out, err = run(path, *(["--json"] if as_json else []))
    assert code == 5
    assert "It has no trials yet" in err
    assert out == ("" if not as_json else '{\n  "parameters": []\n}\n')


def test_hostile_names_stay_text(tmp_path, write_study):
    path = write_study(tmp_path / "study.log", "\x1b[31mred\n<b>", n_trials=40)
    code, out, err = run(path)
    assert code == 0, err
    assert "\x1b" not in out
    assert "a b/<b>" in out


def test_a_name_with_line_breaks_stays_on_one_line(tmp_path):
    path = store(tmp_path / "study.log", lambda trial: trial.suggest_float("learning\nrate\u2028x", 0, 1))
    code, out, _ = run(path)
    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 6  # head, table of one row, one sentence, and what is between them
    assert "learning rate x" in lines[3]
    assert "learning rate x" in lines[5]


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.PRUNED])
def test_where_no_trial_is_complete_each_parameter_says_so(tmp_path, state):
    def broken(trial):
        trial.suggest_float("x", 0, 1)
        if state == TrialState.PRUNED:
            raise optuna.TrialPruned
        return float("nan")

    path = store(tmp_path / "study.log", broken)
    found = judged(path)
    assert list(found) == ["x"]
    assert found["x"]["verdict"] == "not enough evidence"
    code, out, _ = run(path)
    assert code == 0
    assert "not enough evidence" in out


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("no-such-study", 4, "There is no study 'no-such-study'"),
        ("nowhere/study.db", 4, "no file of that name"),
        ("sqlite://", 2, "names no file"),
        ("sqlite:///nowhere/study.db", 1, "There is no file"),
        ("nonsense://me:s3cret@host/db", 1, "SQLAlchemy does not know"),
    ],
)
def test_what_is_no_study_has_a_code_and_a_sentence(runs_dir, target, code, said):
    got, out, err = run(target)
    assert (got, out) == (code, "")
    assert said in err
    assert "s3cret" not in err


def test_looking_for_a_file_makes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("sqlite:///study.db")
    run("study.db")
    assert list(tmp_path.iterdir()) == []


def test_a_study_of_ours_uses_its_own_limits_and_is_not_touched(runs_dir, everything_in):
    spec = build_spec(
        {
            "name": "own",
            "env": {"id": "CartPole-v1"},
            "search_space": "learning-rate-only",
            "defaults_first": False,
            "tuned_first": False,
        }
    )
    folder = launch.create_study(spec, runs_dir)
    before = everything_in(folder.path)
    assert run(folder.id)[0] == 5
    assert everything_in(folder.path) == before


def test_other_commands_read_an_opened_study_or_refuse(tmp_path, write_study, runs_dir, everything_in):
    (tmp_path / "theirs").mkdir()
    path = write_study(tmp_path / "theirs" / "study.db")
    folder = open_study(path, None, runs_dir)
    before = everything_in(path.parent)

    def other(*arguments):
        return CliRunner().invoke(app, [*arguments], prog_name="python -m tuning")

    listed = json.loads(other("list", "--json").stdout)[0]
    assert (listed["state"], listed["done"], listed["total"]) == ("opened", 3, None)
    assert listed["source"] == {"path": str(path), "study": "ppo", "kind": "sqlite"}
    assert f"ppo in {path}" in other("list").stdout
    assert "3 trials" in other("status", folder.id).stdout
    assert other("trials", folder.id).stdout.count("complete") == 3
    refused = other("best", folder.id)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert json.loads(other("best", folder.id, "--format", "json").stdout)["params"]["a b/<b>"] == "a"
    assert other("resume", folder.id, "--trials", "9").exit_code == 2
    assert other("stop", folder.id).exit_code == 0
    assert "its file stays" in other("delete", folder.id, "--yes").stderr
    assert everything_in(path.parent) == before
    assert list(runs_dir.iterdir()) == []
