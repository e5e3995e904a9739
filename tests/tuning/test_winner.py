"""Choosing a winner pins it, and taking it back leaves the pins as they were."""

import pytest
from optuna.trial import create_trial

from storage.artifacts import pinned_trials, set_pin
from storage.journal import append_trials
from storage.paths import RunFolder
from storage.trials import IMPORTED_FROM, IMPORTED_TRIAL
from storage.winner import read_winner
from tuning import launch
from tuning.access import VARIABLE, ReadOnly
from tuning.spec import build_spec
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


@pytest.fixture
def line(runs_dir):
    """A study without trials of its own that continues another one, of which it imported trial 5."""
    spec = build_spec(
        {
            "name": "line",
            "env": {"id": "Pendulum-v1"},
            "search_space": "learning-rate-only",
            "budget": {"n_trials": 9, "n_timesteps": 1000},
            "defaults_first": False,
            "tuned_first": False,
        }
    )
    first, child = (launch.create_study(spec, runs_dir) for _ in range(2))
    copy = create_trial(value=1.0, user_attrs={IMPORTED_FROM: first.id, IMPORTED_TRIAL: 5})
    append_trials(child.journal, [copy])
    return first, child


def test_an_imported_trial_is_pinned_where_its_weights_lie(line):
    first, child = line
    choose_winner(child, 0)
    assert (pinned_trials(first), pinned_trials(child)) == ({5}, set())
    take_back_winner(child)
    assert pinned_trials(first) == set()

    set_pin(first, 5, pinned=True)
    choose_winner(child, 0)
    take_back_winner(child)
    assert pinned_trials(first) == {5}, "it was pinned there before"


def test_an_imported_trial_whose_study_is_gone_can_still_be_chosen(line):
    first, child = line
    choose_winner(child, 0)
    launch.delete(first)
    assert choose_winner(child, 0).trial == 0
    take_back_winner(child)
    assert read_winner(child) is None
    assert choose_winner(child, 0).pinned is False
    assert pinned_trials(child) == set()


def test_a_server_that_only_shows_refuses_both(study, monkeypatch):
    choose_winner(study, 7)
    monkeypatch.setenv(VARIABLE, "1")
    for action in (lambda: choose_winner(study, 8), lambda: take_back_winner(study)):
        with pytest.raises(ReadOnly, match="winner"):
            action()
    assert read_winner(study).trial == 7
    assert pinned_trials(study) == {7}
