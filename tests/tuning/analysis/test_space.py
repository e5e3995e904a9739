import math

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tuning.analysis.space import CATEGORICAL, FLOAT, INT, DeclaredAxis, declared_space


def axis_of(trial, *pairs):
    """Return the axis of p, declared by each trial as (distribution, value)."""
    trials = [trial(i, 0.0, params={"p": v}, space={"p": d}) for i, (d, v) in enumerate(pairs)]
    return declared_space(trials)["p"]


def test_no_trials_declare_nothing():
    assert declared_space([]) == {}


def test_a_logarithmic_axis(trial):
    axis = axis_of(trial, (FloatDistribution(1e-5, 1e-2, log=True), 1e-3))
    assert axis == DeclaredAxis("p", FLOAT, 1e-5, 1e-2, log=True)
    assert (axis.start, axis.end) == (-5.0, -2.0)
    assert axis.position(1e-3) == pytest.approx(-3)
    assert axis.share(-3.5) == 0.5
    assert axis.position(0.0) is None
    assert axis.label() == "p (log)"


def test_bounds_that_differ_are_united(trial):
    axis = axis_of(trial, (FloatDistribution(0, 1), 0.5), (FloatDistribution(-1, 0.5), 0.0))
    assert (axis.low, axis.high, axis.changed) == (-1.0, 1.0, True)


def test_a_logarithmic_trial_among_plain_ones_needs_bounds_above_zero(trial):
    log = (FloatDistribution(0.1, 1, log=True), 0.5)
    assert axis_of(trial, log, (FloatDistribution(0.01, 1), 0.5)).log
    assert not axis_of(trial, log, (FloatDistribution(0, 1), 0.5)).log


def test_integers_with_a_step(trial):
    axis = axis_of(trial, (IntDistribution(0, 100, step=25), 50))
    assert axis == DeclaredAxis("p", INT, 0.0, 100.0, step=25)
    assert axis_of(trial, (IntDistribution(0, 4), 1), (FloatDistribution(0, 1), 1.0)).kind == FLOAT


def test_choices_of_any_json_type_stay_apart(trial):
    choices = [None, True, 1, "1", 1.0, "tanh"]
    axis = axis_of(trial, (CategoricalDistribution(choices), "1"))
    assert [axis.position(c) for c in choices] == [0, 1, 2, 3, 4, 5]
    assert axis.choices == ("None", "True", "1", "'1'", "1.0", "tanh")
    assert axis.position("unknown") is None
    assert (axis.start, axis.end) == (-0.5, 5.5)


def test_a_parameter_that_is_categorical_once_is_categorical(trial):
    axis = axis_of(
        trial,
        (CategoricalDistribution(["a", "b"]), "b"),
        (FloatDistribution(0, 1), 0.25),
        (CategoricalDistribution(["b", "c"]), "c"),
    )
    assert (axis.kind, axis.choices, axis.changed) == (CATEGORICAL, ("a", "b", "c", "0.25"), True)


def test_infinite_bounds_give_way_to_the_values_seen(trial):
    axis = axis_of(trial, (FloatDistribution(0, math.inf), 3.0), (FloatDistribution(0, math.inf), 8.0))
    assert (axis.low, axis.high) == (0.0, 8.0)


def test_a_parameter_that_cannot_vary_lies_in_the_middle(trial):
    axis = axis_of(trial, (FloatDistribution(2, 2), 2.0))
    assert axis.share(2.0) == 0.5
    assert axis.ticks() == ((2.0,), ("2",))


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        (FloatDistribution(1e-5, 1e-2, log=True), ("1e-5", "1e-4", "0.001", "0.01")),
        (FloatDistribution(0, 1), ("0", "0.25", "0.5", "0.75", "1")),
        (IntDistribution(5, 12), ("5", "8", "10", "12")),
        (FloatDistribution(0.97, 0.9999), ("0.97", "0.98", "0.99", "0.9999")),
    ],
)
def test_ticks_hold_both_bounds_and_round_values_between(trial, distribution, words):
    axis = axis_of(trial, (distribution, distribution.low))
    positions, ticks = axis.ticks()
    assert ticks == words
    assert (positions[0], positions[-1]) == (axis.start, axis.end)


def test_many_choices_show_some_ticks(trial):
    axis = axis_of(trial, (CategoricalDistribution([f"choice {i}" for i in range(40)]), "choice 3"))
    assert 3 <= len(axis.ticks()[0]) <= 8


def test_hostile_names_are_shown_as_text(trial):
    trials = [trial(0, 0.0, params={"<b>": "<i>"}, space={"<b>": CategoricalDistribution(["<i>"])})]
    axis = declared_space(trials)["<b>"]
    assert (axis.name, axis.label(), axis.words("<i>")) == ("<b>", "&lt;b&gt;", "&lt;i&gt;")
