"""Arguments that a study sets and no constructor has: what they become in a resolved configuration.

RL Zoo searches some quantities in another form than the algorithm takes them. The data files mark them
`derived`. Those of the noise stay as they are until a process with torch makes an object of them
(`tuning.policy`), which is how RL Zoo's own files write them.

Source: RL Zoo's hyperparams_opt.py.
"""

from collections.abc import Callable, Collection
from typing import Any

NOISE = ("noise_type", "noise_std")
DEFAULT_NOISE_STD = 0.1  # as the data files have it
_COMPUTES = {"subsample_steps": "gradient_steps", "top_frac_size": "n_top"}


def derived_faults(targets: Collection[str]) -> list[str]:
    """Say so where a request sets an argument as well as another one that computes it.

    Args:
        targets: all arguments that are set, searched or fixed.
    """
    return [
        f"`{name}` computes `{computed}`, so both cannot be set. Remove one of the two."
        for name, computed in _COMPUTES.items()
        if name in targets and computed in targets
    ]


def put_derived(resolved: dict[str, Any], argument_value: Callable[[str], Any]) -> None:
    """Replace derived arguments by those that the constructor has, in place.

    Args:
        resolved: top-level arguments that are set, plain JSON.
        argument_value: what the algorithm gets for an argument, set or by default.
    """
    if "subsample_steps" in resolved:  # DQN, QR-DQN: a gradient step for so many env steps
        steps = resolved.pop("subsample_steps")
        resolved["gradient_steps"] = max(argument_value("train_freq") // steps, 1)
    if "top_frac_size" in resolved:  # ARS: the share of directions that an update uses
        share = resolved.pop("top_frac_size")
        if share < 1:  # all of them is the default, and default configurations are compared by what is set
            resolved["n_top"] = max(int(share * argument_value("n_delta")), 1)
