from pathlib import Path

import pytest

from storage.paths import RunFolder
from storage.records import write_record
from storage.source import Source, SourceUnreadable, is_opened, read_source, write_source


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


def test_what_was_recorded_is_read_again(folder):
    assert read_source(folder) is None
    assert not is_opened(folder)
    source = Source(Path("/data/a b.db"), "<b>ppo</b>", "sqlite")
    write_source(folder, source)
    assert read_source(folder) == source
    assert is_opened(folder)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"path": "/data/a.db", "study": "ppo"},
        {"path": "/data/a.db", "study": "ppo", "kind": "postgresql"},
        {"path": "a.db", "study": "ppo", "kind": "sqlite"},
        {"path": "/data/\0.db", "study": "ppo", "kind": "sqlite"},
        {"path": ["/data/a.db"], "study": "ppo", "kind": "sqlite"},
        {"path": "/data/a.db", "study": 3, "kind": "sqlite"},
    ],
)
def test_a_record_that_was_edited_into_nonsense_is_refused(folder, record):
    write_record(folder.source, record)
    with pytest.raises(SourceUnreadable, match="open the file again"):
        read_source(folder)


def test_a_record_that_is_no_json_is_refused(folder):
    folder.source.write_text("{")
    with pytest.raises(SourceUnreadable):
        read_source(folder)
