"""Natural limits: values that a parameter must never pass, whatever a search finds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tuning.algorithms import Argument, algorithm, algorithm_names
from tuning.space.parameters import default_target
from tuning.spec import StudySpec

# Stored names under which a transform is common, in our presets and in RL Zoo's spaces.
_TRANSFORMS = (("one_minus_", "1 - x"), ("_pow", "2^x"))


# Arguments of other algorithms that RL Zoo searches. Source: its hyperparams_opt.py and SB3's documentation.
_ELSEWHERE = (
    Argument("tau", "float", None, "", low=0, high=1, open_low=True),
    Argument("train_freq", "int", None, "", low=1),
    Argument("gradient_steps", "int", None, "", low=1),
    Argument("subsample_steps", "int", None, "", low=1),
    Argument("target_update_interval", "int", None, "", low=1),
    Argument("learning_starts", "int", None, "", low=0),
    Argument("buffer_size", "int", None, "", low=1),
    Argument("exploration_fraction", "float", None, "", low=0, high=1),
    Argument("exploration_initial_eps", "float", None, "", low=0, high=1),
    Argument("exploration_final_eps", "float", None, "", low=0, high=1),
    Argument("noise_std", "float", None, "", low=0),
    Argument("policy_delay", "int", None, "", low=1),
    Argument("n_quantiles", "int", None, "", low=1),
    Argument("top_quantiles_to_drop_per_net", "int", None, "", low=0),
    Argument("n_critic_updates", "int", None, "", low=1),
    Argument("cg_max_steps", "int", None, "", low=1),
    Argument("n_delta", "int", None, "", low=1),
    Argument("delta_std", "float", None, "", low=0, open_low=True),
    Argument("top_frac_size", "float", None, "", low=0, high=1, open_low=True),
    Argument("n_layers", "int", None, "", low=1),
    Argument("dropout", "float", None, "", low=0, high=1, open_high=True),
    Argument("weight_decay", "float", None, "", low=0),
)


@dataclass(frozen=True)
class Limit:
    """How far one parameter's stored value may ever go; None where nothing stops it."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False  # the limit itself is excluded
    open_high: bool = False
    about: str = ""  # the rule in words, of the value that the algorithm gets: "gamma must be below 1"

    def admits(self, value: float) -> bool:
        """Say whether a stored value keeps to the limit."""
        above = self.low is None or value > self.low or (value == self.low and not self.open_low)
        below = self.high is None or value < self.high or (value == self.high and not self.open_high)
        return above and below


def spec_limits(spec: StudySpec) -> dict[str, Limit]:
    """Return the limit of every numeric parameter of a study of ours that has one, by stored name."""
    found = {}
    for parameter in spec.search_space:
        argument = spec.info.arguments.get(parameter.target)
        if argument is not None and (limit := _stored(argument, parameter.transform)) is not None:
            found[parameter.name] = limit
    return found


def known_limits(names: Iterable[str]) -> dict[str, Limit]:
    """Return the limits of parameters of any study that are named as an algorithm's arguments are.

    `gamma`, `one_minus_gamma`, `batch_size_pow`: the names that SB3 and RL Zoo use. A namesake that means
    something else shows by a range that breaks the limit; whoever uses the limit has to look.
    """
    arguments = {a.name: a for a in _ELSEWHERE}
    arguments |= {key: a for name in algorithm_names() for key, a in algorithm(name).arguments.items()}
    found = {}
    for name in names:
        transform = next((t for mark, t in _TRANSFORMS if mark in name), "identity")
        argument = arguments.get(default_target(name, transform))
        if argument is not None and (limit := _stored(argument, transform)) is not None:
            found[name] = limit
    return found


def _stored(argument: Argument, transform: str) -> Limit | None:
    if argument.kind not in ("float", "int") or (argument.low is None and argument.high is None):
        return None
    about = f"{argument.name} must be {argument.limits()}"
    low, high, open_low, open_high = argument.low, argument.high, argument.open_low, argument.open_high
    match transform:
        case "identity":
            return Limit(low, high, open_low, open_high, about)
        case "1 - x":
            return Limit(
                None if high is None else 1 - high,
                None if low is None else 1 - low,
                open_high,
                open_low,
                about,
            )
        case "2^x":
            return Limit(
                math.ceil(math.log2(low)) if low is not None and low > 0 else 0.0,
                math.floor(math.log2(high)) if high is not None else None,
                about=about,
            )
    return None
