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
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from tuning.fast_ppo.diagnostics import PPODiagnostics
from tuning.fast_ppo.kernel import Kernel

NextEpoch = Callable[[], RolloutBufferSamples]  # the whole rollout in a new random order


@dataclass(frozen=True)
class Loss:
    """What the losses of both algorithms have, by SB3's arguments."""

    entropy: float  # c_H
    value: float  # c_V
    max_grad_norm: float
    normalize_advantage: bool


@dataclass(frozen=True)
class ClippedLoss(Loss):
    """The loss of PPO, and where an update ends early."""

    clip_range: float  # ε
    clip_range_vf: float | None  # ε_V
    target_kl: float | None  # the update ends where the approximate divergence is above 1.5 times this


def update_ppo(
    kernel: Kernel, loss: ClippedLoss, next_epoch: NextEpoch, *, n_epochs: int, batch_size: int
) -> PPODiagnostics:
    """Update a policy in minibatches; the last one of an epoch may be smaller."""
    diagnostics = PPODiagnostics()
    with kernel.optimizer() as step:
        for _ in range(n_epochs):
            diagnostics.begin_epoch()
            for batch in _minibatches(kernel, loss, next_epoch(), batch_size):
                if not _descend(kernel, loss, batch, diagnostics):
                    return diagnostics
                step(scale=_clipping(kernel, loss.max_grad_norm))
    return diagnostics


@dataclass(frozen=True, slots=True)
class _Minibatch:
    """n transitions; arrays of shape (n,) unless said."""

    observations: np.ndarray  # (n, ...)
    actions: np.ndarray  # (n, k), encoded
    old_log_prob: np.ndarray
    old_values: np.ndarray
    returns: np.ndarray
    slope: np.ndarray  # -A / n: ∂L/∂r
    side: np.ndarray  # 1 where A > 0: r may not grow beyond 1 + ε; else -1: it may not shrink below 1 - ε
    limit: np.ndarray  # so side * r is compared with this


def _minibatches(
    kernel: Kernel, loss: ClippedLoss, samples: RolloutBufferSamples, batch_size: int
) -> Iterator[_Minibatch]:
    """Cut a rollout in minibatches. What they need is computed for all of them at once."""
    total = len(samples.advantages)
    starts = np.arange(0, total, batch_size)
    sizes = np.diff(starts, append=total)
    advantages = samples.advantages.numpy()
    if loss.normalize_advantage:
        advantages = normalized(advantages, starts)
    up = advantages > 0
    columns = (
        samples.observations.numpy(),
        kernel.actions.encode(samples.actions.numpy()),
        samples.old_log_prob.numpy(),
        samples.old_values.numpy(),
        samples.returns.numpy(),
        (-advantages / np.repeat(sizes, sizes)).astype(np.float32),
        np.where(up, np.float32(1), np.float32(-1)),
        # A falling schedule may end below zero: 1 + ε is then the lower bound as well, as in torch.clamp.
        np.where(up, np.float32(1 + loss.clip_range), np.float32(abs(loss.clip_range) - 1)),
    )
    for start in starts.tolist():
        part = slice(start, start + batch_size)
        yield _Minibatch(*(column[part] for column in columns))


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


def _descend(kernel: Kernel, loss: ClippedLoss, batch: _Minibatch, diagnostics: PPODiagnostics) -> bool:
    """Compute the gradient of a minibatch, unless the policy has gone too far: then return False."""
    evaluated = kernel.evaluate(batch.observations, batch.actions)
    log_ratio = evaluated.actions.log_prob - batch.old_log_prob
    ratio = np.exp(log_ratio)

    value_slope = 2 * loss.value / len(ratio)
    if loss.clip_range_vf is None:
        error = evaluated.values - batch.returns
        value_gradient = error * value_slope
    else:
        change = evaluated.values - batch.old_values
        clipped = np.minimum(np.maximum(change, -loss.clip_range_vf), loss.clip_range_vf)
        error = batch.old_values + clipped - batch.returns
        value_gradient = error * value_slope * (np.abs(change) <= loss.clip_range_vf)

    diagnostics.add(batch.slope, ratio, log_ratio, error, evaluated.actions.entropy)
    if loss.target_kl is not None:
        divergence = approximate_kl(ratio, log_ratio)
        if divergence > 1.5 * loss.target_kl:
            diagnostics.stopped_at = divergence
            return False
    kernel.backward(
        evaluated,
        log_prob=batch.slope * ratio * (batch.side * ratio <= batch.limit),
        entropy=-loss.entropy,
        value=value_gradient,
    )
    return True


def approximate_kl(ratio: np.ndarray, log_ratio: np.ndarray) -> float:
    """Return the mean of (r - 1) - log r: never negative, and the divergence in expectation.

    Source: Schulman, "Approximating KL divergence", 2020.
    """
    return float(np.mean((ratio - 1) - log_ratio))


def update_a2c(kernel: Kernel, loss: Loss, samples: RolloutBufferSamples) -> dict[str, float]:
    """Update a policy by one step on a whole rollout, and return the parts of the loss as SB3 logs them."""
    n = len(samples.advantages)
    advantages = samples.advantages.numpy()
    if loss.normalize_advantage:
        advantages = normalized(advantages, np.zeros(1, np.int64)).astype(np.float32)
    evaluated = kernel.evaluate(samples.observations.numpy(), kernel.actions.encode(samples.actions.numpy()))
    error = evaluated.values - samples.returns.numpy()
    records = {
        "policy_loss": -float(np.mean(advantages * evaluated.actions.log_prob)),
        "value_loss": float(np.mean(error * error)),
        "entropy_loss": -float(np.mean(evaluated.actions.entropy)),
    }
    kernel.backward(
        evaluated,
        log_prob=advantages / -n,
        entropy=-loss.entropy,
        value=error * (2 * loss.value / n),
    )
    with kernel.optimizer() as step:
        step(scale=_clipping(kernel, loss.max_grad_norm))
    return records


def _clipping(kernel: Kernel, max_norm: float) -> float:
    """Return what to scale the gradient by, so that its norm over all parameters is at most `max_norm`.

    NaN where the gradient has a NaN, as in torch: the weights then say that training has diverged.
    """
    gradient = kernel.flat.gradient.numpy()
    scale = max_norm / (math.sqrt(np.dot(gradient, gradient)) + 1e-6)
    return 1.0 if scale >= 1 else scale
