"""CMA-ES that is told its trials again equals Optuna's, and reads no pickle."""

import pickle
import types

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from tuning.sampler_cmaes import GENERATION, CmaEsSampler

SPACE = {
    "x": FloatDistribution(-2.0, 3.0),
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "n": IntDistribution(1, 9),
}


def suggest(trial):
    x = trial.suggest_float("x", -2.0, 3.0)
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    n = trial.suggest_int("n", 1, 9)
    return (x - 1.0) ** 2 + (rate - 0.01) ** 2 + abs(n - 3)


def ours():
    return CmaEsSampler(SPACE, seed=7, n_startup_trials=2)


def run(sampler_of, n_trials, *, direction="minimize"):
    study = optuna.create_study(direction=direction)
    sign = 1 if direction == "minimize" else -1
    for k in range(n_trials):
        study.sampler = sampler_of(k)
        trial = study.ask()
        study.tell(trial, sign * suggest(trial))
    return study


class _SameDraws:
    """A random state whose draws do not depend on how often it was asked."""

    rng = types.SimpleNamespace(randint=lambda low, high: 123)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_it_draws_what_optunas_own_sampler_draws(direction):
    def optunas(k):
        sampler = optuna.samplers.CmaEsSampler(seed=7, n_startup_trials=2)
        sampler._cma_rng = _SameDraws()
        return sampler

    def same(k):
        sampler = ours()
        sampler._rng = _SameDraws.rng
        return sampler

    theirs, study = run(optunas, 60, direction=direction), run(same, 60, direction=direction)
    for trial, theirs_ in zip(study.trials, theirs.trials, strict=True):
        assert trial.params == pytest.approx(theirs_.params, rel=1e-6)  # a pickle rounds its last digit
    assert study.trials[-1].system_attrs[GENERATION] >= 5


def test_it_comes_close_to_the_best():
    study = run(lambda k: CmaEsSampler(SPACE, seed=k, n_startup_trials=2), 150)
    assert study.best_value < 0.05
    assert study.best_value < run(lambda k: optuna.samplers.RandomSampler(seed=k), 150).best_value


def test_nothing_is_pickled_and_no_pickle_is_read(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a pickle")

    study = run(lambda k: ours(), 12)
    # What Optuna's sampler would unpickle.
    kept = study.trials[-1]
    kept.system_attrs["cma:optimizer:0"] = "80049500"
    study.add_trial(kept)
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "dumps", refuse)
    study.sampler = ours()
    suggest(study.ask())
    keys = {key for trial in study.trials for key in trial.system_attrs}
    assert keys == {GENERATION, "cma:optimizer:0"}


def test_pruned_trials_take_part_behind_the_complete_ones():
    study = optuna.create_study(direction="maximize")
    for k in range(40):
        study.sampler = CmaEsSampler(SPACE, seed=k, n_startup_trials=2)
        trial = study.ask()
        value = -suggest(trial)
        trial.report(value, 1)
        if k % 2:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, value)
    assert study.trials[-1].system_attrs[GENERATION] >= 4


def test_a_trial_with_given_values_belongs_to_no_generation():
    study = run(lambda k: ours(), 3)
    study.enqueue_trial({"x": 0.0, "rate": 1e-3, "n": 2})
    study.sampler = ours()
    trial = study.ask()
    suggest(trial)
    study.tell(trial, 1.0)
    assert GENERATION not in study.trials[-1].system_attrs


def test_it_begins_where_earlier_trials_were_best():
    study = run(lambda k: optuna.samplers.RandomSampler(seed=k), 100)
    points = []
    for k in range(8):
        study.sampler = CmaEsSampler(SPACE, seed=k, n_startup_trials=2, n_source_trials=100)
        trial = study.ask()
        points.append(suggest(trial))
        study.tell(trial, points[-1])
    random = sorted(t.value for t in study.trials[:100])
    assert sum(points) / 8 < random[40]
