"""Natural limits, in the units in which a study stores its parameters."""

import pytest

from tuning.space.limits import Limit, known_limits, spec_limits
from tuning.spec import build_spec


def test_limits_follow_the_transform_of_a_parameter():
    spec = build_spec({"env": {"id": "Pendulum-v1"}, "search_space": "rl-zoo"})

    limits = spec_limits(spec)

    assert (limits["one_minus_gamma"].low, limits["one_minus_gamma"].open_low) == (0, True)
    assert limits["one_minus_gamma"].high == 1
    assert limits["batch_size_pow"].low == 1  # a minibatch holds at least 2
    assert not limits["learning_rate"].admits(0.0)
    assert "net_arch" not in limits


def test_the_names_of_rl_zoo_are_known_in_any_study():
    limits = known_limits(["gamma", "one_minus_gae_lambda", "n_steps_pow", "tau", "my_own"])

    assert set(limits) == {"gamma", "one_minus_gae_lambda", "n_steps_pow", "tau"}
    assert not limits["gamma"].admits(1.0)
    assert limits["one_minus_gae_lambda"].admits(0.0)
    assert "below 1" in limits["gamma"].about


@pytest.mark.parametrize(
    ("limit", "value", "admitted"),
    [
        (Limit(0, 1), 0.0, True),
        (Limit(0, 1), 1.0, True),
        (Limit(0, 1, open_low=True), 0.0, False),
        (Limit(0, 1, open_high=True), 1.0, False),
        (Limit(), -1e9, True),
        (Limit(low=2), 1.9, False),
    ],
)
def test_a_limit_admits_what_keeps_to_it(limit, value, admitted):
    assert limit.admits(value) is admitted


def test_limits_of_every_algorithm_that_rl_zoo_searches():
    names = ["tau", "train_freq", "subsample_steps", "exploration_fraction", "noise_std", "n_quantiles"]
    names += ["top_quantiles_to_drop_per_net", "n_critic_updates", "n_delta_pow", "target_update_interval"]
    limits = known_limits([*names, "batch_size", "gradient_steps", "dropout"])
    assert not limits["tau"].admits(0.0)
    assert limits["tau"].admits(1.0)
    assert not limits["exploration_fraction"].admits(1.1)
    assert not limits["train_freq"].admits(0)
    assert limits["noise_std"].admits(0)
    assert limits["batch_size"].admits(1), "SAC may learn from a single step, PPO may not"
    assert set(names) <= set(limits)


def test_a_learned_coefficient_starts_above_zero():
    spec = build_spec({"env": {"id": "Pendulum-v1"}, "algorithm": "SAC", "search_space": "sac-for-speed"})
    limits = spec_limits(spec)
    assert not limits["ent_coef_init"].admits(0.0)
    assert "net_arch_complexity" not in limits
