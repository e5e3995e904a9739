import pytest
from optuna.trial import TrialState, create_trial

from tuning.analysis.outcomes import (
    Evaluation,
    error_line,
    finite_ranked,
    last_report,
    nothing_complete,
    number,
    reached,
    read_evaluations,
    state_word,
    value_of,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [(1, 1.0), (-0.5, -0.5), (True, None), ("1", None), (None, None), (float("nan"), None), (10**400, None)],
)
def test_number_takes_only_finite_numbers(value, read):
    assert number(value) == read


def test_a_pruned_trial_reaches_its_last_finite_report_and_has_no_value(trial):
    pruned = trial(0, reports={2: -3.0, 1: -9.0, 3: float("nan")})
    assert value_of(pruned) is None
    assert last_report(pruned) == (2, -3.0)
    assert reached(pruned) == -3.0


def test_a_trial_with_several_objectives_has_no_value():
    assert value_of(create_trial(values=[1.0, 2.0])) is None
    assert finite_ranked([create_trial(values=[1.0, 2.0])], maximize=True) == []


@pytest.mark.parametrize(("maximize", "order"), [(True, [2, 1, 3, 0]), (False, [0, 1, 3, 2])])
def test_ranking_leaves_out_values_that_are_not_finite(trial, maximize, order):
    values = [-3.0, -2.0, -1.0, -2.0, float("inf"), float("-inf")]
    ranked = finite_ranked([trial(i, v) for i, v in enumerate(values)], maximize=maximize)
    assert [t.number for t in ranked] == order


def test_evaluations_are_read_from_whatever_is_there():
    records = [
        {"timesteps": 200, "mean": -3, "std": 1.5, "n_episodes": 5, "mark": 1},
        {"timesteps": 100, "mean": -4, "std": -1, "n_episodes": None},
        {"timesteps": 300, "mean": float("nan")},
        {"mean": 1},
        "text",
    ]
    assert read_evaluations(records) == (
        Evaluation(100, -4.0, None, None),
        Evaluation(200, -3.0, 1.5, 5),
    )
    assert read_evaluations("text") == read_evaluations(None) == read_evaluations({}) == ()


@pytest.mark.parametrize(
    ("state", "attrs", "word"),
    [
        (TrialState.PRUNED, {}, "pruned"),
        (TrialState.PRUNED, {"diverged": "NaN"}, "diverged"),
        (TrialState.FAIL, {}, "failed"),
        (TrialState.FAIL, {"failure": {"kind": "error"}}, "failed"),
        (TrialState.FAIL, {"failure": {"kind": "killed"}}, "killed"),
        (TrialState.FAIL, {"failure": {"kind": "stopped"}}, "stopped"),
        (TrialState.FAIL, {"failure": {"kind": "interrupted"}}, "interrupted"),
        (TrialState.FAIL, {"failure": {"kind": "<b>"}}, "failed"),
        (TrialState.FAIL, {"failure": "text"}, "failed"),
        (TrialState.RUNNING, {}, "running"),
        (TrialState.WAITING, {}, "waiting"),
    ],
)
def test_state_words(trial, state, attrs, word):
    assert state_word(trial(0, state=state, attrs=attrs)) == word


def test_a_trial_left_running_was_interrupted(trial):
    assert state_word(trial(0, state=TrialState.RUNNING), is_running=False) == "interrupted"


def test_the_first_line_of_an_error(trial):
    assert error_line(trial(0, attrs={"failure": {"message": "\nboom\nmore"}})) == "boom"
    assert (
        error_line(trial(0, reports={1: 1.0}, attrs={"diverged": "NaN in the weights"}))
        == "NaN in the weights"
    )
    assert error_line(trial(0, 1.0)) == error_line(trial(0, attrs={"failure": [1]})) == ""


def test_sentences_say_what_is_missing_and_what_to_do(trial, failed_only, pruned_only, non_finite):
    assert nothing_complete([trial(0, 1.0)]) is None
    assert "Launch page" in nothing_complete([])
    assert "All 3 trials failed" in nothing_complete(failed_only)
    assert "3 trials pruned" in nothing_complete(pruned_only)
    assert "finite value" in nothing_complete(non_finite)
    assert "1 trial running" in nothing_complete([trial(0, state=TrialState.RUNNING)])
    assert "several objectives" in nothing_complete([create_trial(values=[1.0, 2.0])])
    assert nothing_complete([trial(0, 1.0)], needed=4) == (
        "This view needs 4 complete trials and the study has 1. Run more trials."
    )
