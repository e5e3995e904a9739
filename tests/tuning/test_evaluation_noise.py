"""How noisy an evaluation is: from earlier studies, else from what others published, else unknown."""

import math

import pytest
from optuna.trial import create_trial

from storage.trials import EVALUATIONS, IMPORTED_FROM
from tuning.evaluation_noise import EpisodeNoise, known_noise, measured_noise, noise_sentence


def trial(value, std, *, n_episodes=10, **attributes):
    record = {"mark": 1, "timesteps": 1, "mean": value, "std": std, "n_episodes": n_episodes}
    return create_trial(value=value, user_attrs={EVALUATIONS: [record], **attributes})


def test_ten_episodes_of_pendulum_mean_a_standard_error_of_32():
    said = noise_sentence(known_noise("Pendulum-v1"), 10)
    assert said.startswith("10 episodes here mean a standard error of about 32 ")
    assert "closer than about 89 cannot be told apart" in said
    assert "40 episodes halve it" in said


def test_the_better_half_of_the_studies_trials_tells_the_spread():
    trials = [trial(-100.0, 30.0), trial(-200.0, 50.0), trial(-1000.0, 999.0), trial(-1200.0, 999.0)]
    noise = measured_noise([(trials, True)])
    assert noise.std == pytest.approx(40.0 * math.sqrt(10 / 9))
    assert noise.source == "as in 2 good trials of one study here"
    assert measured_noise([(trials, False)]).std > 900


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [create_trial(value=1.0)],
        [trial(1.0, 5.0, n_episodes=2)],
        [trial(1.0, float("nan"))],
        [trial(1.0, "5")],
        [create_trial(value=1.0, user_attrs={EVALUATIONS: ["hostile"]})],
        [trial(1.0, 5.0, **{IMPORTED_FROM: "another"})],
    ],
)
def test_studies_that_tell_nothing_leave_it_unknown(trials):
    assert measured_noise([(trials, True)]) is None


def test_what_is_not_known_is_said_to_be_unknown():
    assert known_noise("CartPole-v1") is None
    assert "not known yet" in noise_sentence(None, 10)
    assert "few are enough" in noise_sentence(EpisodeNoise(0.0, "as in 3 good trials of one study here"), 10)
