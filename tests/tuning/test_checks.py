"""What a person is told before launching a study that will disappoint."""

from pathlib import Path

import pytest

from tuning import checks
from tuning.analysis.words import THIN
from tuning.spec import build_spec, load_spec

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def advice(n_cores=2, **fields):
    """Return {field: text} for a request that is sound but for `fields`."""
    sound = {
        "env": {"id": "Pendulum-v1"},
        "hyperparameters": {"n_steps": 256},
        "search_space": "learning-rate-only",
    }
    budget = fields.pop("budget", {})
    spec = build_spec({**sound, "budget": {"n_trials": 60, **budget}, **fields})
    found = checks.warnings(spec, n_cores=n_cores)
    assert len({a.field for a in found}) == len(found)
    return {a.field: a.text.replace(THIN, " ") for a in found}


def test_a_sound_request_gets_no_advice():
    assert advice() == {}


def test_the_storys_example_is_told_about_its_longest_rollout_only():
    found = checks.warnings(load_spec(EXAMPLES / "pendulum.yaml"), n_cores=2)
    assert [a.field for a in found] == ["search_space.n_steps_pow"]
    assert (
        found[0]
        .text.replace(THIN, " ")
        .startswith(
            "With n_steps 4 096 and 5 envs one rollout is 20 480 steps: the first evaluation, due after "
            "20 000, comes after a single update."
        )
    )


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"n_workers": 4}, "n_workers", "4 workers share 2 cores"),
        (
            {
                "n_workers": 2,
                "budget": {"n_trials": 1},
                "pruner": {"name": "none"},
                "sampler": {"name": "random"},
            },
            "n_workers",
            "2 workers for 1 trial",
        ),
        ({"sampler": {"n_startup_trials": 60}}, "sampler.n_startup_trials", "never models"),
        ({"pruner": {"n_startup_trials": 60}}, "pruner.n_startup_trials", "nothing is pruned"),
        ({"budget": {"n_evaluations": 1}}, "pruner.name", "nothing is pruned"),
        ({"pruner": {"warmup_fraction": 0.6}}, "pruner.warmup_fraction", "first 60%"),
        ({"budget": {"n_eval_episodes": 1}}, "budget.n_eval_episodes", "mean of 1 episode "),
        (
            {"hyperparameters": {"n_steps": 256, "batch_size": 512}},
            "hyperparameters.batch_size",
            "capped at 256",
        ),
        ({"hyperparameters": {"n_steps": 30_000}}, "hyperparameters.n_steps", "is 30 000 steps"),
        ({"budget": {"n_timesteps": 200, "n_evaluations": 2}}, "budget.n_timesteps", "of a whole trial"),
        ({"budget": {"n_trials": 9}}, "budget.n_trials", "about 9 each"),
        (
            {"hyperparameters": {}, "n_train_envs": 16},
            "budget.n_evaluations",
            "n_steps (now the default, 2 048)",
        ),
    ],
)
def test_each_fault_is_named_at_its_field(fields, field, text):
    found = advice(**fields)
    assert text in found[field]
    assert all(sentence.endswith(".") for sentence in found.values())


def test_pruner_none_and_random_sampler_need_no_start():
    sampler, pruner = {"name": "random", "n_startup_trials": 99}, {"name": "none", "n_startup_trials": 99}
    assert advice(sampler=sampler, pruner=pruner, budget={"n_evaluations": 1}) == {}


@pytest.mark.parametrize(
    ("low", "high", "log", "told"),
    [(1e-5, 1e-2, False, True), (1e-3, 1e-2, False, False), (1e-5, 1e-2, True, False)],
)
def test_learning_rate_over_decades_wants_a_log_scale(low, high, log, told):
    found = advice(
        search_space=[{"name": "learning_rate", "kind": "float", "low": low, "high": high, "log": log}]
    )
    assert ("search_space.learning_rate" in found) is told


@pytest.mark.parametrize("trainer", ["auto", "sb3"])
def test_trials_that_the_fast_kernels_leave_to_sb3_are_told_of(trainer):
    found = advice(hyperparameters={"n_steps": 256, "use_sde": True}, trainer=trainer)
    assert found == ({} if trainer == "sb3" else {"trainer": found["trainer"]})
    assert trainer == "sb3" or "do not cover gSDE" in found["trainer"]


def test_rl_zoos_wide_space():
    found = advice(hyperparameters={}, search_space="rl-zoo", budget={"n_trials": 60})
    assert set(found) == {"search_space.batch_size_pow", "budget.n_trials"}
    assert "11 parameters is about 5 each" in found["budget.n_trials"]
    assert "Plan 110 trials" in found["budget.n_trials"]
    assert "1 024" in found["search_space.batch_size_pow"]


def test_choices_count_as_a_range():
    space = [{"name": "n_steps", "kind": "categorical", "choices": [64, 32_768]}]
    found = advice(hyperparameters={}, search_space=space)
    assert "32 768" in found["search_space.n_steps"]
