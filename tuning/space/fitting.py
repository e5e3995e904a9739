"""Arguments that must fit each other, or the algorithm would learn nothing or get numbers that are none.

Whatever sets them, searched, fixed or by default, they are made to fit when a configuration is resolved.
"""

from collections.abc import Callable
from typing import Any

_QUANTILES = "policy_kwargs.n_quantiles"


def fit(
    algorithm: str, resolved: dict[str, Any], argument_value: Callable[[str], Any], rollout: int | None
) -> None:
    """Lower arguments that do not fit another one, in place.

    Args:
        algorithm: its name.
        resolved: top-level arguments that are set, plain JSON.
        argument_value: what the algorithm gets for an argument, set or by default.
        rollout: env steps of one rollout over all training envs; None where there are none.
    """
    batch = argument_value("batch_size")
    if rollout is not None and isinstance(batch, int):
        fitting = min(batch, rollout)  # a minibatch larger than one rollout cannot be filled
        if algorithm == "RecurrentPPO" and argument_value("normalize_advantage"):
            fitting = _without_a_lone_step(rollout, fitting)
        if fitting != batch:
            resolved["batch_size"] = fitting
    dropped, quantiles = argument_value("top_quantiles_to_drop_per_net"), argument_value(_QUANTILES)
    if isinstance(dropped, int) and isinstance(quantiles, int) and dropped >= quantiles:
        resolved["top_quantiles_to_drop_per_net"] = quantiles - 1  # a target of none teaches nothing
    factor = argument_value("sub_sampling_factor")
    if rollout is not None and isinstance(factor, int) and factor > max(1, rollout // 2):
        resolved["sub_sampling_factor"] = max(1, rollout // 2)  # advantages are scaled by the spread of two


def _without_a_lone_step(rollout: int, batch: int) -> int:
    """Return the nearest lower batch, or higher, that leaves no last minibatch of a single step.

    RecurrentPPO scales advantages by their spread in a minibatch, and that of one number is none. SB3's own
    PPO leaves such a minibatch as it is.
    """
    sizes = (*range(batch, 1, -1), *range(batch + 1, rollout + 1))
    return next((size for size in sizes if rollout % size != 1), batch)
