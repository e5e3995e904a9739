"""How large a replay buffer need be: SB3 reserves all of it at once, and most are never filled."""

from collections.abc import Mapping
from typing import Any

from tuning.algorithms import Algorithm


def replay_size(
    known: Algorithm, resolved: Mapping[str, Any], *, n_timesteps: int, n_envs: int
) -> int | None:
    """Return the least that an algorithm's buffer must hold to train as with the size that was asked for.

    None where it has no buffer.

    Args:
        known: the algorithm.
        resolved: its keyword arguments, plain JSON; those that are not set are at their defaults.
        n_timesteps: that it trains for.
        n_envs: training envs.
    """
    if "buffer_size" not in known.arguments:
        return None
    asked, train_freq = (
        resolved.get(name, known.arguments[name].default) for name in ("buffer_size", "train_freq")
    )
    size: int = min(asked, n_timesteps + train_freq * n_envs)  # the last rollout may go past the budget
    return size
