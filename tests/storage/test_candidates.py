import os

import pytest

from storage import candidates
from storage.candidates import find_candidates
from storage.sqlite_file import SQLITE_HEADER

JOURNAL = b'{"op_code":0,"worker_id":"x"}\n'


@pytest.fixture
def root(tmp_path):
    files = {
        "a.log": JOURNAL,
        "deep/er/b.sqlite3": SQLITE_HEADER,
        "deep/er/and/even/deeper/than/that.db": SQLITE_HEADER,
        "notes.log": b"10:00:00 started\n",
        "study.txt": JOURNAL,
        ".hidden/c.db": SQLITE_HEADER,
        ".venv/d.db": SQLITE_HEADER,
        "runs/ours-0000/journal.log": JOURNAL,
        "wrong.db": b"text",
    }
    for order, (name, start) in enumerate(files.items()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(start)
        os.utime(path, (order, order))
    (tmp_path / "linked.db").symlink_to(tmp_path / "deep/er/b.sqlite3")
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


def names(found, root):
    return [path.relative_to(root).as_posix() for path in found]


def test_study_files_are_found_newest_first_and_nothing_else(root):
    assert names(find_candidates([root], skip=[root / "runs"]), root) == ["deep/er/b.sqlite3", "a.log"]


def test_a_file_under_two_roots_is_found_once(root):
    assert names(find_candidates([root / "deep", root], skip=[root / "runs"]), root) == [
        "deep/er/b.sqlite3",
        "a.log",
    ]


def test_the_bounds_hold(root, monkeypatch):
    monkeypatch.setattr(candidates, "MAX_FILES", 1)
    assert names(find_candidates([root]), root) == ["a.log"]
    monkeypatch.setattr(candidates, "MAX_S", -1)
    assert find_candidates([root]) == []


def test_a_root_that_is_not_there_holds_nothing(tmp_path):
    assert find_candidates([tmp_path / "nowhere"]) == []
