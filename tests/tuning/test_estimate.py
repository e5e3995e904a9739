"""The rough guess at a study's duration."""

from pathlib import Path

import pytest

from tuning import estimate
from tuning.algorithms import algorithm, algorithm_names
from tuning.estimate import study_seconds
from tuning.spec import build_spec, load_spec

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def seconds(n_cores=2, episode_steps=200, **fields):
    base = {"env": {"id": "Pendulum-v1"}, "search_space": "starter", "n_train_envs": 5}
    return study_seconds(build_spec({**base, **fields}), n_cores=n_cores, episode_steps=episode_steps)


def test_the_story_takes_a_minute_or_two():
    """About 3 s a trial were measured on a two-core machine."""
    story = study_seconds(load_spec(EXAMPLES / "pendulum.yaml"), episode_steps=200, n_cores=2)
    assert 1.5 < story.seconds_per_trial < 5
    assert 30 < story.low_s < 90 < story.high_s < 300


def test_the_story_took_minutes_with_sb3s_own_code():
    """About 15 s a trial were measured on an idle two-core machine."""
    spec = load_spec(EXAMPLES / "pendulum.yaml").model_copy(update={"trainer": "sb3"})
    story = study_seconds(spec, episode_steps=200, n_cores=2)
    assert 10 < story.seconds_per_trial < 25
    assert 180 < story.low_s < 480 < story.high_s < 1500


@pytest.mark.parametrize(
    "fixed", [{"use_sde": True}, {"policy_kwargs.activation_fn": "elu"}], ids=["gSDE", "elu"]
)
def test_what_the_fast_kernels_do_not_cover_takes_as_long_as_with_sb3(fixed):
    over = {"search_space": "learning-rate-only", "hyperparameters": fixed}
    assert seconds(**over) == seconds(**over, trainer="sb3")


def test_a_searched_fallback_counts_by_its_share():
    rate = {"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-3}
    choice = {"name": "use_sde", "kind": "categorical", "choices": [True, False]}
    fast, mixed, slow = (
        seconds(search_space=[rate, *more], trainer=trainer).seconds_per_trial
        for more, trainer in (([], "auto"), ([choice], "auto"), ([], "sb3"))
    )
    assert mixed == pytest.approx((fast + slow) / 2)


@pytest.mark.parametrize("preset", ["starter", "rl-zoo", "learning-rate-only"])
def test_a2c_has_one_minibatch_a_rollout(preset):
    fast, slow = (seconds(algorithm="A2C", search_space=preset, trainer=t) for t in ("auto", "sb3"))
    assert 0 < 1.5 * fast.seconds_per_trial < slow.seconds_per_trial
    often, rarely = (
        seconds(algorithm="A2C", search_space="learning-rate-only", hyperparameters={"n_steps": n})
        for n in (5, 256)
    )
    assert often.seconds_per_trial > rarely.seconds_per_trial


def test_the_smoke_study_takes_less_than_a_minute():
    smoke = study_seconds(load_spec(EXAMPLES / "smoke.yaml"), episode_steps=500, n_cores=2)
    assert smoke.low_s < 30
    assert smoke.high_s < 90


def test_the_same_request_gets_the_same_estimate():
    assert seconds() == seconds()


def test_what_makes_a_study_longer():
    base = seconds()
    assert seconds(n_cores=1).low_s > base.low_s
    assert seconds(n_cores=8, n_workers=8).high_s < base.high_s
    assert seconds(n_cores=2, n_workers=8).high_s == base.high_s  # cores limit workers
    assert seconds(budget={"n_trials": 120}).high_s > 1.8 * base.high_s
    assert seconds(episode_steps=5_000).seconds_per_trial > base.seconds_per_trial
    assert seconds(pruner={"name": "none"}).low_s > base.low_s
    wide = seconds(hyperparameters={"policy_kwargs.net_arch": [256, 256], "batch_size": 1024})
    small = seconds(hyperparameters={"policy_kwargs.net_arch": [64, 64], "batch_size": 1024})
    assert wide.seconds_per_trial > 2 * small.seconds_per_trial


def test_rl_zoos_small_batches_cost_most():
    assert seconds(search_space="rl-zoo").seconds_per_trial > 2 * seconds().seconds_per_trial


def test_a_time_budget_caps_it():
    capped = seconds(budget={"timeout_s": 60, "n_trials": 1000})
    assert capped.low_s == 60
    assert 60 < capped.high_s < 120


def test_a_grid_takes_as_long_as_its_points_and_the_defaults_beside_them():
    def high(n_trials, gammas, sampler="grid"):
        space = [{"name": "gamma", "kind": "categorical", "choices": gammas}]
        over = {"search_space": space, "pruner": {"name": "none"}, "tuned_first": False}
        return seconds(**over, sampler={"name": sampler}, budget={"n_trials": n_trials}).high_s

    without, with_defaults = [0.9, 0.95, 0.98], [0.9, 0.95, 0.99]
    assert high(60, without) == high(60, with_defaults) == high(3, with_defaults) < high(60, without, "tpe")


def test_unknown_episode_lengths_are_said():
    assert "Episodes of 500 steps are assumed." in seconds(episode_steps=None).basis
    assert "assumed" not in seconds().basis


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "n_steps", "kind": "int", "low": 8, "high": 512, "log": True},
        {"name": "n_steps", "kind": "int", "low": 8, "high": 504, "step": 16},
        {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.98, "step": 0.02},
        {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.99},
        {"name": "clip_range", "kind": "categorical", "choices": [0.1, 0.2, 0.3]},
    ],
)
def test_sampled_values_lie_in_the_space(parameter):
    spec = build_spec({"env": {"id": "Pendulum-v1"}, "search_space": [parameter]})
    values = [c[parameter["name"]] for c in estimate.space_sample(spec)]
    assert len(values) == estimate.N_CONFIGURATIONS
    assert len(set(values)) > 2
    assert all(spec.search_space[0].contains(v) for v in values)


@pytest.mark.parametrize("name", algorithm_names())
def test_there_is_an_estimate_for_every_algorithm_and_preset(name):
    for preset in algorithm(name).presets:
        over = {"algorithm": name, "search_space": preset.name, "hyperparameters": preset.fixed}
        found = seconds(**over)
        assert 0 < found.low_s < found.high_s


def test_gradient_steps_are_what_replaying_costs():
    def trial(**fixed):
        over = {"algorithm": "SAC", "search_space": "learning-rate-only", "n_train_envs": 1}
        return seconds(**over, hyperparameters=fixed).seconds_per_trial

    assert trial(gradient_steps=2) > 1.8 * trial()
    assert trial(train_freq=8) < 0.2 * trial()
    assert trial(train_freq=8, gradient_steps=-1) == pytest.approx(trial(), rel=0.1)
    assert trial(learning_starts=40_000) < 0.2 * trial()
    assert trial(**{"policy_kwargs.net_arch": {"pi": [256, 256], "qf": [1024, 1024]}}) > 2 * trial()
    assert 300 < trial() < 1_200  # 40 000 gradient steps of 16 ms were measured
