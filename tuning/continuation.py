"""What a new study takes over from the one that it continues: its trials, and the best to run again.

Widening a range inside a study would drop the parameter from TPE's joint model, silently: the trials' ranges
would differ. So a new study is made, and the old trials are copied as if they had had the new ranges.
"""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from storage.trials import (
    COUNTED,
    CRASHES,
    IMPORTED_FROM,
    IMPORTED_TRIAL,
    RERUN_OF,
    RETRIES,
    RETRY_OF,
    failure_kind,
    origin,
)
from tuning import recovery
from tuning.analysis.outcomes import finite_ranked
from tuning.analysis.words import count, whole
from tuning.space.parameters import Parameter, shown
from tuning.spec import SpecError, StudySpec
from tuning.widen import Change, space_changes

N_RERUN = 3  # of the best: their old values come from other training seeds, so the child measures them itself

# Numbers of trials in the other study, which mean nothing here.
_LEFT_BEHIND = (CRASHES, RETRIES, RETRY_OF)


@dataclass(frozen=True)
class Continuation:
    """What a study inherits from its parent, computed from one moment of the parent."""

    parent_id: str
    parent_name: str
    changes: tuple[Change, ...]
    imported: tuple[FrozenTrial, ...]  # ended ones, as they are to be added to the new study
    rerun: tuple[FrozenTrial, ...]  # waiting ones: the best configurations, the best first
    left_out: tuple[tuple[str, int], ...]  # (why, how many), most frequent first
    n_unfinished: int  # trials that the parent still runs or has queued
    notes: tuple[str, ...] = ()  # sentences: what makes imported and new values differ although they compare

    @property
    def sentence(self) -> str:
        """What happens on launch, in plain words."""
        if not self.imported:
            return f"Continues {self.parent_id}: no trial can be imported."
        n = len(self.imported)
        trials = f"{count(n, 'trial')} {'is' if n == 1 else 'are'} imported"
        again = {0: "", 1: ", the best one runs again"}.get(
            len(self.rerun), f", the best {len(self.rerun)} run again"
        )
        return f"Continues {self.parent_id}: {trials}{again}."

    @property
    def left_out_sentence(self) -> str:
        """Which trials are not imported and why; empty when all are."""
        parts = [f"{count(n, 'trial')}: {why}" for why, n in self.left_out]
        return f"Not imported: {'; '.join(parts)}." if parts else ""


def continuation(
    parent_id: str, parent: StudySpec, trials: Sequence[FrozenTrial], spec: StudySpec
) -> Continuation:
    """Return what a study of `spec` inherits.

    Complete and pruned trials are imported, and those that failed by themselves: where training breaks is
    evidence about the space. A trial fits when every argument that the algorithm got is the one it would get
    from the new request: a parameter may be added where the trial's value for it is known from the parent's
    fixed hyperparameters or the algorithm's defaults, and removed where the trial has the new fixed value.

    Args:
        parent_id: of the study that is continued.
        parent: its request.
        trials: its trials; it may be running.
        spec: the new request.

    Raises:
        SpecError: the new request trains something else, so that old and new values do not compare.
    """
    if faults := _faults(parent_id, parent, spec):
        raise SpecError(faults)
    fit = _Fit(parent, spec)
    imported, why = [], Counter[str]()
    for trial in trials:
        if not trial.state.is_finished():
            continue
        if _set_aside(trial):
            why["stopped or killed, which says nothing about the configuration"] += 1
            continue
        try:
            params = fit.params(trial.params)
        except _Misfit as misfit:
            why[str(misfit)] += 1
        else:
            imported.append(_copied(trial, params, fit.distributions, parent_id))
    return Continuation(
        parent_id=parent_id,
        parent_name=parent.name,
        changes=space_changes(parent, spec),
        imported=tuple(imported),
        rerun=tuple(_rerun(imported, spec)),
        left_out=tuple(why.most_common()),
        n_unfinished=sum(not t.state.is_finished() for t in trials),
        notes=tuple(_notes(parent, spec)) if imported else (),
    )


def _faults(parent_id: str, parent: StudySpec, spec: StudySpec) -> list[str]:
    """Say what keeps the values of two studies from being compared."""
    conditions = (
        ("environment", parent.env.id, spec.env.id),
        ("environment arguments", parent.env.kwargs, spec.env.kwargs),
        ("wrappers", parent.env.wrappers, spec.env.wrappers),
        ("algorithm", parent.algorithm, spec.algorithm),
        ("policy", parent.policy, spec.policy),
        ("direction", *("maximize" if s.maximize else "minimize" for s in (parent, spec))),
        ("steps a trial", parent.budget.n_timesteps, spec.budget.n_timesteps),
        ("seconds a trial", parent.budget.trial_seconds, spec.budget.trial_seconds),
        ("number of training envs", parent.n_train_envs, spec.n_train_envs),
        ("trainings a trial", parent.objective.n_seeds, spec.objective.n_seeds),
        ("evaluations that count", parent.objective.last_k, spec.objective.last_k),
        ("second objective", parent.objective.second, spec.objective.second),
        ("threshold", parent.objective.threshold, spec.objective.threshold),
    )
    return [
        f"A study that continues {parent_id} must keep its {what}, {_plain(old)}, or the values do not "
        f"compare: received {_plain(new)}. Set it back, or start from scratch."
        for what, old, new in conditions
        if old != new
    ]


def _notes(parent: StudySpec, spec: StudySpec) -> Iterator[str]:
    """Say which conditions of measurement differ: values still compare, with other noise or reports."""
    old, new = parent.budget.n_eval_episodes, spec.budget.n_eval_episodes
    if old != new:
        yield (
            f"Imported values are means of {count(old, 'episode')}, new ones of {whole(new)}: "
            f"the {'imported' if old < new else 'new'} ones are noisier."
        )
    before, after = parent.evaluation_marks(), spec.evaluation_marks()
    if before != after:
        yield (
            f"Imported trials were evaluated {_times(len(before))}, new ones are {_times(len(after))}: "
            "the pruner compares them only at the steps that both have."
        )


def _times(n: int) -> str:
    return "once" if n == 1 else f"{whole(n)} times"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _set_aside(trial: FrozenTrial) -> bool:
    """Say whether a trial failed through no fault of its configuration."""
    return trial.state not in COUNTED and failure_kind(trial) != "error" and not recovery.exhausted(trial)


class _Misfit(ValueError):
    """Why a trial does not belong to the new space; the same text for all trials of one reason."""


class _Fit:
    """Translates configurations of one request to another one, or says why that is impossible."""

    def __init__(self, parent: StudySpec, spec: StudySpec) -> None:
        self._old = {p.target: p for p in parent.search_space}
        self._new = {p.target: p for p in spec.search_space}
        self.distributions = {p.name: p.distribution() for p in spec.search_space}
        defaults = {name: argument.default for name, argument in spec.info.arguments.items()}
        self._old_fixed = defaults | parent.hyperparameters
        self._new_fixed = defaults | spec.hyperparameters
        fixed = (parent.hyperparameters | spec.hyperparameters).keys() - self._old.keys() - self._new.keys()
        self._changed = sorted(t for t in fixed if self._old_fixed[t] != self._new_fixed[t])

    def params(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """Return the stored values of a configuration in the new space.

        Raises:
            _Misfit: it has none there.
        """
        if self._changed:
            raise _Misfit(f"{self._changed[0]} is fixed at another value now")
        for target, p in self._old.items():
            if p.name not in old:
                raise _Misfit("ended before every parameter was chosen")
            if target not in self._new and p.resolve(old[p.name]) != self._new_fixed.get(target):
                raise _Misfit(f"{p.name} is not what {target} is fixed at now")
        return {p.name: self._stored(p, old) for p in self._new.values()}

    def _stored(self, p: Parameter, old: Mapping[str, Any]) -> Any:
        before = self._old.get(p.target)
        if before is not None and before.transform == p.transform:
            value = old[before.name]
            if p.kind == "int" and isinstance(value, float) and value.is_integer():
                value = int(value)
            if self.distributions[p.name]._contains(_internal(self.distributions[p.name], value)):
                return value
            raise _Misfit(f"{p.name} outside {_range(p)}")
        resolved = self._old_fixed[p.target] if before is None else before.resolve(old[before.name])
        try:
            return p.stored(resolved)
        except ValueError:
            raise _Misfit(f"{p.name} outside {_range(p)}") from None


def _internal(distribution: optuna.distributions.BaseDistribution, value: Any) -> float:
    try:
        return distribution.to_internal_repr(value)
    except (ValueError, TypeError, OverflowError):
        return float("nan")  # contained nowhere


def _range(p: Parameter) -> str:
    return Change(p.name, None, p).range_after


def _copied(
    trial: FrozenTrial,
    params: dict[str, Any],
    distributions: dict[str, optuna.distributions.BaseDistribution],
    parent_id: str,
) -> FrozenTrial:
    """Return the trial as if it had run with the new ranges, with its own times, values and reports."""
    copied = copy.copy(trial)
    study, number = origin(trial) or (parent_id, trial.number)
    attributes = {k: v for k, v in trial.user_attrs.items() if k not in _LEFT_BEHIND}
    copied.user_attrs = {**attributes, IMPORTED_FROM: study, IMPORTED_TRIAL: number}
    copied.system_attrs = {}
    copied.params = params
    copied.distributions = distributions
    return copied


def _rerun(imported: Sequence[FrozenTrial], spec: StudySpec) -> list[FrozenTrial]:
    """Return the best different configurations as trials to run."""
    chosen: list[FrozenTrial] = []
    for trial in finite_ranked(imported, maximize=spec.maximize):
        if all(trial.params != other.params for other in chosen):
            chosen.append(trial)
        if len(chosen) == min(N_RERUN, spec.budget.n_trials):
            break
    queued = []
    for trial in chosen:
        place = {"study": trial.user_attrs[IMPORTED_FROM], "trial": trial.user_attrs[IMPORTED_TRIAL]}
        queued.append(
            optuna.trial.create_trial(
                state=TrialState.WAITING,
                system_attrs={"fixed_params": trial.params},
                user_attrs={RERUN_OF: place},
            )
        )
    return queued
