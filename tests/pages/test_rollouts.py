"""The Rollouts page in its states; videos are tiny real ones, made without training."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from storage.locks import is_held
from storage.paths import RunFolder
from storage.records import write_record, write_text
from tuning import launch
from tuning.access import VARIABLE
from tuning.analysis.words import three_digits
from tuning.opening import open_study
from tuning.rendering import Video
from tuning.rollout import Actor, ActorResult, Episode, KeptTrial, Rollout, RolloutResult, Training
from tuning.rollout_jobs import RolloutJob, find_rollouts, start_rollout

ROOT = Path(__file__).resolve().parents[2]
PAGE = "pages/rollouts.py"


@pytest.fixture
def study(make_study, monkeypatch):
    """A finished study whose best two trials kept their weights; no runner is ever started."""
    monkeypatch.setattr(launch, "start", lambda folder: None)
    folder = make_study("shown", n_complete=4)
    for number in (2, 3):
        (folder.weights / str(number)).mkdir(parents=True)
    return folder


def actors(study: RunFolder) -> tuple[Actor, ...]:
    return (
        Actor(label="SB3 <b>defaults</b>", role="baseline", policy=KeptTrial(study=study.id, number=2)),
        Actor(label="Tuned (trial 3)", role="tuned", policy=KeptTrial(study=study.id, number=3)),
    )


def film(path: Path) -> str:
    video = Video(path, fps=10)
    for k in range(5):
        video.add(Image.new("RGB", (64, 64), (40 * k, 90, 90)))
    video.finish()
    return path.name


@pytest.fixture
def rollout(study):
    """Write down a rollout that ended as told."""

    def make(*, seed=0, state="finished", no_video="", notes=(), totals=(-1034.0, -131.0)):
        played = actors(study)[: len(totals)]
        request = Rollout(env={"id": "Pendulum-v1"}, actors=played, seed=seed)
        folder = start_rollout(study, request)
        write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        if state == "finished":
            results = [
                ActorResult(
                    label=actor.label,
                    role=actor.role,
                    episodes=(Episode(total=total, steps=200, ending="time limit"),),
                    video=None if no_video else film(folder.path / f"actor-{n + 1}.mp4"),
                    training=Training(
                        algorithm="PPO", resolved={"gamma": 0.9 + n / 100}, n_train_envs=1, n_timesteps=1000
                    ),
                )
                for n, (actor, total) in enumerate(zip(request.actors, totals, strict=True))
            ]
            poster = None
            if not no_video:
                film(folder.path / "side-by-side.mp4")
                Image.new("RGB", (64, 64)).save(folder.path / "poster.jpg")
                poster = "poster.jpg"
            result = RolloutResult(
                actors=tuple(results),
                side_by_side=None if no_video else "side-by-side.mp4",
                poster=poster,
                fps=None if no_video else 10.0,
                n_frames=5,
                no_video=no_video,
                notes=notes,
            )
            write_text(folder.result, result.model_dump_json())
        if state != "interrupted":
            write_record(
                folder.exit, {"state": state, "reason": "Because <i>it</i>.", "ended_at": time.time()}
            )
        return folder

    return make


@pytest.fixture
def words(shown):
    return lambda app: shown(app).replace("\\", "").replace("\u202f", " ")


def labels(app):
    return [button.label for button in app.button]


def videos(app):
    return app.get("video")


def test_a_study_without_trials_says_when_there_will_be_something(make_study, open_page, words):
    study = make_study("empty", n_complete=0, n_pruned=0, n_failed=0, state=None)
    text = words(open_page(PAGE, study=study.id))
    assert "No trial is complete yet" in text
    assert "Render" not in text.splitlines()


def test_a_study_that_kept_nothing_says_how_to_get_policies(make_study, open_page, words):
    text = words(open_page(PAGE, study=make_study("bare").id))
    assert "No trial of this study kept its weights. Re-evaluate its best trials" in text


def test_a_study_that_is_not_ours_says_how_to_get_policies(
    runs, open_page, words, write_study, tmp_path, monkeypatch
):
    folder = open_study(write_study(tmp_path / "other.log"), None, runs)
    monkeypatch.setenv("EDGEWISE_STUDY_ROOTS", str(tmp_path))
    text = words(open_page(PAGE, study=folder.id))
    assert "This study was not launched here, so none of its policies are here" in text


def test_before_the_first_video_the_best_is_chosen_and_what_is_missing_is_said(study, open_page, words):
    app = open_page(PAGE, study=study.id)
    text = words(app)
    assert app.multiselect[0].value == ["trial-3"]
    assert "The policy of the SB3 defaults was not kept" in text
    assert len(videos(app)) == 0
    assert "All videos" not in text


def test_render_starts_what_the_form_says_once(study, open_page, words):
    app = open_page(PAGE, study=study.id)
    app.multiselect[0].set_value(["trial-2", "trial-3"])
    app.number_input[0].set_value(7)
    app.number_input[1].set_value(3).run()
    app.button(key="rollout-render").click().run()
    (job,) = find_rollouts(study)
    assert [a.label for a in job.request.actors] == ["Tuned (trial 2)", "Tuned (trial 3)"]
    assert (job.request.seed, job.request.n_episodes) == (7, 3)
    assert app.query_params["rollout"] == job.folder.id
    app.button(key="rollout-render").click().run()
    assert len(find_rollouts(study)) == 1


def test_another_start_draws_a_seed(study, open_page):
    app = open_page(PAGE, study=study.id)
    next(b for b in app.button if b.label == "Another start").click().run()
    first = app.number_input[0].value
    next(b for b in app.button if b.label == "Another start").click().run()
    assert app.number_input[0].value != first
    assert 0 <= first < 10_000


def test_a_finished_rollout_shows_videos_returns_and_what_differs(study, rollout, open_page, words):
    folder = rollout(seed=4)
    app = open_page(PAGE, study=study.id)
    text = words(app)
    assert "PPO on Pendulum-v1: same algorithm, same training steps; only 1 hyperparameter differs." in text
    lines = text.splitlines()
    assert {"SB3 <b>defaults</b>", "Tuned (trial 3)", "Return: -1 034", "Return: -131"} <= set(lines)
    for trial in launch.read_run(study).study.trials[2:4]:
        assert f"{three_digits(trial.value)} on average in the search." in lines
    assert "200 steps, up to the time limit" in text
    assert "All play from the same initial state (start 4)" in text
    assert len(videos(app)) == 2
    assert all(v.proto.loop and v.proto.muted and v.proto.autoplay for v in videos(app))
    assert "All videos of this study (1, " in text
    assert {"Present", "From another start", "Delete", "Render", "Shown"} <= set(labels(app))
    assert app.dataframe[0].value.iloc[0].tolist() == ["gamma", "0.9", "0.91"]
    assert folder.id in {key.removeprefix("rollout-open-") for key in keys(app)}


def keys(app):
    return [button.key for button in app.button if button.key]


def test_the_same_from_another_start_is_one_press(study, rollout, open_page):
    rollout(seed=4)
    app = open_page(PAGE, study=study.id)
    app.button(key="rollout-next").click().run()
    newest, oldest = find_rollouts(study)
    assert newest.request.actors == oldest.request.actors
    assert newest.request.seed != oldest.request.seed


def test_the_link_decides_which_video_is_on_stage(study, rollout, open_page, words):
    older = rollout(seed=1)
    time.sleep(0.01)
    newer = rollout(seed=2)
    assert "(start 2)" in words(open_page(PAGE, study=study.id))
    app = open_page(PAGE, study=study.id, rollout=older.id)
    assert "(start 1)" in words(app)
    app.button(key=f"rollout-open-{newer.id}").click().run()
    assert app.query_params["rollout"] == newer.id
    assert "(start 2)" in words(app)


def test_without_a_link_a_comparison_goes_before_a_newer_single_clip(study, rollout, open_page, words):
    rollout(seed=1, totals=(-500.0,))
    assert "Played from start 1" in words(open_page(PAGE, study=study.id)), "there is nothing else yet"
    rollout(seed=2)
    time.sleep(0.01)
    clip = rollout(seed=3, totals=(-400.0,))
    app = open_page(PAGE, study=study.id)
    assert "(start 2)" in words(app)
    assert f"rollout-open-{clip.id}" in keys(app)
    assert "Played from start 3" in words(open_page(PAGE, study=study.id, rollout=clip.id))


def test_what_nobody_knows_about_a_policy_is_left_out(study, rollout, open_page, words):
    rollout()
    shutil.rmtree(study.weights / "2")
    text = words(open_page(PAGE, study=study.id))
    assert "Return: -1 034" in text
    assert text.count("on average in the search.") == 1


def test_a_study_that_cannot_be_read_is_presented_all_the_same(study, rollout, open_page, words):
    folder = rollout()
    study.journal.write_text("{")
    text = words(open_page(PAGE, study=study.id, rollout=folder.id, present="1"))
    assert "Return: -131" in text
    assert "on average" not in text


def test_a_video_that_is_gone_is_said_and_the_others_stay(study, rollout, open_page, words):
    rollout()
    app = open_page(PAGE, study=study.id, rollout="rollout-0000")
    assert "has no rollout 'rollout-0000'. It may have been deleted." in words(app)
    assert "All videos of this study (1" in words(app)
    (job,) = find_rollouts(study)
    job.video(0).unlink()
    assert "The file of this video is missing" in words(open_page(PAGE, study=study.id))


def test_presenting_shows_nothing_but_the_videos_the_returns_and_one_sentence(
    study, rollout, open_page, words
):
    folder = rollout()
    app = open_page(PAGE, study=study.id, rollout=folder.id, present="1")
    text = words(app)
    assert sorted(text.splitlines()) == sorted(
        [
            "PPO on Pendulum-v1: same algorithm, same training steps; only 1 hyperparameter differs.",
            "SB3 <b>defaults</b>",
            "Return: -1 034",
            "-800 on average in the search.",
            "Tuned (trial 3)",
            "Return: -131",
            "-700 on average in the search.",
            "Leave presentation",
        ]
    )
    assert len(videos(app)) == 2
    assert len(app.sidebar) == 0
    app.button[0].click().run()
    assert "present" not in app.query_params
    assert len(app.sidebar) > 0


def test_present_is_a_button_and_a_link(study, rollout, open_page):
    folder = rollout()
    app = open_page(PAGE, study=study.id)
    next(b for b in app.button if b.label == "Present").click().run()
    assert app.query_params["present"] == "1"
    assert app.query_params["rollout"] == folder.id
    assert len(app.sidebar) == 0


def test_presenting_what_is_not_there_leads_back(study, open_page, words):
    app = open_page(PAGE, study=study.id, rollout="rollout-0000", present="1")
    assert "There is no such video. It may have been deleted." in words(app)
    assert labels(app) == ["Leave presentation"]


def test_presenting_what_ended_early_says_where_to_look(study, rollout, open_page, words):
    folder = rollout(state="stopped")
    app = open_page(PAGE, study=study.id, rollout=folder.id, present="1")
    assert "This video was not finished. The whole page says why." in words(app)
    assert labels(app) == ["Leave presentation"]


def test_files_that_go_or_are_damaged_while_the_page_is_drawn_take_nothing_else_along(
    study, rollout, open_page, words, monkeypatch
):
    folder = rollout()
    (folder.path / "poster.jpg").write_bytes(b"no picture")
    gone = folder.path / "gone.mp4"
    monkeypatch.setattr(RolloutJob, "video", lambda job, index: gone)  # deleted after it was looked for
    monkeypatch.setattr(RolloutJob, "best_video", gone)
    text = words(open_page(PAGE, study=study.id))
    assert text.count("The video has just been deleted.") == 2
    assert "Return: -131" in text
    assert "All videos of this study (1, " in text


def test_what_went_wrong_with_one_study_is_not_said_of_another(
    study, make_study, open_page, words, monkeypatch
):
    def refuse(folder):
        raise OSError("No space left on device")

    monkeypatch.setattr(launch, "start", refuse)
    app = open_page(PAGE, study=study.id)
    app.button(key="rollout-render").click().run()
    assert "No space left on device" in words(app)
    app.query_params["study"] = make_study("other").id
    assert "No space left on device" not in words(app.run())


def test_without_pictures_the_returns_are_shown_and_the_reason(study, rollout, open_page, words):
    rollout(no_video="Drawing failed: <i>no screen</i>.", notes=("The environment does not start alike.",))
    app = open_page(PAGE, study=study.id)
    text = words(app)
    assert "No pictures of Pendulum-v1. Drawing failed: <i>no screen</i>." in text
    assert "The episodes were played all the same." in text
    assert "Return: -131" in text
    assert "The environment does not start alike." in text
    assert len(videos(app)) == 0
    assert "Present" not in labels(app)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("failed", "There is no video. Because <i>it</i>."),
        ("stopped", "Rendering was stopped. Nothing was kept of it."),
        ("interrupted", "Rendering was interrupted"),
    ],
)
def test_one_that_ended_early_says_so_and_can_be_rendered_again(
    study, rollout, open_page, words, monkeypatch, state, said
):
    folder = rollout(state=state)
    app = open_page(PAGE, study=study.id, rollout=folder.id)
    assert said in words(app)
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    app.button(key=f"rollout-again-{folder.id}").click().run()
    assert started == [folder]


@pytest.fixture
def holding():
    """Hold a rollout's lock in a process of its own, as its runner would, with a heartbeat."""
    holders = []

    def hold(folder):
        holders.append(subprocess.Popen([sys.executable, "-c", HOLDER, str(folder.path)], cwd=ROOT))
        deadline = time.monotonic() + 30
        while not (is_held(folder.lock) and list(folder.heartbeats.glob("*.json"))):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    yield hold
    for holder in holders:
        holder.kill()
        holder.wait()


HOLDER = """
import os, sys, time
from pathlib import Path
from storage.live import Heartbeat, write_heartbeat
from storage.locks import FileLock
from storage.paths import RunFolder

folder = RunFolder(Path(sys.argv[1]))
with FileLock(folder.lock):
    now = time.time()
    write_heartbeat(folder, Heartbeat(0, os.getpid(), now, "play", 50, 200, 25.0, 0, None, None, now, now))
    time.sleep(60)
"""


def test_while_it_renders_it_shows_how_far_it_is_and_can_be_stopped(
    study, rollout, open_page, words, holding
):
    folder = rollout(state="interrupted")
    holding(folder)
    app = open_page(PAGE, study=study.id)
    text = words(app)
    assert "Rendering** SB3 <b>defaults</b> and Tuned (trial 3)" in text
    assert "Playing: step 50 of 200 at most, about 6 s left" in text
    assert app.progress[0].value == 25
    assert app.button(key=f"rollout-delete-{folder.id}").disabled
    link = open_page(PAGE, study=study.id, rollout=folder.id, present="1")
    assert "Playing: step 50 of 200" in words(link)
    assert labels(link) == ["Leave presentation"]
    app.button(key=f"rollout-stop-{folder.id}").click().run()
    assert folder.stop.read_text() == "now"
    assert "Stopping" in words(app)


def test_a_rollout_that_cannot_be_read_is_listed_and_can_be_deleted(study, rollout, open_page, words):
    folder = rollout()
    folder.rollout.write_text("{")
    app = open_page(PAGE, study=study.id)
    assert f"{folder.id}** cannot be read" in words(app)
    assert f"rollout-delete-{folder.id}" in keys(app)


def test_a_server_that_only_shows_studies_has_videos_and_nothing_to_change(
    study, rollout, open_page, words, monkeypatch
):
    done = rollout(seed=1)
    stopped = rollout(seed=2, state="stopped")
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page(PAGE, study=study.id)
    assert len(videos(app)) == 2
    assert "Return: -131" in words(app)
    assert labels(app) == ["Present", "Open", "Shown"]
    assert not app.multiselect
    app = open_page(PAGE, study=study.id, rollout=stopped.id)
    assert "Rendering was stopped" in words(app)
    assert f"rollout-open-{done.id}" in keys(app)
    assert f"rollout-again-{stopped.id}" not in keys(app)


@pytest.mark.parametrize("button", ["rollout-render", "rollout-next", "rollout-delete-confirmed"])
def test_a_tab_from_before_changes_nothing(study, rollout, open_page, words, monkeypatch, button):
    folder = rollout()
    app = open_page(PAGE, study=study.id)
    if "delete" in button:
        app.button(key=f"rollout-delete-{folder.id}").click().run()
    monkeypatch.setenv(VARIABLE, "1")
    app.button(key=button).click().run()
    if "delete" not in button:  # what a dialog says is drawn without the page, which AppTest cannot do
        assert "so it cannot render a video" in words(app)
    assert [job.folder for job in find_rollouts(study)] == [folder]


def test_a_server_that_only_shows_studies_says_when_there_is_nothing(study, open_page, words, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page(PAGE, study=study.id)
    assert "There is no video of this study yet." in words(app)
    assert labels(app) == []


def test_many_videos_are_shown_a_page_at_a_time(study, rollout, open_page):
    for seed in range(14):
        rollout(seed=seed, state="stopped")
    app = open_page(PAGE, study=study.id)
    assert len([key for key in keys(app) if key.startswith("rollout-open-")]) == 12
    app.button(key="rollout-gallery-more").click().run()
    assert len([key for key in keys(app) if key.startswith("rollout-open-")]) == 14
