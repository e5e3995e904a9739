"""Advice for ARS: what would waste its envs, and what leaves it a single update."""

from tuning.checks import warnings
from tuning.population_checks import population_advice
from tuning.spec import build_spec


def advice(**over):
    data = {"env": {"id": "CartPole-v1"}, "algorithm": "ARS", "search_space": "starter"}
    return [(a.field, a.text) for a in population_advice(build_spec({**data, **over}))]


def test_the_starter_as_launch_fills_it_in_gets_none():
    assert advice() == []
    assert advice(env={"id": "Pendulum-v1"}) == []


def test_envs_that_no_candidate_needs():
    ((field, text),) = advice(n_train_envs=4)
    assert field == "n_train_envs"
    assert "1 episode each, so only 1 of 4 envs counts" in text
    assert text.endswith("Set n_train_envs to 1.")
    assert (
        advice(n_train_envs=4, hyperparameters={"n_eval_episodes": 4}, budget={"n_timesteps": 200_000}) == []
    )


def test_an_iteration_that_may_be_longer_than_a_trial():
    ((field, text),) = advice(budget={"n_timesteps": 20_000})
    assert field == "budget.n_timesteps"
    assert "With n_delta 32 an iteration plays 64 episodes of up to 500 steps" in text
    short = {"id": "CartPole-v1", "kwargs": {"max_episode_steps": 50}}
    assert advice(budget={"n_timesteps": 20_000}, env=short) == []
    assert advice(budget={"n_timesteps": 20_000}, env={"id": "Nobody/Knows-v0"}) == []


def test_rewards_that_nobody_learns_from_and_a_clock_that_is_seldom_looked_at():
    normalised = {"id": "CartPole-v1", "normalize_observations": True, "normalize_rewards": True}
    ((field, text),) = advice(env=normalised)
    assert field == "env.normalize_rewards"
    assert text.endswith("normalising rewards changes nothing. Turn it off.")
    assert advice(env={**normalised, "normalize_rewards": False}) == []
    ((field, text),) = advice(budget={"trial_seconds": 90})
    assert field == "budget.trial_seconds"
    assert "one plays 64 episodes with n_delta 32: a training may take longer than 1 min 30 s." in text


def test_it_is_among_the_warnings_and_for_ars_alone():
    spec = build_spec(
        {"env": {"id": "CartPole-v1"}, "algorithm": "ARS", "search_space": "starter", "n_train_envs": 4}
    )
    assert "n_train_envs" in [a.field for a in warnings(spec, n_cores=8)]
    ppo = build_spec({"env": {"id": "CartPole-v1"}, "search_space": "starter", "n_train_envs": 4})
    assert list(population_advice(ppo)) == []
