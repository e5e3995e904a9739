"""A request's sampler, pruner and objective in words: of each there is, with what decides how it works."""

import pytest

from tuning import pruner_choice, sampler_choice
from tuning.method_words import objective_words, pruner_words, sampler_words
from tuning.spec import build_spec

SPACE = [{"name": "n_steps", "kind": "int", "low": 32, "high": 64, "step": 32}]


def spec_of(**parts):
    return build_spec({"env": {"id": "CartPole-v1"}, "search_space": SPACE, **parts})


@pytest.mark.parametrize("name", sampler_choice.LABELS)
def test_every_sampler_has_words(name):
    two = {"objective": {"second": "training_time"}, "pruner": {"name": "none"}} if name == "nsga2" else {}
    said = sampler_words(spec_of(sampler={"name": name, "random_share": 0.25}, **two))
    assert said.startswith(sampler_choice.LABELS[name])
    assert ("25 % at random" in said) is (name not in sampler_choice.WITHOUT_MODEL)


@pytest.mark.parametrize("name", pruner_choice.LABELS)
def test_every_pruner_has_words(name):
    said = pruner_words(spec_of(pruner={"name": name, "threshold": -5.0}, objective={"n_seeds": 6}))
    assert said == "none" if name == "none" else said.startswith(pruner_choice.LABELS[name])
    assert ("after 10 complete trials" in said) is (name in pruner_choice.WITH_STARTUP)
    assert ("the first 33 % of" in said) is (name in pruner_choice.WITH_WARMUP)


def test_what_makes_a_trial_good():
    assert objective_words(spec_of()) == "mean return of the last evaluation"
    objective = {"last_k": 2, "n_seeds": 3, "second": "steps_to_threshold", "threshold": 475}
    assert objective_words(spec_of(objective=objective, pruner={"name": "none"})) == (
        "mean return of the last 2 evaluations, averaged over 3 trainings; "
        "against the env steps to a mean return of 475"
    )
