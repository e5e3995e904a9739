import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from storage.paths import RunFolder
from storage.remarks import (
    MAX_NAME,
    MAX_TAGS,
    Remarks,
    change_remarks,
    clean_tags,
    read_remarks,
    study_name,
    with_trial_note,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "demo-1a2b"
    path.mkdir()
    return RunFolder(path)


def test_nothing_said_is_nothing_and_writes_nothing(folder):
    assert read_remarks(folder) == Remarks()
    assert study_name(folder) == "demo-1a2b"
    assert list(folder.path.iterdir()) == []


def test_what_was_said_is_read_back(folder):
    said = Remarks("My study", ("robot", "old"), "first\n\nsecond", True, {7: "lucky"})
    change_remarks(folder, lambda old: said)
    assert read_remarks(folder) == said
    assert study_name(folder) == "My study"


def test_an_empty_note_on_a_trial_takes_it_away():
    remarks = with_trial_note(with_trial_note(Remarks(), 3, "a"), 4, "b")
    assert with_trial_note(remarks, 3, "").trial_notes == {4: "b"}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"name": 3, "tags": "x", "note": [], "trials": {"a": "b", "1": 2, "-1": "c"}, "archived": 1}',
    ],
)
def test_a_record_that_is_none_of_ours_says_nothing(folder, text):
    folder.remarks.write_text(text)
    assert read_remarks(folder) == Remarks()


def test_a_damaged_record_is_kept_aside(folder):
    folder.remarks.write_text('{"note": "important"')
    change_remarks(folder, lambda old: replace(old, name="new"))
    assert read_remarks(folder).name == "new"
    assert "important" in folder.remarks.with_suffix(".damaged").read_text()


def test_text_is_one_line_and_has_a_limit(folder):
    folder.remarks.write_text('{"name": "a\\nb\\u0000c' + "x" * 200 + '"}')
    name = read_remarks(folder).name
    assert name.startswith("a b cx")
    assert len(name) == MAX_NAME


def test_tags_are_short_single_and_few():
    assert clean_tags([" robot ", "Robot", "", 3, "a,b"]) == ("robot", "a b")
    assert len(clean_tags(str(k) for k in range(50))) == MAX_TAGS


TAGS = """
import sys
from dataclasses import replace
from pathlib import Path
from pathlib import Path

from storage.paths import RunFolder
from storage.remarks import change_remarks

change_remarks(RunFolder(Path(sys.argv[1])), lambda old: replace(old, tags=(*old.tags, sys.argv[2])))
"""


def test_processes_that_change_remarks_at_once_lose_nothing(folder):
    # Not forked: a forked process that ends as Python does would take this one's temporary folders along.
    writers = [
        subprocess.Popen([sys.executable, "-c", TAGS, str(folder.path), f"tag{k}"], cwd=ROOT)
        for k in range(6)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 6
    assert sorted(read_remarks(folder).tags) == [f"tag{k}" for k in range(6)]
