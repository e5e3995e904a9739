"""On a server that only shows studies nothing can be started, stopped, written or deleted, whoever asks."""

import inspect
from pathlib import Path

import pytest

from storage.journal import STUDY_NAME
from storage.locks import FileLock
from storage.paths import RunFolder
from tuning import access, examples, jobs, launch, pins, probe_jobs, reevaluation_jobs, rollout_jobs
from tuning.__main__ import app as command_line
from tuning.access import VARIABLE, ReadOnly, is_read_only
from tuning.examples import pendulum_story
from tuning.mapping import save_mapping
from tuning.opening import open_study
from tuning.winner import choose_winner, take_back_winner

CHANGES = {
    "launch": lambda folder, root: launch.launch(pendulum_story(), root),
    "create": lambda folder, root: launch.create_study(pendulum_story(), root),
    "start": lambda folder, root: launch.start(folder),
    "start a job": lambda folder, root: jobs.start_job(folder),
    "stop": lambda folder, root: launch.stop(folder, "now"),
    "stop a job": lambda folder, root: jobs.request_stop(folder, "after"),
    "resume": lambda folder, root: launch.resume(folder),
    "extend": lambda folder, root: launch.extend(folder, 99),
    "delete": lambda folder, root: launch.delete(folder),
    "probe": lambda folder, root: probe_jobs.start_probe(folder, None),
    "resume a probe": lambda folder, root: probe_jobs.resume_probe(folder, folder),
    "re-evaluate": lambda folder, root: reevaluation_jobs.start_reevaluation(folder, None),
    "resume a re-evaluation": lambda folder, root: reevaluation_jobs.resume_reevaluation(folder, folder),
    "extend a re-evaluation": lambda folder, root: reevaluation_jobs.extend_reevaluation(folder, folder, 9),
    "delete a re-evaluation": lambda folder, root: reevaluation_jobs.delete_reevaluation(folder, folder),
    "map": lambda folder, root: save_mapping(folder, pendulum_story()),
    "choose": lambda folder, root: choose_winner(folder, 0, expected=None, reevaluation=None),
    "take back": lambda folder, root: take_back_winner(folder),
    "film": lambda folder, root: rollout_jobs.start_rollout(folder, None),
    "film again": lambda folder, root: rollout_jobs.resume_rollout(folder, folder),
    "stop filming": lambda folder, root: rollout_jobs.stop_rollout(folder),
    "delete a video": lambda folder, root: rollout_jobs.delete_rollout(folder, folder),
    "pin": lambda folder, root: pins.set_pin(folder, 0, pinned=True),
    "open": lambda folder, root: open_study(root.parent / "study.log", None, root),
    "copy an example": lambda folder, root: examples.copy_recorded(examples.recorded()[0], root),
}


def everything_below(folder: Path) -> dict[str, tuple]:
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
        for p in sorted([folder, *folder.rglob("*")])
    }


@pytest.fixture
def study(runs_dir, write_study) -> RunFolder:
    write_study(runs_dir.parent / "study.log")
    return launch.create_study(pendulum_story(), runs_dir)


@pytest.mark.parametrize("text", ["1", "true", "yes", "on"])
def test_the_variable_turns_it_on(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    assert is_read_only()


@pytest.mark.parametrize("text", ["", "0", "false", " No ", "off"])
def test_the_variable_leaves_it_off(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    assert not is_read_only()


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_refused_with_a_sentence(study, runs_dir, monkeypatch, change):
    monkeypatch.setenv(VARIABLE, "1")
    with FileLock(study.lock):  # as a running study: there would be something to stop
        before = everything_below(runs_dir)
        with pytest.raises(ReadOnly, match=r"only shows studies here, so it cannot .*\. Start it without"):
            CHANGES[change](study, runs_dir)
        assert everything_below(runs_dir) == before


def test_what_a_dead_runner_left_is_not_touched(study, runs_dir, monkeypatch):
    storage = launch.open_journal(study.journal)
    storage.create_new_trial(storage.get_study_id_from_name(STUDY_NAME))
    monkeypatch.setenv(VARIABLE, "1")
    before = everything_below(runs_dir)
    assert launch.tidy(study) == 0
    assert everything_below(runs_dir) == before
    monkeypatch.delenv(VARIABLE)
    assert launch.tidy(study) == 1


def test_an_example_that_is_there_opens(runs_dir, monkeypatch):
    source = examples.recorded()[0]
    copied = examples.copy_recorded(source, runs_dir)
    monkeypatch.setenv(VARIABLE, "1")
    assert examples.copy_recorded(source, runs_dir) == copied


@pytest.mark.parametrize(
    "arguments",
    [
        ["stop", "ID"],
        ["resume", "ID"],
        ["delete", "ID", "--yes"],
        ["launch", str(examples.FOLDER / "smoke.yaml")],
    ],
)
def test_the_command_line_refuses_in_a_sentence(study, runs_dir, monkeypatch, arguments):
    from typer.testing import CliRunner

    monkeypatch.setenv(VARIABLE, "1")
    before = everything_below(runs_dir)
    result = CliRunner().invoke(command_line, [study.id if a == "ID" else a for a in arguments])
    assert result.exit_code == 2
    assert "error: Edgewise only shows studies here" in result.stderr
    assert everything_below(runs_dir) == before


def test_the_command_line_still_shows(study, runs_dir, monkeypatch):
    from typer.testing import CliRunner

    monkeypatch.setenv(VARIABLE, "1")
    before = everything_below(runs_dir)
    for command in ("list", "status", "trials"):
        arguments = [command] if command == "list" else [command, study.id]
        assert CliRunner().invoke(command_line, arguments).exit_code == 0
    assert everything_below(runs_dir) == before


def test_a_refusal_is_one_sentence_wherever_disk_errors_are_told():
    error = ReadOnly("It cannot.")
    assert isinstance(error, OSError)
    assert str(error) == "It cannot."
    assert inspect.getmodule(ReadOnly) is access
