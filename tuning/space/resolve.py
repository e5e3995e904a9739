"""From the stored values of a trial to the keyword arguments that the algorithm receives, in plain JSON."""

import copy
from collections.abc import Mapping
from typing import Any

from tuning.space.caps import capped
from tuning.space.derived import put_derived
from tuning.space.fitting import fit
from tuning.space.parameters import POLICY_PREFIX
from tuning.spec import StudySpec


def resolve_configuration(spec: StudySpec, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the algorithm's keyword arguments for one configuration of the search space.

    The fixed hyperparameters come first, then each parameter's value at its target. Arguments of the policy
    are nested: `{"policy_kwargs": {"net_arch": ...}}`. Activation functions stay names (tanh, relu, elu,
    leaky_relu); only a process that has torch turns them into classes. Nothing is shared with the spec, so
    callers may change the result.

    Values with an `at_most` are capped, derived arguments become those that the constructor has
    (`tuning.space.derived`), and arguments that must fit each other are made to (`tuning.space.fitting`):
    where the algorithm learns from rollouts, `batch_size` is at most one (`n_steps` x training envs). A
    rollout that is no multiple of the batch is left alone: SB3 truncates the last minibatch.

    Args:
        spec: the study's request.
        stored: value by parameter name as Optuna stores them, one for each parameter of the search space.

    Raises:
        ValueError: a parameter has no value, or a value belongs to no parameter.
    """
    _check_names(spec, stored)
    resolved: dict[str, Any] = {}
    for target, value in spec.hyperparameters.items():
        _put(resolved, target, copy.deepcopy(value))
    values = {p.name: copy.deepcopy(p.resolve(stored[p.name])) for p in spec.search_space}
    for parameter in spec.search_space:
        _put(resolved, parameter.target, values[parameter.name])

    def value_of(name: str) -> Any:
        return argument_value(spec, resolved, name)

    for name, value in capped(spec.search_space, values, value_of).items():
        _put(resolved, spec.parameter(name).target, value)
    put_derived(resolved, value_of)
    fit(spec.algorithm, resolved, value_of, rollout_steps(spec, resolved))
    return resolved


def argument_value(spec: StudySpec, resolved: Mapping[str, Any], name: str) -> Any:
    """Return what the algorithm gets for an argument (`policy_kwargs.x` for the policy's), set or by default.

    None when the algorithm has no such argument.
    """
    group: Any = resolved
    if name.startswith(POLICY_PREFIX):
        group = resolved.get("policy_kwargs", {})
    key = name.removeprefix(POLICY_PREFIX)
    if key in group:
        return group[key]
    argument = spec.info.arguments.get(name)
    return argument.default if argument else None


def rollout_steps(spec: StudySpec, resolved: Mapping[str, Any]) -> int | None:
    """Return the env steps of one rollout over all training envs; None where an algorithm has no rollouts."""
    if spec.info.kind != "on-policy":  # `n_steps` of those that replay steps is how far a return looks ahead
        return None
    n_steps = argument_value(spec, resolved, "n_steps")
    return n_steps * spec.n_train_envs if isinstance(n_steps, int) else None


def _put(resolved: dict[str, Any], target: str, value: Any) -> None:
    if target.startswith(POLICY_PREFIX):
        resolved.setdefault("policy_kwargs", {})[target.removeprefix(POLICY_PREFIX)] = value
    else:
        resolved[target] = value


def _check_names(spec: StudySpec, stored: Mapping[str, Any]) -> None:
    names = {p.name for p in spec.search_space}
    missing, foreign = sorted(names - stored.keys()), sorted(map(str, stored.keys() - names))
    if missing:
        raise ValueError(
            f"A configuration of {spec.name} needs a value for each parameter: {', '.join(missing)} "
            f"missing, received {', '.join(sorted(map(str, stored))) or 'none'}."
        )
    if foreign:
        raise ValueError(
            f"The search space of {spec.name} has no parameter {', '.join(foreign)}. "
            f"It has: {', '.join(sorted(names))}."
        )
