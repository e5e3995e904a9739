"""What a budget check asks and trains."""

import pytest

from tuning.budget_check import FACTORS, N_SEEDS, NoBudgetCheck, budget_check, plan_check
from tuning.retraining_plan import seed_pairs
from tuning.spec import build_spec


def spec(**over):
    return build_spec(
        {
            "env": {"id": "CartPole-v1"},
            "algorithm": "A2C",
            "hyperparameters": {"gamma": 0.9},
            "search_space": [{"name": "ent_coef", "kind": "float", "low": 0.0, "high": 0.1}],
            "n_train_envs": 2,
            **over,
            "budget": {"n_timesteps": 1000, "n_eval_episodes": 3, **over.get("budget", {})},
        }
    )


@pytest.mark.parametrize(
    "over",
    [
        {"seed": 7, "n_workers": 1, "trainer": "sb3", "n_eval_envs": 1, "name": "other"},
        {"hyperparameters": {}, "pruner": {"name": "none"}, "sampler": {"name": "random"}},
        {"tuned_first": False, "defaults_first": False, "budget": {"n_trials": 3, "n_evaluations": 1}},
        {"env": {"id": "CartPole-v1", "frame_stack": 1, "kwargs": {}}},
    ],
)
def test_what_only_tuning_has_does_not_change_the_question(over):
    assert budget_check(spec(**over)).digest == budget_check(spec()).digest


@pytest.mark.parametrize(
    "over",
    [
        {"env": {"id": "CartPole-v0"}},
        {"env": {"id": "CartPole-v1", "kwargs": {"sutton_barto_reward": True}}},
        {"env": {"id": "CartPole-v1", "normalize_observations": True}},
        {"algorithm": "PPO"},
        {"n_train_envs": 3},
        {"maximize": False},
        {"budget": {"n_timesteps": 1001}},
        {"budget": {"n_eval_episodes": 4}},
    ],
)
def test_whatever_changes_what_the_defaults_reach_is_another_question(over):
    assert budget_check(spec(**over)).digest != budget_check(spec()).digest


def test_the_digest_is_the_same_in_each_process():
    assert budget_check(spec()).digest == "f65a3fcee842c55d"


def test_the_defaults_are_trained_for_1_2_and_4_times_the_steps_with_the_same_seeds():
    planned = plan_check(spec(n_workers=20))
    plan = planned.plan
    assert [run.key for run in plan.runs] == planned.question.run_keys
    assert [plan.steps_of(run) for run in plan.runs] == [4000, 2000, 1000] * N_SEEDS
    assert {run.resolved.get("gamma") for run in plan.runs} == {None}, (
        "what the request fixes is a choice too"
    )
    assert len(plan.runs) == plan.n_workers == len(FACTORS) * N_SEEDS
    assert len(seed_pairs(plan)) == N_SEEDS
    assert "9 runs, 21 000 steps in all" in planned.words.replace("\u202f", " ")
    assert "They are SB3's own also for the 1 value that the request fixes." in planned.words


@pytest.mark.parametrize(("asked", "once"), [(600, 2048), (1000, 2048), (2048, 2048), (20_000, 20_480)])
def test_budgets_are_rounded_up_to_whole_rollouts_before_they_are_multiplied(asked, once):
    planned = plan_check(spec(algorithm="PPO", n_train_envs=1, budget={"n_timesteps": asked}))
    plan, words = planned.plan, planned.words.replace("\u202f", " ").replace(" ", "")
    assert [plan.steps_of(run) for run in plan.runs] == [4 * once, 2 * once, once] * N_SEEDS
    assert planned.question.once == once
    assert f"{21 * once}stepsinall" in words
    assert ("roundeduptowholerollouts" in words) == (asked != once)


def test_two_draws_share_no_seed():
    planned = plan_check(spec())
    first, second = (set(seed_pairs(planned.with_draw(draw).plan)) for draw in (0, 1))
    assert len(first) == len(second) == N_SEEDS
    assert not first & second


def test_a_rollout_longer_than_a_trial_is_said():
    words = plan_check(spec(algorithm="PPO", n_train_envs=8, budget={"n_timesteps": 2000})).words
    assert "SB3 defaults: one rollout takes" in words


def test_it_takes_longer_with_more_steps_and_shorter_with_more_workers():
    low, high = plan_check(spec(n_workers=1)).seconds
    assert 0 < low < high
    assert plan_check(spec(n_workers=1, budget={"n_timesteps": 100_000})).seconds[0] > low
    assert plan_check(spec(n_workers=3, budget={"n_timesteps": 100_000})).seconds < (
        plan_check(spec(n_workers=1, budget={"n_timesteps": 100_000})).seconds
    )


def test_only_where_more_is_better_a_return_counts_as_solved():
    assert plan_check(spec()).question.reward_threshold == 475.0
    assert plan_check(spec(maximize=False)).question.reward_threshold is None
    assert plan_check(spec()).question.digest == budget_check(spec()).digest


def test_trials_that_end_by_the_clock_have_no_steps_to_double():
    with pytest.raises(NoBudgetCheck, match="ends by the clock"):
        plan_check(spec(budget={"trial_seconds": 30}))
