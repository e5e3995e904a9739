"""Trade-offs: which trials nothing beats in both objectives."""

import itertools

import pytest
from optuna.trial import TrialState, create_trial

from storage.trials import N_REACHED, SECOND, SEED_VALUES
from tuning.analysis.pareto import missed_words, not_ready, pareto_figure, pareto_info, pareto_title


def trials_of(*pairs):
    trials = []
    for number, (value, second) in enumerate(pairs):
        trial = create_trial(value=value, user_attrs={} if second is None else {SECOND: second})
        trial.number = number
        trials.append(trial)
    return trials


def is_beaten(one, others, *, maximize):
    sign = -1 if maximize else 1
    a = (sign * one[0], one[1])
    return any(
        all(x <= y for x, y in zip(b, a, strict=True)) and b != a
        for b in ((sign * value, second) for value, second in others)
    )


@pytest.mark.parametrize("maximize", [True, False])
def test_the_front_is_what_nothing_beats_in_both(maximize):
    pairs = [*itertools.product((1.0, 2.0, 3.0), (5.0, 6.0)), (9.0, 9.0), (0.0, 1.0), (3.0, 5.0)]
    info = pareto_info(trials_of(*pairs), maximize=maximize, second="training_time")
    expected = {n for n, pair in enumerate(pairs) if not is_beaten(pair, pairs, maximize=maximize)}
    assert {t.trial for t in info.front} == expected
    assert len(info.trials) == len(pairs)


def test_equal_trials_are_both_optimal():
    info = pareto_info(trials_of((1.0, 1.0), (1.0, 1.0)), maximize=True, second="training_time")
    assert [t.is_optimal for t in info.trials] == [True, True]


def test_trials_without_both_objectives_are_left_out():
    trials = trials_of((1.0, None), (2.0, 3.0), (float("inf"), 1.0))
    trials.append(create_trial(state=TrialState.PRUNED, user_attrs={SECOND: 1.0}))
    info = pareto_info(trials, maximize=True, second="training_time")
    assert [t.trial for t in info.trials] == [1]


def test_without_a_complete_trial_there_is_nothing_to_see():
    assert "No trial is complete yet" in not_ready([])
    assert "No trial is complete yet" in not_ready(trials_of((1.0, None)))
    assert not_ready(trials_of((1.0, 2.0))) is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_mark_carries_its_trial(theme):
    info = pareto_info(trials_of((1.0, 1.0), (2.0, 2.0), (0.5, 3.0)), maximize=True, second="training_time")
    figure = pareto_figure(info, theme=theme)
    numbers = sorted(n for trace in figure.data if trace.customdata is not None for n in trace.customdata)
    assert numbers == [0, 1, 2]
    assert pareto_title(info) == "2 trials that nothing beats in both"
    assert figure.layout.xaxis.title.text == "training time, s"
    empty = pareto_info([], maximize=True, second="training_time")
    assert "Trade-offs" in pareto_figure(empty, theme=theme).layout.title.text


def test_a_trial_that_never_reached_the_threshold_is_not_said_to_have():
    trials = trials_of((9.0, 800.0), (5.0, 300.0), (1.0, 900.0), (8.0, 500.0))
    attrs = [{N_REACHED: 1, SEED_VALUES: [1.0, 2.0, 3.0]}, {N_REACHED: 1}, {N_REACHED: 0}, {}]
    for trial, more in zip(trials, attrs, strict=True):
        trial.user_attrs |= more
    info = pareto_info(trials, maximize=True, second="steps_to_threshold")
    assert [(t.trial, missed_words(t)) for t in info.trials] == [
        (1, ""), (3, ""), (0, "not reached in 2 of 3"), (2, "not reached"),
    ]  # fmt: skip
    drawn = {
        (trace.marker.symbol, number, text)
        for trace in pareto_figure(info).data
        if trace.mode == "markers"
        for number, text in zip(trace.customdata, trace.hovertext, strict=True)
    }
    assert {(symbol, number) for symbol, number, _ in drawn} == {
        ("star", 1), ("star", 3), ("star-open", 0), ("circle-open", 2),
    }  # fmt: skip
    assert [text for _, number, text in drawn if number == 2] == [
        "trial 2: 1, threshold not reached, which counts as twice the steps: 900"
    ]
