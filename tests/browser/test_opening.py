"""Opening a study that is not ours, in a real browser: a path is typed, and the file stays as it was."""

import pytest
from playwright.sync_api import expect

from pages.components import study_table
from storage.paths import list_runs


@pytest.fixture
def theirs(tmp_path):
    folder = tmp_path.resolve() / "theirs"
    folder.mkdir()
    return folder


def type_file(page, text):
    field = page.get_by_role("combobox", name="File")
    field.fill(text)
    field.press("Enter")


def test_type_a_path_open_it_and_remove_it_from_the_list(
    theirs, runs_dir, write_study, everything_in, start_dashboard, visit, wait_ready
):
    path = write_study(theirs / "study.db", "theirs", n_trials=12)
    hidden = theirs / ".hidden"  # not in the list of what was found
    hidden.mkdir()
    path.rename(hidden / path.name)
    before = everything_in(hidden)
    start_dashboard({"EDGEWISE_STUDY_ROOTS": str(theirs)})
    page = visit()

    type_file(page, "/etc/passwd")
    expect(page.get_by_text("outside the folders that pages may open")).to_be_visible()
    type_file(page, ".hidden/study.db")
    page.locator(".st-key-open-now button").click()
    expect(page.get_by_text("Best so far: 0 (trial 0) after 12 trials")).to_be_visible()
    (folder,) = list_runs(runs_dir)
    assert page.url.endswith(f"/history?study={folder.id}")

    visit("", page)
    table = page.locator("[data-testid=stDataFrame] .dvn-scroller").first
    remove = page.get_by_role("button", name="Remove from the list")
    widths = list(study_table.WIDTHS.values())
    for _ in range(4):  # a canvas does not tell when it is painted
        height = table.bounding_box()["height"] / 2
        table.click(position={"x": sum(widths) - widths[-1] / 2, "y": height * 1.5})
        page.wait_for_timeout(700)
        if remove.count():
            break
    expect(page.get_by_text("stays as it is, and can be opened again")).to_be_visible()
    remove.click()
    expect(page.get_by_text("No study yet")).to_be_visible()
    wait_ready(page)
    assert list_runs(runs_dir) == []
    assert everything_in(hidden) == before
