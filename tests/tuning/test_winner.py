"""Choosing a winner pins it, and taking it back leaves the pins as they were."""

import pytest

from storage.artifacts import pinned_trials, set_pin
from storage.paths import RunFolder
from storage.winner import read_winner
from tuning.access import VARIABLE, ReadOnly
from tuning.winner import choose_winner, take_back_winner


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study-00aa").mkdir()
    return RunFolder(tmp_path / "study-00aa")


def test_a_chosen_trial_is_recorded_and_its_weights_stay(study):
    winner = choose_winner(study, 7, expected=-150.0, reevaluation="reevaluation-1234")
    assert read_winner(study) == winner
    assert (winner.trial, winner.expected, winner.reevaluation) == (7, -150.0, "reevaluation-1234")
    assert pinned_trials(study) == {7}
    take_back_winner(study)
    assert read_winner(study) is None
    assert pinned_trials(study) == set()


def test_a_pin_that_a_person_set_before_stays(study):
    set_pin(study, 7, pinned=True)
    choose_winner(study, 7)
    choose_winner(study, 7)
    take_back_winner(study)
    assert pinned_trials(study) == {7}


def test_another_choice_replaces_the_first_with_its_pin(study):
    choose_winner(study, 7)
    choose_winner(study, 8)
    assert pinned_trials(study) == {8}
    assert read_winner(study).trial == 8


def test_a_server_that_only_shows_refuses_both(study, monkeypatch):
    choose_winner(study, 7)
    monkeypatch.setenv(VARIABLE, "1")
    for action in (lambda: choose_winner(study, 8), lambda: take_back_winner(study)):
        with pytest.raises(ReadOnly, match="winner"):
            action()
    assert read_winner(study).trial == 7
    assert pinned_trials(study) == {7}
