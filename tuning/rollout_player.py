"""One actor of a rollout: its policy, found and rebuilt, in an environment of its own."""

import math
from typing import Any

from storage.artifacts import KeptPolicy, load_policy
from storage.paths import RunFolder, UnknownRun, find_run
from tuning.acting import Acting
from tuning.retraining_plan import PlanError, load_plan
from tuning.rollout import Actor, Ending, Episode, JobRun, Rollout, Training
from tuning.spec import SpecError, stored_spec
from tuning.spec_parts import EnvSpec

MAX_STEPS = 20_000  # of an episode; an environment without a limit would be played for ever


class Unplayable(RuntimeError):
    """A rollout cannot be played; says why and what to do."""


def env_of(kept: KeptPolicy, request: Rollout) -> EnvSpec:
    """Return the environment that a policy plays in: the request's, in the policy's own wrappers."""
    trained = EnvSpec.model_validate(kept.request["env"])
    return trained.model_copy(update={"id": request.env.id, "kwargs": request.env.kwargs})


class Player:
    """One actor in its own environment."""

    def __init__(self, actor: Actor, kept: KeptPolicy, env: Any, training: Training) -> None:
        from tuning.normalization import normalization_of
        from tuning.policy import rebuild_policy

        self.actor, self.env, self.training = actor, env, training
        try:
            policy, normalization = rebuild_policy(kept), normalization_of(kept)
        except Exception as error:
            raise Unplayable(f"The policy of {actor.label} cannot be rebuilt: {error}.") from error
        policy.set_training_mode(False)
        self._acting = Acting(policy, env, normalization)
        self.ending: Ending | None = None

    @property
    def total(self) -> float:
        """Undiscounted return of the episode so far."""
        return self._acting.total

    @property
    def steps(self) -> int:
        """Steps of the episode so far."""
        return self._acting.steps

    def start(self, seed: int) -> Any:
        """Begin an episode; return its first observation."""
        self.ending = None
        return self._acting.start(seed)

    def step(self, *, deterministic: bool) -> None:
        """Take one step."""
        self._acting.step(deterministic=deterministic)
        if self._acting.has_ended:
            self.ending = "terminated" if self._acting.terminated else "time limit"
        elif self.steps >= MAX_STEPS:
            self.ending = "cut short"

    def episode(self) -> Episode:
        """Return what became of the episode."""
        total = self.total if math.isfinite(self.total) else None
        return Episode(total=total, steps=self.steps, ending=self.ending or "cut short")


def kept_policy(study: RunFolder, actor: Actor, request: Rollout) -> tuple[KeptPolicy, Training]:
    """Read an actor's policy, and what it was trained with.

    Raises:
        Unplayable: it is gone, damaged, or was trained for another environment.
    """
    source = actor.policy
    try:
        if isinstance(source, JobRun):
            folder = find_run(study.jobs, source.job)
            kept, asked = load_policy(folder, source.run), _asked(folder)
        else:
            folder = find_run(study.path.parent, source.study)
            kept, asked = load_policy(folder, source.number), _asked(folder)
        record = kept.request
        if record["env"]["id"] != request.env.id:
            raise Unplayable(
                f"{actor.label} was trained for {record['env']['id']}, not for {request.env.id}: they cannot "
                "play together."
            )
        training = Training(
            algorithm=record["algorithm"],
            resolved=record["resolved"],
            n_train_envs=record["n_train_envs"],
            n_timesteps=asked,
        )
    except (UnknownRun, FileNotFoundError):
        raise Unplayable(
            f"The weights of {actor.label} are gone: its study or its re-evaluation was deleted, or better "
            "trials took its place. Choose another one."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise Unplayable(f"The weights of {actor.label} cannot be read: {error}.") from error
    return kept, training


def _asked(folder: RunFolder) -> int | None:
    """Return the env steps that trainings of this study or job were given, or None when nobody knows."""
    try:
        if folder.plan.is_file():
            return load_plan(folder).n_timesteps
        return stored_spec(folder).budget.n_timesteps
    except (PlanError, SpecError):
        return None
