"""Advice on algorithms that replay steps: when they learn nothing, explore nothing, or fill the memory."""

from collections.abc import Iterator
from typing import Any

import psutil

from tuning.advice import Advice
from tuning.analysis.words import count, whole
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec

MEMORY_SHARE = 0.8  # of what the machine has: Python, torch and the others need some
STORED_OBSERVATIONS = 2  # of each transition: before and after
MUCH_WORK = 16  # gradient steps for each env step; SB3's defaults do one, and few algorithms gain by 20
_DETERMINISTIC = ("TD3", "DDPG")


def replay_advice(spec: StudySpec, *, observation_bytes: int = 0) -> Iterator[Advice]:
    """Yield what to reconsider; nothing where the algorithm does not replay steps.

    Args:
        spec: the request.
        observation_bytes: of one observation; 0 when it is not known.
    """
    if spec.info.kind != "off-policy":
        return
    yield from _starts(spec)
    yield from _noise(spec)
    yield from _work(spec)
    if observation_bytes and (advice := _memory(spec, observation_bytes)):
        yield advice


def _starts(spec: StudySpec) -> Iterator[Advice]:
    field, starts = _most(spec, "learning_starts")
    total = spec.budget.n_timesteps
    if spec.budget.trial_seconds is not None or not isinstance(starts, int | float):
        return
    if starts >= total:
        yield Advice(
            field,
            f"Learning starts after {whole(starts)} steps and a trial has {whole(total)}: it only collects "
            "random actions and learns nothing. Lower learning_starts, or raise n_timesteps.",
        )
    elif starts >= total / 2:
        yield Advice(
            field,
            f"Learning starts after {whole(starts)} of the {whole(total)} steps of a trial: at least half of "
            "it is random actions. Lower learning_starts, or raise n_timesteps.",
        )


def _noise(spec: StudySpec) -> Iterator[Advice]:
    fixed = spec.hyperparameters
    targets = {p.target for p in spec.search_space}
    if "noise_type" in targets or fixed.get("noise_type", "none") != "none":
        return
    if "noise_std" in targets or "noise_std" in fixed:
        yield Advice(
            "hyperparameters.noise_type",
            "noise_std has no effect: noise_type is none, its default. Fix noise_type: normal.",
        )
    elif spec.algorithm in _DETERMINISTIC:
        yield Advice(
            "hyperparameters.noise_type",
            f"{spec.algorithm}'s policy is deterministic and no noise is set: after learning starts, nothing "
            "explores. Fix noise_type: normal, or search it.",
        )


def _work(spec: StudySpec) -> Iterator[Advice]:
    field, most = _most(spec, "gradient_steps")
    collected = min(_ends(spec, "train_freq")) * spec.n_train_envs
    if most <= MUCH_WORK * collected:
        return
    yield Advice(
        field,
        f"An update may do {whole(most)} gradient steps after {count(collected, 'env step')}, which is "
        f"{whole(most / collected)} times the work of one for each. Train in more envs at a time, or lower "
        "gradient_steps.",
    )


def _memory(spec: StudySpec, observation_bytes: int) -> Advice | None:
    """Say so where the replay buffers of all workers do not fit."""
    field, asked = _most(spec, "buffer_size")
    if not isinstance(asked, int | float):
        return None
    total = spec.budget.n_timesteps if spec.budget.trial_seconds is None else asked
    steps = min(asked, total)  # no buffer gets larger than what a trial collects
    n_workers = min(spec.n_workers, spec.budget.n_trials)
    needed = steps * observation_bytes * STORED_OBSERVATIONS * n_workers
    memory = psutil.virtual_memory().total
    if needed <= MEMORY_SHARE * memory:
        return None
    fitting = int(steps * MEMORY_SHARE * memory / needed)
    return Advice(
        field,
        f"A replay buffer of {whole(steps)} steps of these observations takes "
        f"{_gigabytes(needed / n_workers)}, {_gigabytes(needed)} with {count(n_workers, 'worker')}, and "
        f"this machine has {_gigabytes(memory)}: "
        f"trials would be killed. Set buffer_size to {whole(fitting)} or less, or use fewer workers.",
    )


def _most(spec: StudySpec, target: str) -> tuple[str, Any]:
    """Return where an argument is set, and the highest value that it can take."""
    p = next((p for p in spec.search_space if p.target == target), None)
    field = f"hyperparameters.{target}" if p is None else f"search_space.{p.name}"
    return field, max(_ends(spec, target))


def _ends(spec: StudySpec, target: str) -> list[Any]:
    """Return the ends, or choices, of what an argument can be: searched, fixed or its default."""
    p: Parameter | None = next((p for p in spec.search_space if p.target == target), None)
    if p is None:
        return [spec.hyperparameters.get(target, spec.info.arguments[target].default)]
    return [p.resolve(end) for end in (p.choices or () if p.kind == "categorical" else (p.low, p.high))]


def _gigabytes(n: float) -> str:
    return f"{n / 2**30:.1f} GB"
