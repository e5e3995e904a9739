"""Playing and filming in this process, with real policies and real environments."""

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from gymnasium import spaces

from storage.artifacts import load_policy
from storage.live import read_heartbeats
from storage.paths import RunFolder, create_run
from storage.records import write_text
from tuning import environments, jobs, rollout_camera, rollout_player
from tuning.evaluation import play
from tuning.policy import rebuild_policy
from tuning.rollout import Actor, JobRun, KeptTrial, Rollout
from tuning.rollout_task import NOT_THE_SAME, RolloutTask, play_rollout
from tuning.watchdog import CONTROL

SHORT = {"max_episode_steps": 12}


@pytest.fixture
def study(runs_dir):
    folder = create_run(runs_dir, "played")
    folder.rollouts.mkdir()
    jobs.create_job(folder, "study")
    return folder


@pytest.fixture
def run(study):
    """Play a request in this process, and return where and what came of it."""

    def run(env_id, actors, *, kwargs=None, **over):
        folder = create_run(study.rollouts, "rollout")
        env = {"id": env_id, "kwargs": SHORT if kwargs is None else kwargs}
        request = Rollout(env=env, actors=actors, **over)
        write_text(folder.rollout, request.model_dump_json())
        jobs.create_job(folder, "rollout")
        return folder, play_rollout(RolloutTask(str(folder.path)))

    return run


def trial(study, number, label=None):
    return Actor(
        label=label or f"Tuned (trial {number})",
        role="tuned",
        policy=KeptTrial(study=study.id, number=number),
    )


def frames_of(path):
    frames = imageio_ffmpeg.read_frames(str(path))
    meta = next(frames)
    width, height = meta["size"]
    return meta, [np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in frames]


def test_two_policies_play_from_the_same_state_and_are_filmed(study, run, keep_untrained):
    keep_untrained(study, 3, "Pendulum-v1", seed=1, push=1.0)
    job = create_run(study.jobs, "reevaluation")
    jobs.create_job(job, "reevaluation")
    keep_untrained(job, 5, "Pendulum-v1", seed=2, push=-1.0, resolved={"gamma": 0.9})
    defaults = Actor(label="SB3 defaults", role="baseline", policy=JobRun(job=job.id, run=5))
    folder, outcome = run("Pendulum-v1", (defaults, trial(study, 3)), seed=4)
    result = outcome.result
    assert outcome.failure == ""
    assert [a.label for a in result.actors] == ["SB3 defaults", "Tuned (trial 3)"]
    assert [(e.steps, e.ending) for a in result.actors for e in a.episodes] == [(12, "time limit")] * 2
    assert result.actors[0].mean != result.actors[1].mean
    assert (result.fps, result.n_frames, result.no_video, result.notes) == (30.0, 13, "", ())
    assert result.actors[0].training.resolved["gamma"] == 0.9

    for name in (result.actors[0].video, result.actors[1].video, result.side_by_side):
        meta, frames = frames_of(folder.path / name)
        assert (meta["codec"], meta["pix_fmt"].split("(")[0], meta["fps"]) == ("h264", "yuv420p", 30.0)
        assert len(frames) == 13, "the start, and one for each step"
        assert abs(frames[0].astype(int) - frames[12]).max() > 60, "they move"
    _, left = frames_of(folder.path / "actor-1.mp4")
    _, right = frames_of(folder.path / "actor-2.mp4")
    view = np.s_[10:490, 10:490]
    assert abs(left[0][view].astype(int) - right[0][view]).mean() < 0.5, "both begin in one state"
    assert abs(left[12][view].astype(int) - right[12][view]).mean() > 0.5
    assert sorted(p.suffix for p in folder.path.iterdir() if p.is_file()) == [
        ".jpg",
        ".json",
        ".json",
        ".mp4",
        ".mp4",
        ".mp4",
    ]
    assert read_heartbeats(folder) == []


def test_the_return_is_what_the_policy_gets_without_a_camera(study, run, keep_untrained):
    keep_untrained(study, 1, "Pendulum-v1", seed=3)
    _, outcome = run("Pendulum-v1", (trial(study, 1),), seed=11, n_episodes=3)
    env = gymnasium.make("Pendulum-v1", **SHORT)
    expected = play(rebuild_policy(load_policy(study, 1)), env, seeds=range(11, 14), on_step=lambda: None)
    env.close()
    (actor,) = outcome.result.actors
    assert [e.total for e in actor.episodes] == pytest.approx(expected.returns, abs=1e-4)
    assert outcome.result.n_frames == 3 * 13
    assert outcome.result.side_by_side is None


def test_who_ends_early_stands_still_until_the_others_are_through(study, run, keep_untrained):
    for number in range(3):
        keep_untrained(study, number, "CartPole-v1", seed=number)
    actors = tuple(trial(study, n) for n in range(3))
    folder, outcome = run("CartPole-v1", actors, kwargs={})
    result = outcome.result
    steps = [a.episodes[0].steps for a in result.actors]
    assert len(set(steps)) > 1, "untrained policies fall at different times"
    assert {a.episodes[0].ending for a in result.actors} == {"terminated"}
    assert [a.mean for a in result.actors] == steps
    assert result.n_frames == max(steps) + 1
    shortest = int(np.argmin(steps))
    _, frames = frames_of(folder.path / result.actors[shortest].video)
    assert len(frames) == result.n_frames, "all videos are as long, so that they loop in step"
    assert abs(frames[-1].astype(int) - frames[-2]).mean() < 1
    assert frames[-1][:350].mean() < frames[0][:350].mean() - 50, "dimmed, so that it is seen to have ended"


def test_sampled_actions_are_the_same_whoever_else_plays(study, run, keep_untrained):
    for number in (1, 2):
        keep_untrained(study, number, "Pendulum-v1", seed=number)
    _, alone = run("Pendulum-v1", (trial(study, 1),), deterministic=False)
    _, together = run("Pendulum-v1", (trial(study, 2), trial(study, 1)), deterministic=False)
    _, likely = run("Pendulum-v1", (trial(study, 1),))
    assert alone.result.actors[0].mean == together.result.actors[1].mean
    assert alone.result.actors[0].mean != likely.result.actors[0].mean


@pytest.fixture
def known_envs(fault_envs, monkeypatch):
    monkeypatch.syspath_prepend("tests/fault_envs")
    environments.register_packages()


def test_an_environment_without_pictures_is_played_all_the_same(study, run, keep_untrained, known_envs):
    keep_untrained(study, 0, "Edgewise/Fault-v0")
    folder, outcome = run("Edgewise/Fault-v0", (trial(study, 0),), kwargs={})
    result = outcome.result
    assert "no way to draw itself" in result.no_video
    assert (result.actors[0].video, result.fps, result.n_frames) == (None, None, 0)
    assert result.actors[0].episodes[0].steps == 10
    assert result.actors[0].mean < 0
    assert not list(folder.path.glob("*.mp4"))


class Painter(gymnasium.Env):
    """Draws itself, and misbehaves on request."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012 - as Gymnasium has it
    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    made = 0

    def __init__(
        self, *, render_mode=None, breaks_at=None, forgets_seed=False, raises_at=None, stops_at=None
    ):
        self.render_mode, self.breaks_at = render_mode, breaks_at
        self.raises_at, self.stops_at = raises_at, stops_at
        Painter.made += 1
        self.start = Painter.made / 100 if forgets_seed else 0.5

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.array([self.start], np.float32), {}

    def step(self, action):
        self.steps += 1
        if self.steps == self.raises_at:
            raise RuntimeError("the simulator lost contact")
        if self.steps == self.stops_at:
            CONTROL.stop_kind = "stopped"  # as the watchdog's thread would meanwhile
        return np.array([0.0], np.float32), 1.0, False, False, {}

    def render(self):
        if self.breaks_at is not None and self.steps >= self.breaks_at:
            raise RuntimeError("the screen went away")
        return np.full((40, 60, 3), 10 * self.steps % 256, np.uint8)


@pytest.fixture
def painter():
    before = dict(gymnasium.registry)
    gymnasium.register("EdgewisePainter-v0", entry_point=Painter)
    yield "EdgewisePainter-v0"
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def test_a_picture_that_fails_half_way_costs_the_video_but_not_the_return(
    study, run, keep_untrained, painter
):
    keep_untrained(study, 0, painter)
    folder, outcome = run(painter, (trial(study, 0),), kwargs={"breaks_at": 5, **SHORT})
    result = outcome.result
    assert result.no_video == "Drawing failed: RuntimeError: the screen went away."
    assert result.actors[0].mean == 12.0
    assert [p.suffix for p in folder.path.iterdir() if p.is_file()] == [".json", ".json"]


def test_an_environment_that_raises_ends_it_with_its_words(study, run, keep_untrained, painter):
    keep_untrained(study, 0, painter)
    folder, outcome = run(painter, (trial(study, 0),), kwargs={"raises_at": 4, **SHORT})
    assert outcome.result is None
    assert outcome.failure == "Playing failed: RuntimeError: the simulator lost contact."
    assert not list(folder.path.glob("*.mp4")) + list(folder.path.glob(".*.mp4"))


def test_an_endless_episode_is_cut_short_and_a_long_film_too(
    study, run, keep_untrained, painter, monkeypatch
):
    monkeypatch.setattr(rollout_player, "MAX_STEPS", 50)
    monkeypatch.setattr("tuning.rollout_task.MAX_STEPS", 50)
    monkeypatch.setattr(rollout_camera, "MAX_FILM_S", 1.0)
    keep_untrained(study, 0, painter)
    folder, outcome = run(painter, (trial(study, 0),), kwargs={})
    result = outcome.result
    assert (result.actors[0].episodes[0].steps, result.actors[0].episodes[0].ending) == (50, "cut short")
    assert result.n_frames == len(frames_of(folder.path / "actor-1.mp4")[1]) == 20
    assert result.notes == (
        "An episode was cut short after 50 steps: the environment has no earlier limit.",
        "Only the first 1 s are filmed; the returns are of whole episodes.",
    )


def test_starts_that_are_not_the_same_are_told(study, run, keep_untrained, painter):
    for number in (0, 1):
        keep_untrained(study, number, painter)
    actors = (trial(study, 0), trial(study, 1))
    _, outcome = run(painter, actors, kwargs={"forgets_seed": True, **SHORT})
    assert outcome.result.notes == (NOT_THE_SAME,)
    _, outcome = run(painter, actors)
    assert outcome.result.notes == ()


def test_weights_that_are_gone_or_of_another_environment_are_said(study, run, keep_untrained):
    keep_untrained(study, 2, "CartPole-v1")
    assert "The weights of Tuned (trial 8) are gone" in run("Pendulum-v1", (trial(study, 8),))[1].failure
    stranger = Actor(label="Other", role="tuned", policy=KeptTrial(study="gone-1234", number=1))
    assert "The weights of Other are gone" in run("Pendulum-v1", (stranger,))[1].failure
    said = run("Pendulum-v1", (trial(study, 2),))[1].failure
    assert said.startswith("Tuned (trial 2) was trained for CartPole-v1, not for Pendulum-v1")


def test_damaged_weights_are_said(study, run, keep_untrained):
    keep_untrained(study, 2, "Pendulum-v1")
    (RunFolder(study.path).weights / "2" / "policy.npz").write_bytes(b"no archive")
    assert (
        "The weights of Tuned (trial 2) cannot be read" in run("Pendulum-v1", (trial(study, 2),))[1].failure
    )


def test_once_told_to_stop_it_leaves_neither_result_nor_video(
    study, run, keep_untrained, painter, monkeypatch
):
    monkeypatch.setattr(CONTROL, "stop_kind", None)
    keep_untrained(study, 1, painter)
    folder, outcome = run(painter, (trial(study, 1),), kwargs={"stops_at": 5, **SHORT})
    assert (outcome.result, outcome.failure) == (None, "")
    assert not [p for p in folder.path.iterdir() if "mp4" in p.name]
