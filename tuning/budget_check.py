"""Do I need tuning at all? What a budget check asks, and what it trains to answer it.

The algorithm's own defaults are trained for as long as a trial of the request, twice and four times as long,
with the same few fresh seeds. Where they get there by longer training alone, there is nothing to search.
"""

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tuning import env_child
from tuning.analysis.words import count, whole
from tuning.candidates import budget_notes, sb3_defaults
from tuning.estimate import HIGH, LOW, WORKER_START_S, training_seconds
from tuning.retraining_plan import RetrainPlan, TrainingRun, seed_pairs, with_seeds
from tuning.seeds import retraining_seeds
from tuning.space.resolve import rollout_steps
from tuning.spec import StudySpec
from tuning.spec_parts import EnvSpec

FACTORS = (1, 2, 4)  # times the steps of a trial
N_SEEDS = 3


class NoBudgetCheck(ValueError):
    """Of this request nobody can ask whether longer training is enough; says why."""


class BudgetCheck(BaseModel):
    """The question: everything that decides what the defaults reach, and nothing that only tuning has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    env: EnvSpec
    algorithm: str = Field(max_length=100)
    policy: str = Field(max_length=100)
    n_train_envs: int = Field(ge=1, le=999)
    n_timesteps: int = Field(ge=1, le=10**10)  # of a trial, as the request has them
    n_eval_episodes: int = Field(ge=1, le=10_000)
    maximize: bool = True
    reward_threshold: float | None = None  # return that counts as solved; no part of the identity
    whole_steps: int | None = Field(default=None, ge=1)  # where rollouts make it more; nor is this

    @property
    def once(self) -> int:
        """Once the steps: those that a trial of the defaults really trains for."""
        return self.whole_steps or self.n_timesteps

    @property
    def digest(self) -> str:
        """What two equal questions share, and no two others."""
        asked = {
            "env": self.env.record(),  # names no wrapper that is off: a later kind of wrapper changes nothing
            "algorithm": self.algorithm,
            "policy": self.policy,
            "n_train_envs": self.n_train_envs,
            "n_timesteps": self.n_timesteps,
            "n_eval_episodes": self.n_eval_episodes,
            "maximize": self.maximize,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def run_keys(self) -> list[str]:
        """The keys of all runs, in the order in which they start: seed by seed, the longest first."""
        return [self.key(factor, seed) for seed in range(N_SEEDS) for factor in reversed(FACTORS)]

    def key(self, factor: int, seed: int) -> str:
        """Return the key of a run's result; seeds are counted from 0."""
        return f"{factor}x, seed {seed}"


@dataclass(frozen=True)
class PlannedCheck:
    """A budget check, ready to run."""

    question: BudgetCheck
    plan: RetrainPlan
    seconds: tuple[float, float]  # roughly how long it takes, at least and at most
    notes: tuple[str, ...]  # what a person should know before, in sentences; plain text

    def with_draw(self, draw: int) -> "PlannedCheck":
        """Return it with the fresh seeds of another draw."""
        pairs = _seeds(draw)
        assert len(pairs) == len(seed_pairs(self.plan))
        return replace(self, plan=with_seeds(self.plan, pairs))

    @property
    def words(self) -> str:
        """What will be trained, in plain text, with the notes."""
        q, n = self.question, len(self.plan.runs)
        steps = sum(self.plan.steps_of(run) for run in self.plan.runs)
        rounded = f" ({whole(q.n_timesteps)} rounded up to whole rollouts)" if q.whole_steps else ""
        said = (
            f"Trains SB3's defaults of {q.algorithm} for 1, 2 and 4 times the {whole(q.once)} steps "
            f"of a trial{rounded}, with {count(N_SEEDS, 'new seed')} each: {count(n, 'run')}, "
            f"{whole(steps)} steps in all."
        )
        return " ".join([said, *self.notes])


def budget_check(spec: StudySpec) -> BudgetCheck:
    """Return the question that a request asks, to find its check by: without what counts as solved.

    Raises:
        NoBudgetCheck: its trials end by the clock, so there are no steps to double.
    """
    if spec.budget.trial_seconds is not None:
        raise NoBudgetCheck(
            "A trial of this request ends by the clock, so there are no steps to double. "
            "Give its trials a number of steps to check whether more of them are enough."
        )
    return BudgetCheck(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        n_train_envs=spec.n_train_envs,
        n_timesteps=spec.budget.n_timesteps,
        n_eval_episodes=spec.budget.n_eval_episodes,
        maximize=spec.maximize,
    )


def plan_check(spec: StudySpec) -> PlannedCheck:
    """Plan the budget check of a request.

    Its seeds are those of the first draw: which one is next is certain only once nobody else can start one.

    Raises:
        NoBudgetCheck: see `budget_check`.
    """
    solved = env_child.reward_threshold(spec.env.id) if spec.maximize else None
    defaults = sb3_defaults(spec)
    # Rounded before multiplying: within one rollout, twice the steps would be the same training.
    asked, rollout = spec.budget.n_timesteps, rollout_steps(spec, defaults.resolved) or 1
    once = math.ceil(asked / rollout) * rollout
    known = {"reward_threshold": solved, "whole_steps": once if once != asked else None}
    question = budget_check(spec).model_copy(update=known)
    runs = []
    for seed, (train_seed, eval_seed) in enumerate(_seeds(0)):
        for factor in reversed(FACTORS):
            runs.append(
                TrainingRun(
                    key=question.key(factor, seed),
                    label=f"{defaults.name}, {times(factor)} the steps, seed {seed + 1}",
                    resolved=defaults.resolved,
                    train_seed=train_seed,
                    eval_seed=eval_seed,
                    n_timesteps=None if factor == 1 else factor * once,
                )
            )
    plan = RetrainPlan(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        trainer=spec.trainer,
        n_train_envs=spec.n_train_envs,
        n_timesteps=once,
        n_eval_episodes=question.n_eval_episodes,
        n_eval_envs=spec.n_eval_envs,
        n_workers=min(spec.n_workers, len(runs)),
        runs=tuple(runs),
    )
    notes = []
    if n_fixed := len(spec.hyperparameters):
        notes.append(f"They are SB3's own also for the {count(n_fixed, 'value')} that the request fixes.")
    notes += budget_notes(spec, [defaults], question.n_timesteps)
    return PlannedCheck(question, plan, _seconds(spec, plan, defaults.resolved), tuple(notes))


def times(factor: int) -> str:
    """Return how a multiple of the steps is called: "4 times"."""
    return "once" if factor == 1 else f"{factor} times"


def _seeds(draw: int) -> list[tuple[int, int]]:
    """Return fresh pairs of seeds: those of all checks together are drawn as those of one study."""
    return retraining_seeds(0, draw, N_SEEDS, study="budget checks")


def _seconds(spec: StudySpec, plan: RetrainPlan, resolved: dict[str, Any]) -> tuple[float, float]:
    total = longest = 0.0
    for run in plan.runs:
        asked = {"n_timesteps": plan.steps_of(run), "n_evaluations": 1}
        alone = spec.model_copy(update={"budget": spec.budget.model_copy(update=asked)})
        seconds = training_seconds(alone, resolved)
        total, longest = total + seconds, max(longest, seconds)
    side_by_side = max(total / plan.n_workers, longest)
    return LOW * side_by_side + WORKER_START_S, HIGH * side_by_side + 2 * WORKER_START_S
