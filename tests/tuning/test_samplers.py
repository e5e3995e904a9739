"""Samplers by name: seeded, and aware of what runs beside them."""

import optuna
import pytest

from tuning.samplers import build_sampler
from tuning.spec_parts import SamplerSpec


def suggested(sampler, n_trials):
    study = optuna.create_study(sampler=sampler)
    values = []
    for _ in range(n_trials):
        trial = study.ask()
        values.append((trial.suggest_float("x", 0, 1), trial.suggest_categorical("c", ["a", "b"])))
        study.tell(trial, values[-1][0])
    return values


@pytest.mark.parametrize("name", ["tpe", "random"])
def test_the_seed_decides_what_is_suggested(name):
    spec = SamplerSpec(name=name, n_startup_trials=3)
    first = suggested(build_sampler(spec, seed=1), 8)
    assert suggested(build_sampler(spec, seed=1), 8) == first
    assert suggested(build_sampler(spec, seed=2), 8) != first


@pytest.mark.parametrize(("name", "cls"), [("tpe", "TPESampler"), ("random", "RandomSampler")])
def test_the_name_decides_the_sampler(name, cls):
    assert type(build_sampler(SamplerSpec(name=name), seed=0)).__name__ == cls


@pytest.mark.parametrize("n_startup_trials", [0, 5])
def test_tpe_models_after_its_startup_trials_and_reckons_with_running_ones(n_startup_trials, monkeypatch):
    modelled = []
    sampler = build_sampler(SamplerSpec(n_startup_trials=n_startup_trials, multivariate=False), seed=0)
    sample = type(sampler)._sample
    monkeypatch.setattr(
        type(sampler),
        "_sample",
        lambda self, study, trial, space: modelled.append(trial.number) or sample(self, study, trial, space),
    )
    suggested(sampler, 8)
    assert min(modelled) == n_startup_trials
    assert sampler._constant_liar is True


@pytest.mark.parametrize("multivariate", [True, False])
def test_multivariate_is_passed_on(multivariate):
    sampler = build_sampler(SamplerSpec(multivariate=multivariate), seed=0)
    assert sampler._multivariate is multivariate
