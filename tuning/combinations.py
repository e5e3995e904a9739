"""How far a study is that tries each combination once, and when it has tried them all."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from storage.trials import counted
from tuning.analysis.words import count, whole
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


def all_tried_sentence(spec: StudySpec, trials: Sequence[FrozenTrial]) -> str:
    """Return that all combinations were tried, and how many trials that came to."""
    n_points, n_done = grid_of(spec).n_points, len(counted(trials))
    what = "points of the grid" if spec.sampler.name == "grid" else "combinations"
    return f"All {whole(n_points)} {what} were tried, each once; {count(n_done, 'trial')} came of it."
