"""How long a study may take on this machine, from what the parts of a training cost (`training_costs`)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuning.combinations import planned_trials
from tuning.cores import usable_cores
from tuning.pruner_choice import prune_schedule
from tuning.space.places import value_at
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec
from tuning.training_costs import Costs, costs_of, learning_seconds

WORKER_START_S = 3.0  # torch and SB3 take 2.4 s to import, once in each worker

N_CONFIGURATIONS = 64
ASSUMED_EPISODE_STEPS = 500
PRUNED_SHARE = 0.5  # of the trials after the start-up, from experience with the median pruner
LOW, HIGH = 0.7, 2.0  # what the model is off by, from experience: a busy machine, a slower environment


@dataclass(frozen=True)
class Estimate:
    """A rough guess; show it as a range."""

    low_s: float  # the whole study, pruned trials cut short, on an idle machine
    high_s: float  # nothing pruned, on a busy machine or in a slower environment
    seconds_per_trial: float  # of one worker, a trial that is not pruned
    basis: str  # how it came about, one or two sentences


def study_seconds(
    spec: StudySpec, *, episode_steps: int | None = None, n_cores: int | None = None
) -> Estimate:
    """Estimate how long a study takes, from random configurations of its space (always the same ones).

    Args:
        spec: the request.
        episode_steps: longest episode of the environment, for the evaluations; None when it is not known.
        n_cores: cores for the workers; None for those this process may use.
    """
    cores = usable_cores() if n_cores is None else n_cores
    budget = spec.budget
    n_trials = planned_trials(spec)
    n_workers = max(1, min(spec.n_workers, cores, n_trials))
    length = episode_steps or ASSUMED_EPISODE_STEPS
    configurations = [resolve_configuration(spec, stored) for stored in space_sample(spec)]
    per_training = float(np.mean([training_seconds(spec, c, episode_steps=length) for c in configurations]))
    per_trial = spec.objective.n_seeds * per_training
    low = n_trials * per_trial * (1 - pruned_share(spec)) / n_workers * LOW + WORKER_START_S
    high = n_trials * per_trial / n_workers * HIGH + 2 * WORKER_START_S
    if budget.timeout_s is not None:  # no trial starts after it; those underway end
        high = min(high, budget.timeout_s + per_trial * HIGH)
        low = min(low, high, budget.timeout_s)
    return Estimate(low, high, per_trial, _basis(n_workers, episode_steps))


def episodes_seconds(spec: StudySpec, n_episodes: int, *, episode_steps: int | None = None) -> float:
    """Estimate how long a policy takes to play episodes, in as many envs at a time as the request says."""
    budget = spec.budget.model_copy(update={"n_eval_episodes": n_episodes})
    length = episode_steps or ASSUMED_EPISODE_STEPS
    asked = spec.model_copy(update={"budget": budget})
    configurations = [resolve_configuration(spec, stored) for stored in space_sample(spec)]
    return float(np.mean([_evaluation_seconds(asked, costs_of(spec, c), length) for c in configurations]))


def training_seconds(spec: StudySpec, resolved: dict[str, Any], *, episode_steps: int | None = None) -> float:
    """Estimate how long one worker trains one resolved configuration once, with its evaluations."""
    each = _evaluation_seconds(spec, costs_of(spec, resolved), episode_steps or ASSUMED_EPISODE_STEPS)
    learning = spec.budget.trial_seconds or learning_seconds(spec, resolved)
    return learning + len(spec.evaluation_marks()) * each


def _evaluation_seconds(spec: StudySpec, costs: Costs, episode_steps: int) -> float:
    n_envs = min(spec.n_eval_envs, spec.budget.n_eval_episodes)
    vector_steps = math.ceil(spec.budget.n_eval_episodes / n_envs) * episode_steps
    return vector_steps * (costs.evaluate_s + costs.env_step_s * n_envs)


def pruned_share(spec: StudySpec) -> float:
    """Return which share of a study's time its pruner may save: half of its trials end early."""
    schedule = prune_schedule(spec)
    earliest, n_trials = schedule.earliest, planned_trials(spec)
    if earliest is None or schedule.first_trial is None or spec.objective.second:
        return 0.0
    n_cut = PRUNED_SHARE * max(0, n_trials - schedule.first_trial)
    return n_cut / n_trials * (1 - earliest.step / schedule.end)


def space_sample(spec: StudySpec) -> list[dict[str, Any]]:
    """Return random configurations as stored values, spread evenly over each parameter's range."""
    rng = np.random.default_rng(0)
    n = N_CONFIGURATIONS
    columns = {p.name: rng.permutation((np.arange(n) + rng.random(n)) / n) for p in spec.search_space}
    return [{p.name: value_at(p, float(columns[p.name][i])) for p in spec.search_space} for i in range(n)]


def _basis(n_workers: int, episode_steps: int | None) -> str:
    workers = "1 worker" if n_workers == 1 else f"{n_workers} workers"
    assumed = "" if episode_steps else f" Episodes of {ASSUMED_EPISODE_STEPS} steps are assumed."
    return (
        f"Rough: what {N_CONFIGURATIONS} random configurations of this space cost in environments as light "
        f"as Pendulum-v1, with {workers} at a time; slow environments and images take longer.{assumed}"
    )
