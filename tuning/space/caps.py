"""Bounds that depend on another value: `at_most` of a parameter, applied when a configuration is resolved.

Optuna's samplers and our analyses want one static range for each parameter, so the range stays and what lies
above the other value is trained at that value.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tuning.space.parameters import POLICY_PREFIX, Parameter


def cap_of(parameter: Parameter) -> tuple[str, int] | None:
    """Return the name that `at_most` refers to and how much less than its value is the cap, or None."""
    if parameter.at_most is None:
        return None
    name, _, less = parameter.at_most.partition(" - ")
    return name, int(less or 0)


def cap_faults(space: Iterable[Parameter], known: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the caps of a search space, one sentence each.

    Args:
        space: all parameters.
        known: the algorithm's arguments by name, which a cap may name as well.
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
        elif other is not None and other.kind == "categorical" and not _all_numbers(other):
            faults.append(f"`at_most` of {p.name} names {cap[0]}, which is no number. Remove it.")
    return faults


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


def _all_numbers(p: Parameter) -> bool:
    return all(isinstance(p.resolve(choice), int | float) for choice in p.choices or ())
