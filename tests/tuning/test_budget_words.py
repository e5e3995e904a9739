"""A budget is said in what ends a training."""

from types import SimpleNamespace

import pytest

from tuning.budget_words import budget_words, run_words, study_words
from tuning.spec import build_spec


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"n_timesteps": 400}, "400 steps"),
        ({"n_timesteps": 400, "trial_seconds": 90}, "1 min 30 s of training"),
    ],
)
def test_of_a_study(budget, words):
    data = {"env": {"id": "Pendulum-v1"}, "search_space": "starter", "budget": budget}
    assert budget_words(build_spec(data)) == words


@pytest.mark.parametrize(
    ("seconds", "own", "studys"), [(None, "200 steps", "400 steps"), (90, "45 s", "1 min 30 s")]
)
def test_of_a_run(seconds, own, studys):
    asked = SimpleNamespace(n_timesteps=200, study_timesteps=400, study_seconds=seconds)
    assert (run_words(asked), study_words(asked)) == (own, studys)
