"""What a person does in their first minutes, in a real browser with real training."""

import re
import time
from pathlib import Path

import optuna
import pytest
from playwright.sync_api import Page, expect

from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder, list_runs
from storage.records import write_record
from tuning import launch
from tuning.spec import build_spec, load_spec

ROW_PX = 35  # height of a row of Streamlit's tables, the header included
SLOW_MS = 60_000  # importing torch on a busy machine


def set_number(page: Page, key: str, value: int) -> None:
    field = page.locator(f".st-key-launch-{key} input")
    field.fill(str(value))
    field.press("Enter")


def edit_cell(page: Page, key_pattern: str, *, row: int, column_x: int, text: str) -> None:
    """Type into a cell of a data editor; `column_x` in px from its left edge."""
    table = page.locator(f"[class*='{key_pattern}'] .dvn-scroller").first
    table.dblclick(position={"x": column_x, "y": ROW_PX * (row + 1) + ROW_PX // 2})
    editor = page.locator("#portal input, #portal textarea").first
    editor.fill(text)
    editor.press("Enter")


@pytest.fixture
def finished(runs_dir: Path) -> RunFolder:
    """A finished study, made without training."""
    spec = build_spec(
        {
            "name": "done",
            "env": {"id": "CartPole-v1"},
            "search_space": "learning-rate-only",
            "budget": {"n_trials": 6, "n_timesteps": 1000},
            "defaults_first": False,
        }
    )
    folder = launch.create_study(spec, runs_dir)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    for number in range(6):
        trial = study.ask()
        trial.suggest_float("learning_rate", 3e-5, 3e-3, log=True)
        study.tell(trial, 100.0 + number)
    write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
    ended = {"state": "finished", "reason": "All 6 trials are done.", "ended_at": time.time()}
    write_record(folder.exit, ended)
    return folder


def test_launch_watch_restart_stop_and_read(
    visit, wait_ready, dashboards, start_dashboard, new_page, runs_dir
):
    page = visit("launch")
    page.get_by_role("radio", name="Learning rate only").click()
    environment = page.locator(".st-key-launch-env input")
    environment.fill("CartPole-v1")
    environment.press("Enter")
    wait_ready(page)
    for key, value in (
        ("trials", 40),
        ("timesteps", 6000),
        ("episodes", 2),
        ("workers", 1),
        ("train-envs", 2),
    ):
        set_number(page, key, value)
        wait_ready(page)
    edit_cell(page, "st-key-space-", row=0, column_x=33 + 140 + 88 + 30, text="0.0001")
    wait_ready(page)
    page.get_by_role("button", name="Launch", exact=True).click()

    page.wait_for_url("**/live?study=*", timeout=SLOW_MS)
    folder = list_runs(runs_dir)[0]
    spec = load_spec(folder.spec)
    assert (spec.env.id, spec.budget.n_trials, spec.search_space[0].low) == ("CartPole-v1", 40, 1e-4)
    points = page.locator("[data-testid=stVegaLiteChart] .role-mark path")
    expect(points.first).to_be_attached(timeout=SLOW_MS)

    dashboards[-1].kill()  # the run goes on without it
    page.close()
    start_dashboard()
    page = visit(f"live?study={folder.id}")
    expect(page.get_by_text(re.compile("Running for"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[1-9]\d* complete$"))).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Stop now").click()
    page.locator(".st-key-stop-now button").click()
    expect(page.get_by_text(re.compile("Stopped with"))).to_be_visible(timeout=20_000)

    page.get_by_role("link", name="Read its history").click()
    page.wait_for_url(f"**/history?study={folder.id}*")
    expect(page.get_by_role("heading", name="History", exact=True)).to_be_visible()
    wait_ready(page)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


@pytest.mark.parametrize("name", ["Launch", "Live", "History", "Slices"])
def test_every_page_opens_by_deep_link_on_a_fresh_server(visit, finished, name):
    page = visit(f"{name.lower()}?study={finished.id}")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.locator("[data-testid=stSidebar]").get_by_text("Finished")).to_be_visible()


def test_the_study_stays_chosen_from_page_to_page_and_on_reload(visit, wait_ready, finished, runs_dir):
    newer = launch.create_study(load_spec(finished.spec), runs_dir)
    page = visit(f"history?study={finished.id}")
    page.locator("[data-testid=stSidebar]").get_by_role("link", name="Live").click()
    page.wait_for_url(f"**/live?study={finished.id}")
    expect(page.get_by_text(re.compile("6 of 6 trials done"))).to_be_visible()
    page.reload()
    wait_ready(page)
    expect(page.get_by_text(re.compile("6 of 6 trials done"))).to_be_visible()
    assert newer.id not in page.url


def test_open_and_delete_from_the_table(visit, wait_ready, finished):
    page = visit("")
    table = page.locator("[data-testid=stDataFrame] .dvn-scroller").first
    table.click(position={"x": 172 + 29, "y": ROW_PX + ROW_PX // 2})
    page.wait_for_url(f"**/history?study={finished.id}*")
    page = visit("", page)
    width = table.bounding_box()["width"]
    table.click(
        position={"x": min(width - 10, 172 + 58 + 92 + 52 + 78 + 58 + 66 + 154 + 66 + 20), "y": ROW_PX * 1.5}
    )
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile("6 trials"))).to_be_visible()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No study yet")).to_be_visible()
    assert not finished.path.exists()


def test_dark_mode_is_dark(visit, new_page, finished):
    page = visit(f"live?study={finished.id}", new_page(dark=True))
    background = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == "rgb(15, 20, 26)"


def test_nothing_scrolls_sideways_on_a_phone(visit, new_page, finished):
    page = new_page(width=390, height=844)
    for path in ("", "launch", f"live?study={finished.id}"):
        visit(path, page)
        main = page.locator("[data-testid=stMain]")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 2
