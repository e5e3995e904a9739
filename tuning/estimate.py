"""How long a study may take on this machine: a rough model of PPO and A2C on the CPU, with either trainer.

Source of the constants: `python -m benchmarks.step_costs` on a two-core machine (SB3 2.9, torch 2.13, one
thread, Pendulum-v1 and CartPole-v1), in ms:

| | SB3 | fast kernels |
|---|---|---|
| a training step of 1 / 5 / 16 envs at a time | 0.38 / 0.51 / 0.71 | 0.09 / 0.15 / 0.31 |
| a step of an evaluation | 0.29 / 0.40 / 0.58 | 0.05 / 0.11 / 0.27 |
| a minibatch of 8 / 64 / 256 / 1024, nets of [64, 64] | 1.6 / 1.6 / 2.0 / 3.7 | 0.12 / 0.20 / 0.42 / 1.3 |
| the same with [256, 256] | 1.8 / 2.7 / 5.3 / 18 | 0.34 / 0.95 / 3.2 / 12 |
| A2C by as many transitions, [64, 64] | 1.8 / 1.6 / 1.9 / 3.4 | 0.36 / 0.42 / 0.62 / 1.5 |

torch and SB3 take 2.4 s to import. A slow environment, or images, cost more than that.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuning.cores import usable_cores
from tuning.expected_trainer import not_covered
from tuning.space.places import value_at
from tuning.space.resolve import argument_value, resolve_configuration, rollout_steps
from tuning.spec import StudySpec
from tuning.trainers import TrainerName


@dataclass(frozen=True)
class Costs:
    """What the parts of a training cost, in seconds."""

    collect_s: float  # a vectorised training step: forward pass, sampling, buffer
    evaluate_s: float  # a vectorised evaluation step
    env_step_s: float  # one env's share of either
    update_s: float  # a minibatch of any size: the interpreter and the optimiser's bookkeeping
    transition_s: float  # on top, for each transition of a minibatch
    weight_s: float  # on top, for each transition and weight between hidden layers
    step_s: float  # on top, for each weight between hidden layers: the optimiser's own arithmetic


SB3 = Costs(0.35e-3, 0.26e-3, 0.02e-3, 1.55e-3, 0.8e-6, 1.1e-10, 0.0)
FAST = Costs(0.07e-3, 0.033e-3, 0.015e-3, 0.1e-3, 0.5e-6, 0.8e-10, 1.1e-9)
COSTS: dict[tuple[str, TrainerName], Costs] = {
    ("PPO", "sb3"): SB3,
    ("PPO", "fast"): FAST,
    ("A2C", "sb3"): replace(SB3, update_s=1.3e-3),
    ("A2C", "fast"): replace(FAST, update_s=0.3e-3),
}
WORKER_START_S = 3.0  # torch and SB3 are imported once in each worker

N_CONFIGURATIONS = 64
ASSUMED_EPISODE_STEPS = 500
PRUNED_SHARE = 0.5  # of the trials after the start-up, by the median pruner
LOW, HIGH = 0.7, 2.0  # what the model is off by, from experience: a busy machine, a slower environment


@dataclass(frozen=True)
class Estimate:
    """A rough guess; show it as a range."""

    low_s: float  # the whole study, pruned trials cut short, on an idle machine
    high_s: float  # nothing pruned, on a busy machine or in a slower environment
    seconds_per_trial: float  # of one worker, a trial that is not pruned
    basis: str  # how it came about, one or two sentences


def study_seconds(
    spec: StudySpec, *, episode_steps: int | None = None, n_cores: int | None = None
) -> Estimate:
    """Estimate how long a study takes, from random configurations of its space (always the same ones).

    Args:
        spec: the request.
        episode_steps: longest episode of the environment, for the evaluations; None when it is not known.
        n_cores: cores for the workers; None for those this process may use.
    """
    cores = usable_cores() if n_cores is None else n_cores
    budget = spec.budget
    n_workers = max(1, min(spec.n_workers, cores, budget.n_trials))
    length = episode_steps or ASSUMED_EPISODE_STEPS
    configurations = [resolve_configuration(spec, stored) for stored in _configurations(spec)]
    per_trial = float(np.mean([_trial_seconds(spec, c, length) for c in configurations]))
    n_cut = _expected_pruned(spec)
    saved = n_cut * per_trial * (1 - 1 / budget.n_evaluations)  # pruned at the first evaluation
    low = (budget.n_trials * per_trial - saved) / n_workers * LOW + WORKER_START_S
    high = budget.n_trials * per_trial / n_workers * HIGH + 2 * WORKER_START_S
    if budget.timeout_s is not None:  # no trial starts after it; those underway end
        high = min(high, budget.timeout_s + per_trial * HIGH)
        low = min(low, high, budget.timeout_s)
    return Estimate(low, high, per_trial, _basis(n_workers, episode_steps))


def episodes_seconds(spec: StudySpec, n_episodes: int, *, episode_steps: int | None = None) -> float:
    """Estimate how long a policy takes to play episodes, in as many envs at a time as the request says."""
    budget = spec.budget.model_copy(update={"n_eval_episodes": n_episodes})
    length = episode_steps or ASSUMED_EPISODE_STEPS
    asked = spec.model_copy(update={"budget": budget})
    configurations = [resolve_configuration(spec, stored) for stored in _configurations(spec)]
    return float(np.mean([_evaluation_seconds(asked, _costs(spec, c), length) for c in configurations]))


def training_seconds(spec: StudySpec, resolved: dict[str, Any], *, episode_steps: int | None = None) -> float:
    """Estimate how long one worker takes for a trial of one resolved configuration, with its evaluations."""
    return _trial_seconds(spec, resolved, episode_steps or ASSUMED_EPISODE_STEPS)


def _trial_seconds(spec: StudySpec, resolved: dict[str, Any], episode_steps: int) -> float:
    costs = _costs(spec, resolved)
    evaluations = spec.budget.n_evaluations * _evaluation_seconds(spec, costs, episode_steps)
    return _training_seconds(spec, costs, resolved) + evaluations


def _costs(spec: StudySpec, resolved: dict[str, Any]) -> Costs:
    """Return what a configuration costs with the trainer that it will get, as far as the request tells."""
    is_fast = spec.trainer == "auto" and not_covered(spec, resolved) is None
    try:
        return COSTS[spec.algorithm, "fast" if is_fast else "sb3"]
    except KeyError:
        raise ValueError(f"There is no time model for {spec.algorithm}.") from None


def _training_seconds(spec: StudySpec, costs: Costs, resolved: dict[str, Any]) -> float:
    rollout = rollout_steps(spec, resolved)
    assert rollout is not None  # both algorithms collect some
    n_rollouts = math.ceil(spec.budget.n_timesteps / rollout)  # SB3 rounds the budget up to whole ones
    vector_steps = n_rollouts * rollout / spec.n_train_envs
    batch = argument_value(spec, resolved, "batch_size") or rollout  # A2C: one minibatch a rollout
    epochs = argument_value(spec, resolved, "n_epochs") or 1
    minibatches = n_rollouts * epochs * math.ceil(rollout / batch)
    weights = _weights(argument_value(spec, resolved, "policy_kwargs.net_arch"))
    transition = costs.transition_s + costs.weight_s * weights
    update = costs.update_s + costs.step_s * weights + transition * min(batch, rollout)
    return vector_steps * (costs.collect_s + costs.env_step_s * spec.n_train_envs) + minibatches * update


def _evaluation_seconds(spec: StudySpec, costs: Costs, episode_steps: int) -> float:
    n_envs = min(spec.n_eval_envs, spec.budget.n_eval_episodes)
    vector_steps = math.ceil(spec.budget.n_eval_episodes / n_envs) * episode_steps
    return vector_steps * (costs.evaluate_s + costs.env_step_s * n_envs)


def _weights(net_arch: Any) -> int:
    """Return how many weights lie between hidden layers, policy and value net together."""
    nets = list(net_arch.values()) if isinstance(net_arch, dict) else [net_arch, net_arch]
    return sum(a * b for net in nets for a, b in itertools.pairwise(net))


def _expected_pruned(spec: StudySpec) -> float:
    marks = spec.evaluation_marks()
    warmup = spec.pruner.warmup_fraction * spec.budget.n_timesteps
    if spec.pruner.name == "none" or len(marks) == 1 or marks[-2] < int(warmup):
        return 0.0
    return PRUNED_SHARE * max(0, spec.budget.n_trials - spec.pruner.n_startup_trials)


def _configurations(spec: StudySpec) -> list[dict[str, Any]]:
    """Return random configurations as stored values, spread evenly over each parameter's range."""
    rng = np.random.default_rng(0)
    n = N_CONFIGURATIONS
    columns = {p.name: rng.permutation((np.arange(n) + rng.random(n)) / n) for p in spec.search_space}
    return [{p.name: value_at(p, float(columns[p.name][i])) for p in spec.search_space} for i in range(n)]


def _basis(n_workers: int, episode_steps: int | None) -> str:
    workers = "1 worker" if n_workers == 1 else f"{n_workers} workers"
    assumed = "" if episode_steps else f" Episodes of {ASSUMED_EPISODE_STEPS} steps are assumed."
    return (
        f"Rough: what {N_CONFIGURATIONS} random configurations of this space cost in environments as light "
        f"as Pendulum-v1, with {workers} at a time; slow environments and images take longer.{assumed}"
    )
