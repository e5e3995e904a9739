"""Append-only files: what a killed writer leaves must cost nobody else's line."""

import pytest

from storage.json_lines import append_line, read_lines


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


def test_lines_come_back_in_order(path):
    for n in range(3):
        append_line(path, {"n": n, "text": "two\nlines ü"})
    assert [line["n"] for line in read_lines(path)] == [0, 1, 2]
    assert read_lines(path)[0]["text"] == "two\nlines ü"


def test_no_file_is_no_lines(path):
    assert read_lines(path) == []


def test_a_torn_last_line_is_left_out_and_cut_off_by_the_next_one(path):
    append_line(path, {"n": 0})
    with path.open("ab") as file:
        file.write(b'{"n": 1, "mea')
    assert read_lines(path) == [{"n": 0}]
    append_line(path, {"n": 2})
    assert read_lines(path) == [{"n": 0}, {"n": 2}]


def test_a_file_that_is_nothing_but_a_torn_line(path):
    path.write_bytes(b'{"n": 1')
    append_line(path, {"n": 2})
    assert read_lines(path) == [{"n": 2}]


@pytest.mark.parametrize("garbage", [b"[1]\n", b"\xff\xfe\n", b"\n", b"nonsense\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_object_is_left_out(path, garbage):
    append_line(path, {"n": 0})
    with path.open("ab") as file:
        file.write(garbage)
    append_line(path, {"n": 1})
    assert read_lines(path) == [{"n": 0}, {"n": 1}]


def test_nan_is_refused_and_leaves_the_file_as_it_was(path):
    append_line(path, {"n": 0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(path, {"mean": float("nan")})
    assert read_lines(path) == [{"n": 0}]
