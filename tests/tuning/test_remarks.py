import pytest

from storage.paths import RunFolder
from storage.remarks import read_remarks, study_name
from tuning.access import VARIABLE, ReadOnly
from tuning.remarks import merged_note, rename, set_archived, set_tags, write_note


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "demo-1a2b"
    path.mkdir()
    return RunFolder(path)


def test_each_action_leaves_the_others_as_they_are(folder):
    rename(folder, "Fast one")
    set_tags(folder, ["a", "b"])
    write_note(folder, "hello", base="")
    write_note(folder, "on five", base="", trial=5)
    set_archived(folder, archived=True)
    remarks = read_remarks(folder)
    assert (remarks.name, remarks.tags, remarks.note) == ("Fast one", ("a", "b"), "hello")
    assert remarks.trial_notes == {5: "on five"}
    assert remarks.archived


@pytest.mark.parametrize("name", ["", "  ", "demo-1a2b"])
def test_a_name_can_be_taken_back(folder, name):
    rename(folder, "Other")
    rename(folder, name)
    assert study_name(folder) == "demo-1a2b"
    assert read_remarks(folder).name == ""


def test_two_tabs_lose_no_line(folder):
    write_note(folder, "one\ntwo", base="")
    write_note(folder, "one\ntwo\nthree from A", base="one\ntwo")
    saved = write_note(folder, "one\ntwo changed by B", base="one\ntwo")
    assert saved.merged
    assert read_remarks(folder).note == "one\ntwo changed by B\nthree from A"


@pytest.mark.parametrize(
    ("mine", "theirs", "base", "text", "merged"),
    [
        ("new", "old", "old", "new", False),
        ("same", "same", "old", "same", False),
        ("", "old", "old", "", False),
        ("", "old\nadded", "old", "added", True),
        ("mine", "", "old", "mine", False),  # they deleted it, I rewrote it
    ],
)
def test_merging(mine, theirs, base, text, merged):
    saved = merged_note(mine, theirs, base=base)
    assert (saved.text, saved.merged) == (text, merged)


def test_a_server_that_only_shows_refuses(folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    for action in (
        lambda: rename(folder, "x"),
        lambda: set_tags(folder, []),
        lambda: set_archived(folder, archived=True),
        lambda: write_note(folder, "x", base=""),
    ):
        with pytest.raises(ReadOnly):
            action()
    assert list(folder.path.iterdir()) == []
