"""What a person does in their first minutes, in a real browser with real training."""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
import pytest
from playwright.sync_api import Locator, Page, Position, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from pages.components import search_space_editor, study_table
from storage.journal import STUDY_NAME, open_journal
from storage.paths import RunFolder, list_runs
from storage.records import write_record
from tuning import launch
from tuning.spec import build_spec, load_spec

SLOW_MS = 60_000  # importing torch on a busy machine


def set_number(page: Page, key: str, value: int) -> None:
    field = page.locator(f".st-key-launch-{key} input")
    field.fill(str(value))
    field.press("Enter")


def cell(table: Locator, widths: Sequence[int], *, column: int, row: int, n_rows: int) -> Position:
    """Return the middle of a table's cell; its rows are as high as its header."""
    height = table.bounding_box()["height"] / (n_rows + 1)
    return {"x": sum(widths[:column]) + widths[column] / 2, "y": height * (row + 1.5)}


def set_low_bound(page: Page, text: str) -> None:
    """Type the lower bound of the only parameter into the table of the search space."""
    table = page.locator("[class*='st-key-space-'] .dvn-scroller").first
    widths = [33, *search_space_editor.WIDTHS.values()]  # the row markers come first
    column = 1 + list(search_space_editor.WIDTHS).index("low")
    table.dblclick(position=cell(table, widths, column=column, row=0, n_rows=2))  # the empty last row counts
    editor = page.locator("#portal input, #portal textarea").first
    editor.fill(text)
    editor.press("Enter")


def click_in_row(page: Page, column: str, *, until: Callable[[], object]) -> None:
    """Click into the only row until something has come of it: a canvas does not tell when it is painted."""
    table = page.locator("[data-testid=stDataFrame] .dvn-scroller").first
    names, widths = list(study_table.WIDTHS), list(study_table.WIDTHS.values())
    for attempts_left in (3, 2, 1, 0):
        table.click(position=cell(table, widths, column=names.index(column), row=0, n_rows=1))
        try:
            until()
            return
        except (AssertionError, PlaywrightTimeout):
            if not attempts_left:
                raise


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


@pytest.fixture
def pressed(runs_dir: Path) -> RunFolder:
    """A study whose best trials press the upper bound of the learning rate, made without training."""
    spec = build_spec(
        {
            "name": "pressed",
            "env": {"id": "CartPole-v1"},
            "search_space": "learning-rate-only",
            "budget": {"n_trials": 60, "n_timesteps": 1000},
            "defaults_first": False,
        }
    )
    folder = launch.create_study(spec, runs_dir)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    rate = optuna.distributions.FloatDistribution(3e-5, 3e-3, log=True)
    for number in range(60):
        u = number * 0.6180339887 % 1
        params = {"learning_rate": 3e-5 * 100**u}
        one = {"learning_rate": rate}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=one, value=300 * u))
    write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
    ended = {"state": "finished", "reason": "All 60 trials are done.", "ended_at": time.time()}
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
    set_low_bound(page, "0.0001")
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


@pytest.mark.parametrize("name", ["Launch", "Live", "History", "Slices", "Saturation"])
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
    address = f"**/history?study={finished.id}*"
    click_in_row(page, "open", until=lambda: page.wait_for_url(address, timeout=8000))
    page = visit("", page)
    dialog = page.get_by_role("dialog")
    said = dialog.get_by_text(re.compile("6 trials"))
    click_in_row(page, "delete", until=lambda: expect(said).to_be_visible(timeout=8000))
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No study yet")).to_be_visible()
    assert not finished.path.exists()


def test_from_the_badge_to_the_verdict_and_why(visit, wait_ready, pressed):
    page = visit(f"history?study={pressed.id}")
    badge = page.get_by_role("link", name=re.compile("oo narrow: learning_rate"))
    badge.click()  # it comes once a thread has weighed the evidence
    page.wait_for_url(f"**/saturation?study={pressed.id}*")
    card = page.locator(".st-key-card-learning_rate")
    expect(card.get_by_text(re.compile("presses its upper bound"))).to_be_visible()
    expect(card.locator(".js-plotly-plot")).to_be_visible()
    expect(card.get_by_text("Best trials in the edge zone")).to_have_count(0)
    card.locator("summary", has_text="Why should I believe this?").click()
    expect(card.get_by_text("Best trials in the edge zone")).to_be_visible()
    expect(card.get_by_text("after all 60 trials")).to_be_visible()
    wait_ready(page)


def test_dark_mode_is_dark(visit, new_page, finished):
    page = visit(f"live?study={finished.id}", new_page(dark=True))
    background = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == "rgb(15, 20, 26)"


def test_nothing_scrolls_sideways_on_a_phone(visit, new_page, finished, pressed):
    page = new_page(width=390, height=844)
    for path in ("", "launch", f"live?study={finished.id}", f"saturation?study={pressed.id}"):
        visit(path, page)
        main = page.locator("[data-testid=stMain]")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 2
