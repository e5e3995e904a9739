"""Advice on requests of ARS, which plays whole episodes with many candidates before each update."""

from collections.abc import Iterator
from typing import Any

import gymnasium

from tuning.advice import Advice
from tuning.analysis.words import count, duration, whole
from tuning.spec import StudySpec


def population_advice(spec: StudySpec) -> Iterator[Advice]:
    """Say what is wasted on it, and where one iteration may take a whole trial or longer."""
    if spec.info.kind != "evolution":
        return
    episodes = _values(spec, "n_eval_episodes")
    envs = spec.n_train_envs
    if envs > min(episodes):
        yield Advice(
            "n_train_envs",
            f"{spec.algorithm} plays one candidate at a time, {count(min(episodes), 'episode')} each, so "
            f"only {whole(min(episodes))} of {count(envs, 'env')} counts and the others' steps are lost. Set "
            f"n_train_envs to {whole(min(episodes))}.",
        )
    if spec.env.normalize_rewards:
        yield Advice(
            "env.normalize_rewards",
            f"{spec.algorithm} compares the returns of its candidates as the environment gives them: "
            "normalising rewards changes nothing. Turn it off.",
        )
    limit = _step_limit(spec)
    n_delta, total = max(_values(spec, "n_delta")), spec.budget.n_timesteps
    n_episodes = 2 * n_delta * max(episodes)
    if spec.budget.trial_seconds is not None:
        yield Advice(
            "budget.trial_seconds",
            f"{spec.algorithm} looks at the clock between iterations alone, and one plays "
            f"{count(n_episodes, 'episode')} with n_delta {whole(n_delta)}: a training may take longer than "
            f"{duration(spec.budget.trial_seconds)}. Lower n_delta where episodes are long.",
        )
    if limit is not None and spec.budget.trial_seconds is None and n_episodes * limit > total:
        yield Advice(
            "budget.n_timesteps",
            f"With n_delta {whole(n_delta)} an iteration plays {count(n_episodes, 'episode')} of up to "
            f"{whole(limit)} steps, which may be more than the {whole(total)} of a whole trial: it then "
            "updates once, and cannot be pruned. Raise n_timesteps, or lower n_delta.",
        )


def _values(spec: StudySpec, target: str) -> list[int]:
    """Return the ends, or choices, of a whole number: searched, fixed or its default."""
    for p in spec.search_space:
        if p.target == target:
            ends: tuple[Any, ...] = p.choices or () if p.kind == "categorical" else (p.low, p.high)
            return [int(p.resolve(end)) for end in ends]
    return [int(spec.hyperparameters.get(target, spec.info.arguments[target].default))]


def _step_limit(spec: StudySpec) -> int | None:
    """Return the most steps of an episode, where the registry of this process or the request says so."""
    registered = gymnasium.registry.get(spec.env.id)
    limit = spec.env.kwargs.get("max_episode_steps", registered.max_episode_steps if registered else None)
    return limit if isinstance(limit, int) and limit > 0 else None
