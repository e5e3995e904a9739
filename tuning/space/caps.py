"""Bounds that depend on another value: `at_most` of a parameter, applied when a configuration is resolved.

Optuna's samplers and our analyses want one static range for each parameter, so the range stays and what lies
above the other value is trained at that value.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tuning.algorithms import Argument
from tuning.space.parameters import POLICY_PREFIX, Parameter


def cap_of(parameter: Parameter) -> tuple[str, int] | None:
    """Return the name that `at_most` refers to and how much less than its value is the cap, or None."""
    if parameter.at_most is None:
        return None
    name, _, less = parameter.at_most.partition(" - ")
    return name, int(less or 0)


def cap_faults(
    space: Iterable[Parameter], known: Mapping[str, Argument], fixed: Mapping[str, Any]
) -> list[str]:
    """Return what is wrong with the caps of a search space, one sentence each.

    Args:
        space: all parameters.
        known: the algorithm's arguments by name, which a cap may name as well.
        fixed: values of arguments that are not left at their defaults.
    """
    parameters = {p.name: p for p in space}
    faults = []
    for p in parameters.values():
        cap = cap_of(p)
        if cap is None:
            continue
        other = parameters.get(cap[0])
        if other is p or p.target == cap[0]:
            faults.append(f"`at_most` of {p.name} names {p.name} itself. Remove it.")
        elif other is None and not {cap[0], POLICY_PREFIX + cap[0]} & known.keys():
            faults.append(
                f"`at_most` of {p.name} names {cap[0]}, which is neither a parameter of the search space nor "
                "an argument of the algorithm. Remove it, or name one."
            )
        elif fault := _value_fault(p, cap, _values(cap[0], other, known, fixed), known):
            faults.append(fault)
    return faults


def _values(
    name: str, other: Parameter | None, known: Mapping[str, Argument], fixed: Mapping[str, Any]
) -> list[Any]:
    """Return the ends, or choices, of what a cap names; empty where its default is none."""
    if other is not None:
        ends = other.choices or () if other.kind == "categorical" else (other.low, other.high)
        return [other.resolve(int(e) if other.kind == "int" and e is not None else e) for e in ends]
    target = name if name in known else POLICY_PREFIX + name
    value = fixed.get(target, known[target].default)
    return [] if value is None else [value]


def _value_fault(
    p: Parameter, cap: tuple[str, int], values: list[Any], known: Mapping[str, Argument]
) -> str | None:
    name, less = cap
    kinds = int if p.kind == "int" else int | float
    if not all(isinstance(value, kinds) and not isinstance(value, bool) for value in values):
        what = "whole number" if p.kind == "int" else "number"
        return f"`at_most` of {p.name} names {name}, which is no {what}. Remove it."
    argument = known.get(p.target)
    if not values or argument is None or not argument.fault(min(values) - less):
        return None
    return (
        f"`at_most` of {p.name} lowers it to {min(values) - less:g} where {name} is {min(values):g}, and "
        f"`{p.target}` must be {argument.limits()}. Raise the lowest {name}, or subtract less."
    )


def capped(
    space: Iterable[Parameter], resolved: Mapping[str, Any], argument_value: Callable[[str], Any]
) -> dict[str, Any]:
    """Return the resolved values of the capped parameters, by stored name.

    Args:
        space: all parameters.
        resolved: each parameter's value by stored name, before any cap.
        argument_value: what the algorithm gets for an argument that no parameter of that name sets.
    """
    values = dict(resolved)
    with_cap = [(p.name, cap) for p in space if (cap := cap_of(p)) is not None]
    for _ in with_cap:  # a cap may be capped itself
        for name, (other, less) in with_cap:
            limit = values[other] if other in values else argument_value(other)
            if limit is None:  # a cap is named without the prefix, as parameters are
                limit = argument_value(POLICY_PREFIX + other)
            if isinstance(limit, int | float) and values[name] > limit - less:
                values[name] = limit - less
    return {name: values[name] for name, _ in with_cap}
