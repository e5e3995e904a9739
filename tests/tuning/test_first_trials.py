"""What a study tries first: the defaults, what others tuned, what a person wrote, each only where it fits."""

import pytest
from optuna.trial import TrialState

from storage.trials import BASELINE, PROPOSED_BY
from tuning import launch
from tuning.first_trials import BY_HAND, first_trials, known_tuned, unset_words
from tuning.spec import SpecError, build_spec

PENDULUM = {"env": {"id": "Pendulum-v1"}, "search_space": "starter"}
WIDE = [
    {"name": "gamma", "kind": "float", "low": 0.8, "high": 0.999},
    {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 12, "transform": "2^x"},
]


def test_tuned_values_outside_the_space_are_named_and_not_queued():
    queued, left_out = first_trials(build_spec(PENDULUM))
    assert [(first.who, first.is_baseline) for first in queued] == [("SB3 defaults", True)]
    assert left_out[0].words == "RL Zoo for what is searched: gamma 0.9 lies outside 0.97 … 0.9999."
    assert left_out[0].outside[0].parameter.name == "gamma"


def test_tuned_values_are_queued_where_the_space_holds_them(tmp_path):
    by_hand = {"gamma": 0.95}
    spec = build_spec({**PENDULUM, "search_space": WIDE, "first_configurations": [by_hand]})
    folder = launch.create_study(spec, tmp_path)
    trials = launch.read_run(folder).study.trials
    assert [t.state for t in trials] == [TrialState.WAITING] * 3
    assert [t.system_attrs["fixed_params"] for t in trials] == [
        {"gamma": 0.99, "n_steps_pow": 11},
        {"gamma": 0.9, "n_steps_pow": 10},
        by_hand,
    ]
    assert [t.user_attrs for t in trials] == [
        {BASELINE: "SB3 defaults"},
        {PROPOSED_BY: "RL Zoo for what is searched"},
        {PROPOSED_BY: BY_HAND},
    ]


def test_tuned_values_are_whole_once_the_rest_is_fixed():
    spec = build_spec({**PENDULUM, "search_space": WIDE})
    tuned = known_tuned(spec)
    assert unset_words(spec, tuned) == "learning_rate 0.001, use_sde true, sde_sample_freq 4"
    rest = {"learning_rate": 1e-3, "use_sde": True, "sde_sample_freq": 4}
    fixed = build_spec({**PENDULUM, "search_space": WIDE, "hyperparameters": rest})
    assert unset_words(fixed, tuned) == ""
    assert [first.who for first in first_trials(fixed)[0]] == ["SB3 defaults for what is searched", "RL Zoo"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tuned_first": False},
        {"env": {"id": "Pendulum-v1", "kwargs": {"g": 5.0}}},
        {"env": {"id": "Pendulum-v1", "normalize_observations": True}},
        {"env": {"id": "Acrobot-v1"}},  # tuned with normalising
    ],
)
def test_tuned_values_are_for_the_environment_as_it_is(changes):
    queued, left_out = first_trials(build_spec({**PENDULUM, "search_space": WIDE, **changes}))
    assert [first.who for first in queued] == ["SB3 defaults"]
    assert left_out == []


def test_tuned_values_go_with_the_wrappers_they_were_tuned_in():
    env = {"id": "Acrobot-v1", "normalize_observations": True, "normalize_rewards": True}
    queued, _ = first_trials(build_spec({**PENDULUM, "search_space": WIDE, "env": env}))
    assert [(first.who, first.stored) for first in queued][1] == (
        "RL Zoo for what is searched",
        {"gamma": 0.99, "n_steps_pow": 8},
    )


def test_tuned_values_that_are_the_defaults_run_once():
    space = [{"name": "ent_coef", "kind": "float", "low": 0, "high": 0.1}]
    spec = build_spec({"env": {"id": "CartPole-v1"}, "algorithm": "A2C", "search_space": space})
    assert [first.who for first in first_trials(spec)[0]] == ["SB3 defaults"]


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"gamma": 0.9}, "gamma 0.9 lies outside 0.97 … 0.9999. Widen its range, or move the value inside."),
        ({"n_steps_pow": 5.5}, "n_steps_pow 5.5 is not on its grid: it must be whole. Round it."),
        ({"activation_fn": "elu"}, "activation_fn 'elu' is none of its choices tanh, relu."),
        ({"gamma": True}, "gamma must be a number: received True."),
        ({"nope": 1}, "sets 'nope', which is not searched."),
        ({}, "sets nothing."),
    ],
)
def test_a_configuration_outside_the_space_is_refused(configuration, said):
    with pytest.raises(SpecError) as error:
        build_spec({**PENDULUM, "first_configurations": [{"gamma": 0.98}, configuration]})
    assert len(error.value.faults) == 1
    assert error.value.faults[0].startswith("`first_configurations`, number 2")
    assert said in error.value.faults[0]
