"""Rollouts on disk, with a real runner, a real worker and a real encoder where it matters."""

import os
import shutil
import signal
import time

import pytest

from storage import locks
from storage.paths import UnknownRun, create_run, list_runs
from storage.records import write_record, write_text
from tuning import jobs, launch
from tuning.access import VARIABLE, ReadOnly
from tuning.jobs import JobState
from tuning.retraining_plan import PlanError
from tuning.rollout import Actor, ActorResult, Episode, KeptTrial, Rollout, RolloutResult, Training
from tuning.rollout_jobs import (
    RolloutJob,
    UnreadableRollout,
    delete_rollout,
    find_rollout,
    find_rollouts,
    progress_of,
    read_rollout,
    resume_rollout,
    start_rollout,
    stop_rollout,
)

STOP_S = 4.0  # 2 s are promised; two of them for a machine that is busy with other tests


@pytest.fixture
def study(runs_dir, end_processes_under):
    folder = create_run(runs_dir, "played")
    jobs.create_job(folder, "study")
    yield folder
    end_processes_under(runs_dir)


def request(study, *, seed=0, steps=15, number=1):
    actor = Actor(label="Tuned (trial 1)", role="tuned", policy=KeptTrial(study=study.id, number=number))
    return Rollout(
        env={"id": "Pendulum-v1", "kwargs": {"max_episode_steps": steps}}, actors=(actor,), seed=seed
    )


def wait(folder, until, timeout_s=90.0):
    deadline = time.monotonic() + timeout_s
    while not until(job := read_rollout(folder)):
        assert time.monotonic() < deadline, jobs.log_tail(folder, 30)
        time.sleep(0.02)
    return job


def test_a_rollout_is_played_found_again_and_deleted(study, keep_untrained, wait_until_ended):
    keep_untrained(study, 1, "Pendulum-v1", push=1.0)
    folder = start_rollout(study, request(study))
    job = read_rollout(folder)
    assert (job.status.state, job.result) == (JobState.RUNNING, None)
    assert start_rollout(study, request(study)) == folder, "the second press finds the first one's"
    with pytest.raises(launch.Busy, match="stop it first"):
        delete_rollout(study, folder)
    with pytest.raises(launch.Busy, match=r"A rollout of .* is running: stop it first"):
        launch.delete(study)

    assert wait_until_ended(folder).state == JobState.FINISHED
    (job,) = find_rollouts(study)
    assert job.status.reason == "1 policy played 1 episode."
    assert job.result.actors[0].episodes[0].steps == 15
    assert job.best_video == job.video(0) == folder.path / "actor-1.mp4"
    assert job.side_by_side is None
    assert job.poster.read_bytes()[:2] == b"\xff\xd8"
    assert job.size_bytes >= job.video(0).stat().st_size > 1000
    assert start_rollout(study, request(study)) == folder
    assert len(list_runs(study.rollouts)) == 1

    delete_rollout(study, folder)
    assert find_rollouts(study) == []
    assert not folder.path.exists()
    with pytest.raises(FileNotFoundError):
        delete_rollout(study, folder)


def test_stopping_ends_it_at_once_without_a_video_and_it_can_be_played_again(study, keep_untrained):
    keep_untrained(study, 1, "Pendulum-v1")
    folder = start_rollout(study, request(study, steps=20_000))
    job = wait(folder, lambda j: j.beat is not None and j.beat.timesteps > 5)
    assert job.beat.phase == "play"
    assert 0 < progress_of(job).fraction < 1
    assert "Playing: step" in progress_of(job).words
    assert list(folder.path.glob(".actor-1.part.mp4")), "it is being filmed"
    asked = time.monotonic()
    assert stop_rollout(folder)
    job = wait(folder, lambda j: not j.status.state.alive)
    assert time.monotonic() - asked < STOP_S
    assert job.status.state == JobState.STOPPED
    assert job.result is None
    assert not [p for p in folder.path.iterdir() if p.suffix in (".mp4", ".jpg")]
    assert not stop_rollout(folder)
    resume_rollout(study, folder)
    assert wait(folder, lambda j: j.beat is not None).status.state.alive
    stop_rollout(folder)
    wait(folder, lambda j: not j.status.state.alive)


def test_a_rollout_waits_for_its_turn_and_survives_a_runner_that_is_killed(study, keep_untrained):
    keep_untrained(study, 1, "Pendulum-v1")
    first = start_rollout(study, request(study, steps=20_000))
    wait(first, lambda j: j.beat is not None)
    second = start_rollout(study, request(study, seed=5))
    assert second != first
    time.sleep(0.5)
    assert (read_rollout(second).status.state, read_rollout(second).beat) == (JobState.RUNNING, None)
    os.kill(read_rollout(first).status.pid, signal.SIGKILL)  # nobody is left to say how it ended
    assert wait(second, lambda j: not j.status.state.alive).status.state == JobState.FINISHED
    assert read_rollout(first).status.state == JobState.INTERRUPTED
    assert read_rollout(first).best_video is None
    shutil.rmtree(study.weights)
    resume_rollout(study, first)
    job = wait(first, lambda j: not j.status.state.alive)
    assert job.status.state == JobState.FAILED
    assert "The weights of Tuned (trial 1) are gone" in job.status.reason
    assert not [p for p in first.path.iterdir() if "mp4" in p.name], "what the killed one left is gone"


@pytest.fixture
def still(study, monkeypatch):
    """Nothing is started: rollouts are only written down."""
    monkeypatch.setattr(launch, "start", lambda folder: None)
    return study


def finish(folder, **over):
    training = Training(algorithm="PPO", resolved={}, n_train_envs=1, n_timesteps=None)
    episodes = (Episode(total=-1.0, steps=1, ending="terminated"),)
    actor = {"label": "a", "role": "tuned", "episodes": episodes, "video": None, "training": training, **over}
    write_text(folder.result, RolloutResult(actors=(ActorResult(**actor),)).model_dump_json())
    write_record(folder.exit, {"state": "finished", "reason": "", "ended_at": 2.0})


def test_other_requests_make_other_rollouts_the_newest_first(still):
    first = start_rollout(still, request(still))
    time.sleep(0.01)
    second = start_rollout(still, request(still, seed=1))
    assert [job.folder for job in find_rollouts(still)] == [second, first]
    assert start_rollout(still, request(still)) == first


def test_one_that_ended_early_is_started_again_by_the_same_request(still, monkeypatch):
    folder = start_rollout(still, request(still))
    write_record(folder.exit, {"state": "stopped", "reason": "", "ended_at": 2.0})
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    assert start_rollout(still, request(still)) == folder
    assert started == [folder]
    finish(folder)
    start_rollout(still, request(still))
    assert started == [folder], "a finished one is left alone"


def test_two_presses_at_once_make_one_rollout(still, monkeypatch):
    monkeypatch.setattr("tuning.rollout_jobs.START_WAIT_S", 0.1)
    still.rollouts.mkdir()
    with (
        locks.FileLock(still.rollouts / ".start.lock"),
        pytest.raises(jobs.AlreadyRunning, match="just being started"),
    ):
        start_rollout(still, request(still))
    assert list_runs(still.rollouts) == []


def test_files_that_are_not_what_they_were_are_said_and_can_be_deleted(still):
    broken = start_rollout(still, request(still))
    broken.rollout.write_text('{"env": 3}')
    time.sleep(0.01)
    torn = start_rollout(still, request(still, seed=1))
    finish(torn)
    torn.result.write_text("{")
    found = find_rollouts(still)
    assert [(type(job), job.folder) for job in found] == [
        (UnreadableRollout, torn),
        (UnreadableRollout, broken),
    ]
    assert "rollout.json" in found[1].reason
    for job in found:
        delete_rollout(still, job.folder)
    assert find_rollouts(still) == []


@pytest.mark.parametrize("name", ["../secret.mp4", "/etc/passwd", "..", "link.mp4", "absent.mp4"])
def test_a_video_is_a_file_in_its_own_folder(still, tmp_path, name):
    folder = start_rollout(still, request(still))
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (still.rollouts / "secret.mp4").write_bytes(b"x")
    (folder.path / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    finish(folder, video=name)
    job = read_rollout(folder)
    assert isinstance(job, RolloutJob)
    assert (job.video(0), job.best_video) == (None, None)


@pytest.mark.parametrize("times", [0, 2])
@pytest.mark.parametrize("what", ["actors", "episodes"])
def test_a_result_of_another_request_is_refused(still, what, times):
    folder = start_rollout(still, request(still))
    finish(folder)
    result = read_rollout(folder).result
    (actor,) = result.actors
    if what == "episodes":
        other = result.model_copy(
            update={"actors": (actor.model_copy(update={what: actor.episodes * times}),)}
        )
    else:
        other = result.model_copy(update={what: result.actors * times})
    write_text(folder.result, other.model_dump_json())
    with pytest.raises(PlanError, match="belongs to another request"):
        read_rollout(folder)


@pytest.mark.parametrize("name", ["", "..", "rollout-0000", "a/b"])
def test_a_rollout_that_is_not_there(still, name):
    with pytest.raises(UnknownRun, match="has no rollout"):
        find_rollout(still, name)


def test_a_folder_of_another_study_is_not_deleted(still, runs_dir):
    folder = start_rollout(still, request(still))
    other = create_run(runs_dir, "other")
    with pytest.raises(ValueError, match="is no rollout of"):
        delete_rollout(other, folder)
    assert folder.path.exists()


def test_a_server_that_only_shows_studies_renders_and_deletes_nothing(still, monkeypatch):
    folder = start_rollout(still, request(still))
    monkeypatch.setenv(VARIABLE, "1")
    for act in (
        lambda: start_rollout(still, request(still, seed=3)),
        lambda: resume_rollout(still, folder),
        lambda: stop_rollout(folder),
        lambda: delete_rollout(still, folder),
    ):
        with pytest.raises(ReadOnly):
            act()
    assert [job.folder for job in find_rollouts(still)] == [folder]
