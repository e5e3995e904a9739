"""Samplers whose next point follows from the trials before it: quasi-random points, and grids.

Nothing is kept beside the journal. Optuna's own count points in an attribute of the study that two workers
may read at the same time, and then propose the same one; here a trial's place follows from its number, which
the journal gives out once, so workers, runners that resume, and retries never repeat a point.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from tuning.space.parameters import Parameter
from tuning.space.places import levels, value_at


class _SequenceSampler(BaseSampler):
    """A sampler that proposes all parameters of a known space at once."""

    def __init__(self, space: Sequence[Parameter], *, seed: int) -> None:
        self._space = tuple(space)
        self._others = RandomSampler(seed=seed)  # for what a trial asks beyond the space

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the whole space, which is known before any trial ends."""
        return {p.name: p.distribution() for p in self._space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw at random what lies beyond the space."""
        return self._others.sample_independent(study, trial, param_name, param_distribution)


class SobolSampler(_SequenceSampler):
    """Points of one scrambled Sobol sequence, spread evenly; choices and whole numbers get equal shares.

    Args:
        space: what is searched.
        seed: of the scramble; one for the whole study, or the points would not belong together.
    """

    def __init__(self, space: Sequence[Parameter], *, seed: int) -> None:
        super().__init__(space, seed=seed)
        self._seed = seed

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the trial's point."""
        from scipy.stats import qmc  # slow to import, and only workers need it

        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        place = sum(t.number < trial.number and not _is_queued(t) for t in trials)
        sequence = qmc.Sobol(len(self._space), scramble=True, rng=self._seed)
        if place:
            sequence.fast_forward(place)
        point = sequence.random(1)[0]
        return {p.name: value_at(p, float(x)) for p, x in zip(self._space, point, strict=True)}


class Grid:
    """Every combination of some values of each parameter, in an order that a seed shuffles.

    Args:
        space: what is searched.
        n_levels: values of a parameter that has more; None for all values of each.
        seed: of the order; one for the whole study.
    """

    def __init__(self, space: Sequence[Parameter], *, n_levels: int | None, seed: int) -> None:
        self._values = {p.name: levels(p, n_levels) for p in space}
        self._seed = seed
        self.n_points = math.prod(len(values) for values in self._values.values())

    def point(self, index: int) -> dict[str, Any]:
        """Return the stored values of a point."""
        sizes = [len(values) for values in self._values.values()]
        places = np.unravel_index(index, sizes)
        return {name: values[int(k)] for (name, values), k in zip(self._values.items(), places, strict=True)}

    def index(self, params: Mapping[str, Any]) -> int | None:
        """Return which point a configuration is, or None when it is none."""
        places = []
        for name, values in self._values.items():
            if name not in params or params[name] not in values:
                return None
            places.append(values.index(params[name]))
        return int(np.ravel_multi_index(places, [len(values) for values in self._values.values()]))

    def taken(self, trials: Sequence[FrozenTrial]) -> dict[int, int]:
        """Return which point each trial has, by number; one that has not chosen yet has the next free one.

        A trial sees the same ones below its number whenever it looks, so two never take the same point.
        """
        points: dict[int, int] = {}
        found: set[int] = set()
        free = self._free(found)
        for trial in sorted(trials, key=lambda t: t.number):
            fixed = trial.system_attrs.get("fixed_params")
            index = self.index({**(fixed if isinstance(fixed, dict) else {}), **trial.params})
            if index is None and trial.state == TrialState.RUNNING and not _is_queued(trial):
                index = next(free, None)
            if index is not None:
                points[trial.number] = index
                found.add(index)
        return points

    def n_left(self, trials: Sequence[FrozenTrial]) -> int:
        """Return how many points no trial has."""
        return self.n_points - len(set(self.taken(trials).values()))

    def _free(self, found: set[int]) -> Iterator[int]:
        """Yield the points that are not in `found` by then, in order."""
        for index in self._order:
            if int(index) not in found:
                yield int(index)

    @cached_property
    def _order(self) -> np.ndarray:  # (n_points,)
        return np.random.default_rng(self._seed).permutation(self.n_points)


class GridSampler(_SequenceSampler):
    """Each point of a grid once. When none is left, a trial that was started all the same is a random one."""

    def __init__(self, space: Sequence[Parameter], grid: Grid, *, seed: int) -> None:
        super().__init__(space, seed=seed)
        self._grid = grid

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the trial's point; nothing when none is left."""
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        index = self._grid.taken([t for t in trials if t.number <= trial.number]).get(trial.number)
        return {} if index is None else self._grid.point(index)


def _is_queued(trial: FrozenTrial) -> bool:
    """Say whether the trial's configuration was given to it."""
    return "fixed_params" in trial.system_attrs
