"""Which runs a race does without."""

import pytest

from tuning.race import spared
from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RunResult, Spared


@pytest.fixture
def question():
    def candidate(key, kind="trial"):
        return Candidate(key=key, kind=kind, name=key, resolved={}, n_train_envs=1)

    return Reevaluation(
        mode="retrain",
        candidates=[
            candidate("good"),
            candidate("bad"),
            candidate("breaks"),
            candidate("defaults", "defaults"),
        ],
        n_seeds=8,
        n_episodes=1,
        n_timesteps=1,
        study_timesteps=1,
        maximize=True,
        racing=True,
        worst_seen=-1000.0,
    )


def results(question, n):
    """The results of the first `n` seeds."""
    means = {"good": -100.0, "bad": -900.0, "breaks": None, "defaults": -800.0}
    found = {}
    for seed in range(n):
        for c in question.candidates:
            key, mean = question.run_key(c, seed), means[c.key]
            if mean is None:
                found[key] = RunResult(key=key, state="diverged")
            else:
                found[key] = RunResult(key=key, state="ok", mean=mean + seed)
    return found


def test_nothing_is_spared_before_there_are_three_runs_of_each(question):
    assert spared(question, {}) == Spared()
    some = results(question, 3)
    del some["bad, seed 2"]
    assert spared(question, some) == Spared()


def test_the_runs_of_what_cannot_win_are_spared_and_those_of_baselines_for_long_are_not(question):
    found = spared(question, results(question, 3))
    assert set(found.given_up) == {"bad", "breaks"}
    assert found.runs == {f"{key}, seed {seed}" for key in ("bad", "breaks") for seed in range(3, 8)}


def test_a_run_that_was_started_before_is_a_result_and_not_spared(question):
    some = results(question, 3)
    some["bad, seed 3"] = RunResult(key="bad, seed 3", state="ok", mean=0.0)
    found = spared(question, some)
    assert "bad" in found.given_up, "later results do not change what an earlier look said"
    assert "bad, seed 3" not in found.runs
    assert len(found.runs) == 9


def test_without_racing_everything_is_trained(question):
    assert spared(question.model_copy(update={"racing": False}), results(question, 3)) == Spared()
