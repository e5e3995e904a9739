"""What a probe trains: the best configurations again, with one parameter moved past a bound."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from optuna.trial import FrozenTrial
from pydantic import BaseModel, ConfigDict, Field

from storage.trials import completed, own
from tuning.analysis.verdicts import Side
from tuning.analysis.words import count, listed, three_digits, whole
from tuning.distinct import distinct_best
from tuning.estimate import study_seconds
from tuning.launch import Run
from tuning.probe_values import (
    MOST_VALUES,
    NothingToProbe,
    ProbeError,
    checked_values,
    default_values,
    probed_parameter,
    spec_axes,
)
from tuning.retraining_plan import (
    MAX_RUNS,
    RetrainPlan,
    TrainingRun,
    seconds_of_a_run,
    seed_pairs,
    with_seeds,
)
from tuning.seeds import retraining_seeds
from tuning.space.limits import spec_limits
from tuning.space.resolve import resolve_configuration, rollout_steps
from tuning.spec import SpecError, StudySpec
from tuning.trainers import speaks_for
from tuning.widen import widened_spec

MOST_RUNS = 30  # of a probe whose size nobody chose
MOST_CONFIGURATIONS = 10
MOST_SEEDS = 20


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ProbedConfiguration(_Plain):
    """One of the best configurations of the study."""

    trial: int  # of the study
    value: int | float  # the parameter's own stored value
    result: float  # what the study measured, once


class Probe(_Plain):
    """The question that a probe's runs answer: is it better with this parameter elsewhere?"""

    parameter: str
    side: Side
    low: float  # declared bounds of the stored value
    high: float
    values: tuple[int | float, ...] = Field(
        min_length=1, max_length=MOST_VALUES
    )  # stored ones, from the inside outward
    configurations: tuple[ProbedConfiguration, ...] = Field(
        min_length=1, max_length=MOST_CONFIGURATIONS
    )  # best first
    n_seeds: int = Field(ge=1, le=MOST_SEEDS)
    n_timesteps: int = Field(ge=1)  # env steps a run
    study_timesteps: int = Field(ge=1)  # env steps of a trial of the study
    # Time of a trial of the study, which ends it; both steps are nominal then. None where steps end it.
    study_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    maximize: bool

    def past(self, value: float) -> bool:
        """Say whether a value lies beyond the declared bound."""
        return value > self.high if self.side == "high" else value < self.low

    def key(self, configuration: ProbedConfiguration, value: float | None, seed: int) -> str:
        """Return the key of a run's result; None stands for the configuration's own value."""
        return f"trial {configuration.trial}, {'own value' if value is None else repr(value)}, seed {seed}"


@dataclass(frozen=True)
class PlannedProbe:
    """A probe, ready to run."""

    question: Probe
    plan: RetrainPlan
    study: str  # its id
    study_seed: int

    def with_draw(self, draw: int) -> "PlannedProbe":
        """Return the probe with the fresh seeds of another draw; runs that shared theirs still do."""
        n = len(seed_pairs(self.plan))
        pairs = retraining_seeds(self.study_seed, draw, n, study=self.study)
        return replace(self, plan=with_seeds(self.plan, pairs))

    @property
    def words(self) -> str:
        """What will be trained, in plain text."""
        q = self.question
        trials = [str(c.trial) for c in q.configurations]
        which = f"trial {trials[0]}, the best," if len(trials) == 1 else f"the best trials, {listed(trials)},"
        values = listed([three_digits(v) for v in q.values])
        seeds = "new seed" if q.n_seeds == 1 else count(q.n_seeds, "new seed")
        return (
            f"Trains {which} again with {q.parameter} as it was and at {values}, each with the same "
            f"{seeds}: {count(len(self.plan.runs), 'run')} of "
            f"{whole(q.n_timesteps)} steps."
        )


def plan_probe(
    run: Run,
    parameter: str,
    side: Side,
    *,
    values: Sequence[float] | None = None,
    inside: bool = False,
    n_configurations: int = 3,
    n_seeds: int | None = None,
    n_timesteps: int | None = None,
) -> PlannedProbe:
    """Plan a probe of one parameter of a study of ours.

    The runs come seed by seed, so that a probe that is stopped early has whole pairs. Their seeds are those
    of the study's first draw: which one is next is certain only once nobody else can start a probe.

    Args:
        run: the study.
        parameter: stored name of a numeric parameter, or of a categorical whose choices are numbers.
        side: of the bound in question.
        values: stored values to move the parameter to, one at least past the bound; by default one halfway
            to the suggested bound, and that bound.
        inside: hardly any trial went to this half of the range: the first default lies in it, and `values`
            may all do so.
        n_configurations: of the best distinct ones.
        n_seeds: for each configuration and value; by default what makes 20 to 30 runs.
        n_timesteps: a run; by default the study's own, since a shorter training may rank differently.

    Raises:
        ProbeError: it makes no sense, or there is nothing to train yet.
    """
    spec = run.spec
    found, axis = probed_parameter(spec, parameter)
    assert spec is not None
    _check_counts(n_configurations, n_seeds, n_timesteps)
    trials = run.study.trials
    found_best = distinct_best(trials, n_configurations, spec_axes(spec), maximize=run.study.maximize)
    best = [(d.trial, d.value) for d in found_best]
    if not best:
        raise NothingToProbe("A probe trains the best configurations again, and no trial is complete yet.")
    limit = spec_limits(spec).get(parameter)
    steps = n_timesteps or spec.budget.n_timesteps
    if values is None:
        chosen = default_values(found, axis, side, limit, inside=inside)
        fitting = [
            v for v in chosen if not any(_rollout_fault(spec, t, parameter, v, steps) for t, _ in best)
        ]
        chosen = fitting or chosen[:1]
    else:
        chosen = checked_values(found, values, axis, side, limit, inside=inside)
    for trial, _ in best:
        for value in chosen:
            if fault := _rollout_fault(spec, trial, parameter, value, steps):
                raise ProbeError(fault)
    seeds = n_seeds or max(2, MOST_RUNS // (len(best) * (1 + len(chosen))))
    question = Probe(
        parameter=parameter,
        side=side,
        low=axis.low,
        high=axis.high,
        values=tuple(chosen),
        configurations=tuple(
            ProbedConfiguration(trial=t.number, value=t.params[parameter], result=value) for t, value in best
        ),
        n_seeds=min(seeds, MOST_SEEDS),
        n_timesteps=steps,
        study_timesteps=spec.budget.n_timesteps,
        study_seconds=spec.budget.trial_seconds,
        maximize=spec.maximize,
    )
    study = run.folder.id
    plan = _retraining(spec, question, [t for t, _ in best], study)
    return PlannedProbe(question, plan, study, spec.seed)


def probe_seconds(run: Run, planned: PlannedProbe) -> float:
    """Return roughly how long a probe takes: by the study's own trials, else by the model before launch."""
    assert run.spec is not None
    plan = planned.plan
    telling = [t for t in completed(own(run.study.trials)) if speaks_for(t, plan.trainer)]
    took = [t.duration.total_seconds() for t in telling if t.duration]
    per_trial = median(took) if took else study_seconds(run.spec).seconds_per_trial
    per_run = per_trial / run.spec.objective.n_seeds
    share = plan.n_timesteps / run.spec.budget.n_timesteps
    return per_run * share * math.ceil(len(plan.runs) / plan.n_workers)


def _retraining(spec: StudySpec, question: Probe, trials: Sequence[FrozenTrial], study: str) -> RetrainPlan:
    name = question.parameter
    seeds = retraining_seeds(spec.seed, 0, question.n_seeds, study=study)
    wider = {value: _spec_with(spec, question, value) for value in question.values}
    runs = []
    for index, (train_seed, eval_seed) in enumerate(seeds):
        for configuration, trial in zip(question.configurations, trials, strict=True):
            for value in (None, *question.values):
                if value == configuration.value:
                    continue  # its own: there is no difference to measure
                stored = trial.params if value is None else {**trial.params, name: value}
                at = three_digits(configuration.value if value is None else value)
                runs.append(
                    TrainingRun(
                        key=question.key(configuration, value, index),
                        label=f"trial {trial.number} with {name} {at}, seed {index + 1}",
                        resolved=resolve_configuration(spec if value is None else wider[value], stored),
                        train_seed=train_seed,
                        eval_seed=eval_seed,
                    )
                )
    if len(runs) > MAX_RUNS:
        raise ProbeError(f"A probe has at most {MAX_RUNS} runs: received {len(runs)}. Ask for fewer seeds.")
    return RetrainPlan(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        trainer=spec.trainer,
        n_train_envs=spec.n_train_envs,
        n_timesteps=question.n_timesteps,
        trial_seconds=seconds_of_a_run(spec, question.n_timesteps),
        n_eval_episodes=spec.budget.n_eval_episodes,
        n_eval_envs=spec.n_eval_envs,
        n_workers=spec.n_workers,
        runs=tuple(runs),
    )


def _rollout_fault(
    spec: StudySpec, trial: FrozenTrial, parameter: str, value: float, n_timesteps: int
) -> str | None:
    """Say so where a run would train longer than its pair: SB3 trains whole rollouts, however long."""
    arguments = [
        {p.target: p.resolve(params[p.name]) for p in spec.search_space}
        for params in (trial.params, {**trial.params, parameter: value})
    ]
    own, moved = (rollout_steps(spec, {**spec.hyperparameters, **found}) or 0 for found in arguments)
    if moved > n_timesteps and moved != own:
        return (
            f"{parameter} {value:g} collects {whole(moved)} steps in one rollout, more than the "
            f"{whole(n_timesteps)} of a run, so it would train longer than what it is compared with. "
            "Take a smaller one, or give the runs more steps."
        )
    if own > n_timesteps and n_timesteps < spec.budget.n_timesteps:
        return (
            f"Trial {trial.number} collects {whole(own)} steps in one rollout, more than the "
            f"{whole(n_timesteps)} of a run. Give the runs more steps."
        )
    return None


def _spec_with(spec: StudySpec, question: Probe, value: float) -> StudySpec:
    """Return the study's request with a search space that holds the value, so that it is checked as any."""
    low, high = min(question.low, value), max(question.high, value)
    if (low, high) == (question.low, question.high):
        return spec
    try:
        return widened_spec(spec, {question.parameter: (low, high)})
    except SpecError as error:
        raise ProbeError(f"{question.parameter} cannot be {value:g}. {error.faults[0]}") from None


def _check_counts(n_configurations: int, n_seeds: int | None, n_timesteps: int | None) -> None:
    for what, n, most in (
        ("configurations", n_configurations, MOST_CONFIGURATIONS),
        ("seeds", n_seeds, MOST_SEEDS),
        ("steps", n_timesteps, 10**10),
    ):
        if n is not None and not 1 <= n <= most:
            raise ProbeError(f"The number of {what} must be 1 to {most}: received {n}.")
