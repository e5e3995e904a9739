"""Editing a search space in a real browser: type, undo, fix, import, launch."""

import re

from playwright.sync_api import expect

from pages.components import search_space_editor
from storage.paths import list_runs
from tests.browser.test_journeys import SLOW_MS, cell
from tuning import launch
from tuning.spec import load_spec

TEXT = "- {name: gamma, kind: float, low: 0.9, high: 0.99}\n- {name: n_epochs, kind: int, low: 1, high: 8}"


def type_low(page, row, n_rows, text):
    """Type into the column Low of a row of the table."""
    table = page.locator("[class*='st-key-space-'] .dvn-scroller").first
    widths = [33, *search_space_editor.WIDTHS.values()]  # the row markers come first
    column = 1 + list(search_space_editor.WIDTHS).index("low")
    table.dblclick(position=cell(table, widths, column=column, row=row, n_rows=n_rows + 1))
    editor = page.locator("#portal input, #portal textarea").first
    editor.fill(text)
    editor.press("Enter")


def test_type_undo_fix_import_and_launch(visit, wait_ready, runs_dir):
    page = visit("launch")
    type_low(page, 1, 4, "2")
    expect(page.get_by_text(re.compile(r"Row 2 \(gamma\), Low and High: .*received low=2"))).to_be_visible()
    launch_button = page.get_by_role("button", name="Launch", exact=True)
    expect(launch_button).to_be_disabled()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(launch_button).to_be_enabled()
    expect(page.get_by_text(re.compile(r"Row 2 \(gamma\)"))).to_have_count(0)

    page.get_by_role("button", name="YAML", exact=True).click()
    page.locator(".st-key-tool-text textarea").fill(TEXT)
    page.locator(".st-key-tool-import button").click()
    expect(page.get_by_text("2 parameters from the YAML.")).to_be_visible()
    wait_ready(page)
    page.keyboard.press("Escape")
    expect(
        page.locator(
            ".st-key-range-n_epochs [data-testid=stVegaLiteChart] canvas, "
            ".st-key-range-n_epochs [data-testid=stVegaLiteChart] svg"
        ).first
    ).to_be_visible()

    page.get_by_role("button", name="Fix", exact=True).click()
    value = page.locator(".st-key-tool-fix-value-PPO-gamma input")
    expect(value).to_have_value("0.99")
    value.fill("0.98")
    page.locator(".st-key-tool-fix button").click()
    expect(page.get_by_role("button", name="gamma 0.98")).to_be_visible()
    wait_ready(page)
    page.keyboard.press("Escape")

    launch_button.click()
    page.wait_for_url("**/live?study=*", timeout=SLOW_MS)
    folder = list_runs(runs_dir)[0]
    spec = load_spec(folder.spec)
    assert [(p.name, p.low, p.high) for p in spec.search_space] == [("n_epochs", 1, 8)]
    assert spec.hyperparameters == {"gamma": 0.98}
    launch.stop(folder, "now")
