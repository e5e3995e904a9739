"""An export in a process of its own: it says what it does, ends, and leaves no temporary file."""

import gc
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.shipped import BEST, reached
from tuning import export_child
from tuning.access import VARIABLE, ReadOnly
from tuning.export import ExportError
from tuning.export_child import ExportChild


def ended(child: ExportChild) -> ExportChild:
    deadline = time.monotonic() + 90
    while child.is_running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return child


def test_it_builds_says_what_and_takes_its_files_along(recorded):
    child = ended(ExportChild(recorded, "zip", BEST))
    assert child.fault == ""
    assert child.words == "Building the model"
    assert child.notes == [
        f"Trial {BEST}. The agent that the search itself trained. Its last evaluation gave {reached(BEST)}."
    ]
    assert zipfile.is_zipfile(child.path)
    child.path.unlink()
    assert "Build it again" in child.fault
    scratch = child.path.parent
    del child
    gc.collect()
    assert not scratch.exists()


def test_why_there_is_none_is_told_in_a_sentence(recorded):
    child = ended(ExportChild(recorded, "zip", 1))
    assert child.fault.startswith("No weights of trial 1 are kept")


def test_one_that_nobody_wants_any_more_is_ended(recorded):
    child = ExportChild(recorded, "report", BEST)
    process, scratch = child._process, child.path.parent
    assert child.is_running
    del child
    gc.collect()
    assert process.poll() is not None
    assert not scratch.exists()


def test_one_that_takes_too_long_is_ended_though_nobody_looks(recorded, monkeypatch):
    monkeypatch.setattr(export_child, "MOST_S", 0.0)
    child = ExportChild(recorded, "report", BEST)
    assert child._process.wait(timeout=5) != 0
    assert child.fault.startswith("The process that builds it ended with code")


def test_one_that_nobody_fetches_is_deleted(recorded, monkeypatch):
    monkeypatch.setattr(export_child, "KEPT_S", 0.0)
    child = ExportChild(recorded, "report", BEST)
    deadline = time.monotonic() + 5
    while child.path.parent.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not child.is_running


def test_two_that_start_at_once_are_counted_one_by_one(recorded, monkeypatch):
    monkeypatch.setattr(export_child, "MOST_AT_ONCE", 1)

    def start(_):
        try:
            return ExportChild(recorded, "report", BEST)
        except ExportError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(start, range(8)))
    assert sum(child is not None for child in made) == 1
    threads = threading.active_count()
    del made
    gc.collect()
    deadline = time.monotonic() + 5
    while threading.active_count() >= threads:  # its two timers end with it
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_only_so_many_at_once(recorded, monkeypatch):
    monkeypatch.setattr(export_child, "MOST_AT_ONCE", 1)
    first = ExportChild(recorded, "report", BEST)
    with pytest.raises(ExportError, match="being built already"):
        ExportChild(recorded, "report", BEST)
    del first
    gc.collect()


def test_a_server_that_only_shows_writes_no_card(recorded, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.raises(ReadOnly):
        ExportChild(recorded, "card", BEST, out=Path(recorded.exports / "card"))
    assert not recorded.exports.exists()
