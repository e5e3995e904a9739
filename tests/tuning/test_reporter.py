import errno
import time

import pytest

from storage.live import read_curve, read_heartbeats
from storage.paths import RunFolder
from tuning import reporter
from tuning.reporter import Reporter


def test_the_heart_beats_while_the_trial_is_silent_and_stops_with_it(tmp_path):
    folder = RunFolder(tmp_path)
    with Reporter(folder, 7, 1000) as voice:
        (first,) = read_heartbeats(folder)
        assert (first.trial, first.phase, first.timesteps, first.total_timesteps) == (7, "start", 0, 1000)
        deadline = time.monotonic() + 10
        while read_heartbeats(folder)[0].updated_at == first.updated_at:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        voice.timesteps = 400
        voice.phase("update")
        (beat,) = read_heartbeats(folder)
        assert (beat.phase, beat.timesteps) == ("update", 400)
        assert beat.steps_per_s > 0
    assert read_heartbeats(folder) == []


def test_of_many_short_phases_few_are_written_and_the_one_that_stays_soon(tmp_path, monkeypatch):
    folder, written = RunFolder(tmp_path), []
    write = reporter.write_heartbeat
    monkeypatch.setattr(reporter, "write_heartbeat", lambda *a: (written.append(a[1].phase), write(*a)))
    with Reporter(folder, 0, 1000) as voice:
        started = time.monotonic()
        for _ in range(500):
            voice.phase("collect", passing=True)
            voice.phase("update", passing=True)
        seconds = time.monotonic() - started
        assert len(written) <= 2 + seconds / reporter.PASSING_S + seconds / reporter.INTERVAL_S
        while read_heartbeats(folder)[0].phase != "update":
            assert time.monotonic() < started + 10
            time.sleep(0.01)
        voice.phase("evaluate")
        voice.phase("save")
        assert written[-2:] == ["evaluate", "save"]


def test_episodes_and_evaluations_reach_the_curve(tmp_path):
    folder = RunFolder(tmp_path)
    with Reporter(folder, 0, 1000) as voice:
        voice.episode(100, -5.0)
        voice.episode(200, -4.0)
        voice.evaluation(500, -3.5, 0.5)
        voice.phase("evaluate")
        (beat,) = read_heartbeats(folder)
        assert (beat.episodes, beat.last_return, beat.last_evaluation) == (2, -4.0, -3.5)
    curve = read_curve(folder, 0)
    assert curve.episodes == ((100, -5.0), (200, -4.0))
    assert curve.evaluations == ((500, -3.5, 0.5),)


def test_many_short_episodes_are_thinned_to_means(tmp_path, monkeypatch):
    monkeypatch.setattr(reporter, "MAX_CURVE_POINTS", 10)
    monkeypatch.setattr(reporter, "INTERVAL_S", 0.02)
    folder = RunFolder(tmp_path)
    with Reporter(folder, 0, 100_000) as voice:
        for step in range(11):
            voice.episode(step, 1.0)
        while len(read_curve(folder, 0).episodes) < 11:
            time.sleep(0.01)
        monkeypatch.setattr(reporter, "INTERVAL_S", 60)
        time.sleep(0.1)  # a beat that was already due
        for step in range(100, 200):
            voice.episode(step, float(step))
    episodes = read_curve(folder, 0).episodes
    assert len(episodes) < 20
    assert episodes[-1][0] == 199


def test_a_return_that_is_no_number_stops_neither_trial_nor_heartbeat(tmp_path):
    folder = RunFolder(tmp_path)
    with Reporter(folder, 0, 1000) as voice:
        voice.episode(100, -5.0)
        for value in (float("nan"), float("inf"), float("-inf")):
            voice.episode(200, value)
            voice.phase("update")
        (beat,) = read_heartbeats(folder)
        assert (beat.phase, beat.episodes, beat.last_return) == ("update", 4, -5.0)
    assert read_curve(folder, 0).episodes == ((100, -5.0),)


def test_a_full_disk_ends_no_trial_and_what_waited_is_written_once_there_is_room(tmp_path, monkeypatch):
    folder, full = RunFolder(tmp_path), [True]
    written = {"write_heartbeat": reporter.write_heartbeat, "append_curve": reporter.append_curve}

    def unless_full(name):
        def write(*arguments):
            if full[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            written[name](*arguments)

        return write

    for name in written:
        monkeypatch.setattr(reporter, name, unless_full(name))
    monkeypatch.setattr(reporter, "INTERVAL_S", 0.02)
    with Reporter(folder, 7, 1000) as voice:
        voice.episode(100, -5.0)
        time.sleep(0.1)
        full[0] = False
        deadline = time.monotonic() + 10
        while not (read_heartbeats(folder) and read_curve(folder, 7).episodes):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        voice.episode(200, -4.0)
    assert read_curve(folder, 7).episodes == ((100, -5.0), (200, -4.0))


def test_a_curve_that_is_still_unwritten_in_the_end_says_so_unless_something_worse_did(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reporter, "append_curve", full)
    with pytest.raises(OSError, match="No space left"), Reporter(RunFolder(tmp_path), 7, 1000):
        pass
    with pytest.raises(RuntimeError, match="worse"), Reporter(RunFolder(tmp_path), 7, 1000):
        raise RuntimeError("worse")
    assert read_heartbeats(RunFolder(tmp_path)) == []
