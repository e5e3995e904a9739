"""Small JSON records are written whole or not at all."""

import json
import threading

import pytest

from storage.records import MAX_RECORD_BYTES, read_record, write_record, write_text


@pytest.mark.parametrize("durable", [True, False])
def test_round_trip_makes_the_folder_and_leaves_nothing_else(tmp_path, durable):
    path = tmp_path / "new" / "r.json"
    write_record(path, {"a": [1, 2.5, None, True, "ü\u2028\ud800"]}, durable=durable)
    write_record(path, {"b": 1}, durable=durable)
    assert read_record(path) == {"b": 1}
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_has_not_are_refused_and_the_old_record_stays(tmp_path, number):
    path = tmp_path / "r.json"
    write_record(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_record(path, {"a": {"b": [number]}})
    assert read_record(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_text_and_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "t"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "x" * 100_000 + "\ud800")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.records.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_concurrent_readers_see_whole_records_only(tmp_path):
    path = tmp_path / "r.json"
    write_record(path, {"n": 0, "same": [0] * 500})
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append(read_record(path))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(1, 300):
        write_record(path, {"n": n, "same": [n] * (n * 7 % 900)}, durable=False)
    stop.set()
    for reader in readers:
        reader.join()
    assert len(seen) > 10
    assert all(record and set(record["same"]) <= {record["n"]} for record in seen)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"5",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"\0\0\0",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b" " * (MAX_RECORD_BYTES + 1),
        b'{"a": 1} x',
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_record_reads_as_none(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    assert read_record(path) is None


def test_an_absent_record_and_a_folder_read_as_none(tmp_path):
    assert read_record(tmp_path / "absent") is None
    assert read_record(tmp_path) is None


def test_records_are_plain_json(tmp_path):
    write_record(tmp_path / "r.json", {"a": 1e-5})
    assert json.loads((tmp_path / "r.json").read_text()) == {"a": 1e-5}
