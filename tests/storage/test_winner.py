"""The record of a choice: whole, replaced, cleared, and none where the file is somebody else's."""

import json

import pytest

from storage.paths import RunFolder
from storage.winner import Winner, clear_winner, read_winner, write_winner

WINNER = Winner(55, -152.25, "reevaluation-00ff", 1.7e9, pinned=True)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def test_there_is_none_until_one_is_chosen(folder):
    assert read_winner(folder) is None
    clear_winner(folder)


@pytest.mark.parametrize(
    "winner", [WINNER, Winner(0, None, None, 1.7e9), Winner(1, 2.0, None, 1.0, mode="weights", n_timesteps=9)]
)
def test_what_was_written_is_read_again_until_it_is_cleared(folder, winner):
    write_winner(folder, Winner(3, 1.0, None, 1.0))
    write_winner(folder, winner)
    assert read_winner(folder) == winner
    clear_winner(folder)
    assert read_winner(folder) is None


def test_a_record_from_before_the_later_fields_is_still_one(folder):
    write_winner(folder, WINNER)
    record = json.loads(folder.winner.read_text())
    for name in ("pinned", "mode", "n_timesteps"):  # later fields
        del record[name]
    folder.winner.write_text(json.dumps(record))
    assert read_winner(folder) == Winner(55, -152.25, "reevaluation-00ff", 1.7e9, pinned=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trial", "55"),
        ("trial", True),
        ("trial", -1),
        ("trial", None),
        ("expected", "many"),
        ("expected", True),
        ("reevaluation", "../../etc"),
        ("reevaluation", 5),
        ("chosen_at", None),
        ("chosen_at", 1e300),
        ("chosen_at", -1e300),
        ("chosen_at", 10**400),
        ("expected", 10**400),
        ("expected", -(10**400)),
        ("trial", 10**400),
        ("mode", "<b>"),
        ("mode", []),
        ("n_timesteps", 0),
        ("n_timesteps", 10**400),
        ("n_timesteps", True),
    ],
)
def test_a_record_that_makes_no_sense_is_none(folder, field, value):
    write_winner(folder, WINNER)
    record = json.loads(folder.winner.read_text())
    folder.winner.write_text(json.dumps(record | {field: value}))
    assert read_winner(folder) is None


@pytest.mark.parametrize("text", ["", "[]", '{"trial": 1', '{"trial": 1, "expected": NaN, "chosen_at": 1}'])
def test_a_file_that_is_no_record_is_none(folder, text):
    folder.winner.write_text(text)
    assert read_winner(folder) is None
