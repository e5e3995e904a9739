"""Naming, tagging and annotating a study in a real browser, and finding it again."""

import shutil

import pytest
from playwright.sync_api import expect

from storage.paths import RunFolder
from storage.remarks import read_remarks
from tuning import examples
from tuning.remarks import write_note


@pytest.fixture
def pair(runs_dir):
    """The recorded pair: a study, and the one that continues it."""
    runs_dir.mkdir(exist_ok=True)
    found = [examples.copy_recorded(source, runs_dir) for source in examples.recorded_pairs()[0]]
    for folder in found:
        shutil.rmtree(folder.weights, ignore_errors=True)
    return found


def test_name_tag_annotate_find_and_compare(visit, wait_ready, pair):
    narrow, wide = (RunFolder(folder.path) for folder in pair)
    page = visit(f"history?study={wide.id}")
    page.get_by_text("Note, name and tags").click()
    name = page.get_by_role("textbox", name="Name")
    name.fill("Swing <b>up</b>")
    name.press("Enter")
    wait_ready(page)
    tags = page.get_by_role("combobox", name="Tags")
    tags.fill("robot")
    tags.press("Enter")
    tags.press("Escape")  # while its list is open, the rest of the page is hidden from readers
    wait_ready(page)
    note = page.get_by_role("textbox", name="Note")
    note.fill("mine")
    write_note(wide, "from another tab", base="")
    page.get_by_role("heading", name="History").click()  # leaving the field saves it
    expect(page.get_by_text("Their lines were added below yours")).to_be_visible()
    remarks = read_remarks(wide)
    assert (remarks.name, remarks.tags, remarks.note) == (
        "Swing <b>up</b>",
        ("robot",),
        "mine\nfrom another tab",
    )
    expect(page.get_by_role("combobox", name="Study")).to_have_value("Swing <b>up</b>")

    visit("", page)
    find = page.get_by_role("searchbox", name="Find").or_(page.get_by_role("textbox", name="Find"))
    find.fill("robot another")
    find.press("Enter")
    one_row = "document.querySelector('[data-testid=stDataFrame]')?.clientHeight < 80"
    page.wait_for_function(one_row, timeout=20_000)
    find.fill("nothing like it")
    find.press("Enter")
    expect(page.get_by_text("No study matches")).to_be_visible()

    visit(f"compare?studies={narrow.id},{wide.id}", page)
    expect(page.get_by_text("began with 40 imported trials")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_visible()
