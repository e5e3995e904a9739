"""Our starter space as RL Zoo's sampler for PPO. RL Zoo imports this, nothing here does.

    python -m rl_zoo3.train --gym-packages benchmarks.rl_zoo_starter_space --algo ppo --optimize ...

RL Zoo has no option for a search space, but it imports the packages that this option names before it looks
its sampler up. The ranges are written out rather than read from `tuning`, to keep RL Zoo's start free of our
imports; `benchmarks.searches.faults` compares them with the preset's after a run.
"""

from typing import Any

import optuna
from rl_zoo3.hyperparams_opt import HYPERPARAMS_SAMPLER
from torch import nn


def sample(trial: optuna.Trial, *_: Any) -> dict[str, Any]:
    """Return PPO's arguments; all other ones keep what RL Zoo's configuration file says."""
    n_steps_pow = trial.suggest_int("n_steps_pow", 5, 12)
    gamma = trial.suggest_float("gamma", 0.97, 0.9999)
    learning_rate = trial.suggest_float("learning_rate", 3e-5, 3e-3, log=True)
    activation_fn = trial.suggest_categorical("activation_fn", ["tanh", "relu"])
    return {
        "n_steps": 2**n_steps_pow,
        "gamma": gamma,
        "learning_rate": learning_rate,
        "policy_kwargs": {"activation_fn": {"tanh": nn.Tanh, "relu": nn.ReLU}[activation_fn]},
    }


HYPERPARAMS_SAMPLER["ppo"] = sample
