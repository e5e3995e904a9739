"""A study in somebody else's file, as a folder of ours that only reads."""

import pytest

from storage.foreign import NoSuchStudy
from storage.source import Source, SourceUnreadable, read_source
from tuning import jobs, launch
from tuning.opening import open_study
from tuning.spec import build_spec

FILES = ("study.log", "study.db")


@pytest.fixture
def theirs(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("file", FILES)
def test_the_same_study_is_the_same_folder_every_time(theirs, runs_dir, write_study, everything_in, file):
    path = write_study(theirs / file, "ppo / <b>")
    before = everything_in(theirs)
    folder = open_study(path, None, runs_dir)
    link = runs_dir.parent / "link"
    link.symlink_to(path)
    assert open_study(link, "ppo / <b>", runs_dir) == folder
    kind = "journal" if file.endswith(".log") else "sqlite"
    assert read_source(folder) == Source(path.resolve(), "ppo / <b>", kind)
    assert folder.id.startswith("ppo-b-")
    run = launch.read_run(folder)
    assert (run.spec, run.study.name, len(run.study.trials)) == (None, "ppo / <b>", 3)
    assert run.status.state == jobs.JobState.OPENED
    assert everything_in(theirs) == before


def test_each_study_of_a_file_has_a_folder(theirs, runs_dir, write_study):
    path = write_study(theirs / "study.db", "a")
    write_study(path, "b")
    with pytest.raises(NoSuchStudy, match="name one of 'a', 'b'"):
        open_study(path, None, runs_dir)
    assert open_study(path, "a", runs_dir) != open_study(path, "b", runs_dir)


def test_the_one_study_with_one_objective_needs_no_name(theirs, runs_dir, write_study):
    path = write_study(theirs / "study.db", "a", directions=("minimize", "minimize"))
    with pytest.raises(SourceUnreadable, match="2 objectives"):
        open_study(path, None, runs_dir)
    write_study(path, "b")
    assert launch.read_run(open_study(path, None, runs_dir)).study.name == "b"


@pytest.mark.parametrize("name", ["日本", "../..", "---", "x" * 300])
def test_any_name_of_a_study_gives_a_safe_folder(theirs, runs_dir, write_study, name):
    folder = open_study(write_study(theirs / "study.log", name, n_trials=0), None, runs_dir)
    assert folder.path.parent == runs_dir
    assert launch.read_run(folder).study.name == name


def test_nothing_is_made_for_what_cannot_be_opened(theirs, runs_dir, write_study):
    path = write_study(theirs / "study.log", "a")
    for study, error in (("b", NoSuchStudy), (None, SourceUnreadable)):
        if study is None:
            path.write_text("text")
        with pytest.raises(error):
            open_study(path, study, runs_dir)
    assert list(runs_dir.iterdir()) == []


def test_a_folder_whose_record_is_damaged_is_passed_over(theirs, runs_dir, write_study):
    path = write_study(theirs / "study.log")
    damaged = open_study(path, None, runs_dir)
    damaged.source.write_text("{")
    assert open_study(path, None, runs_dir) != damaged


def test_the_journal_of_a_study_of_ours_is_that_study(runs_dir):
    spec = build_spec({"name": "own", "env": {"id": "CartPole-v1"}, "search_space": "learning-rate-only"})
    folder = launch.create_study(spec, runs_dir)
    assert open_study(folder.journal, None, runs_dir) == folder


def test_no_runner_starts_and_nothing_is_tidied_or_extended(theirs, runs_dir, write_study, everything_in):
    folder = open_study(write_study(theirs / "study.log"), None, runs_dir)
    before = everything_in(theirs), everything_in(folder.path)
    with pytest.raises(jobs.StartFailed, match="only read"):
        launch.start(folder)
    with pytest.raises(ValueError, match="only read"):
        launch.extend(folder, 100)
    assert launch.tidy(folder) == 0
    assert (everything_in(theirs), everything_in(folder.path)) == before


def test_deleting_leaves_the_file(theirs, runs_dir, write_study, everything_in):
    folder = open_study(write_study(theirs / "study.db"), None, runs_dir)
    before = everything_in(theirs)
    launch.delete(folder)
    assert not folder.path.exists()
    assert everything_in(theirs) == before


def test_a_file_that_is_gone_or_lost_its_study_is_explained(theirs, runs_dir, write_study):
    path = write_study(theirs / "study.log", "a")
    folder = open_study(path, None, runs_dir)
    path.unlink()
    with pytest.raises(SourceUnreadable, match="There is no file"):
        launch.read_run(folder)
    write_study(path, "b")
    with pytest.raises(NoSuchStudy, match="It holds 'b'"):
        launch.read_run(folder)
