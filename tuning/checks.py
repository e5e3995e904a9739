"""Advice on a request that is valid but will probably disappoint. Faults are `tuning.spec`'s business."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

from tuning.advice import Advice
from tuning.analysis.words import count, three_digits, whole
from tuning.expected_trainer import slow_trials
from tuning.method_checks import objective_advice, pruner_advice, sampler_advice
from tuning.population_checks import population_advice
from tuning.replay_checks import replay_advice
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec

FEW_EPISODES = 5
TRIALS_PER_PARAMETER = 10


@dataclass(frozen=True)
class _Extent:
    """The values that one argument can take in a study."""

    low: float
    high: float
    field: str  # where a person changes it
    is_default: bool


def warnings(spec: StudySpec, *, n_cores: int, observation_bytes: int = 0) -> list[Advice]:
    """Return what to reconsider in a request, in the order of the form; empty when nothing.

    Args:
        spec: the request.
        n_cores: cores of the machine that will run it.
        observation_bytes: of one observation of the environment; 0 when it is not known.
    """
    checks: tuple[Callable[[StudySpec], Iterator[Advice]], ...] = (
        _rollout,
        _batch,
        population_advice,
        partial(replay_advice, observation_bytes=observation_bytes),
        _learning_rate,
        _space_size,
        sampler_advice,
        pruner_advice,
        _evaluation,
        objective_advice,
        _trainer,
    )
    return [advice for check in checks for advice in check(spec)] + list(_workers(spec, n_cores))


def _rollout(spec: StudySpec) -> Iterator[Advice]:
    n_steps = _rollout_extent(spec)
    if n_steps is None or spec.budget.trial_seconds is not None:
        return
    envs, budget = spec.n_train_envs, spec.budget
    longest = int(n_steps.high) * envs
    interval = budget.n_timesteps / budget.n_evaluations
    start = (
        f"With n_steps {whole(n_steps.high)} and {count(envs, 'env')} one rollout is {whole(longest)} steps"
    )
    if longest > budget.n_timesteps:
        yield Advice(
            "budget.n_timesteps",
            f"{start}, more than the {whole(budget.n_timesteps)} of a whole trial: it trains for one full "
            f"rollout and learns from it once. Raise n_timesteps, or lower {_lever(n_steps, 'n_steps')}.",
        )
    elif longest > interval:
        yield Advice(
            n_steps.field if not n_steps.is_default else "budget.n_evaluations",
            f"{start}: the first evaluation, due after {whole(interval)}, comes after a single update. "
            f"Evaluate less often, raise n_timesteps, or lower {_lever(n_steps, 'n_steps')}.",
        )


def _batch(spec: StudySpec) -> Iterator[Advice]:
    n_steps, batch = _rollout_extent(spec), _extent(spec, "batch_size")
    if n_steps is None or batch is None or batch.is_default:
        return
    shortest = n_steps.low * spec.n_train_envs
    if batch.high > shortest:
        yield Advice(
            batch.field,
            f"A batch_size of {whole(batch.high)} does not fit the shortest rollout of {whole(shortest)} "
            f"steps: there it is capped at {whole(shortest)}. Lower {_lever(batch, 'batch_size')}, or "
            "raise n_steps.",
        )


def _learning_rate(spec: StudySpec) -> Iterator[Advice]:
    for p in spec.search_space:
        if p.target != "learning_rate" or p.kind != "float" or p.log or p.low is None or p.high is None:
            continue
        if p.low <= 0 or p.high / p.low > 10:
            yield Advice(
                f"search_space.{p.name}",
                f"{p.name} spans more than a factor of ten, {three_digits(p.low)} to "
                f"{three_digits(p.high)}, on a linear scale: nine in ten samples fall into the top decade. "
                "Set log.",
            )


def _space_size(spec: StudySpec) -> Iterator[Advice]:
    n_trials, n_parameters = spec.budget.n_trials, len(spec.search_space)
    if n_trials < TRIALS_PER_PARAMETER * n_parameters:
        each = max(1, round(n_trials / n_parameters))
        yield Advice(
            "budget.n_trials",
            f"{count(n_trials, 'trial')} for {count(n_parameters, 'parameter')} is about {each} each, "
            f"which finds good values only by luck. Plan {whole(TRIALS_PER_PARAMETER * n_parameters)} "
            "trials or more, or search fewer parameters.",
        )


def _evaluation(spec: StudySpec) -> Iterator[Advice]:
    episodes = spec.budget.n_eval_episodes
    if episodes < FEW_EPISODES:
        yield Advice(
            "budget.n_eval_episodes",
            f"The mean of {count(episodes, 'episode')} is mostly noise, and the study ranks trials by it. "
            "Ten cost little beside the training.",
        )


def _trainer(spec: StudySpec) -> Iterator[Advice]:
    if text := slow_trials(spec):
        yield Advice("trainer", text)


def _workers(spec: StudySpec, n_cores: int) -> Iterator[Advice]:
    workers, n_trials = spec.n_workers, spec.budget.n_trials
    if workers > n_cores:
        yield Advice(
            "n_workers",
            f"{count(workers, 'worker')} share {count(n_cores, 'core')}: each trial gets slower and the "
            f"study no faster. Set {whole(n_cores)}.",
        )
    elif workers > n_trials:
        yield Advice(
            "n_workers",
            f"{count(workers, 'worker')} for {count(n_trials, 'trial')}: some never get one. "
            f"Set {whole(n_trials)}.",
        )


def _rollout_extent(spec: StudySpec) -> _Extent | None:
    """Return the range of n_steps; None where it is not the length of a rollout."""
    return _extent(spec, "n_steps") if spec.info.kind == "on-policy" else None


def _extent(spec: StudySpec, target: str) -> _Extent | None:
    """Return the range of a numeric argument: searched, fixed, or its default; None when it has no number."""
    for p in spec.search_space:
        if p.target == target:
            numbers = [v for v in map(p.resolve, _ends(p)) if _is_number(v)]
            field = f"search_space.{p.name}"
            return _Extent(min(numbers), max(numbers), field, is_default=False) if numbers else None
    fixed = spec.hyperparameters.get(target)
    if _is_number(fixed):
        return _Extent(fixed, fixed, f"hyperparameters.{target}", is_default=False)
    argument = spec.info.arguments.get(target)
    if argument is None or not _is_number(argument.default):
        return None
    return _Extent(argument.default, argument.default, f"hyperparameters.{target}", is_default=True)


def _ends(p: Parameter) -> tuple[Any, ...]:
    return p.choices or () if p.kind == "categorical" else (p.low, p.high)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _lever(extent: _Extent, name: str) -> str:
    """Return what to lower, in the person's own words."""
    if extent.is_default:
        return f"{name} (now the default, {whole(extent.high)})"
    kind, _, own = extent.field.partition(".")
    return f"the upper bound of {own}" if kind == "search_space" else name
