"""CMA-ES without a stored optimiser.

Optuna's sampler pickles the optimiser into the trials and unpickles it from there; here no pickle is ever
loaded. The optimiser's state follows from the trials alone: which ones belong to which generation stands in
their attributes, and telling them again, generation by generation, gives the same state. That costs a
millisecond a generation.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    import cmaes  # type: ignore[import-untyped]

GENERATION = "cma:generation"  # a trial's system attribute, called as Optuna calls it


class CmaEsSampler(BaseSampler):
    """CMA-ES whose state is told again from the trials for each proposal.

    Pruned trials take part, ranked behind the complete ones: only ranks enter, and leaving them out would
    let a generation learn from its better half alone.

    Args:
        space: distributions of numbers.
        seed: of this one proposal.
        n_startup_trials: trials that are to end before it proposes; those are random.
        n_source_trials: begin where the best of the first so many trials lie, not in the middle; 0 not to.
    """

    def __init__(
        self,
        space: Mapping[str, BaseDistribution],
        *,
        seed: int,
        n_startup_trials: int,
        n_source_trials: int = 0,
    ) -> None:
        self._space = dict(sorted(space.items()))  # in Optuna's order, for Optuna's draws
        self._rng = np.random.RandomState(seed)
        self._random = RandomSampler(seed=seed)
        self._n_startup_trials = n_startup_trials
        self._n_source_trials = n_source_trials

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the whole space, which is known before any trial ends."""
        return self._space

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return a draw from the generation that is underway; nothing for a trial whose values are given."""
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        ended = sorted(filter(_has_ended, trials), key=_when)
        if len(ended) < max(1, self._n_startup_trials) or "fixed_params" in trial.system_attrs:
            return {}
        transform = _SearchSpaceTransform(self._space, transform_step=True, transform_0_1=True)
        maximize = study.direction == StudyDirection.MAXIMIZE
        optimizer = self._replayed(transform, ended, maximize=maximize)
        # Whatever was drawn before leaves no trace: the state is the trials', the draw is this seed's.
        optimizer._rng.seed(int(self._rng.randint(1, 2**16)) + trial.number)
        point = optimizer.ask()
        study._storage.set_trial_system_attr(trial._trial_id, GENERATION, optimizer.generation)
        return transform.untransform(point)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw at random, before there is a generation."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _replayed(
        self, transform: _SearchSpaceTransform, ended: Sequence[FrozenTrial], *, maximize: bool
    ) -> "cmaes.CMA":
        """Return the optimiser as it is after all generations that are whole."""
        optimizer = self._fresh(transform, ended, maximize=maximize)
        by_generation: dict[int, list[FrozenTrial]] = {}
        for trial in ended:
            generation = trial.system_attrs.get(GENERATION)
            if type(generation) is int and trial.params.keys() >= self._space.keys():
                by_generation.setdefault(generation, []).append(trial)
        # The first that ended, whoever looks: trials that workers had begun before that come too late.
        size = optimizer.population_size
        while len(members := by_generation.get(optimizer.generation, [])[:size]) == size:
            optimizer.tell(list(self._ranked(transform, members, maximize=maximize)))
        return optimizer

    def _fresh(
        self, transform: _SearchSpaceTransform, ended: Sequence[FrozenTrial], *, maximize: bool
    ) -> "cmaes.CMA":
        import cmaes

        bounds = transform.bounds  # (n_parameters, 2), all 0 to 1
        mean, sigma, cov = bounds.mean(axis=1), float(np.min(bounds[:, 1] - bounds[:, 0])) / 6, None
        source = [t for t in ended[: self._n_source_trials] if self._contains(t)]
        if len(source) > 10:  # the best tenth of them decides, and one alone has no spread
            mean, sigma, cov = cmaes.get_warm_start_mgd(
                list(self._ranked(transform, source, maximize=maximize))
            )
            mean, sigma = np.clip(mean, 0.0, 1.0), max(sigma, 1e-3)
        return cmaes.CMA(
            mean=mean, sigma=sigma, cov=cov, bounds=bounds, seed=1, n_max_resampling=10 * len(bounds)
        )

    def _ranked(
        self, transform: _SearchSpaceTransform, trials: Sequence[FrozenTrial], *, maximize: bool
    ) -> list[tuple[np.ndarray, float]]:
        """Return points with their ranks, lower is better."""
        order = sorted(trials, key=lambda t: _badness(t, maximize=maximize))
        return [
            (transform.transform({name: t.params[name] for name in self._space}), float(rank))
            for rank, t in enumerate(order)
        ]

    def _contains(self, trial: FrozenTrial) -> bool:
        return all(
            name in trial.params and d._contains(d.to_internal_repr(trial.params[name]))
            for name, d in self._space.items()
        )


def _has_ended(trial: FrozenTrial) -> bool:
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def _when(trial: FrozenTrial) -> tuple[float, int]:
    ended = trial.datetime_complete
    return (ended.timestamp() if ended else 0.0, trial.number)


def _badness(trial: FrozenTrial, *, maximize: bool) -> tuple[bool, float]:
    """Return what sorts the best first: complete ones by value, then pruned ones by their last report."""
    value = trial.value
    if value is None or not math.isfinite(value):
        return (True, math.inf)
    return (trial.state != TrialState.COMPLETE, -value if maximize else value)
