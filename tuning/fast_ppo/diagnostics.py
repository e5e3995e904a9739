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
    """Keeps what each minibatch gave, and takes the means of all minibatches of an epoch at once.

    Attributes:
        n_epochs: begun so far.
    """

    def __init__(self, entropy_coefficient: float, value_coefficient: float, clip_range: float) -> None:
        self._entropy_coefficient = entropy_coefficient
        self._value_coefficient = value_coefficient
        self._clip_range = clip_range
        self._minibatches: list[tuple[np.ndarray | np.float32, ...]] = []  # of the epoch under way
        self._epochs: list[tuple[np.ndarray, ...]] = []
        self.n_epochs = 0

    def add(self, *minibatch: np.ndarray | np.float32) -> None:
        """Keep a minibatch: -A / n, r, log r, errors of the values, entropies; (n,), entropies maybe ()."""
        self._minibatches.append(minibatch)

    def end_epoch(self) -> None:
        """Take the means of the epoch's minibatches."""
        gain, ratio, log_ratio, error, entropy = zip(*self._minibatches, strict=True)
        sizes = np.array([len(r) for r in ratio])
        starts = np.cumsum(sizes) - sizes

        def means(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(values, starts) / sizes

        columns = (gain, ratio, log_ratio, error)
        gains, r, log_r, errors = (np.concatenate(column).astype(np.float64) for column in columns)
        clipped = np.clip(r, 1 - self._clip_range, 1 + self._clip_range)
        entropies = np.array(entropy) if np.ndim(entropy[0]) == 0 else means(np.concatenate(entropy))
        self._epochs.append(
            (
                np.add.reduceat(np.maximum(gains * r, gains * clipped), starts),
                means(errors * errors),
                -entropies,
                means((r - 1) - log_r),
                means(np.abs(r - 1) > self._clip_range),
            )
        )
        self._minibatches = []
        self.n_epochs += 1

    def records(self) -> dict[str, float]:
        """Return SB3's `train/` entries: means over all minibatches; of the divergence, the last epoch's."""
        policy, value, entropy, _, clipped = map(np.concatenate, zip(*self._epochs, strict=True))
        return {
            "entropy_loss": float(np.mean(entropy)),
            "policy_gradient_loss": float(np.mean(policy)),
            "value_loss": float(np.mean(value)),
            "approx_kl": float(np.mean(self._epochs[-1][3])),
            "clip_fraction": float(np.mean(clipped)),
            "loss": float(
                policy[-1] + self._entropy_coefficient * entropy[-1] + self._value_coefficient * value[-1]
            ),
        }
