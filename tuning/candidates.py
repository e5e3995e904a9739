"""Which configurations a re-evaluation measures anew: the best trials, picked ones, and baselines."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from storage.trials import own
from tuning.analysis.outcomes import finite_ranked, finite_values
from tuning.analysis.words import count, listed, whole
from tuning.distinct import MOST_CONSIDERED, Distinct, distinct_best
from tuning.first_trials import known_tuned
from tuning.launch import Run
from tuning.mapping import mapped_spec
from tuning.probe_values import spec_axes
from tuning.reevaluation import Candidate
from tuning.space.parameters import shown
from tuning.space.resolve import POLICY_PREFIX, argument_value, resolve_configuration, rollout_steps
from tuning.spec import SpecError, StudySpec

DEFAULTS = "defaults"  # keys of the baselines
TUNED = "tuned"


class ReevaluationError(ValueError):
    """A re-evaluation that makes no sense, or cannot be planned; says why and what to do."""


class NothingToReevaluate(ReevaluationError):
    """No trial of the study is there to be measured anew yet."""


@dataclass(frozen=True)
class Chosen:
    """The candidates, the best trials first, then baselines; and what a person should know about them."""

    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]  # sentences


def trainable_spec(run: Run) -> StudySpec:
    """Return the request that trains a study's configurations.

    Raises:
        ReevaluationError: the study is not ours, and nobody has mapped it yet, or the mapping is damaged.
    """
    try:
        spec = mapped_spec(run)
    except SpecError as error:
        raise ReevaluationError(
            f"How {run.folder.id} is trained cannot be read: {error.faults[0]} Map it again."
        ) from None
    if spec is None:
        raise ReevaluationError(
            f"{run.folder.id} was not launched here, so nobody knows how to train for it again. Map it to an "
            "algorithm and an environment first: give --env and --timesteps, or --map SPEC.yaml."
        )
    return spec


def top_trials(run: Run, top: int = 5) -> list[int]:
    """Return the numbers of the study's best distinct trials of its own, best first; none yet: empty.

    Raises:
        ReevaluationError: see `trainable_spec`.
    """
    return [d.trial.number for d in _top(run, trainable_spec(run), top)]


def choose(
    run: Run, spec: StudySpec, *, top: int, trials: Sequence[int] | None, defaults: bool, tuned: bool
) -> Chosen:
    """Choose the candidates; the arguments are those of `plan_reevaluation`.

    A baseline is what a person would have without tuning. The defaults are therefore SB3's own for every
    argument, also for what the study fixed, because fixing it was a choice too; what is no argument of the
    algorithm (policy, number of training envs) is the study's. Known tuned values come with their own number
    of envs. A baseline that equals a chosen trial is that trial: it is trained once, and named after what it
    is.

    Raises:
        ReevaluationError, NothingToReevaluate: see `plan_reevaluation`.
    """
    values = finite_values(run.study.trials)
    if trials is None:
        found = _top(run, spec, top)
        if top and not found:
            raise NothingToReevaluate(
                f"No trial of {run.folder.id} is complete yet. Wait for the first, or measure only the "
                "baselines (--top 0)."
            )
        chosen = [_trial(spec, d.trial, values.get(d.trial.number), d.merged) for d in found]
    else:
        chosen = _equal_ones_merged(spec, [_picked(run, spec, number) for number in dict.fromkeys(trials)])
        sign = -1.0 if run.study.maximize else 1.0
        chosen.sort(key=lambda c: (math.inf if c.search_value is None else sign * c.search_value, c.trial))
    notes: list[str] = []
    baselines = [sb3_defaults(spec)] if defaults else []
    if n_fixed := len(spec.hyperparameters) if defaults else 0:
        notes.append(
            f"The defaults are SB3's own also for the {count(n_fixed, 'value')} that the study fixed."
        )
    if tuned and (known := _tuned(spec)):
        baselines.append(known)
    for baseline in baselines:
        same = [c for c in chosen if same_configuration(spec, c, baseline)]
        if same:
            numbers = listed([f"trial {c.trial}" for c in same])
            notes.append(f"{baseline.name} are what {numbers} ran: trained once.")
        chosen = [c for c in chosen if c not in same]
    located = [_located(run, spec, values, b) for b in baselines]
    return Chosen((*chosen, *_equal_ones_merged(spec, located)), (*notes, *_unused(run, spec)))


def same_configuration(spec: StudySpec, a: Candidate, b: Candidate) -> bool:
    """Say whether two candidates train the same: every argument is equal, set or by default, and the envs."""
    return a.n_train_envs == b.n_train_envs and _full(spec, a.resolved) == _full(spec, b.resolved)


def _top(run: Run, spec: StudySpec, top: int) -> list[Distinct]:
    order = finite_ranked(own(run.study.trials), maximize=run.study.maximize)
    trainable = (t for t in order if _fault(spec, t) is None)
    best = list(itertools.islice(trainable, MOST_CONSIDERED))  # checking thousands would take a second
    return distinct_best(best, top, spec_axes(spec), maximize=run.study.maximize)


def _picked(run: Run, spec: StudySpec, number: int) -> Candidate:
    trial = next((t for t in run.study.trials if t.number == number), None)
    if trial is None:
        raise ReevaluationError(
            f"There is no trial {shown(number)} in {run.folder.id}, which has {len(run.study.trials)}. "
            "Pick another."
        )
    if not trial.state.is_finished():
        raise ReevaluationError(f"Trial {number} has not ended yet. Wait for it, or pick another.")
    if fault := _fault(spec, trial):
        raise ReevaluationError(f"Trial {number} cannot be trained again: {fault}. Pick another.")
    value = finite_values([trial]).get(number) if trial.state == TrialState.COMPLETE else None
    return _trial(spec, trial, value, ())


def _fault(spec: StudySpec, trial: FrozenTrial) -> str | None:
    """Return why a trial's configuration cannot be trained, or None."""
    missing = [p.name for p in spec.search_space if p.name not in trial.params]
    if missing:
        return f"it ended without a value for {', '.join(missing)}"
    for p in spec.search_space:
        argument = spec.info.arguments[p.target]
        try:
            fault = argument.fault(p.resolve(trial.params[p.name]))
        except (ValueError, KeyError, TypeError, OverflowError):
            fault = f"{p.name} cannot be {shown(trial.params[p.name])}"
        if fault:
            return fault.removesuffix(".")
    return None


def _trial(spec: StudySpec, trial: FrozenTrial, value: float | None, merged: tuple[int, ...]) -> Candidate:
    stored = {p.name: trial.params[p.name] for p in spec.search_space}
    return Candidate(
        key=f"trial {trial.number}",
        kind="trial",
        name=f"Trial {trial.number}",
        trial=trial.number,
        resolved=resolve_configuration(spec, stored),
        n_train_envs=spec.n_train_envs,
        search_value=value,
        merged=merged,
    )


def sb3_defaults(spec: StudySpec) -> Candidate:
    """Return SB3's own defaults for every argument, with the policy and number of envs of a request."""
    return Candidate(
        key=DEFAULTS,
        kind="defaults",
        name="SB3 defaults",
        resolved=_resolved(spec, {}, spec.n_train_envs),
        n_train_envs=spec.n_train_envs,
    )


def _tuned(spec: StudySpec) -> Candidate | None:
    known = known_tuned(spec)
    if known is None:
        return None
    return Candidate(
        key=TUNED,
        kind="tuned",
        name=f"{known.name}'s tuned values",
        resolved=_resolved(spec, known.arguments, known.n_train_envs),
        n_train_envs=known.n_train_envs,
    )


def _resolved(spec: StudySpec, arguments: dict[str, Any], n_train_envs: int) -> dict[str, Any]:
    """Resolve arguments as if they were a request of their own, with nothing to search."""
    update = {"hyperparameters": arguments, "search_space": (), "n_train_envs": n_train_envs}
    return resolve_configuration(spec.model_copy(update=update), {})


def _located(run: Run, spec: StudySpec, values: dict[int, float], baseline: Candidate) -> Candidate:
    """Return a baseline with the trial of the study that ran it, and what that was worth, if there is one."""
    full = _full(spec, baseline.resolved)
    try:
        stored = {p.name: p.stored(full[p.target]) for p in spec.search_space}
        as_trial = resolve_configuration(spec, stored)
    except (ValueError, TypeError, KeyError):
        return baseline  # the space does not hold it
    if spec.n_train_envs != baseline.n_train_envs or _full(spec, as_trial) != full:
        return baseline
    equal = [
        t.number
        for t in own(run.study.trials)
        if t.number in values and all(t.params.get(name) == value for name, value in stored.items())
    ]
    if not equal:
        return baseline
    # The first of several: the best of them would flatter.
    update = {"trial": equal[0], "search_value": values[equal[0]], "merged": tuple(equal[1:])}
    return baseline.model_copy(update=update)


def _equal_ones_merged(spec: StudySpec, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates without those that train what an earlier one does: with its seeds, its runs."""
    kept: list[Candidate] = []
    for candidate in candidates:
        place = next((i for i, k in enumerate(kept) if same_configuration(spec, k, candidate)), None)
        if place is None:
            kept.append(candidate)
        elif candidate.trial is not None:
            merged = (*kept[place].merged, candidate.trial)
            kept[place] = kept[place].model_copy(update={"merged": merged})
    return kept


def _full(spec: StudySpec, resolved: dict[str, Any]) -> dict[str, Any]:
    full = {name: argument_value(spec, resolved, name) for name in spec.info.arguments}
    nets = full.get(f"{POLICY_PREFIX}net_arch")
    argument = spec.info.arguments.get(f"{POLICY_PREFIX}net_arch")
    # SB3 gives policy and value net the same layers. Elsewhere a list stays as the parameter gives it.
    if isinstance(nets, list) and argument is not None and "vf" in argument.nets:
        full[f"{POLICY_PREFIX}net_arch"] = {"pi": nets, "vf": nets}
    return full


def _unused(run: Run, spec: StudySpec) -> list[str]:
    """Say so where a mapped study tuned something that its mapping leaves out."""
    known = {p.name for p in spec.search_space}
    foreign = sorted({name for t in run.study.trials for name in t.params} - known)
    if not foreign:
        return []
    named = [shown(name, max_chars=40) for name in foreign[:5]]
    if len(foreign) > 5:
        named.append(f"{len(foreign) - 5} more")
    return [f"The mapping leaves out {listed(named)}: what the trials had there is not trained again."]


def budget_notes(spec: StudySpec, candidates: Sequence[Candidate], n_timesteps: int) -> list[str]:
    """Say which candidates were made for another budget, or train longer than the others."""
    notes = []
    known = known_tuned(spec)
    if known and known.n_timesteps != n_timesteps and any(c.kind == "tuned" for c in candidates):
        notes.append(
            f"{known.name} tuned its values for {whole(known.n_timesteps)} steps; "
            f"here they get {whole(n_timesteps)}."
        )
    for candidate in candidates:
        as_spec = spec.model_copy(update={"n_train_envs": candidate.n_train_envs})
        rollout = rollout_steps(as_spec, candidate.resolved) or 0
        if rollout > n_timesteps:
            notes.append(
                f"{candidate.name}: one rollout takes {whole(rollout)} steps, so training goes past the "
                f"{whole(n_timesteps)} that were asked for."
            )
    return notes
