"""`python -m tuning export`: where things go, what is refused, and how it ends."""

import json
import zipfile

import pytest
import yaml
from typer.testing import CliRunner

from tests.shipped import BEST, KEPT, SECOND, reached
from tuning import launch
from tuning.__main__ import app
from tuning.access import VARIABLE
from tuning.spec import build_spec


@pytest.fixture
def run(recorded, tmp_path, monkeypatch):
    """Call the command in an empty folder; returns exit code, stdout and stderr."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(layout, *arguments, study=None):
        result = CliRunner().invoke(app, ["export", study or recorded.id, "--format", layout, *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    return call


def test_texts_go_to_stdout(run):
    code, out, said = run("yaml")
    assert code == 0
    assert yaml.safe_load(out)["Pendulum-v1"]["n_steps"] == KEPT[BEST]["resolved"]["n_steps"]
    assert said == f"note: trial {BEST}, the best of the search.\n"
    assert run("python", "--trial", str(SECOND))[1].startswith(f'"""PPO on Pendulum-v1: trial {SECOND}')
    assert json.loads(run("json")[1])["trial"] == BEST
    assert run("csv", "--out", "-")[1].splitlines()[0].startswith("number,rank,state,value")


def test_files_are_named_and_their_path_is_told(run, tmp_path):
    code, out, said = run("zip")
    assert (code, out) == (0, f"pendulum-recorded-trial-{BEST}.zip\n")
    assert f"The agent that the search itself trained. Its last evaluation gave {reached(BEST)}." in said
    assert zipfile.is_zipfile(tmp_path / "cwd" / out.strip())
    code, out, _ = run("report", "--json")
    record = json.loads(out)
    assert record["path"] == str(tmp_path / "cwd" / "pendulum-recorded-report.html")
    assert (tmp_path / "cwd" / "pendulum-recorded-report.html").read_text().startswith("<!doctype html>")
    run("csv", "--json")
    assert (tmp_path / "cwd" / "pendulum-recorded-trials.csv").is_file()


def test_nothing_is_replaced_unasked(run, tmp_path):
    target = tmp_path / "cwd" / "mine.yaml"
    target.write_text("mine")
    code, _, said = run("yaml", "--out", "mine.yaml")
    assert code == 2
    assert "exists. Give --force to replace it" in said
    assert target.read_text() == "mine"
    assert run("yaml", "--out", "mine.yaml", "--force")[0] == 0
    assert target.read_text() != "mine"


@pytest.mark.parametrize(
    ("layout", "arguments", "words"),
    [
        ("zip", ["--out", "-"], "cannot go to stdout"),
        ("zip", ["--out", "no/such/model.zip"], "There is no folder"),
        ("zip", ["--out", "."], "is a folder"),
        ("card", ["--out", ".", "--force"], "is no model card, so it is not replaced"),
        ("yaml", ["--trial", "999"], "has no trial 999"),
        ("report", ["--trial", "999"], "has no trial 999"),
    ],
)
def test_what_cannot_be_meant_is_bad_input(run, layout, arguments, words):
    code, _, said = run(layout, *arguments)
    assert code == 2
    assert words in said


def test_a_trial_without_weights_is_a_failure_in_a_sentence(run):
    code, _, said = run("zip", "--trial", "1")
    assert code == 1
    assert said.startswith("error: No weights of trial 1 are kept")


def test_nothing_yet(run, runs_dir):
    spec = build_spec({"name": "new", "env": {"id": "Pendulum-v1"}, "search_space": "starter"})
    assert run("yaml", study=launch.create_study(spec, runs_dir).id)[0] == 5
    assert run("yaml", study="no-such")[0] == 4


def test_a_server_that_only_shows_writes_nothing_among_the_studies(run, recorded, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "1")
    code, _, said = run("yaml", "--out", str(recorded.path / "x.yaml"))
    assert code == 2
    assert "cannot write among the studies" in said
    assert not (recorded.path / "x.yaml").exists()
    assert run("yaml", "--out", "x.yaml")[0] == 0  # elsewhere a person may
