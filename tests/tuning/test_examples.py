import pytest

from storage.paths import RunFolder
from tuning import examples


def test_the_story_is_the_starter_space_on_pendulum():
    spec = examples.pendulum_story()
    assert (spec.env.id, spec.budget.n_trials) == ("Pendulum-v1", 60)


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "examples" / "recorded"
    (folder / "curves").mkdir(parents=True)
    (folder / "job.json").write_text("{}")
    (folder / "curves" / "0.jsonl").write_text("")
    for path in (folder / "job.json", folder / "curves" / "0.jsonl"):
        path.chmod(0o444)
    return folder


def test_a_copy_is_private_and_can_be_written(shipped, tmp_path):
    copy = examples.copy_recorded(shipped, tmp_path / "runs")
    assert copy == RunFolder(tmp_path / "runs" / "recorded")
    assert copy.path.stat().st_mode & 0o777 == 0o700
    assert copy.job.stat().st_mode & 0o200
    assert (copy.curves / "0.jsonl").is_file()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["recorded"]


def test_a_copy_that_is_there_is_not_replaced(shipped, tmp_path):
    copy = examples.copy_recorded(shipped, tmp_path / "runs")
    copy.log.write_text("mine")
    assert examples.copy_recorded(shipped, tmp_path / "runs").log.read_text() == "mine"
