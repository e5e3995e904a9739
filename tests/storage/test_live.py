"""Heartbeats and curves: what is torn, foreign or hostile is left out, the rest is read."""

import errno
import json
import os
from dataclasses import asdict, replace

import pytest

from storage.live import (
    Curve,
    Heartbeat,
    append_curve,
    drop_heartbeat,
    read_curve,
    read_heartbeats,
    write_heartbeat,
)
from storage.paths import RunFolder

BEAT = Heartbeat(
    trial=7,
    pid=123,
    pid_created=1e9,
    phase="collect",
    timesteps=10,
    total_timesteps=100,
    steps_per_s=5.5,
    episodes=0,
    last_return=None,
    last_evaluation=None,
    started_at=1e9,
    updated_at=1e9 + 1,
)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def test_heartbeats_are_replaced_read_in_order_and_dropped(folder):
    assert read_heartbeats(folder) == []
    for trial in (10, 9, 7):
        write_heartbeat(folder, replace(BEAT, trial=trial))
    write_heartbeat(folder, replace(BEAT, last_return=-3.0, last_evaluation=4))
    assert [beat.trial for beat in read_heartbeats(folder)] == [7, 9, 10]
    assert read_heartbeats(folder)[0].last_return == -3.0
    drop_heartbeat(folder, 9)
    drop_heartbeat(folder, 9)
    assert [beat.trial for beat in read_heartbeats(folder)] == [7, 10]


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"trial": 7},
        {**asdict(BEAT), "extra": 1},
        {**asdict(BEAT), "trial": "7"},
        {**asdict(BEAT), "trial": "../../../victim"},
        {**asdict(BEAT), "trial": 8},
        {**asdict(BEAT), "trial": True},
        {**asdict(BEAT), "total_timesteps": "many"},
        {**asdict(BEAT), "timesteps": 10**400},
        {**asdict(BEAT), "steps_per_s": None},
        {**asdict(BEAT), "steps_per_s": float("nan")},
        {**asdict(BEAT), "last_return": float("inf")},
        {**asdict(BEAT), "last_return": [1]},
        {**asdict(BEAT), "phase": None},
    ],
    ids=repr,
)
def test_a_foreign_heartbeat_is_left_out(folder, record):
    write_heartbeat(folder, replace(BEAT, trial=9))
    (folder.heartbeats / "7.json").write_text(json.dumps(record))
    assert [beat.trial for beat in read_heartbeats(folder)] == [9]


@pytest.mark.parametrize("content", [b"", b'{"trial": 7', b"\0\0\0", b"[]", b"\xff"])
def test_a_torn_heartbeat_is_left_out(folder, content):
    folder.heartbeats.mkdir(parents=True)
    (folder.heartbeats / "7.json").write_bytes(content)
    (folder.heartbeats / ".7.json.tmp").write_bytes(b"{}")
    assert read_heartbeats(folder) == []


def test_a_curve_grows_by_whole_lines(folder):
    folder.path.mkdir()
    assert read_curve(folder, 3) == Curve((), ())
    append_curve(folder, 3, [])
    assert not folder.curves.exists()
    append_curve(folder, 3, [(100, -1.5), (200, -1)])
    append_curve(folder, 3, [], [(200, -0.5, 0.1)])
    append_curve(folder, 3, [(300, 2.0)], [(300, 1, 0)])
    assert read_curve(folder, 3) == Curve(
        ((100, -1.5), (200, -1.0), (300, 2.0)), ((200, -0.5, 0.1), (300, 1.0, 0.0))
    )
    assert read_curve(folder, 4) == Curve((), ())


def test_a_curve_cut_at_any_byte_gives_the_points_before(folder):
    folder.path.mkdir()
    append_curve(folder, 0, [(100, -1.5), (200, 2.25)], [(200, 3.5, 0.5)])
    path = folder.curves / "0.jsonl"
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        curve = read_curve(folder, 0)
        n_points = len(curve.episodes) + len(curve.evaluations)
        assert n_points in {sum(end <= cut for end in ends), sum(end - 1 <= cut for end in ends)}
        assert curve.episodes == ((100, -1.5), (200, 2.25))[: len(curve.episodes)]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"5",
        b"null",
        b"[]",
        b'["t"]',
        b'["t", 1]',
        b'["t", "x", 1]',
        b'["t", null, 1]',
        b'["t", Infinity, 1]',
        b'["t", NaN, 1]',
        b'["e", 1, 2]',
        b'["t", ' + b"9" * 5000 + b", 1]",
        b'["t", 1, ' + b"9" * 400 + b"]",
        b"\xff\xfe",
        b"\0\0",
        b"[" * 100_000,
    ],
    ids=lambda line: repr(line[:20]),
)
def test_a_line_that_is_no_point_is_left_out(folder, line):
    folder.path.mkdir()
    append_curve(folder, 0, [(1, 1.0)])
    with (folder.curves / "0.jsonl").open("ab") as file:
        file.write(line + b"\n")
    append_curve(folder, 0, [(2, 2.0)])
    assert read_curve(folder, 0) == Curve(((1, 1.0), (2, 2.0)), ())


def test_points_that_find_no_room_say_so_and_leave_the_curve_as_it_was(folder):
    folder.curves.mkdir(parents=True)
    (folder.curves / "7.jsonl").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        append_curve(folder, 7, [(1, 2.0)])


@pytest.mark.parametrize("room", [0, 5, 40])
def test_a_write_that_is_cut_short_leaves_no_part_of_it(folder, monkeypatch, room):
    folder.path.mkdir()
    append_curve(folder, 7, [(1, 2.0)])
    before = read_curve(folder, 7)
    rest = [room]
    write = os.write

    def fills_up(descriptor, data):
        if not rest[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = write(descriptor, data[: rest[0]])
        rest[0] -= n
        return n

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fills_up)
        with pytest.raises(OSError, match="No space left"):
            append_curve(folder, 7, [(n, 0.0) for n in range(20)])
    assert read_curve(folder, 7) == before
    append_curve(folder, 7, [(2, 3.0)])
    assert read_curve(folder, 7).episodes == ((1, 2.0), (2, 3.0))
