"""A sensible range for any argument of an algorithm, so that nobody has to know its name or its size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.algorithms import NOISE_TYPES, Algorithm, Argument
from tuning.space.parameters import NET_ARCH, OFF_POLICY_NET_ARCH, Parameter

_POLICY = "policy_kwargs."
_SIZE = 16  # whole numbers from here on that are powers of two are sizes, which double
_LARGE = 1000  # whole numbers from here on differ by their digits


@dataclass(frozen=True)
class Proposal:
    """A parameter that may be added to a search space."""

    argument: Argument
    parameter: Parameter
    why: str  # where the range comes from, one sentence


def proposals(known: Algorithm, space: Sequence[Parameter], fixed: Sequence[str] = ()) -> list[Proposal]:
    """Return what could be searched as well: every argument that is neither searched nor fixed, by name.

    Args:
        known: the algorithm.
        space: what is searched already.
        fixed: names of hyperparameters that are fixed.
    """
    taken = {p.target for p in space} | set(fixed)
    found = (propose(known, argument) for name, argument in known.arguments.items() if name not in taken)
    return sorted((p for p in found if p is not None), key=lambda p: p.argument.name.removeprefix(_POLICY))


def propose(known: Algorithm, argument: Argument) -> Proposal | None:
    """Return a range for an argument: a preset's where one has it, else one around its default.

    None where no range is sensible without knowing the task.
    """
    for preset in known.presets:
        for parameter in preset.space:
            if parameter.target == argument.name and parameter.at_most is None:
                return Proposal(argument, parameter, f"As {preset.title} searches it.")
    return _around_default(argument)


def _around_default(argument: Argument) -> Proposal | None:
    match argument.kind:
        case "bool":
            return _categorical(argument, (True, False), "identity", "Both.")
        case "activation_fn":
            return _categorical(argument, ("tanh", "relu"), "activation_fn", "The two that are common.")
        case "noise_type":
            return _categorical(argument, NOISE_TYPES, "identity", "All there are.")
        case "net_arch" if "vf" in argument.nets:
            return _categorical(argument, tuple(NET_ARCH), "net_arch", "Small to large nets.")
        case "net_arch":
            names = tuple(OFF_POLICY_NET_ARCH)
            return _categorical(argument, names, "off_policy_net_arch", "Small to large nets.")
        case "auto_float":
            return _categorical(argument, ("auto", 0.01, 0.1), "identity", "Learned, or one of two weights.")
        case "int":
            return _whole(argument)
        case "float":
            return _number(argument)
    return None


def _whole(argument: Argument) -> Proposal | None:
    default = argument.default
    if default is None:
        return None
    if default < 1 or (argument.low is not None and argument.low < 0):
        if default >= 0:
            return None
        return _categorical(argument, (default, 4, 8, 16), "identity", "Its default, and often to rarely.")
    lowest = argument.low if argument.low is not None else 1
    if default >= _SIZE and default & (default - 1) == 0 and default <= 2**20:
        power = default.bit_length() - 1
        low = max(power - 3, math.ceil(math.log2(max(lowest, 1))), 0)
        name = f"{_short(argument)}_pow"
        return _numeric(
            argument, name, "int", low, power + 3, "Powers of two, 8 times less to 8 times more.", form="2^x"
        )
    if default >= _LARGE:
        why = "One decade to each side of the default, on a log scale."
        return _numeric(
            argument, _short(argument), "int", max(lowest, default // 10), default * 10, why, log=True
        )
    low, high = max(lowest, math.ceil(default / 4)), max(4 * default, lowest + 7)
    why = "From a quarter to four times its default." if default > 2 else "Its default, and more of it."
    return _numeric(argument, _short(argument), "int", low, high, why)


def _number(argument: Argument) -> Proposal | None:
    default, name = argument.default, _short(argument)
    if argument.low is None:
        if default is None:
            return None
        return _numeric(argument, name, "float", default - 2, default + 2, "Two to each side of its default.")
    if argument.low != 0:
        return None
    if default is None:
        why = "It is off by default; two decades in which it acts."
        return _numeric(argument, name, "float", 0.01, min(1.0, argument.high or 1.0), why, log=True)
    if argument.high == 1:
        return _share(argument, default)
    if default == 0:
        why = "It is 0 by default, which no log scale reaches; from next to nothing up."
        return _numeric(argument, name, "float", 1e-5, 0.1, why, log=True)
    why = "One decade to each side of the default, on a log scale."
    return _numeric(argument, name, "float", _rounded(default / 10), _rounded(default * 10), why, log=True)


def _share(argument: Argument, default: float) -> Proposal:
    """Return a range for a number between 0 and 1."""
    name = _short(argument)
    if default == 1 and argument.open_low:
        return _numeric(argument, name, "float", 0.01, 1, "Two decades up to its default of 1.", log=True)
    if default == 1:
        return _numeric(argument, name, "float", 0.8, 1, "Its default of 1, and less.")
    if default >= 0.8:
        rest = 1 - default
        low, high = _rounded(max(rest / 10, 1e-5)), _rounded(min(rest * 10, 0.5))
        why = "One decade to each side, of 1 - x: what matters is how far it is from 1."
        return _numeric(argument, f"one_minus_{name}", "float", low, high, why, log=True, form="1 - x")
    if argument.open_low:
        why = "One decade to each side of the default, on a log scale."
        return _numeric(
            argument, name, "float", _rounded(default / 10), min(1, _rounded(default * 10)), why, log=True
        )
    return _numeric(argument, name, "float", 0, min(1, max(4 * default, 0.2)), "From 0 to well above it.")


def _numeric(
    argument: Argument,
    name: str,
    kind: str,
    low: float,
    high: float,
    why: str,
    *,
    log: bool = False,
    form: str = "identity",
) -> Proposal:
    row = {"name": name, "kind": kind, "low": low, "high": high, "log": log, "transform": form}
    return Proposal(argument, Parameter.model_validate({**row, "target": argument.name}), why)


def _categorical(argument: Argument, choices: Sequence[object], form: str, why: str) -> Proposal:
    row = {"name": _short(argument), "kind": "categorical", "choices": tuple(choices), "transform": form}
    return Proposal(argument, Parameter.model_validate({**row, "target": argument.name}), why)


def _short(argument: Argument) -> str:
    return argument.name.removeprefix(_POLICY)


def _rounded(x: float) -> float:
    """Return a bound without the rounding of binary fractions: 3e-5, not 3.0000000000000004e-05."""
    return float(f"{x:.6g}")
