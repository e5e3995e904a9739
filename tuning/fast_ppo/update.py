"""The updates of PPO and A2C on one rollout: their losses, and the derivatives that the kernel goes on from.

With advantages A, returns R, probability ratios r = π(a|s) / π_old(a|s), values V and entropies H of a
minibatch of n transitions, PPO minimises

    L = -1/n Σ min(A r, A clip(r, 1-ε, 1+ε)) - c_H 1/n Σ H + c_V 1/n Σ (V' - R)²

where V' is V, or V_old + clip(V - V_old, -ε_V, ε_V). Hence

    ∂L/∂ log π = -A r / n           unless r has left the clip range on the side that A favours: then 0
    ∂L/∂V = 2 c_V (V' - R) / n      unless V was clipped: then 0

A2C has -1/n Σ A log π in place of the first term, and takes one step on the whole rollout.

Source: Schulman et al., "Proximal policy optimization algorithms", 2017, equations 7 and 9; Mnih et al.,
"Asynchronous methods for deep reinforcement learning", 2016. Every detail (how advantages are normalised,
where an update stops early, what is logged) is as in SB3's `PPO.train` and `A2C.train`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from tuning.fast_ppo.diagnostics import A2CDiagnostics, PPODiagnostics
from tuning.fast_ppo.kernel import Kernel
from tuning.fast_ppo.optimizers import FlatOptimizer

NextEpoch = Callable[[], RolloutBufferSamples]  # the whole rollout in a new random order


@dataclass(frozen=True)
class Coefficients:
    """What the losses of both algorithms have, by SB3's arguments."""

    entropy: float
    value: float
    max_grad_norm: float
    normalize_advantage: bool


@dataclass(frozen=True)
class Clipping:
    """What limits an update of PPO."""

    ratio: float  # ε
    value: float | None  # ε_V
    target_kl: float | None  # the update ends where the approximate divergence is above 1.5 times this


def update_ppo(
    kernel: Kernel,
    next_epoch: NextEpoch,
    *,
    n_epochs: int,
    batch_size: int,
    coefficients: Coefficients,
    clipping: Clipping,
) -> PPODiagnostics:
    """Update a policy in minibatches; the last one of an epoch may be smaller."""
    diagnostics = PPODiagnostics(coefficients.entropy, coefficients.value, clipping.ratio)
    optimizer = kernel.optimizer()
    optimizer.begin()
    goes_on = True
    while goes_on and diagnostics.n_epochs < n_epochs:
        diagnostics.begin_epoch()
        epoch = _Epoch(kernel, next_epoch(), batch_size, coefficients, clipping)
        goes_on = all(
            _ppo_step(kernel, optimizer, minibatch, coefficients, clipping, diagnostics)
            for minibatch in epoch.minibatches()
        )
    optimizer.finish()
    return diagnostics


@dataclass(frozen=True, slots=True)
class _Minibatch:
    """n transitions; arrays of shape (n,) unless said."""

    observations: np.ndarray  # (n, n_inputs), encoded
    actions: np.ndarray  # (n, k), encoded
    old_log_prob: np.ndarray
    old_values: np.ndarray
    returns: np.ndarray
    gain: np.ndarray  # -A / n
    side: np.ndarray  # 1 where A > 0: r may not grow beyond 1 + ε; else -1: it may not shrink below 1 - ε
    limit: np.ndarray  # so side * r is compared with this


class _Epoch:
    """A rollout in one random order, with all that can be computed for all of its minibatches at once."""

    def __init__(
        self,
        kernel: Kernel,
        samples: RolloutBufferSamples,
        batch_size: int,
        coefficients: Coefficients,
        clipping: Clipping,
    ) -> None:
        total = len(samples.advantages)
        self._starts = np.arange(0, total, batch_size)
        sizes = np.diff(self._starts, append=total)
        advantages = samples.advantages.numpy()
        if coefficients.normalize_advantage:
            advantages = normalized(advantages, self._starts)
        up = advantages > 0
        self._columns = (
            kernel.encode(samples.observations.numpy()),
            kernel.actions.encode(samples.actions.numpy()),
            samples.old_log_prob.numpy(),
            samples.old_values.numpy(),
            samples.returns.numpy(),
            (-advantages / np.repeat(sizes, sizes)).astype(np.float32),
            np.where(up, np.float32(1), np.float32(-1)),
            # A falling schedule may end below zero; torch.clamp then gives the upper bound, whatever r is.
            np.where(up, np.float32(1 + clipping.ratio), np.float32(abs(clipping.ratio) - 1)),
        )
        self._batch_size = batch_size

    def minibatches(self) -> "list[_Minibatch]":
        """Return the minibatches, as views."""
        size = self._batch_size
        return [
            _Minibatch(*(column[i : i + size] for column in self._columns)) for i in self._starts.tolist()
        ]


def normalized(advantages: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return advantages less their minibatch's mean, by its standard deviation; a minibatch of one stays.

    Args:
        advantages: (n,) of all minibatches.
        starts: index of each minibatch's first one.
    """
    exact = advantages.astype(np.float64)
    sizes = np.diff(starts, append=len(exact))
    several = sizes > 1
    mean = np.where(several, np.add.reduceat(exact, starts) / sizes, 0)
    exact -= np.repeat(mean, sizes)
    square = np.add.reduceat(exact * exact, starts) / np.maximum(sizes - 1, 1)
    return exact / np.repeat(np.where(several, np.sqrt(square) + 1e-8, 1), sizes)


def _ppo_step(
    kernel: Kernel,
    optimizer: FlatOptimizer,
    batch: _Minibatch,
    coefficients: Coefficients,
    clipping: Clipping,
    diagnostics: PPODiagnostics,
) -> bool:
    """Take one step on a minibatch, unless the policy has gone too far: then return False."""
    evaluated = kernel.evaluate(batch.observations, batch.actions)
    log_ratio = evaluated.judged.log_prob - batch.old_log_prob
    ratio = np.exp(log_ratio)

    value_slope = 2 * coefficients.value / len(ratio)
    if clipping.value is None:
        error = evaluated.values - batch.returns
        value_gradient = error * value_slope
    else:
        change = evaluated.values - batch.old_values
        clipped = np.minimum(np.maximum(change, -clipping.value), clipping.value)
        error = batch.old_values + clipped - batch.returns
        value_gradient = error * value_slope * (np.abs(change) <= clipping.value)

    diagnostics.add(batch.gain, ratio, log_ratio, error, evaluated.judged.entropy)
    if clipping.target_kl is not None and approximate_kl(ratio, log_ratio) > 1.5 * clipping.target_kl:
        return False
    kernel.backward(
        evaluated,
        log_prob=batch.gain * ratio * (batch.side * ratio <= batch.limit),
        entropy=-coefficients.entropy,
        value=value_gradient,
    )
    optimizer.step(scale=clipping_scale(kernel, coefficients.max_grad_norm))
    return True


def update_a2c(kernel: Kernel, samples: RolloutBufferSamples, coefficients: Coefficients) -> A2CDiagnostics:
    """Update a policy by one step on a whole rollout."""
    n = len(samples.advantages)
    advantages = samples.advantages.numpy()
    if coefficients.normalize_advantage:
        advantages = normalized(advantages, np.zeros(1, np.int64)).astype(np.float32)
    evaluated = kernel.evaluate(
        kernel.encode(samples.observations.numpy()), kernel.actions.encode(samples.actions.numpy())
    )
    error = evaluated.values - samples.returns.numpy()
    diagnostics = A2CDiagnostics(
        policy_loss=-float(np.mean(advantages * evaluated.judged.log_prob)),
        value_loss=float(np.mean(error * error)),
        entropy_loss=-float(np.mean(evaluated.judged.entropy)),
    )
    kernel.backward(
        evaluated,
        log_prob=advantages / -n,
        entropy=-coefficients.entropy,
        value=error * (2 * coefficients.value / n),
    )
    optimizer = kernel.optimizer()
    optimizer.begin()
    optimizer.step(scale=clipping_scale(kernel, coefficients.max_grad_norm))
    optimizer.finish()
    return diagnostics


def approximate_kl(ratio: np.ndarray, log_ratio: np.ndarray) -> float:
    """Return the mean of (r - 1) - log r: never negative, and the divergence in expectation.

    Source: Schulman, "Approximating KL divergence", 2020.
    """
    return float(np.mean((ratio - 1) - log_ratio))


def clipping_scale(kernel: Kernel, max_norm: float) -> float:
    """Return what to scale the gradient by, so that its norm over all parameters is at most `max_norm`."""
    gradient = kernel.flat.gradient.numpy()
    norm = math.sqrt(np.dot(gradient, gradient))
    return min(1.0, max_norm / (norm + 1e-6))
