"""Does Stable-Baselines3 take every configuration that a preset can propose?

Configurations are drawn at random from a preset, resolved as a trial resolves them, and a model is built from
each, in environments that its algorithm can act in. Nothing is trained.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import optuna

from tuning.algorithms import Algorithm, Preset, algorithm
from tuning.policy import build_model
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec, build_spec
from tuning.training import make_envs

ENVS = {"discrete": "CartPole-v1", "continuous": "Pendulum-v1"}
MAX_BUFFER = 1000  # transitions: SB3 reserves the memory of a replay buffer when a model is built


def suitable_env(known: Algorithm) -> str:
    """Return a small environment that an algorithm can act in, the cheaper one where it can act in both."""
    return next(env for kind, env in ENVS.items() if kind in known.actions)


def preset_spec(name: str, preset: Preset, env_id: str) -> StudySpec:
    """Return the request that Launch makes of a preset."""
    return build_spec(
        {
            "env": {"id": env_id},
            "algorithm": name,
            "search_space": preset.name,
            "hyperparameters": preset.fixed,
            "n_train_envs": preset.n_train_envs or 1,
        }
    )


def drawn(spec: StudySpec, n: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """Yield stored values of n configurations, drawn at random from the space of a request."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for _ in range(n):
        trial = study.ask()
        yield {p.name: p.suggest(trial) for p in spec.search_space}


def preset_faults(name: str, preset: Preset, *, n: int, seed: int = 0) -> list[str]:
    """Build a model from each of n configurations; return what went wrong, one line each.

    Args:
        name: of the algorithm.
        preset: one of its presets.
        n: how many configurations.
        seed: of the draws and of the models.
    """
    known, faults = algorithm(name), []
    for env_id in (env for kind, env in ENVS.items() if kind in known.actions):
        spec = preset_spec(name, preset, env_id)
        with closing(make_envs(spec.env, spec.n_train_envs, seed=seed)) as envs:
            for stored in drawn(spec, n, seed=seed):
                resolved: dict[str, Any] = {}
                try:
                    resolved = resolve_configuration(spec, stored)
                    if "buffer_size" in known.arguments:
                        resolved["buffer_size"] = MAX_BUFFER
                    build_model(name, spec.policy, envs, resolved, seed=seed)
                except Exception as error:  # whatever a constructor refuses, so that all of it is reported
                    said = f"{type(error).__name__}: {error} ({resolved or stored})"
                    faults.append(f"{name} {preset.name} on {env_id}: {said}")
    return faults
