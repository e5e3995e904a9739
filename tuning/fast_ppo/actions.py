"""The two distributions over actions: log-probabilities, entropies, and their gradients.

Each reads the outputs of the policy net for n states, (n, k), and writes ∂L/∂output for a loss L whose
derivatives by log-probability, w_i = ∂L/∂log π(a_i|s_i), and by mean entropy, e = ∂L/∂(1/n Σ H_i), are known.

Source: the densities as in `torch.distributions`, which SB3's policies use.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from tuning.fast_ppo.flat import Block


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely given actions are in given states."""

    log_prob: np.ndarray  # (n,)
    entropy: np.ndarray | np.float32  # (n,), or one where it is the same in all states
    memory: tuple[np.ndarray, ...]  # what the gradients need of the forward pass


class ActionDistribution(Protocol):
    """What the trainer needs of a distribution."""

    def sample(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions, (n, k) or (n,), and their log π, (n,); drawn as SB3 does, by torch's generator."""

    def best(self, output: np.ndarray) -> np.ndarray:
        """Return the likeliest action for each row of `output`."""

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """Return actions, (n, ...), as `judge` reads them, (n, k) float32."""

    def judge(self, output: np.ndarray, actions: np.ndarray) -> Judged:
        """Return log-probabilities and entropies of encoded actions."""

    def backward(self, judged: Judged, w: np.ndarray, e: float, delta: np.ndarray) -> None:
        """Write ∂L/∂output into `delta`, (n, k), and the gradient of parameters of its own."""


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
        z = torch.empty(output.shape).normal_().numpy()
        log_prob = np.matmul(z * z, self._minus_half) - self._spread()
        return output + z * np.exp(self._log_std.values), log_prob

    def best(self, output: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return output.copy()

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return actions.reshape(len(actions), self._k).astype(np.float32, copy=False)

    def judge(self, output: np.ndarray, actions: np.ndarray) -> Judged:
        """See `ActionDistribution`."""
        log_std = self._log_std.values
        inverse = np.exp(-log_std)
        z = (actions - output) * inverse
        squared = z * z
        spread = self._spread()
        log_prob = np.matmul(squared, self._minus_half)
        log_prob -= spread
        return Judged(log_prob, spread + 0.5 * self._k, (z, squared, inverse))

    def backward(self, judged: Judged, w: np.ndarray, e: float, delta: np.ndarray) -> None:
        """See `ActionDistribution`."""
        z, squared, inverse = judged.memory
        np.multiply(z, inverse, out=delta)
        delta *= w[:, None]
        squared -= 1
        np.matmul(w, squared, out=self._log_std.gradient)
        self._log_std.gradient[...] += e

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
        self._one_hot = np.eye(k, dtype=np.float32)

    def sample(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `ActionDistribution`: the largest p_j / q_j with q_j exponential, as in `torch.multinomial`."""
        log_p = self._log_p(output)
        race = torch.empty(output.shape).exponential_().numpy()
        actions = np.argmax(np.exp(log_p) / race, axis=1)
        return actions, log_p[np.arange(len(actions)), actions]

    def best(self, output: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return np.argmax(output, axis=1)

    def encode(self, actions: np.ndarray) -> np.ndarray:
        """See `ActionDistribution`."""
        return self._one_hot[actions.reshape(len(actions)).astype(np.int64, copy=False)]

    def judge(self, output: np.ndarray, actions: np.ndarray) -> Judged:
        """See `ActionDistribution`."""
        log_p = self._log_p(output)
        p = np.exp(log_p)
        entropy = -np.matmul(p * log_p, self._ones)
        return Judged(np.matmul(log_p * actions, self._ones), entropy, (p, log_p, actions, entropy))

    def backward(self, judged: Judged, w: np.ndarray, e: float, delta: np.ndarray) -> None:
        """See `ActionDistribution`."""
        p, log_p, actions, entropy = judged.memory
        np.subtract(actions, p, out=delta)
        delta *= w[:, None]
        if e:
            delta -= (e / len(p)) * p * (log_p + entropy[:, None])

    def _log_p(self, output: np.ndarray) -> np.ndarray:
        shifted = output - np.maximum.reduce(output, axis=1, keepdims=True)
        shifted -= np.log(np.matmul(np.exp(shifted), self._ones))[:, None]
        return shifted
