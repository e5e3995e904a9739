"""How many trials a study comes to that tries each combination once."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from tuning.combinations import n_combinations, planned_trials, trials_in_all
from tuning.method_checks import sampler_advice
from tuning.spec import build_spec

GAMMA = {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.999}
CLIP = {"name": "clip_range", "kind": "categorical", "choices": [0.1, 0.2]}


def spec_of(n_trials=60, sampler="grid", **over):
    return build_spec(
        {
            "env": {"id": "CartPole-v1"},
            "search_space": [GAMMA, CLIP],
            "sampler": {"name": sampler, "grid_levels": 3},
            "budget": {"n_trials": n_trials},
            "tuned_first": False,
            **over,
        }
    )


@pytest.mark.parametrize(
    ("over", "n"),
    [
        ({"defaults_first": False}, 6),
        ({}, 7),  # gamma is 0.99 by default, which lies between two points
        ({"defaults_first": False, "first_configurations": [{"gamma": 0.9, "clip_range": 0.1}]}, 6),
    ],
)
def test_what_comes_first_takes_a_trial_of_its_own_beside_the_grid(over, n):
    assert n_combinations(spec_of(**over)) == planned_trials(spec_of(**over)) == n
    assert planned_trials(spec_of(5, **over)) == 5
    assert planned_trials(spec_of(sampler="tpe", **over)) == 60
    assert list(sampler_advice(spec_of(n, **over))) == []
    (advice,) = sampler_advice(spec_of(n - 1, **over))
    assert f"Run {n} trials" in advice.text


def ended(state=TrialState.COMPLETE, *, gamma, clip):
    distributions = {"gamma": optuna.distributions.FloatDistribution(0.9, 0.999)}
    distributions["clip_range"] = optuna.distributions.CategoricalDistribution([0.1, 0.2])
    value = 1.0 if state == TrialState.COMPLETE else None
    params = {"gamma": gamma, "clip_range": clip}
    return create_trial(state=state, value=value, params=params, distributions=distributions)


def test_a_study_that_has_begun_comes_to_what_is_done_runs_and_is_left():
    spec = spec_of(defaults_first=False)
    trials = [
        ended(gamma=0.9, clip=0.1),
        ended(TrialState.RUNNING, gamma=0.9, clip=0.2),
        ended(TrialState.FAIL, gamma=0.999, clip=0.1),
    ]
    for number, trial in enumerate(trials):
        trial.number = number
    assert trials_in_all(spec, []) == 6
    assert trials_in_all(spec, trials) == 5  # the failed one is not tried again
    assert trials_in_all(spec_of(4, defaults_first=False), trials) == 4
    assert trials_in_all(spec_of(sampler="random"), trials) == 60
