"""A video from the button to the screen: rendered by a real runner, decoded by a real browser."""

from pathlib import Path

import optuna
import pytest
from playwright.sync_api import Page, expect

from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder
from storage.trials import BASELINE
from tuning import launch
from tuning.rollout_jobs import find_rollouts
from tuning.spec import build_spec

SLOW_MS = 90_000  # importing torch on a busy machine

READY = """n => {
    const videos = [...document.querySelectorAll(".st-key-rollout-stage video")]
    return videos.length === n && videos.every(v => v.readyState >= 2 && v.duration > 0)
}"""
STATES = """() => [...document.querySelectorAll(".st-key-rollout-stage video")].map(v => ({
    time: v.currentTime, duration: v.duration, paused: v.paused, loop: v.loop, muted: v.muted,
    width: v.videoWidth, height: v.videoHeight}))"""
SEEK = """([index, time]) => new Promise(resolve => {
    const video = document.querySelectorAll(".st-key-rollout-stage video")[index]
    video.addEventListener("seeked", () => resolve(video.currentTime), { once: true })
    video.currentTime = time
})"""
# The mean colour of a grid of fields of the frame that a video shows now
PICTURE = """index => {
    const video = document.querySelectorAll(".st-key-rollout-stage video")[index]
    const canvas = document.createElement("canvas")
    canvas.width = canvas.height = 32
    const context = canvas.getContext("2d")
    context.drawImage(video, 0, 0, 32, 32)
    return [...context.getImageData(0, 0, 32, 32).data]
}"""


@pytest.fixture
def study(runs_dir: Path, keep_untrained) -> RunFolder:
    """A study with the kept policies of its defaults and of its best trial: two that push to either side."""
    kwargs = {"max_episode_steps": 60}
    spec = build_spec(
        {
            "name": "shown",
            "env": {"id": "Pendulum-v1", "kwargs": kwargs},
            "search_space": "learning-rate-only",
            "budget": {"n_trials": 2, "n_timesteps": 1000},
            "defaults_first": False,
            "tuned_first": False,
        }
    )
    folder = launch.create_study(spec, runs_dir)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    rate = optuna.distributions.FloatDistribution(3e-5, 3e-3, log=True)
    for number, push in enumerate((-1.5, 1.5)):
        study.add_trial(
            optuna.trial.create_trial(
                params={"learning_rate": 1e-3},
                distributions={"learning_rate": rate},
                value=-100.0 + number,
                user_attrs={BASELINE: "SB3 defaults"} if number == 0 else {},
            )
        )
        keep_untrained(
            folder, number, "Pendulum-v1", push=push, resolved={"gamma": 0.9 + number / 100}, **kwargs
        )
    return folder


def difference(a: list[int], b: list[int]) -> float:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True)) / len(a)


def pause_all(page: Page) -> None:
    page.evaluate("document.querySelector('.st-key-rollout-stage video').pause()")
    page.wait_for_function(
        "[...document.querySelectorAll('.st-key-rollout-stage video')].every(v => v.paused)"
    )


def test_render_watch_seek_present_and_delete(visit, wait_ready, study):
    page = visit(f"rollouts?study={study.id}")
    page.get_by_role("button", name="Render", exact=True).click()
    expect(page.get_by_text("You can leave this page")).to_be_visible()
    page.wait_for_function(READY, arg=2, timeout=SLOW_MS)
    wait_ready(page)
    (job,) = find_rollouts(study)
    assert f"rollout={job.folder.id}" in page.url
    expect(page.get_by_text("only 1 hyperparameter differs")).to_be_visible()

    page.wait_for_function("document.querySelector('.st-key-rollout-stage video').currentTime > 0.3")
    states = page.evaluate(STATES)
    assert all(s["loop"] and s["muted"] and not s["paused"] for s in states), states
    assert [s["duration"] for s in states] == pytest.approx([61 / 30] * 2, abs=0.05)
    assert abs(states[0]["time"] - states[1]["time"]) < 0.35, "they play in step"

    pause_all(page)
    assert page.evaluate(SEEK, [0, 0.01]) == pytest.approx(0.01, abs=0.05)
    page.wait_for_function("document.querySelectorAll('.st-key-rollout-stage video')[1].currentTime < 0.1")
    start = [page.evaluate(PICTURE, index) for index in (0, 1)]
    assert difference(*start) < 4, "both begin in the same state; only the labels differ"
    assert page.evaluate(SEEK, [1, 1.8]) == pytest.approx(1.8, abs=0.05)
    page.wait_for_function("document.querySelectorAll('.st-key-rollout-stage video')[0].currentTime > 1.7")
    page.wait_for_timeout(300)  # a frame is painted after the seek has ended
    later = [page.evaluate(PICTURE, index) for index in (0, 1)]
    assert min(difference(start[0], later[0]), difference(start[1], later[1])) > 1, "the frames differ"
    assert difference(*later) > 1, "they end up in different states"

    page.get_by_role("button", name="Present", exact=True).click()
    page.wait_for_url("**present=1*")
    page.wait_for_function(READY, arg=2)
    wait_ready(page)
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    expect(page.get_by_test_id("stHeader")).not_to_be_visible()
    expect(page.get_by_text("Render a video")).to_have_count(0)
    expect(page.get_by_test_id("stMetricValue")).to_have_count(2)
    page.wait_for_function("document.querySelector('.st-key-rollout-stage video').currentTime > 0.2")
    lowest = page.get_by_test_id("stMetricValue").last.bounding_box()
    assert lowest["y"] + lowest["height"] < 900, "the returns are on the screen"
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "present" not in url)
    wait_ready(page)
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    expect(page.get_by_test_id("stHeader")).to_be_visible()

    page.reload()
    page.wait_for_function(READY, arg=2)
    wait_ready(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == f"{study.id}_sb3-defaults_tuned-trial-1_start-0.mp4"
    assert download.value.path().read_bytes() == job.folder.path.joinpath("side-by-side.mp4").read_bytes()

    page.get_by_role("button", name="Delete", exact=True).click()
    page.locator(".st-key-rollout-delete-confirmed button").click()
    expect(page.get_by_text("All videos of this study")).to_have_count(0)
    assert find_rollouts(study) == []


def test_a_link_presents_at_once_also_on_a_phone(visit, new_page, study):
    page = visit(f"rollouts?study={study.id}")
    page.get_by_role("button", name="Render", exact=True).click()
    page.wait_for_function(READY, arg=2, timeout=SLOW_MS)
    (job,) = find_rollouts(study)
    phone = visit(
        f"rollouts?study={study.id}&rollout={job.folder.id}&present=1", new_page(width=390, height=844)
    )
    phone.wait_for_function(READY, arg=2)
    assert phone.get_by_test_id("stSidebar").count() == 0
    main = phone.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth + 2"), "nothing scrolls sideways"
    widths = [phone.locator("video").nth(k).bounding_box()["width"] for k in (0, 1)]
    assert min(widths) > 300
    phone.get_by_role("button", name="Leave presentation").click()
    phone.wait_for_url(lambda url: "present" not in url)
    expect(phone.get_by_text("Render a video")).to_be_visible()
