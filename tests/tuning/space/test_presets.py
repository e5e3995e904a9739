"""The ready-made search spaces, as their sources have them."""

import pytest

from tuning.algorithms import algorithm, algorithm_names
from tuning.space.parameters import NET_ARCH
from tuning.spec import build_spec, parse_spec

PPO, A2C = algorithm("PPO"), algorithm("A2C")
EVERY = [
    pytest.param(algorithm(name), preset, id=f"{name} {preset.name}")
    for name in algorithm_names()
    for preset in algorithm(name).presets
]


def rows(name, of=PPO):
    return {p.name: p for p in of.preset(name).space}


def ranges_of(space):
    return {n: (p.kind, p.low, p.high, p.log) for n, p in space.items() if p.kind != "categorical"}


def test_starter_is_the_guides_space():
    space = rows("starter")
    assert list(space) == ["n_steps_pow", "gamma", "learning_rate", "activation_fn"]
    ranges = ranges_of(space)
    assert ranges == {
        "n_steps_pow": ("int", 5, 12, False),
        "gamma": ("float", 0.97, 0.9999, False),
        "learning_rate": ("float", 3e-5, 3e-3, True),
    }
    assert space["n_steps_pow"].resolved_range() == "32 … 4096"
    assert space["activation_fn"].choices == ("tanh", "relu")
    assert PPO.preset("starter").n_train_envs == 5


def test_rl_zoo_is_its_space():
    space = rows("rl-zoo")
    ranges = ranges_of(space)
    assert ranges == {
        "batch_size_pow": ("int", 2, 10, False),
        "n_steps_pow": ("int", 5, 12, False),
        "one_minus_gamma": ("float", 1e-4, 0.03, True),
        "learning_rate": ("float", 1e-5, 2e-3, True),
        "ent_coef": ("float", 1e-8, 0.1, True),
        "one_minus_gae_lambda": ("float", 1e-4, 0.1, True),
        "max_grad_norm": ("float", 0.3, 2.0, False),
    }
    assert {n: p.choices for n, p in space.items() if p.kind == "categorical"} == {
        "clip_range": (0.1, 0.2, 0.3, 0.4),
        "n_epochs": (1, 5, 10, 20),
        "net_arch": ("tiny", "small", "medium"),
        "activation_fn": ("tanh", "relu"),
    }
    targets = {p.target for p in space.values()}
    assert {"gamma", "gae_lambda", "n_steps", "batch_size", "policy_kwargs.net_arch"} <= targets
    assert {name: nets["pi"] for name, nets in NET_ARCH.items()} == {
        "tiny": [64],
        "small": [64, 64],
        "medium": [256, 256],
    }
    assert all(nets["pi"] == nets["vf"] for nets in NET_ARCH.values())


def test_rl_zoo_is_its_space_for_a2c_too():
    space = rows("rl-zoo", A2C)
    assert ranges_of(space) == {
        "n_steps_pow": ("int", 5, 11, False),
        "one_minus_gamma": ("float", 1e-4, 0.03, True),
        "learning_rate": ("float", 1e-5, 2e-3, True),
        "ent_coef": ("float", 1e-8, 0.1, True),
        "one_minus_gae_lambda": ("float", 1e-4, 0.1, True),
        "max_grad_norm": ("float", 0.3, 2.0, False),
    }
    assert {n: p.choices for n, p in space.items() if p.kind == "categorical"} == {
        "net_arch": ("small", "medium"),
        "activation_fn": ("tanh", "relu"),
    }


@pytest.mark.parametrize("known", [PPO, A2C], ids=lambda known: known.name)
def test_learning_rate_only_is_a_decade_to_each_side_of_the_default(known):
    (rate,) = known.preset("learning-rate-only").space
    default = known.arguments["learning_rate"].default
    assert (rate.low, rate.high, rate.log) == (pytest.approx(default / 10), pytest.approx(default * 10), True)


@pytest.mark.parametrize(("known", "preset"), EVERY)
def test_every_preset_makes_a_spec_and_survives_a_file(known, preset):
    data = {"env": {"id": "Pendulum-v1"}, "algorithm": known.name, "search_space": preset.name}
    spec = build_spec(data)
    assert spec.search_space == preset.space
    assert parse_spec(spec.to_yaml()) == spec
    assert parse_spec(spec.model_dump_json()) == spec
    assert preset.title
    assert preset.about.endswith(".")


@pytest.mark.parametrize(("known", "preset"), EVERY)
def test_bounds_keep_within_the_natural_limits(known, preset):
    for parameter in preset.space:
        argument = known.arguments[parameter.target]
        ends = parameter.choices or (parameter.low, parameter.high)
        assert [argument.fault(parameter.resolve(end)) for end in ends if parameter.kind != "int"] == [
            None for end in ends if parameter.kind != "int"
        ]


@pytest.mark.parametrize(
    ("known", "preset", "defaults"),
    [
        (
            "PPO",
            "starter",
            {"n_steps_pow": 11, "gamma": 0.99, "learning_rate": 3e-4, "activation_fn": "tanh"},
        ),
        ("PPO", "learning-rate-only", {"learning_rate": 3e-4}),
        ("PPO", "rl-zoo", None),  # the default ent_coef of 0 has no place on a log scale
        (
            "A2C",
            "starter",
            {"learning_rate": 7e-4, "n_steps": 5, "one_minus_gamma": pytest.approx(0.01), "gae_lambda": 1.0},
        ),
        ("A2C", "learning-rate-only", {"learning_rate": 7e-4}),
        ("A2C", "rl-zoo", None),
    ],
)
def test_sb3_defaults_within_each_preset(known, preset, defaults):
    spec = build_spec({"env": {"id": "Pendulum-v1"}, "algorithm": known, "search_space": preset})
    assert spec.default_configuration() == defaults


@pytest.mark.parametrize(("known", "preset"), EVERY)
def test_every_parameter_of_a_preset_has_its_reason(known, preset):
    assert list(preset.why) == [p.name for p in preset.space]
    for why in preset.why.values():
        assert why.endswith(".")
        assert 40 < len(why) < 300
    assert preset.source
    assert 3 <= len(preset.space) <= 5 or preset.name != "starter"


def test_off_policy_spaces_are_rl_zoos():
    shared = {
        "one_minus_gamma": ("float", 1e-4, 0.03, True),
        "learning_rate": ("float", 1e-5, 2e-3, True),
        "batch_size_pow": ("int", 2, 11, False),
        "train_freq": ("int", 1, 10, False),
    }
    tau = {"tau": ("float", 1e-3, 0.08, True)}
    noise = {"noise_std": ("float", 0, 0.5, False)}
    quantiles = {
        "n_quantiles": ("int", 5, 50, False),
        "top_quantiles_to_drop_per_net": ("int", 0, 5, False),
    }
    exploring = {
        "subsample_steps": ("int", 1, 8, False),
        "exploration_final_eps": ("float", 0, 0.2, False),
        "exploration_fraction": ("float", 0, 0.5, False),
        "target_update_interval": ("int", 1, 20_000, True),
    }
    expected = {
        "SAC": shared | tau,
        "TQC": shared | tau | quantiles,
        "TD3": shared | tau | noise,
        "DDPG": shared | tau | noise,
        "DQN": shared | exploring,
    }
    for name, ranges in expected.items():
        space = rows("rl-zoo", algorithm(name))
        assert ranges_of(space) == ranges
        assert space["net_arch"].choices == ("small", "medium", "big")
        assert algorithm(name).preset("rl-zoo").fixed == ({} if name == "DQN" else {"gradient_steps": -1})
    assert rows("rl-zoo", algorithm("TD3"))["noise_type"].choices == ("ornstein-uhlenbeck", "normal", "none")


def test_sac_for_speed_is_its_authors_space_but_for_what_sb3_lacks():
    space = rows("sac-for-speed", algorithm("SAC"))
    assert ranges_of(space) == {
        "gamma": ("float", 0.975, 0.995, False),
        "learning_rate": ("float", 1e-4, 2e-3, True),
        "ent_coef_init": ("float", 0.001, 0.02, True),
        "batch_size_pow": ("int", 7, 12, True),
        "net_arch_complexity": ("int", 0, 3, False),
        "train_freq_pow": ("int", 0, 3, False),
        "gradient_steps_pow": ("int", 0, 10, False),
        "tau": ("float", 0.001, 0.05, True),
    }
    assert len(space) == 8, "no categories: CMA-ES can search it"
