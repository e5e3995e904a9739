"""Samplers by name, from the spec."""

import optuna
from optuna.samplers import BaseSampler

from tuning.spec_parts import SamplerSpec


def build_sampler(spec: SamplerSpec, *, seed: int) -> BaseSampler:
    """Return the sampler of one task, seeded for that task alone."""
    if spec.name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(
        n_startup_trials=spec.n_startup_trials, multivariate=spec.multivariate, seed=seed, constant_liar=True
    )
