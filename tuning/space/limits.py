"""Natural limits: values that a parameter must never pass, whatever a search finds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tuning.algorithms import Argument, algorithm, algorithm_names
from tuning.space.parameters import POLICY_PREFIX, default_target
from tuning.spec import StudySpec

# Stored names under which a transform is common, in our presets and in RL Zoo's spaces.
_TRANSFORMS = (("one_minus_", "1 - x"), ("_pow", "2^x"))


# What people search in files of their own that is no algorithm's argument here: regularisation of nets.
_ELSEWHERE = (
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
    for known in map(algorithm, algorithm_names()):
        for one in known.arguments.values():
            bare = one.name.removeprefix(POLICY_PREFIX)  # n_quantiles: nobody writes the prefix
            arguments[bare] = _wider(arguments.get(bare, one), one)
    found = {}
    for name in names:
        transform = next((t for mark, t in _TRANSFORMS if mark in name), "identity")
        argument = arguments.get(default_target(name, transform))
        if argument is not None and (limit := _stored(argument, transform)) is not None:
            found[name] = limit
    return found


def _wider(one: Argument, other: Argument) -> Argument:
    """Return the argument that admits more at its lower end: nobody says whose algorithm it is."""
    if other.low is None or (one.low is not None and other.low < one.low):
        return other
    return one


def _stored(argument: Argument, transform: str) -> Limit | None:
    if argument.kind not in ("float", "int", "auto_float"):
        return None
    if argument.low is None and argument.high is None:
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
        case "auto_x":  # SB3 learns its logarithm
            return Limit(low, high, open_low=True, about=f"{argument.name} must start above 0")
    return None
