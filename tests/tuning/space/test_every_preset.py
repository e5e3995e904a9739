"""What the presets of all algorithms promise: RL Zoo's spaces as they are, short starters, and reasons."""

import pytest

from tuning.algorithms import algorithm, algorithm_names
from tuning.spec import build_spec

ALL = algorithm_names()
PRESETS = [
    pytest.param(name, preset, id=f"{name} {preset.name}")
    for name in ALL
    for preset in algorithm(name).presets
]

# RL Zoo 2.9.2, hyperparams_opt.py: ranges as (low, high, log); choices as lists.
GAMMA, RATE = {"one_minus_gamma": (1e-4, 0.03, True)}, {"learning_rate": (1e-5, 2e-3, True)}
LAMBDA = {"one_minus_gae_lambda": (1e-4, 0.1, True)}
ROLLOUT = {"batch_size_pow": (2, 10, False), "n_steps_pow": (5, 12, False)}
ACTIVATION = {"activation_fn": ["tanh", "relu"]}
PPO = {
    **{**GAMMA, **RATE, **LAMBDA, **ROLLOUT, **ACTIVATION},
    "ent_coef": (1e-8, 0.1, True),
    "clip_range": [0.1, 0.2, 0.3, 0.4],
    "n_epochs": [1, 5, 10, 20],
    "max_grad_norm": (0.3, 2.0, False),
    "net_arch": ["tiny", "small", "medium"],
}
REPLAY = {
    **{**GAMMA, **RATE},
    "batch_size_pow": (2, 11, False),
    "train_freq": (1, 10, False),
    "net_arch": ["small", "medium", "big"],
}
SAC = {**REPLAY, "tau": (1e-3, 0.08, True)}
NOISY = {**SAC, "noise_type": ["ornstein-uhlenbeck", "normal", "none"], "noise_std": (0.0, 0.5, False)}
DQN = {
    **REPLAY,
    "subsample_steps": (1, 8, False),
    "exploration_final_eps": (0.0, 0.2, False),
    "exploration_fraction": (0.0, 0.5, False),
    "target_update_interval": (1, 20_000, True),
}
RL_ZOO = {
    "PPO": PPO,
    "RecurrentPPO": PPO,
    "TRPO": {
        **{**GAMMA, **RATE, **LAMBDA, **ROLLOUT, **ACTIVATION},
        "n_critic_updates": (5, 30, False),
        "cg_max_steps": (5, 30, False),
        "target_kl": (1e-3, 0.1, True),
        "net_arch": ["small", "medium"],
    },
    "SAC": SAC,
    "TQC": {**SAC, "n_quantiles": (5, 50, False), "top_quantiles_to_drop_per_net": (0, 5, False)},
    "TD3": NOISY,
    "DDPG": NOISY,
    "DQN": DQN,
    "QR-DQN": {**DQN, "n_quantiles": (5, 200, False)},
    "ARS": {
        **RATE,
        "n_delta_pow": (2, 6, False),
        "delta_std": (0.01, 0.3, False),
        "top_frac_size": (0.05, 1.0, False),
    },
}


@pytest.mark.parametrize("name", RL_ZOO)
def test_rl_zoo_has_its_space(name):
    space = algorithm(name).preset("rl-zoo").space
    found = {p.name: list(p.choices) if p.choices else (p.low, p.high, p.log) for p in space}
    assert found == RL_ZOO[name]


def test_bounds_that_depend_on_another_value_are_caps():
    spaces = {name: algorithm(name).preset("rl-zoo").space for name in RL_ZOO}
    caps = {(name, p.name): p.at_most for name, space in spaces.items() for p in space if p.at_most}
    assert caps == {
        ("DQN", "subsample_steps"): "train_freq",
        ("QR-DQN", "subsample_steps"): "train_freq",
        ("TQC", "top_quantiles_to_drop_per_net"): "n_quantiles - 1",
    }


def test_where_rl_zoo_has_no_space_ours_is_called_so():
    for name in ALL:
        titles = {preset.name: preset.title for preset in algorithm(name).presets}
        assert ("rl-zoo" in titles) != ("edgewise" in titles), name
        assert titles.get("edgewise", "Edgewise") == "Edgewise"


@pytest.mark.parametrize("name", ALL)
def test_a_starter_is_short_and_begins_at_the_defaults(name):
    known = algorithm(name)
    starter = known.preset("starter")
    assert 3 <= len(starter.space) <= 5
    spec = build_spec(
        {
            "env": {"id": "CartPole-v1"},
            "algorithm": name,
            "search_space": "starter",
            "hyperparameters": starter.fixed,
        }
    )
    assert spec.default_configuration() is not None


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_row_says_why_in_a_sentence(name, preset):
    assert list(preset.why) == [p.name for p in preset.space]
    for sentence in preset.why.values():
        assert sentence.endswith("."), sentence
        assert 30 <= len(sentence) <= 320, sentence
        assert sentence.isprintable(), sentence
    known = algorithm(name).arguments
    assert [known[key].fault(value) for key, value in preset.fixed.items()] == [None for _ in preset.fixed]
