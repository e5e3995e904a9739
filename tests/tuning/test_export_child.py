"""An export in a process of its own: it says what it does, ends, and leaves no temporary file."""

import gc
import time
import zipfile
from pathlib import Path

import pytest

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
    child = ended(ExportChild(recorded, "zip", 55))
    assert child.fault == ""
    assert child.words == "Building the model"
    assert child.notes == ["Trial 55. The agent that the search itself trained, which reached -148 there."]
    assert zipfile.is_zipfile(child.path)
    scratch = child.path.parent
    del child
    gc.collect()
    assert not scratch.exists()


def test_why_there_is_none_is_told_in_a_sentence(recorded):
    child = ended(ExportChild(recorded, "zip", 1))
    assert child.fault.startswith("No weights of trial 1 are kept")


def test_one_that_nobody_wants_any_more_is_ended(recorded):
    child = ExportChild(recorded, "report", 55)
    process, scratch = child._process, child.path.parent
    assert child.is_running
    del child
    gc.collect()
    assert process.poll() is not None
    assert not scratch.exists()


def test_one_that_takes_too_long_is_ended(recorded, monkeypatch):
    monkeypatch.setattr(export_child, "MOST_S", 0.0)
    child = ExportChild(recorded, "report", 55)
    assert not child.is_running
    assert child.fault.startswith("The process that builds it ended with code")


def test_only_so_many_at_once(recorded, monkeypatch):
    monkeypatch.setattr(export_child, "MOST_AT_ONCE", 1)
    first = ExportChild(recorded, "report", 55)
    with pytest.raises(ExportError, match="being built already"):
        ExportChild(recorded, "report", 55)
    del first
    gc.collect()


def test_a_server_that_only_shows_writes_no_card(recorded, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.raises(ReadOnly):
        ExportChild(recorded, "card", 55, out=Path(recorded.exports / "card"))
    assert not recorded.exports.exists()
