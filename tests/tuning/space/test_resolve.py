"""What the algorithm receives for a stored configuration."""

import json

import pytest

from tuning.space.parameters import NET_ARCH
from tuning.space.resolve import argument_value, resolve_configuration, rollout_steps
from tuning.spec import SpecError, build_spec


def spec_of(space, **fields):
    return build_spec({"env": {"id": "Pendulum-v1"}, "search_space": space, **fields})


STARTER = {"n_steps_pow": 8, "gamma": 0.98, "learning_rate": 1e-3, "activation_fn": "relu"}


def test_transforms_targets_and_nesting():
    resolved = resolve_configuration(spec_of("starter", n_train_envs=5), STARTER)
    assert resolved == {
        "n_steps": 256,
        "gamma": 0.98,
        "learning_rate": 1e-3,
        "policy_kwargs": {"activation_fn": "relu"},
    }
    assert json.loads(json.dumps(resolved)) == resolved


def test_fixed_values_join_the_searched_ones():
    spec = spec_of(
        "learning-rate-only",
        hyperparameters={"n_steps": 128, "policy_kwargs.log_std_init": -1.0, "policy_kwargs.net_arch": [64]},
    )
    resolved = resolve_configuration(spec, {"learning_rate": 1e-3})
    assert resolved["policy_kwargs"] == {"log_std_init": -1.0, "net_arch": [64]}
    assert resolved["n_steps"] == 128


def test_nothing_is_shared_with_the_space_or_the_spec():
    spec = spec_of(
        [{"name": "net", "kind": "categorical", "choices": ["tiny", "small"], "transform": "net_arch"}]
    )
    resolved = resolve_configuration(spec, {"net": "tiny"})
    resolved["policy_kwargs"]["net_arch"]["pi"].append(1)
    assert NET_ARCH["tiny"]["pi"] == [64]


@pytest.mark.parametrize(
    ("fixed", "n_train_envs", "expected"),
    [
        ({"n_steps": 128, "batch_size": 256}, 1, 128),  # fixed too large
        ({"n_steps": 128, "batch_size": 256}, 4, 256),  # fits four envs
        ({"n_steps": 32}, 1, 32),  # SB3's default of 64 is larger than the rollout
        ({"n_steps": 64}, 1, None),  # the default fits and stays unnamed
        ({"n_steps": 100, "batch_size": 64}, 1, 64),  # a remainder is not a fault
    ],
)
def test_batch_size_is_capped_at_one_rollout(fixed, n_train_envs, expected):
    spec = spec_of("learning-rate-only", hyperparameters=fixed, n_train_envs=n_train_envs)
    assert resolve_configuration(spec, {"learning_rate": 1e-3}).get("batch_size") == expected


def test_searched_batch_size_is_capped_too():
    space = [
        {"name": "n_steps_pow", "kind": "int", "low": 3, "high": 6, "transform": "2^x"},
        {"name": "batch_size_pow", "kind": "int", "low": 2, "high": 10, "transform": "2^x"},
    ]
    resolved = resolve_configuration(spec_of(space, n_train_envs=2), {"n_steps_pow": 3, "batch_size_pow": 9})
    assert resolved == {"n_steps": 8, "batch_size": 16}


def test_missing_and_foreign_values_are_refused():
    spec = spec_of("starter")
    with pytest.raises(ValueError, match="activation_fn missing"):
        resolve_configuration(spec, {k: v for k, v in STARTER.items() if k != "activation_fn"})
    with pytest.raises(ValueError, match="no parameter beta"):
        resolve_configuration(spec, {**STARTER, "beta": 1})


def test_values_in_force():
    spec = spec_of("starter", n_train_envs=5)
    resolved = resolve_configuration(spec, STARTER)
    assert rollout_steps(spec, resolved) == 1280
    assert argument_value(spec, resolved, "n_epochs") == 10
    assert argument_value(spec, resolved, "policy_kwargs.activation_fn") == "relu"
    assert argument_value(spec, resolved, "policy_kwargs.ortho_init") is True
    assert argument_value(spec, resolved, "buffer_size") is None


def off_policy(algorithm, space, env="Pendulum-v1", **fields):
    return build_spec({"env": {"id": env}, "algorithm": algorithm, "search_space": space, **fields})


def middle(spec, **values):
    """A configuration of a space: each parameter's lower end or first choice, but for those named."""
    return {p.name: p.choices[0] if p.choices else p.low for p in spec.search_space} | values


def test_rl_zoos_gradient_steps_follow_from_train_freq_and_subsampling():
    spec = off_policy("DQN", "rl-zoo", env="CartPole-v1")
    for train_freq, subsample, expected in ((10, 3, 3), (10, 8, 1), (2, 8, 1), (7, 1, 7)):
        resolved = resolve_configuration(spec, middle(spec, train_freq=train_freq, subsample_steps=subsample))
        assert resolved["gradient_steps"] == expected
        assert "subsample_steps" not in resolved


def test_what_computes_an_argument_cannot_be_set_beside_it():
    with pytest.raises(SpecError, match="`subsample_steps` computes `gradient_steps`, so both cannot be set"):
        off_policy("DQN", "rl-zoo", env="CartPole-v1", hyperparameters={"gradient_steps": 2})


def test_a_target_never_drops_all_quantiles():
    spec = off_policy("TQC", "rl-zoo")
    stored = middle(spec, n_quantiles=5, top_quantiles_to_drop_per_net=5)
    resolved = resolve_configuration(spec, stored)
    assert resolved["top_quantiles_to_drop_per_net"] == 4
    assert resolved["policy_kwargs"] == {"n_quantiles": 5, "net_arch": [64, 64]}
    assert resolved["gradient_steps"] == -1  # the preset fixes what RL Zoo does
    # without the other parameter, its default caps
    alone = off_policy("TQC", [p for p in spec.search_space if p.name == "top_quantiles_to_drop_per_net"])
    assert resolve_configuration(alone, {"top_quantiles_to_drop_per_net": 5}) == {
        "top_quantiles_to_drop_per_net": 5
    }
    # and whether it is searched, fixed or the default, it leaves one
    few = {"policy_kwargs.n_quantiles": 2}
    for fixed, space, stored in (
        (few, "learning-rate-only", {"learning_rate": 1e-3}),
        (few | {"top_quantiles_to_drop_per_net": 7}, "learning-rate-only", {"learning_rate": 1e-3}),
        (few, [alone.search_space[0].model_copy(update={"at_most": None})], {alone.search_space[0].name: 5}),
    ):
        resolved = resolve_configuration(off_policy("TQC", space, hyperparameters=fixed), stored)
        assert resolved["top_quantiles_to_drop_per_net"] == 1


@pytest.mark.parametrize(
    ("algorithm", "fixed", "expected"),
    [
        ("RecurrentPPO", {"n_steps": 129}, 127),  # 128 by default, and a second minibatch of one
        ("RecurrentPPO", {"n_steps": 7, "batch_size": 3}, 4),
        ("RecurrentPPO", {"n_steps": 129, "normalize_advantage": False}, None),
        ("RecurrentPPO", {"n_steps": 130}, None),
        ("PPO", {"n_steps": 129}, None),  # which leaves such a minibatch unscaled
    ],
)
def test_no_minibatch_of_one_step_is_scaled_by_its_spread(algorithm, fixed, expected):
    spec = off_policy(algorithm, "learning-rate-only", hyperparameters=fixed, n_train_envs=1)
    if algorithm == "RecurrentPPO":
        spec = spec.model_copy(update={"policy": "MlpLstmPolicy"})
    assert resolve_configuration(spec, {"learning_rate": 1e-3}).get("batch_size") == expected


@pytest.mark.parametrize(("factor", "expected"), [(16, 5), (10, 5), (5, 5), (1, 1)])
def test_trpo_keeps_two_steps_to_scale_their_advantages(factor, expected):
    fixed = {"n_steps": 10, "sub_sampling_factor": factor}
    spec = off_policy("TRPO", "learning-rate-only", hyperparameters=fixed, n_train_envs=1)
    stored = {p.name: p.low for p in spec.search_space}
    assert resolve_configuration(spec, stored)["sub_sampling_factor"] == expected


def test_the_authors_space_for_sac():
    spec = off_policy("SAC", "sac-for-speed")
    resolved = resolve_configuration(spec, middle(spec, ent_coef_init=0.01, net_arch_complexity=2))
    assert resolved["ent_coef"] == "auto_0.01"
    assert resolved["policy_kwargs"] == {"net_arch": {"pi": [128, 128], "qf": [256, 256]}}
    assert (resolved["batch_size"], resolved["train_freq"], resolved["gradient_steps"]) == (128, 1, 1)
    entropy, net = spec.parameter("ent_coef_init"), spec.parameter("net_arch_complexity")
    assert entropy.stored("auto_0.01") == 0.01
    assert net.stored([256, 256]) == 0
    with pytest.raises(ValueError, match="cannot give 'auto'"):  # from 1, which is beyond the range
        entropy.stored("auto")


def test_steps_of_a_return_are_no_rollout():
    spec = off_policy("SAC", "starter", hyperparameters={"n_steps": 3}, n_train_envs=4)
    resolved = resolve_configuration(spec, middle(spec))
    assert rollout_steps(spec, resolved) is None
    assert resolved["batch_size"] == 64  # and no rollout caps the batch


@pytest.mark.parametrize(("share", "n_top"), [(0.1, 1), (0.5, 4), (0.99, 7), (1.0, None)])
def test_the_share_of_directions_of_ars_is_a_number_of_them_or_all(share, n_top):
    spec = build_spec({"env": {"id": "CartPole-v1"}, "algorithm": "ARS", "search_space": "starter"})
    stored = {"learning_rate": 0.02, "delta_std": 0.05, "n_delta_pow": 3, "top_frac_size": share}
    resolved = resolve_configuration(spec, stored)
    assert "top_frac_size" not in resolved
    assert resolved.get("n_top") == n_top
    assert argument_value(spec, resolved, "n_top") == n_top
