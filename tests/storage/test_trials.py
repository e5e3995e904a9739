"""Which trials count, which are ranked, and why others failed."""

from datetime import datetime

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from storage.trials import (
    EVALUATIONS,
    FAILURE,
    IMPORTED_FROM,
    IMPORTED_TRIAL,
    N_REACHED,
    RERUN_OF,
    RUN,
    SECOND,
    SEED_VALUES,
    completed,
    counted,
    failure_kind,
    imported,
    n_reached,
    origin,
    own,
    ranked,
    read_study,
    rerun_of,
    run_record,
    second_objective,
    task_number,
)


def trial(number, state, value=None, **user_attrs):
    frozen = create_trial(state=state, value=value, user_attrs=user_attrs)
    frozen.number = number
    return frozen


def test_no_trials():
    assert counted([]) == completed([]) == ranked([], maximize=True) == []


def test_only_own_complete_and_pruned_trials_count():
    trials = [
        trial(0, TrialState.COMPLETE, 1.0),
        trial(1, TrialState.PRUNED),
        trial(2, TrialState.FAIL),
        trial(3, TrialState.RUNNING),
        trial(4, TrialState.WAITING),
        trial(5, TrialState.COMPLETE, 1.0, **{IMPORTED_FROM: "other"}),
        trial(6, TrialState.PRUNED, **{IMPORTED_FROM: "other"}),
    ]
    assert [t.number for t in counted(trials)] == [0, 1]
    assert [t.number for t in completed(trials)] == [0, 5]


def test_a_pruned_trial_with_a_value_is_no_result():
    assert completed([trial(0, TrialState.PRUNED, 3.0)]) == []


@pytest.mark.parametrize(("maximize", "expected"), [(True, [2, 4, 0, 3, 1]), (False, [1, 2, 4, 0, 3])])
def test_ties_go_to_the_better_second_objective(maximize, expected):
    pairs = [(2.0, 9.0), (1.0, 1.0), (2.0, 5.0), (2.0, None), (2.0, 5.0)]
    trials = [
        trial(i, TrialState.COMPLETE, value, **{SECOND: second}) for i, (value, second) in enumerate(pairs)
    ]
    assert [t.number for t in ranked(reversed(trials), maximize=maximize)] == expected


@pytest.mark.parametrize(("maximize", "expected"), [(True, [4, 1, 3, 0, 2]), (False, [2, 0, 1, 3, 4])])
def test_ranking_has_infinities_at_the_ends_and_breaks_ties_by_number(maximize, expected):
    values = [1.0, 2.0, float("-inf"), 2.0, float("inf")]
    trials = [trial(i, TrialState.COMPLETE, value) for i, value in enumerate(values)]
    assert [t.number for t in ranked(reversed(trials), maximize=maximize)] == expected


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (None, "error"),
        ({"kind": "killed"}, "killed"),
        ({}, "error"),
        ("text", "error"),
        ([], "error"),
        ({"kind": 5}, "5"),
        ({"kind": None}, "None"),
    ],
)
def test_failure_kind_of_a_failed_trial_is_always_text(record, kind):
    attrs = {} if record is None else {FAILURE: record}
    assert failure_kind(trial(0, TrialState.FAIL, **attrs)) == kind


def test_a_trial_that_did_not_fail_has_no_failure():
    assert failure_kind(trial(0, TrialState.PRUNED, **{FAILURE: {"kind": "killed"}})) is None


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_snapshot_has_the_direction_and_all_trials(direction):
    study = optuna.create_study(direction=direction, study_name="s")
    study.add_trial(create_trial(value=1.0))
    study.enqueue_trial({"x": 1})
    data = read_study(study._storage, "s")
    assert (data.name, data.maximize, len(data.trials)) == ("s", direction == "maximize", 2)
    assert isinstance(data.trials[0].datetime_start, datetime)


def test_an_unknown_study_is_a_key_error():
    with pytest.raises(KeyError):
        read_study(optuna.storages.InMemoryStorage(), "absent")


@pytest.mark.parametrize(
    ("record", "number"),
    [
        ({"task": 3}, 3),
        ({"task": "3"}, None),
        ({"task": True}, None),
        ({}, None),
        ("text", None),
        (None, None),
    ],
)
def test_the_task_of_a_trial_whatever_its_record_holds(record, number):
    ran = trial(0, TrialState.RUNNING, **{RUN: record})
    assert task_number(ran) == number
    assert run_record(ran) == (record if isinstance(record, dict) else {})
    assert task_number(trial(0, TrialState.WAITING)) is None


def test_own_trials_and_imported_ones_are_told_apart():
    theirs = trial(0, TrialState.COMPLETE, 1.0, **{IMPORTED_FROM: "parent-1a2b", IMPORTED_TRIAL: 17})
    again = trial(1, TrialState.WAITING, **{RERUN_OF: {"study": "parent-1a2b", "trial": 17}})
    assert (own([theirs, again]), imported([theirs, again])) == ([again], [theirs])
    assert (origin(theirs), origin(again)) == (("parent-1a2b", 17), None)
    assert (rerun_of(theirs), rerun_of(again)) == (None, ("parent-1a2b", 17))


@pytest.mark.parametrize(
    ("study", "number"), [(None, 1), (5, 1), ("a", None), ("a", "1"), ("a", True), ("a", -1), ("a", 1.0)]
)
def test_a_malformed_origin_is_none(study, number):
    assert (
        origin(trial(0, TrialState.COMPLETE, 1.0, **{IMPORTED_FROM: study, IMPORTED_TRIAL: number})) is None
    )
    assert (
        rerun_of(trial(0, TrialState.COMPLETE, 1.0, **{RERUN_OF: {"study": study, "trial": number}})) is None
    )
    assert rerun_of(trial(0, TrialState.COMPLETE, 1.0, **{RERUN_OF: [study, number]})) is None


@pytest.mark.parametrize(
    "record",
    [
        None,
        "text",
        5,
        [1],
        {},
        {"mark": [], "reported": 1.0},
        {"mark": 1.5, "reported": 1.0},
        {"mark": True, "reported": 1.0},
        {"mark": 1, "reported": "1"},
        {"mark": 1, "reported": True},
        {"mark": 1, "reported": float("nan")},
        {"mark": 1, "reported": 10**400},
        {"mark": 1},
    ],
)
def test_a_malformed_report_of_two_objectives_is_left_out(record):
    study = optuna.create_study(directions=["maximize", "minimize"], study_name="s")
    records = [record, {"mark": 2, "reported": 3}]
    study.add_trial(create_trial(values=[1.0, 2.0], user_attrs={EVALUATIONS: records}))
    (shown,) = read_study(study._storage, "s").trials
    assert (shown.value, shown.intermediate_values) == (1.0, {2: 3.0})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2, 2.0), (2.5, 2.5), (True, None), ("2", None), (10**400, None), (float("inf"), None)],
)
def test_a_second_objective_is_a_finite_number_or_none(value, expected):
    assert second_objective(trial(0, TrialState.COMPLETE, 1.0, **{SECOND: value})) == expected


@pytest.mark.parametrize(
    ("reached", "values", "expected"),
    [
        (0, None, (0, 1)),
        (2, [1.0, 2.0, 3.0], (2, 3)),
        (None, [1.0], None),
        (2, None, None),
        (-1, [1.0], None),
        (True, None, None),
        (1, "text", (1, 1)),
    ],
)
def test_how_many_trainings_reached_the_threshold(reached, values, expected):
    ran = trial(0, TrialState.COMPLETE, 1.0, **{N_REACHED: reached, SEED_VALUES: values})
    assert n_reached(ran) == expected
