"""Files that grow are read on from where one was, and never wrongly."""

import json

import pytest

from storage.growing import GrowingFiles
from storage.json_lines import append_line


@pytest.fixture
def parsed():
    """Which numbers were parsed, in order."""
    return []


@pytest.fixture
def files(parsed):
    def parse(line):
        parsed.append(line["n"])
        return line["n"] if line["n"] >= 0 else None

    return GrowingFiles(parse, lambda item: 1, most=4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


def test_only_what_is_new_is_parsed(files, parsed, path):
    assert files.read(path) == ()
    for n in (0, -1, 2):
        append_line(path, {"n": n})
        files.read(path)
    assert files.read(path) == (0, 2)
    assert parsed == [0, -1, 2]


def test_a_torn_line_counts_once_it_is_whole(files, path):
    append_line(path, {"n": 0})
    with path.open("ab") as file:
        file.write(b'{"n"')
    assert files.read(path) == (0,)
    append_line(path, {"n": 1})
    assert files.read(path) == (0, 1)


@pytest.mark.parametrize("lines", [[], [7], [7, 1], [7, 1, 2, 3]])
def test_a_file_that_was_written_anew_is_read_anew(files, path, lines):
    for n in (0, 1):
        append_line(path, {"n": n})
    assert files.read(path) == (0, 1)
    path.write_text("".join(json.dumps({"n": n}) + "\n" for n in lines))
    assert files.read(path) == tuple(lines)


def test_a_file_that_was_replaced_or_deleted_is_not_remembered(files, path, tmp_path):
    append_line(path, {"n": 0})
    assert files.read(path) == (0,)
    append_line(tmp_path / "other", {"n": 5})
    (tmp_path / "other").rename(path)
    assert files.read(path) == (5,)
    path.unlink()
    assert files.read(path) == ()


def test_what_was_asked_for_last_is_remembered(files, parsed, tmp_path):
    for name in "abc":
        for n in range(2):
            append_line(tmp_path / name, {"n": n})
        files.read(tmp_path / name)
    files.read(tmp_path / "c")
    assert len(parsed) == 6
    files.read(tmp_path / "a")
    assert len(parsed) == 8, "it had to make room"
