"""How far a study is that tries each combination once, and when it has tried them all."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from storage.trials import counted
from tuning.analysis.words import count, whole
from tuning.first_trials import first_trials
from tuning.sampler_choice import FINITE
from tuning.sampler_sequences import Grid
from tuning.spec import StudySpec


def grid_of(spec: StudySpec) -> Grid:
    """Return the points of a study whose sampler tries each combination once."""
    n_levels = spec.sampler.grid_levels if spec.sampler.name == "grid" else None
    return Grid(spec.search_space, n_levels=n_levels, seed=spec.seed)


def combinations_left(spec: StudySpec, trials: Sequence[FrozenTrial]) -> int | None:
    """Return how many further trials can start, queued ones included; None when there is no end to them.

    A trial that runs or ended has its combination, whatever came of it: what a dead worker ran is queued.
    """
    if spec.sampler.name not in FINITE:
        return None
    waiting = sum(t.state == TrialState.WAITING for t in trials)
    return grid_of(spec).n_left(trials) + waiting


def planned_trials(spec: StudySpec) -> int:
    """Return how many trials a new study comes to: its budget, or fewer where combinations end before it."""
    n, points = spec.budget.n_trials, n_combinations(spec)
    return n if points is None else max(1, min(n, points))


def n_combinations(spec: StudySpec) -> int | None:
    """Return how many trials it takes to try each combination once; None when there is no end to them.

    What is tried first takes a trial of its own where it lies beside the grid.
    """
    if spec.sampler.name not in FINITE:
        return None
    grid = grid_of(spec)
    return grid.n_points + sum(grid.index(first.stored) is None for first in first_trials(spec)[0])


def trials_in_all(spec: StudySpec, trials: Sequence[FrozenTrial]) -> int:
    """Return how many trials a study that has begun comes to; those that failed are none of them."""
    left = combinations_left(spec, trials)
    if left is None:
        return spec.budget.n_trials
    running = sum(t.state == TrialState.RUNNING for t in trials)
    return max(1, min(spec.budget.n_trials, len(counted(trials)) + running + left))


def all_tried_sentence(spec: StudySpec, trials: Sequence[FrozenTrial]) -> str:
    """Return that all combinations were tried, and how many trials that came to."""
    n_points, n_done = grid_of(spec).n_points, len(counted(trials))
    what = "points of the grid" if spec.sampler.name == "grid" else "combinations"
    return f"All {whole(n_points)} {what} were tried, each once; {count(n_done, 'trial')} came of it."
