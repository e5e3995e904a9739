"""Other ranges for a study, and what changed in words."""

from types import SimpleNamespace

import pytest

from tuning.analysis.verdicts import Verdict
from tuning.spec import SpecError, build_spec
from tuning.widen import child_name, space_changes, suggested_changes, widened_spec

SPACE = [
    {"name": "learning_rate", "kind": "float", "low": 3e-5, "high": 3e-4, "log": True},
    {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999},
    {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 9, "transform": "2^x"},
    {"name": "batch_size", "kind": "categorical", "choices": [64, 128, 256]},
    {
        "name": "activation_fn",
        "kind": "categorical",
        "choices": ["tanh", "relu"],
        "transform": "activation_fn",
    },
]


def spec_of(**changes):
    return build_spec({"name": "pendulum", "env": {"id": "Pendulum-v1"}, "search_space": SPACE, **changes})


def test_new_bounds_and_nothing_else_change():
    spec = spec_of(budget={"n_trials": 7}, seed=3)
    wide = widened_spec(spec, {"learning_rate": (3e-5, 3e-3), "n_steps_pow": (5.0, 12.0)})
    assert (wide.parameter("learning_rate").low, wide.parameter("learning_rate").high) == (3e-5, 3e-3)
    assert wide.parameter("n_steps_pow").distribution().high == 12
    assert wide.parameter("gamma") == spec.parameter("gamma")
    same = {"name", "search_space", "defaults_first", "tuned_first", "first_configurations"}
    assert wide.model_dump(exclude=same) == spec.model_dump(exclude=same)
    assert (wide.name, wide.defaults_first) == ("pendulum-wide", False)
    assert [p.name for p in wide.search_space] == [p.name for p in spec.search_space]


@pytest.mark.parametrize(
    ("choices", "bounds", "wide"),
    [
        ([64, 128, 256], (64, 512.0), (64, 128, 256, 512)),
        ([256, 128, 64], (32.0, 256), (256, 128, 64, 32)),
        ([64, 128, 256], (32, 512), (32, 64, 128, 256, 512)),
        ([64, 128, 256], (128, 512), (128, 256, 512)),
        ([64, 128, 256], (64, 1024), (64, 128, 256, 512, 1024)),
        ([256, 128, 64], (16, 256), (256, 128, 64, 32, 16)),
        ([64, 128, 256], (64, 300), (64, 128, 256, 300)),
    ],
)
def test_a_level_beyond_an_ordered_list_becomes_a_choice(choices, bounds, wide):
    space = [{"name": "batch_size", "kind": "categorical", "choices": choices}]
    p = widened_spec(spec_of(search_space=space), {"batch_size": bounds}).parameter("batch_size")
    assert p.choices == wide
    assert {type(choice) for choice in p.choices} == {int}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gammma": (0, 1)}, "There is no parameter 'gammma' in pendulum. It searches learning_rate, gamma"),
        ({"activation_fn": (0, 1)}, "activation_fn has no bounds: its choices are tanh, relu"),
        ({"gamma": (0.97, 1.2)}, "gamma"),
        ({"learning_rate": (3e-3, 3e-5)}, "`low` of learning_rate must be below `high`"),
        ({"learning_rate": (0.0, 3e-3)}, "must be above 0 on a log scale"),
        ({"n_steps_pow": (5, 10.5)}, "whole numbers"),
        ({"batch_size": (64, 100.5)}, "batch_size"),
    ],
)
def test_ranges_that_cannot_be_are_sentences(changes, said):
    with pytest.raises(SpecError) as caught:
        widened_spec(spec_of(), changes)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "child"),
    [
        ("pendulum", "pendulum-wide"),
        ("pendulum-wide", "pendulum-wide-2"),
        ("pendulum-wide-9", "pendulum-wide-10"),
        ("wide", "wide-wide"),
        ("x" * 64, "x" * 48 + "-wide"),
    ],
)
def test_the_name_says_that_it_is_wider(name, child):
    assert child_name(name) == child
    assert widened_spec(spec_of(name=name), {}).name == child


def test_a_given_name_is_used():
    assert widened_spec(spec_of(), {}, name="mine").name == "mine"


def test_only_edges_with_a_new_range_are_suggested():
    def judged(name, verdict, suggested):
        return SimpleNamespace(name=name, verdict=verdict, suggested=suggested, low=0.0, high=1.0)

    parameters = (
        judged("edge", Verdict.EDGE, (0.0, 2.0)),
        judged("stuck", Verdict.EDGE, (0.0, 1.0)),
        judged("no range", Verdict.EDGE, None),
        judged("too wide", Verdict.TOO_WIDE, (0.4, 0.6)),
        judged("watch", Verdict.WATCH, None),
    )
    assert suggested_changes(SimpleNamespace(parameters=parameters)) == {"edge": (0.0, 2.0)}


def changes_between(before, after):
    return space_changes(spec_of(search_space=before), spec_of(search_space=after))


@pytest.mark.parametrize(
    ("place", "edit", "words", "ranges"),
    [
        (0, {"high": 3e-3}, "learning_rate up to 0.003", ("3e-5 … 3e-4", "3e-5 … 0.003")),
        (0, {"low": 3e-6}, "learning_rate down to 3e-6", ("3e-5 … 3e-4", "3e-6 … 3e-4")),
        (1, {"low": 0.9, "high": 0.99}, "gamma 0.9 … 0.99", ("0.97 … 0.9999", "0.9 … 0.99")),
        (3, {"choices": [64, 128, 256, 512]}, "batch_size also 512", ("64, 128, 256", "64, 128, 256, 512")),
        (3, {"choices": [64, 512]}, "batch_size 64, 512", ("64, 128, 256", "64, 512")),
        (
            0,
            {"log": False},
            "learning_rate 3e-5 … 3e-4, linear scale",
            ("3e-5 … 3e-4, log scale", "3e-5 … 3e-4, linear scale"),
        ),
    ],
)
def test_a_change_in_words(place, edit, words, ranges):
    after = [{**p, **edit} if n == place else p for n, p in enumerate(SPACE)]
    (change,) = changes_between(SPACE, after)
    assert change.words == words
    assert (change.range_before, change.range_after) == ranges


def test_parameters_that_come_and_go_are_changes():
    added, removed = changes_between(SPACE[:2], SPACE[1:3])
    assert (added.words, added.range_before) == ("n_steps_pow searched in 5 … 9", "not searched")
    assert (removed.words, removed.range_after) == ("learning_rate no longer searched", "not searched")
    assert changes_between(SPACE, SPACE) == ()
    assert changes_between(SPACE, SPACE[::-1]) == ()
