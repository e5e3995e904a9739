"""What SB3 logs about an update, collected without slowing it down."""

import numpy as np


class PPODiagnostics:
    """Keeps what each minibatch gave, and takes the means of all minibatches at once, at the end.

    Attributes:
        n_epochs: begun so far.
        stopped_at: the approximate divergence that ended the update early, or None.
    """

    def __init__(self) -> None:
        self._minibatches: list[tuple[np.ndarray | np.float32, ...]] = []
        self._newest_epoch = 0  # its first minibatch
        self.n_epochs = 0
        self.stopped_at: float | None = None

    def begin_epoch(self) -> None:
        """Count the minibatches that follow as another epoch's."""
        self._newest_epoch = len(self._minibatches)
        self.n_epochs += 1

    def add(self, *minibatch: np.ndarray | np.float32) -> None:
        """Keep a minibatch: -A / n, r, log r, errors of the values, (n,); entropies, (n,) or one for all."""
        self._minibatches.append(minibatch)

    def records(self, *, entropy: float, value: float, clip_range: float) -> dict[str, float]:
        """Return SB3's `train/` entries: means over all minibatches; of the divergence, the last epoch's.

        Args:
            entropy: its coefficient in the loss.
            value: the coefficient of the values' error.
            clip_range: ε.
        """
        slope, ratio, log_ratio, error, entropies = zip(*self._minibatches, strict=True)
        sizes = np.array([len(r) for r in ratio])
        starts = np.cumsum(sizes) - sizes

        def sums(values: np.ndarray) -> np.ndarray:  # of each minibatch
            return np.add.reduceat(values, starts, dtype=np.float64)

        slopes, r, log_r, errors = map(np.concatenate, (slope, ratio, log_ratio, error))
        policy_losses = sums(np.maximum(slopes * r, slopes * np.clip(r, 1 - clip_range, 1 + clip_range)))
        value_losses = sums(errors * errors) / sizes
        divergences = sums((r - 1) - log_r) / sizes
        if np.ndim(entropies[0]):
            mean_entropies = sums(np.concatenate(entropies)) / sizes
        else:
            mean_entropies = np.array(entropies)
        return {
            "entropy_loss": -float(np.mean(mean_entropies)),
            "policy_gradient_loss": float(np.mean(policy_losses)),
            "value_loss": float(np.mean(value_losses)),
            "approx_kl": float(np.mean(divergences[self._newest_epoch :])),
            "clip_fraction": float(np.mean(sums(np.abs(r - 1) > clip_range) / sizes)),
            "loss": float(policy_losses[-1] - entropy * mean_entropies[-1] + value * value_losses[-1]),
        }
