"""Advice on samplers, pruners and objectives that are valid but will probably disappoint."""

import pytest

from tuning.checks import warnings
from tuning.spec import build_spec

SPACE = [
    {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.99},
    {"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-3, "log": True},
]


def advice(field, **parts):
    base = {
        "env": {"id": "CartPole-v1"},
        "search_space": SPACE,
        "budget": {"n_timesteps": 10_000, "n_evaluations": 10},
        "hyperparameters": {"n_steps": 64},
    }
    spec = build_spec(base | {k: {**base.get(k, {}), **part} for k, part in parts.items()})
    return [a.text for a in warnings(spec, n_cores=2) if a.field == field]


def test_a_usual_request_needs_no_advice():
    for field in ("sampler.name", "sampler.n_startup_trials", "pruner.name", "pruner.warmup_fraction"):
        assert advice(field) == []


@pytest.mark.parametrize("name", ["auto", "gp", "cmaes", "tpe"])
def test_a_sampler_that_never_models_anything(name):
    said = advice("sampler.n_startup_trials", sampler={"name": name, "n_startup_trials": 60})
    assert len(said) == 1
    assert "never models anything" in said[0]


@pytest.mark.parametrize(
    ("field", "parts", "said"),
    [
        (
            "sampler.n_startup_trials",
            {
                "sampler": {"name": "nsga2", "n_startup_trials": 50},
                "objective": {"second": "training_time"},
                "pruner": {"name": "none"},
            },
            "60 trials in generations of 50 are 2 generations",
        ),
        ("sampler.name", {"sampler": {"name": "cmaes"}, "budget": {"n_trials": 30}}, "30 are too few"),
        ("sampler.name", {"sampler": {"name": "grid", "grid_levels": 10}}, "There are 100 combinations"),
        ("pruner.warmup_fraction", {"pruner": {"warmup_fraction": 0}}, "who starts fast may end slow"),
        (
            "pruner.warmup_fraction",
            {"pruner": {"name": "successive_halving", "warmup_fraction": 0.1}},
            "Trials can end after 10%",
        ),
        ("pruner.warmup_fraction", {"pruner": {"warmup_fraction": 1}}, "nothing is pruned"),
        ("pruner.patience", {"pruner": {"name": "patient", "patience": 9}}, "nothing is pruned"),
        (
            "pruner.name",
            {"pruner": {"name": "hyperband"}, "budget": {"n_evaluations": 2}},
            "no room for a second rung",
        ),
        (
            "pruner.reduction_factor",
            {"pruner": {"name": "successive_halving", "reduction_factor": 30}},
            "few of 60 trials train to their end",
        ),
        ("pruner.n_startup_trials", {"pruner": {"n_startup_trials": 60}}, "nothing is pruned"),
        ("budget.trial_seconds", {"budget": {"trial_seconds": 10}}, "a seed no longer repeats"),
        (
            "objective.second",
            {"objective": {"second": "training_time"}, "pruner": {"name": "none"}},
            "a seed does not repeat it",
        ),
        ("objective.last_k", {"objective": {"last_k": 6}}, "reach back into the first half"),
        (
            "budget.n_evaluations",
            {
                "objective": {"second": "steps_to_threshold", "threshold": 1},
                "pruner": {"name": "none"},
                "budget": {"n_evaluations": 3},
            },
            "tell them only roughly",
        ),
    ],
)
def test_what_will_disappoint_is_said_once_with_the_remedy(field, parts, said):
    found = [text for text in advice(field, **parts) if said in text]
    assert len(found) == 1
