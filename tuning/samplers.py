"""Samplers by name, from the spec: one for each task, which the study's seed and the task's number decide."""

import math
import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler

from tuning import seeds
from tuning.combinations import grid_of
from tuning.sampler_choice import AUTO_GP_TRIALS, WITHOUT_MODEL, chosen_sampler, setting
from tuning.sampler_cmaes import CmaEsSampler
from tuning.sampler_sequences import GridSampler, SobolSampler
from tuning.spec import StudySpec

warnings.filterwarnings("ignore", category=ExperimentalWarning)  # once for each trial, in the study's log


def build_sampler(spec: StudySpec, *, task: int, n_ended: int) -> BaseSampler:
    """Return the sampler of one task, seeded for that task alone.

    Args:
        spec: the request.
        task: its number in the study.
        n_ended: complete and pruned trials so far, by which `auto` decides.
    """
    seed = seeds.sampler_seed(spec.seed, task)
    asked = spec.sampler
    if is_drawn_at_random(spec, task):
        return optuna.samplers.RandomSampler(seed=seed)
    match chosen_sampler(asked.name, setting(spec), n_ended=n_ended):
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "qmc":
            return SobolSampler(spec.search_space, seed=spec.seed)
        case "grid" | "brute_force":
            return GridSampler(spec.search_space, grid_of(spec), seed=seed)
        case "cmaes":
            return CmaEsSampler(
                {p.name: p.distribution() for p in spec.search_space},
                seed=seed,
                n_startup_trials=asked.n_startup_trials,
                n_source_trials=AUTO_GP_TRIALS if asked.name == "auto" else 0,
            )
        case "gp":
            return optuna.samplers.GPSampler(
                seed=seed, n_startup_trials=asked.n_startup_trials, warn_independent_sampling=False
            )
        case "nsga2":
            return optuna.samplers.NSGAIISampler(population_size=max(2, asked.n_startup_trials), seed=seed)
    return optuna.samplers.TPESampler(
        n_startup_trials=asked.n_startup_trials,
        multivariate=asked.multivariate,
        group=asked.group and asked.multivariate,
        seed=seed,
        constant_liar=True,
    )


def is_drawn_at_random(spec: StudySpec, task: int) -> bool:
    """Say whether a task belongs to the share of trials that are random throughout, whatever the sampler."""
    share = spec.sampler.random_share
    if spec.sampler.name in WITHOUT_MODEL or not share:
        return False
    # Evenly through the study, from a place that its seed decides: chance alone may leave a short study none.
    start = seeds.random_share_start(spec.seed)
    return math.floor((task + 1) * share + start) > math.floor(task * share + start)
