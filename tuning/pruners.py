"""Pruners by name, from the spec."""

import optuna
from optuna.pruners import BasePruner

from tuning.spec_parts import PrunerSpec


def build_pruner(spec: PrunerSpec, *, n_timesteps: int) -> BasePruner:
    """Return the pruner; its steps are env steps, the unit in which trials report."""
    if spec.name == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(
        n_startup_trials=spec.n_startup_trials, n_warmup_steps=int(spec.warmup_fraction * n_timesteps)
    )
