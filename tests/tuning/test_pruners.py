"""Pruners by name: never in the warm-up, never before enough trials are complete."""

import optuna
import pytest

from tuning.pruners import build_pruner
from tuning.spec_parts import PrunerSpec


def prunes(pruner, step, *, n_complete=10, direction="maximize"):
    """Say whether a hopeless trial that reports at `step` would be pruned."""
    study = optuna.create_study(pruner=pruner, direction=direction)
    sign = 1 if direction == "maximize" else -1
    for _ in range(n_complete):
        trial = study.ask()
        trial.report(sign * 100.0, step)
        study.tell(trial, sign * 100.0)
    trial = study.ask()
    trial.report(sign * -100.0, step)
    return bool(trial.should_prune())


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(("step", "expected"), [(100, False), (333, True), (334, True), (1_000, True)])
def test_no_pruning_in_the_first_third_of_the_env_steps(direction, step, expected):
    pruner = build_pruner(PrunerSpec(n_startup_trials=5), n_timesteps=1_000)
    assert prunes(pruner, step, direction=direction) is expected


@pytest.mark.parametrize(("n_complete", "expected"), [(4, False), (5, True)])
def test_no_pruning_before_enough_trials_are_complete(n_complete, expected):
    pruner = build_pruner(PrunerSpec(n_startup_trials=5), n_timesteps=1_000)
    assert prunes(pruner, 900, n_complete=n_complete) is expected


@pytest.mark.parametrize(("fraction", "step", "expected"), [(0, 1, True), (1, 999, False), (1, 1_000, True)])
def test_the_warmup_is_a_fraction_of_training(fraction, step, expected):
    pruner = build_pruner(PrunerSpec(n_startup_trials=1, warmup_fraction=fraction), n_timesteps=1_000)
    assert prunes(pruner, step) is expected


def test_none_never_prunes():
    assert not prunes(build_pruner(PrunerSpec(name="none"), n_timesteps=1_000), 1_000)
