"""The two distributions over actions: samples, log-probabilities, entropies, and their gradients.

Each reads the outputs of the policy net for n states, (n, k), and writes ∂L/∂output for a loss L whose
derivatives by log-probability, w_i = ∂L/∂log π(a_i|s_i), and by mean entropy, e = ∂L/∂(1/n Σ H_i), are known.

Source: the densities as in `torch.distributions`, which SB3's policies use.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from tuning.fast_ppo.flat import Block

Backward = Callable[[np.ndarray, float, np.ndarray], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely given actions are in given states."""

    log_prob: np.ndarray  # (n,)
    entropy: np.ndarray | np.float32  # (n,), or one where it is the same in all states
    backward: Backward  # (w, e, delta): writes ∂L/∂output into delta, and ∂L/∂ of parameters of its own


class ActionDistribution(Protocol):
    """What the trainer needs of a distribution.

    `sample` and `best` raise ValueError where torch would refuse to make the distribution: no NaN gets out.
    """

    def sample(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions, (n, k) or (n,), and their log π, (n,); drawn as SB3 does, by torch's generator."""

    def best(self, output: np.ndarray) -> np.ndarray:
        """Return the likeliest action for each row of `output`, (n, k) or (n,)."""

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """Return actions, (n, ...), as `judge` reads them, (n, k) float32."""

    def judge(self, output: np.ndarray, actions: np.ndarray) -> Judged:
        """Return log-probabilities and entropies of encoded actions, and their gradients."""


class Gaussian:
    """Independent normal distributions with a standard deviation that does not depend on the state.

    With z = (a - μ) / σ, for each of the k dimensions:

        log π = Σ_k (-z²/2 - log σ - log √2π)       H = Σ_k (1/2 + log √2π + log σ)
        ∂ log π/∂μ = z / σ      ∂ log π/∂ log σ = z² - 1      ∂H/∂ log σ = 1
    """

    def __init__(self, log_std: Block) -> None:
        self._log_std = log_std
        self._k = len(log_std.values)
        self._minus_half = np.full(self._k, -0.5, np.float32)
        self._constant = self._k * 0.5 * math.log(2 * math.pi)

    def sample(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `ActionDistribution`."""
        std = self._std(output)
        z = torch.empty(output.shape).normal_().numpy()
        return output + z * std, np.matmul(z * z, self._minus_half) - self._spread()

    def best(self, output: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        self._std(output)
        return output.copy()

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return actions.reshape(len(actions), self._k).astype(np.float32, copy=False)

    def judge(self, output: np.ndarray, actions: np.ndarray) -> Judged:
        """See `ActionDistribution`."""
        inverse = np.exp(-self._log_std.values)
        z = (actions - output) * inverse
        squared = z * z
        spread = self._spread()

        def backward(w: np.ndarray, e: float, delta: np.ndarray) -> None:
            np.multiply(z, inverse, out=delta)
            np.multiply(delta, w[:, None], out=delta)
            self._log_std.gradient[:] = np.matmul(w, squared - 1) + e

        return Judged(np.matmul(squared, self._minus_half) - spread, spread + 0.5 * self._k, backward)

    def _std(self, mean: np.ndarray) -> np.ndarray:
        std = np.exp(self._log_std.values)
        if np.isnan(mean).any() or not std.min() > 0:
            raise ValueError(
                "Expected parameters of a normal distribution: the policy gives NaN, or no spread."
            )
        return std

    def _spread(self) -> np.float32:
        return self._log_std.values.sum() + self._constant


class Categorical:
    """One of k actions; the net gives unnormalised log-probabilities y. Actions are encoded one-hot.

    With log p = y - log Σ_j exp y_j:

        log π = log p_a                    H = -Σ_j p_j log p_j
        ∂ log π/∂y_j = [j = a] - p_j       ∂H/∂y_j = -p_j (log p_j + H)
    """

    def __init__(self, k: int) -> None:
        self._ones = np.ones(k, np.float32)
        self._choices = np.arange(k)

    def sample(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `ActionDistribution`: the largest p_j / q_j with q_j exponential, as in `torch.multinomial`."""
        log_p = self._numbers(output)
        race = torch.empty(output.shape).exponential_().numpy()
        actions = np.argmax(np.exp(log_p) / race, axis=1)
        return actions, log_p[np.arange(len(actions)), actions]

    def best(self, output: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return np.argmax(self._numbers(output), axis=1)

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return (actions.reshape(-1, 1) == self._choices).astype(np.float32)

    def judge(self, output: np.ndarray, actions: np.ndarray) -> Judged:
        """See `ActionDistribution`."""
        log_p = self._log_p(output)
        p = np.exp(log_p)
        entropy = -np.matmul(p * log_p, self._ones)

        def backward(w: np.ndarray, e: float, delta: np.ndarray) -> None:
            np.subtract(actions, p, out=delta)
            np.multiply(delta, w[:, None], out=delta)
            if e:
                np.subtract(delta, (e / len(p)) * p * (log_p + entropy[:, None]), out=delta)

        return Judged(np.matmul(log_p * actions, self._ones), entropy, backward)

    def _numbers(self, output: np.ndarray) -> np.ndarray:
        log_p = self._log_p(output)
        if np.isnan(log_p).any():
            raise ValueError("Expected parameters of a categorical distribution: the policy gives NaN.")
        return log_p

    def _log_p(self, output: np.ndarray) -> np.ndarray:
        shifted = output - np.maximum.reduce(output, axis=1, keepdims=True)
        return shifted - np.log(np.matmul(np.exp(shifted), self._ones))[:, None]
