"""What the parts of a training cost on the CPU: a rough model for each kind of algorithm and trainer.

Source of the constants: `python -m benchmarks.step_costs` on a two-core machine (SB3 2.9, torch 2.13, one
thread, Pendulum-v1 and CartPole-v1), in ms:

| | SB3 | fast kernels |
|---|---|---|
| a training step of 1 / 5 / 16 envs at a time | 0.38 / 0.51 / 0.71 | 0.09 / 0.15 / 0.31 |
| a step of an evaluation | 0.29 / 0.40 / 0.58 | 0.05 / 0.11 / 0.27 |
| a minibatch of 8 / 64 / 256 / 1024, nets of [64, 64] | 1.6 / 1.6 / 2.0 / 3.7 | 0.12 / 0.20 / 0.42 / 1.3 |
| the same with [256, 256] | 1.8 / 2.7 / 5.3 / 18 | 0.34 / 0.95 / 3.2 / 12 |
| A2C by as many transitions, [64, 64] | 1.8 / 1.6 / 1.9 / 3.4 | 0.36 / 0.42 / 0.62 / 1.5 |

Algorithms that replay steps, `python -m benchmarks.gradient_step_costs` on the same machine with other work
on it; a gradient step of 32 / 256 / 1024 replayed steps, in ms:

| | nets of [64, 64] | [256, 256] |
|---|---|---|
| SAC | 4.2 / 6.3 / 9.2 | 7.5 / 16 / 48 |
| TD3, DDPG | 2.3 / 3.2 / 4.7 | 3.6 / 9.7 / 27 |
| TQC | 5.4 / 18 / 61 | 9.7 / 28 / 92 |
| CrossQ | 6.2 / 9.9 / 20 | 8.1 / 25 / 82 |
| DQN | 1.6 / 1.6 / 3.4 | 2.8 / 4.5 / 12 |
| QR-DQN with 200 quantiles | 19 / 580 / 2280 | 23 / 560 / not timed |

RecurrentPPO, TRPO and ARS were timed once each. A slow environment, or images, cost more than all of that.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tuning.expected_trainer import not_covered
from tuning.space.resolve import argument_value, rollout_steps
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
    # An LSTM goes through a minibatch step by step.
    ("RecurrentPPO", "sb3"): replace(SB3, collect_s=1.2e-3, evaluate_s=0.8e-3, transition_s=0.7e-3),
    ("TRPO", "sb3"): replace(SB3, update_s=0.7e-3),  # a minibatch of its critic
    ("ARS", "sb3"): replace(SB3, collect_s=0.07e-3, env_step_s=0.05e-3, evaluate_s=0.1e-3),
}
NATURAL_GRADIENT_S = 12e-3  # TRPO: once a rollout, with the default of 15 steps
NATURAL_GRADIENT_STEP_S = 32e-6  # on top, for each env step of the rollout


@dataclass(frozen=True)
class Replay:
    """What an algorithm that replays steps costs, in seconds."""

    update_s: float  # a gradient step of any size
    net_s: float  # on top, for each weight between the hidden layers of one net
    transition_s: float  # on top, for each replayed step
    weight_s: float  # on top, for each replayed step and weight between the hidden layers of one net


COLLECT_S, REPLAY_ENV_STEP_S = 0.3e-3, 0.03e-3
REPLAY = {
    "SAC": Replay(3.9e-3, 3.7e-8, 2.7e-6, 5.8e-10),
    "TQC": Replay(3.5e-3, 5.0e-8, 2.7e-6, 4.5e-10),
    "TD3": Replay(2.2e-3, 1.0e-8, 1.0e-6, 3.5e-10),
    "DDPG": Replay(2.2e-3, 1.0e-8, 1.0e-6, 3.5e-10),
    "CrossQ": Replay(5.7e-3, 0.0, 9.4e-6, 1.0e-9),
    "DQN": Replay(1.5e-3, 1.5e-8, 1.3e-6, 1.2e-10),
    "QR-DQN": Replay(1.5e-3, 1.5e-8, 1.3e-6, 1.2e-10),
}
# Losses over quantiles compare each predicted one with each of the target. More than a cache holds cost more.
PAIR_S, FAR_PAIR_S, CACHED_PAIRS = 18e-9, 57e-9, 2_500_000


def costs_of(spec: StudySpec, resolved: dict[str, Any]) -> Costs:
    """Return what a configuration costs with the trainer that it will get, as far as the request tells."""
    is_fast = spec.trainer == "auto" and not_covered(spec, resolved) is None
    return COSTS.get((spec.algorithm, "fast" if is_fast else "sb3"), SB3)


def learning_seconds(spec: StudySpec, resolved: dict[str, Any]) -> float:
    """Return how long a training takes without its evaluations."""
    if spec.info.kind == "off-policy":
        return _replayed(spec, resolved)
    costs, rollout = costs_of(spec, resolved), rollout_steps(spec, resolved)
    a_step = costs.collect_s + costs.env_step_s * spec.n_train_envs
    if rollout is None:  # whole episodes, and nothing to differentiate
        return spec.budget.n_timesteps / spec.n_train_envs * a_step
    n_rollouts = math.ceil(spec.budget.n_timesteps / rollout)  # SB3 rounds the budget up to whole ones
    vector_steps = n_rollouts * rollout / spec.n_train_envs
    batch = argument_value(spec, resolved, "batch_size") or rollout  # A2C: one minibatch a rollout
    epochs = argument_value(spec, resolved, "n_epochs") or 1
    natural = 0.0
    if cg_steps := argument_value(spec, resolved, "cg_max_steps"):  # TRPO
        epochs = argument_value(spec, resolved, "n_critic_updates")
        natural = (NATURAL_GRADIENT_S + NATURAL_GRADIENT_STEP_S * rollout) * cg_steps / 15
    minibatches = n_rollouts * epochs * math.ceil(rollout / batch)
    weights = _weights(argument_value(spec, resolved, "policy_kwargs.net_arch"))
    transition = costs.transition_s + costs.weight_s * weights
    update = costs.update_s + costs.step_s * weights + transition * min(batch, rollout)
    return vector_steps * a_step + minibatches * update + n_rollouts * natural


def _replayed(spec: StudySpec, resolved: dict[str, Any]) -> float:
    def value(name: str) -> Any:
        return argument_value(spec, resolved, name)

    rollout = value("train_freq") * spec.n_train_envs
    n_updates = max(0, math.ceil((spec.budget.n_timesteps - value("learning_starts")) / rollout))
    gradient_steps = rollout if value("gradient_steps") < 0 else value("gradient_steps")
    vector_steps = math.ceil(spec.budget.n_timesteps / rollout) * value("train_freq")
    collecting = vector_steps * (COLLECT_S + REPLAY_ENV_STEP_S * spec.n_train_envs)
    return collecting + n_updates * gradient_steps * _gradient_step(spec, value)


def _gradient_step(spec: StudySpec, value: Callable[[str], Any]) -> float:
    costs = REPLAY.get(spec.algorithm, REPLAY["SAC"])
    net, batch = value("policy_kwargs.net_arch"), value("batch_size")
    nets = [net["pi"], net["qf"], net["qf"]] if isinstance(net, dict) else [net]
    weights = sum(a * b for each in nets for a, b in itertools.pairwise(each)) / len(nets)
    n = value("policy_kwargs.n_quantiles") or 0
    critics = value("policy_kwargs.n_critics") or 1
    pairs = batch * critics**2 * n**2  # TQC's critics share one target
    quantiles = pairs * (PAIR_S if pairs <= CACHED_PAIRS else FAR_PAIR_S)
    each = costs.transition_s + costs.weight_s * weights
    return costs.update_s + costs.net_s * weights + each * batch + quantiles


def _weights(net_arch: Any) -> int:
    """Return how many weights lie between hidden layers, policy and value net together."""
    nets = list(net_arch.values()) if isinstance(net_arch, dict) else [net_arch, net_arch]
    return sum(a * b for net in nets for a, b in itertools.pairwise(net))
