"""What SB3 logs about an update, collected without slowing it down."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class A2CDiagnostics:
    """The parts of the loss before the step."""

    policy_loss: float
    value_loss: float
    entropy_loss: float


class PPODiagnostics:
    """Keeps what each minibatch gave, and takes the means of all minibatches at once, at the end.

    Attributes:
        n_epochs: begun so far.
    """

    def __init__(self, entropy_coefficient: float, value_coefficient: float, clip_range: float) -> None:
        self._entropy_coefficient = entropy_coefficient
        self._value_coefficient = value_coefficient
        self._clip_range = clip_range
        self._minibatches: list[tuple[np.ndarray | np.float32, ...]] = []
        self._newest_epoch = 0  # its first minibatch
        self.n_epochs = 0

    def begin_epoch(self) -> None:
        """Count the minibatches that follow as another epoch's."""
        self._newest_epoch = len(self._minibatches)
        self.n_epochs += 1

    def add(self, *minibatch: np.ndarray | np.float32) -> None:
        """Keep a minibatch: -A / n, r, log r, errors of the values, (n,); entropies, (n,) or one for all."""
        self._minibatches.append(minibatch)

    def records(self) -> dict[str, float]:
        """Return SB3's `train/` entries: means over all minibatches; of the divergence, the last epoch's."""
        gain, ratio, log_ratio, error, entropy = zip(*self._minibatches, strict=True)
        sizes = np.array([len(r) for r in ratio])
        starts = np.cumsum(sizes) - sizes

        def means(values: np.ndarray) -> np.ndarray:  # of each minibatch
            return np.add.reduceat(values, starts, dtype=np.float64) / sizes

        gains, r, log_r, errors = map(np.concatenate, (gain, ratio, log_ratio, error))
        clipped = np.clip(r, 1 - self._clip_range, 1 + self._clip_range)
        policy_losses = means(np.maximum(gains * r, gains * clipped)) * sizes
        value_losses = means(errors * errors)
        entropies = np.array(entropy) if np.ndim(entropy[0]) == 0 else means(np.concatenate(entropy))
        loss = (
            policy_losses[-1]
            - self._entropy_coefficient * entropies[-1]
            + self._value_coefficient * value_losses[-1]
        )
        return {
            "entropy_loss": -float(np.mean(entropies)),
            "policy_gradient_loss": float(np.mean(policy_losses)),
            "value_loss": float(np.mean(value_losses)),
            "approx_kl": float(np.mean(means((r - 1) - log_r)[self._newest_epoch :])),
            "clip_fraction": float(np.mean(means(np.abs(r - 1) > self._clip_range))),
            "loss": float(loss),
        }
