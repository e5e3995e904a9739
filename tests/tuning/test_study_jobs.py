"""Jobs that belong to a study: draws of seeds that are used once, and deletion."""

import pytest

from storage import locks
from storage.paths import RunFolder, create_run, list_runs
from storage.records import read_record
from tuning import launch
from tuning.jobs import AlreadyRunning, create_job
from tuning.study_jobs import (
    alone,
    delete_study_job,
    next_draw,
    running_job,
    start_study_job,
    study_jobs,
)


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "start", lambda folder: None)
    return RunFolder(tmp_path.resolve())


@pytest.fixture
def start(study):
    """Start a job that runs nothing; returns its folder and the draw that it got."""

    def make(kind="probe"):
        drawn = []
        folder = start_study_job(study, kind, lambda _, draw: drawn.append(draw))
        assert read_record(folder.job)["draw"] == drawn[0]
        return folder, drawn[0]

    return make


def test_a_draw_is_never_used_twice_whatever_is_deleted(study, start):
    folders, draws = zip(*(start() for _ in range(3)), strict=True)
    assert draws == (0, 1, 2)
    delete_study_job(study, folders[0])
    assert start()[1] == 3
    for folder in list_runs(study.jobs):
        delete_study_job(study, folder)
    assert study_jobs(study, "probe") == []
    assert start()[1] == 4, "whoever saw how the deleted ones ended would meet the same runs again"


def test_jobs_of_older_versions_took_the_draw_of_their_place(study, start):
    study.jobs.mkdir()
    for _ in range(2):
        create_job(create_run(study.jobs, "probe"), "probe")
    assert start()[1] == 2


def test_a_copied_study_goes_on_where_its_jobs_say(study, start):
    for _ in range(3):
        start()
    (study.jobs / ".draws.json").unlink()
    assert next_draw(study) == 3
    newest = study_jobs(study, "probe")[0]
    newest.job.write_text('{"kind": "probe", "draw": -1}')
    assert next_draw(study) == 3


def test_jobs_are_found_by_kind(study, start):
    probe, reevaluation = start("probe")[0], start("reevaluation")[0]
    assert study_jobs(study, "probe") == [probe]
    assert study_jobs(study, "reevaluation") == [reevaluation]


def test_one_that_runs_is_not_deleted_and_lets_no_other_start(study, start):
    folder, _ = start()
    assert running_job(study) is None
    with locks.FileLock(folder.lock):
        assert running_job(study) == "probe"
        with pytest.raises(launch.Busy, match="is running: stop it first"):
            delete_study_job(study, folder)
        with pytest.raises(AlreadyRunning, match=r"A probe of .* is running"), alone(study):
            pass
    delete_study_job(study, folder)
    assert not folder.path.exists()
    assert list(study.jobs.glob(".deleted-*")) == []


def test_only_a_study_s_own_jobs_are_deleted(study, tmp_path):
    other = create_run(tmp_path / "elsewhere", "study")
    with pytest.raises(ValueError, match="is no job of"):
        delete_study_job(study, other)
    assert other.path.exists()


@pytest.mark.parametrize("act", [alone, lambda study: delete_study_job(study, study)])
def test_a_server_that_only_shows_refuses(study, monkeypatch, act):
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    with pytest.raises(PermissionError, match="only shows studies"):
        with act(study):
            pass
