"""What a person is told before launching a study of an algorithm that replays steps."""

import pytest

from tuning.algorithms import algorithm
from tuning.analysis.words import THIN
from tuning.replay_checks import replay_advice
from tuning.spec import build_spec

RATE = {"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-3, "log": True}
ATARI = 84 * 84 * 4  # bytes


def advice(observation_bytes=0, **fields):
    base = {"env": {"id": "Pendulum-v1"}, "algorithm": "SAC", "search_space": [RATE]}
    spec = build_spec({**base, **fields})
    found = replay_advice(spec, observation_bytes=observation_bytes)
    return {a.field: a.text.replace(THIN, " ") for a in found}


@pytest.mark.parametrize("name", ["SAC", "TQC", "CrossQ", "DQN", "PPO", "TRPO"])
def test_a_sound_request_gets_no_advice(name):
    assert advice(algorithm=name, observation_bytes=12) == {}


@pytest.mark.parametrize("name", ["TD3", "DDPG"])
def test_a_deterministic_policy_needs_noise(name):
    assert "nothing explores" in advice(algorithm=name)["hyperparameters.noise_type"]
    assert advice(algorithm=name, hyperparameters={"noise_type": "normal"}) == {}
    assert advice(algorithm=name, search_space="starter") == {}
    no_effect = advice(algorithm=name, hyperparameters={"noise_std": 0.3})
    assert "no effect" in no_effect["hyperparameters.noise_type"]


@pytest.mark.parametrize(
    ("starts", "n_timesteps", "said"),
    [(5_000, 5_000, "learns nothing"), (3_000, 5_000, "at least half of it is random")],
)
def test_learning_must_start_in_time(starts, n_timesteps, said):
    fields = {"hyperparameters": {"learning_starts": starts}, "budget": {"n_timesteps": n_timesteps}}
    assert said in advice(**fields)["hyperparameters.learning_starts"]
    searched = {"name": "learning_starts", "kind": "int", "low": 100, "high": starts}
    found = advice(search_space=[RATE, searched], budget={"n_timesteps": n_timesteps})
    assert said in found["search_space.learning_starts"]


def test_gradient_steps_beyond_what_many_envs_collect():
    speed = {"search_space": "sac-for-speed"}
    text = advice(**speed)["search_space.gradient_steps_pow"]
    assert "may do 1 024 gradient steps after 1 env step, which is 1 024 times the work" in text
    assert advice(**speed, n_train_envs=algorithm("SAC").preset("sac-for-speed").n_train_envs) == {}
    assert advice(hyperparameters={"gradient_steps": -1}) == {}
    fixed = advice(hyperparameters={"gradient_steps": 200, "train_freq": 4}, n_train_envs=2)
    assert "25 times" in fixed["hyperparameters.gradient_steps"]


def test_a_buffer_of_images_may_not_fit():
    fields = {"algorithm": "DQN", "env": {"id": "CartPole-v1"}, "n_workers": 2}
    long = {"n_timesteps": 10_000_000}
    text = advice(observation_bytes=10_000 * ATARI, **fields, budget=long)["hyperparameters.buffer_size"]
    assert "trials would be killed. Set buffer_size to" in text
    # A short trial never fills it.
    assert advice(observation_bytes=ATARI, **fields, budget={"n_timesteps": 1_000}) == {}
    assert (
        advice(observation_bytes=ATARI, **fields, budget=long, hyperparameters={"buffer_size": 1_000}) == {}
    )
