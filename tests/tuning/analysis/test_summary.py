import datetime

import pytest
from optuna.trial import create_trial

from tuning.analysis.history import history_info
from tuning.analysis.summary import StudySummary, study_summary

START = datetime.datetime(2025, 3, 1, 10, 0, 0)


def test_no_trials():
    assert study_summary([], maximize=True) == StudySummary(
        0, 0, 0, 0, 0, (), 0, 0, 0, None, None, 0, (), None, None
    )


def test_a_study_in_numbers(study):
    assert study_summary(study, maximize=True) == StudySummary(
        n_trials=20,
        n_complete=16,
        n_pruned=2,
        n_diverged=1,
        n_failed=1,
        failures=(("killed", 1),),
        n_running=1,
        n_waiting=0,
        n_counted=18,
        best_value=-250.0,
        best_number=15,
        n_tied=0,
        best_so_far=tuple(-1000.0 + 50 * i for i in range(16)),
        first_started=START,
        last_finished=START + datetime.timedelta(seconds=171),
    )


@pytest.mark.parametrize(
    ("maximize", "best", "number", "so_far"),
    [(True, -1.0, 1, (-2.0, -1.0, -1.0, -1.0)), (False, -2.0, 0, (-2.0, -2.0, -2.0, -2.0))],
)
def test_ties_go_to_the_earliest_and_are_counted(trial, maximize, best, number, so_far):
    trials = [trial(i, v) for i, v in enumerate([-2.0, -1.0, -1.0, -2.0])]
    summary = study_summary(trials[::-1], maximize=maximize)
    assert (summary.best_value, summary.best_number, summary.n_tied) == (best, number, 1)
    assert summary.best_so_far == so_far


def test_values_that_are_not_finite_never_count_as_best(non_finite, trial):
    assert study_summary(non_finite, maximize=True).best_value is None
    assert study_summary([*non_finite, trial(2, -4.0)], maximize=True).best_number == 2


def test_pruned_trials_never_count_as_best(pruned_only):
    summary = study_summary(pruned_only, maximize=True)
    assert (summary.n_pruned, summary.n_counted, summary.best_value) == (3, 3, None)


def test_imported_trials_are_counted_apart(trial):
    theirs = {"imported_from": "other"}
    imported = [trial(0, 1.0, attrs=theirs, end_s=1), trial(1, attrs=theirs)]
    own = [trial(2, -1.0, end_s=60), trial(3, reports={1: 5.0})]
    summary = study_summary([*imported, *own], maximize=True)
    assert summary.n_imported == 2
    assert (summary.n_trials, summary.n_complete, summary.n_counted, summary.n_failed) == (2, 1, 2, 0)
    assert (summary.best_value, summary.best_number, summary.best_so_far) == (-1.0, 2, (-1.0,))
    only_theirs = study_summary(imported, maximize=True)
    assert (only_theirs.n_trials, only_theirs.best_value, only_theirs.n_imported) == (0, None, 2)


def test_several_objectives_have_no_best():
    assert study_summary([create_trial(values=[1.0, 2.0])], maximize=True).best_value is None


def test_the_best_of_two_objectives_is_one_that_nothing_beats(trial):
    trials = [
        trial(i, v, attrs={"second": s}) for i, (v, s) in enumerate([(8.0, 3.0), (8.0, 2.0), (7.0, 1.0)])
    ]
    assert study_summary(trials, maximize=True).best_number == 1
    assert history_info(trials, maximize=True).best_number == 1
