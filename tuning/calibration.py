"""What a few seconds of training on this machine say about the time of a study. Light: no torch.

Some configurations of the space are trained for about a second each, first in one process, then in several at
the same time (`tuning.calibration_probe`). Here their costs become the time of a trial and of the study.

Configurations differ in cost by a factor of ten or more, and a few of them would miss that. So what was
measured only corrects the rough model of `tuning.estimate`: the mean of the model over many configurations is
multiplied by measured over modelled time of those that were trained (a ratio estimate).
"""

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from pydantic import Field

from tuning import estimate
from tuning.combinations import planned_trials
from tuning.cores import usable_cores
from tuning.machine import machine_record
from tuning.space.resolve import argument_value, resolve_configuration, rollout_steps
from tuning.spec import StudySpec
from tuning.spec_base import Frozen

N_CONFIGURATIONS = 4
TRIAL_OVERHEAD_S = 0.15  # between two trainings: sampler, journal, weights; see benchmarks/trial_anatomy.py
LEAST_BAND = 0.1  # of the time, either way: two runs of one study differ by that
UNKNOWN_BAND = 0.3  # where a single configuration was measured


class Cost(Frozen):
    """What one configuration cost in one process, in seconds."""

    configuration: int = Field(ge=0)  # which of `configurations`
    trainer: str = Field(max_length=20)
    build_s: float = Field(ge=0, allow_inf_nan=False)  # envs and model
    random_step_s: float | None = Field(ge=0, allow_inf_nan=False)  # an env step before learning starts
    collect_step_s: float = Field(ge=0, allow_inf_nan=False)  # an env step
    update_step_s: float = Field(ge=0, allow_inf_nan=False)  # the learning that falls on an env step
    eval_step_s: float = Field(ge=0, allow_inf_nan=False)  # a vectorised step of an evaluation
    episode_steps: float | None = Field(gt=0, allow_inf_nan=False)  # of its evaluation; None: none ended


class Calibration(Frozen):
    """What was measured, and when. Valid for every request with the same key, on this machine."""

    measured_at: float = Field(allow_inf_nan=False)  # seconds since the epoch
    n_cores: int = Field(ge=1)
    busy_cores: float = Field(ge=0, allow_inf_nan=False)  # by all that ran on the machine beforehand
    start_s: float = Field(ge=0, allow_inf_nan=False)  # of a worker: what it imports
    time_limit: int | None = Field(ge=1)  # steps of an episode
    alone: tuple[Cost, ...] = Field(min_length=1)
    n_together: int = Field(ge=1)  # processes at the same time
    together: tuple[Cost, ...] = ()
    failures: tuple[str, ...] = ()  # what went wrong with others


@dataclass(frozen=True)
class TrialTime:
    """Where the seconds of one trial go, alone on its core."""

    start_s: float  # envs, model, sampler, journal
    collect_s: float  # acting and the environment
    learn_s: float
    evaluate_s: float

    @property
    def total_s(self) -> float:
        """The whole trial."""
        return self.start_s + self.collect_s + self.learn_s + self.evaluate_s


@dataclass(frozen=True)
class WorkersTime:
    """The study's time with some number of workers."""

    n_workers: int
    low_s: float  # pruned trials cut short, short episodes
    high_s: float  # nothing pruned, episodes as long as they can be
    steps_per_s: float  # env steps of training, all workers together


@dataclass(frozen=True)
class StudyTime:
    """What a calibration says about a request."""

    rows: tuple[WorkersTime, ...]  # by number of workers: 1, then more
    trial: TrialTime
    n_timesteps: int  # of one training; with a wall-clock budget, what it comes to
    trainer: str  # whose code trains: fast, sb3, or both
    slowdown: float  # of a worker beside the others that were measured; 1: none

    def row(self, n_workers: int) -> WorkersTime:
        """Return the row of so many workers, or of the most there are."""
        return next((row for row in self.rows if row.n_workers == n_workers), self.rows[-1])


def key_of(spec: StudySpec) -> str:
    """Return what a calibration depends on, as a name of a file; not budgets, not the workers."""
    about = {
        "env": spec.env.record(),
        "algorithm": spec.algorithm,
        "policy": spec.policy,
        "trainer": spec.trainer,
        "hyperparameters": dict(spec.hyperparameters),
        "space": [parameter.model_dump(mode="json") for parameter in spec.search_space],
        "n_train_envs": spec.n_train_envs,
        "n_eval_envs": n_eval_envs(spec),
        "machine": _machine(),
        "cores": usable_cores(),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


@functools.cache
def _machine() -> dict[str, Any]:
    return machine_record()


def n_eval_envs(spec: StudySpec) -> int:
    """Return how many envs an evaluation really has."""
    return min(spec.n_eval_envs, spec.budget.n_eval_episodes)


def n_side_by_side(spec: StudySpec) -> int:
    """Return how many processes are measured at the same time."""
    return max(1, min(spec.n_workers, usable_cores()))


def covers(calibration: Calibration, spec: StudySpec) -> bool:
    """Say whether as many processes as the request has workers were measured at the same time."""
    return calibration.n_together >= n_side_by_side(spec)


def study_time(spec: StudySpec, calibration: Calibration) -> StudyTime:
    """Return the time of the study for one worker up to as many as asked for."""
    costs, limit = calibration.alone, calibration.time_limit
    stored = estimate.space_sample(spec)
    measured = [(resolve_configuration(spec, stored[cost.configuration]), cost) for cost in costs]
    short = [_trial(spec, resolved, cost, _length(cost, limit, longest=False)) for resolved, cost in measured]
    long = [_trial(spec, resolved, cost, _length(cost, limit, longest=True)) for resolved, cost in measured]
    weight, band = _weight(spec, calibration, [time.total_s for time in long])
    low_trial, high_trial = (weight * fmean(t.total_s for t in times) for times in (short, long))
    budget, n_trials = spec.budget, planned_trials(spec)
    cut = estimate.pruned_share(spec)
    slowdown = _slowdown(calibration)
    rows = []
    for n_workers in _worker_counts(spec):
        factor = _factor(calibration, n_workers, slowdown)
        low = _makespan(low_trial * (1 - cut), n_trials, n_workers) * factor * (1 - band)
        high = _makespan(high_trial, n_trials, n_workers) * factor * (1 + band)
        low, high = low + calibration.start_s, high + calibration.start_s * factor
        if budget.timeout_s is not None:  # no trial starts after it; those underway end
            high = min(high, budget.timeout_s + high_trial * factor * (1 + band))
            low = min(low, high, budget.timeout_s)
        middle = (low_trial + high_trial) / 2
        steps = fmean(_steps(spec, resolved, cost) for resolved, cost in measured)
        speed = min(n_workers, n_trials) * spec.objective.n_seeds * steps / (middle * factor)
        rows.append(WorkersTime(n_workers, low, high, speed))
    parts = [
        weight * fmean((getattr(a, name) + getattr(b, name)) / 2 for a, b in zip(short, long, strict=True))
        for name in ("start_s", "collect_s", "learn_s", "evaluate_s")
    ]
    n_timesteps = round(fmean(_steps(spec, resolved, cost) for resolved, cost in measured))
    trainers = sorted({cost.trainer for cost in costs})
    return StudyTime(tuple(rows), TrialTime(*parts), n_timesteps, " and ".join(trainers), slowdown)


def _trial(spec: StudySpec, resolved: dict[str, Any], cost: Cost, length: float) -> TrialTime:
    """Return the time of one trial: as many trainings as it has seeds, each with its evaluations."""
    n, steps = spec.objective.n_seeds, _steps(spec, resolved, cost)
    random = min(steps, _random_steps(spec, resolved))
    random_step_s = cost.collect_step_s if cost.random_step_s is None else cost.random_step_s
    collect = random * random_step_s + (steps - random) * cost.collect_step_s
    learn = (steps - random) * cost.update_step_s
    episodes = math.ceil(spec.budget.n_eval_episodes / n_eval_envs(spec))
    evaluate = len(spec.evaluation_marks()) * episodes * length * cost.eval_step_s
    return TrialTime(TRIAL_OVERHEAD_S + n * cost.build_s, n * collect, n * learn, n * evaluate)


def _steps(spec: StudySpec, resolved: dict[str, Any], cost: Cost) -> float:
    """Return the env steps of one training: whole rollouts, or as many as its seconds give."""
    step_s = cost.collect_step_s + cost.update_step_s
    seconds = spec.budget.trial_seconds
    if seconds is not None:
        random_s = cost.random_step_s or 0.0
        random = min(_random_steps(spec, resolved), seconds / random_s) if random_s else 0.0
        return random + max(0.0, seconds - random * random_s) / max(step_s, 1e-9)
    whole = rollout_steps(spec, resolved) or _population_steps(spec, resolved, cost) or 1
    return math.ceil(spec.budget.n_timesteps / whole) * whole


def _random_steps(spec: StudySpec, resolved: dict[str, Any]) -> int:
    """Return for how many steps an algorithm that replays them only fills its memory."""
    return int(argument_value(spec, resolved, "learning_starts") or 0)


def _population_steps(spec: StudySpec, resolved: dict[str, Any], cost: Cost) -> float | None:
    """Return the env steps of one iteration of ARS: the episodes of all its candidates."""
    n_delta = argument_value(spec, resolved, "n_delta")
    if not n_delta or cost.episode_steps is None:
        return None
    return 2 * n_delta * (argument_value(spec, resolved, "n_eval_episodes") or 1) * cost.episode_steps


def _length(cost: Cost, limit: int | None, *, longest: bool) -> float:
    """Return the length of an episode: as the new policies had them, or as long as they can become."""
    seen = cost.episode_steps or limit or estimate.ASSUMED_EPISODE_STEPS
    return float(max(seen, limit or seen) if longest else seen)


def _weight(spec: StudySpec, calibration: Calibration, seconds: Sequence[float]) -> tuple[float, float]:
    """Return the factor from the measured configurations to all, and how far off that may be, as a share."""
    stored = estimate.space_sample(spec)
    length = calibration.time_limit or estimate.ASSUMED_EPISODE_STEPS
    model = [
        estimate.training_seconds(spec, resolve_configuration(spec, values), episode_steps=length)
        for values in stored
    ]
    own = [model[cost.configuration] for cost in calibration.alone]
    ratios = [a / b for a, b in zip(seconds, own, strict=True)]
    if len(ratios) < 2:
        return fmean(model) / fmean(own), UNKNOWN_BAND
    spread = stdev(ratios) / fmean(ratios) / math.sqrt(len(ratios))
    return fmean(model) / fmean(own), min(0.6, max(LEAST_BAND, 1.5 * spread))


def _slowdown(calibration: Calibration) -> float:
    """Return how much longer a step takes beside others, over what was measured both ways; at least 1."""
    alone = {cost.configuration: cost for cost in calibration.alone}
    pairs = [(alone[c.configuration], c) for c in calibration.together if c.configuration in alone]
    before = sum(_step(a) for a, _ in pairs)
    return max(1.0, sum(_step(b) for _, b in pairs) / before) if before else 1.0


def _step(cost: Cost) -> float:
    return cost.collect_step_s + cost.update_step_s


def _factor(calibration: Calibration, n_workers: int, slowdown: float) -> float:
    """Return the slowdown of each of so many workers: between what was measured in a straight line."""
    on_cores = min(n_workers, calibration.n_cores)
    measured = max(1, calibration.n_together - 1)
    shared = 1 + (slowdown - 1) * min(on_cores - 1, measured) / measured
    return shared * n_workers / on_cores


def _makespan(trial_s: float, n_trials: int, n_workers: int) -> float:
    """Return how long so many workers need; in the end some wait half a trial, on average."""
    n = min(n_workers, n_trials)
    return trial_s * (n_trials / n + (n - 1) / n / 2)


def _worker_counts(spec: StudySpec) -> list[int]:
    """Return for how many workers the time is told: 1 to 4, then doubling, and as many as asked for."""
    most = max(spec.n_workers, n_side_by_side(spec))
    counts = {n for n in (1, 2, 3, 4, 8, 16, 32, 64, 128) if n <= most}
    return sorted(counts | {most})
