"""The parts of a `StudySpec`: environment, sampler, pruner, budget, objective, and what is kept."""

import keyword
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator

from tuning.space.parameters import shown
from tuning.spec_base import Frozen, check_plain

# The fields of an EnvSpec that stand for wrappers, as people read of them.
WRAPPERS = {
    "normalize_observations": "observations normalised",
    "normalize_rewards": "rewards normalised",
    "frame_stack": "frames stacked",
    "time_feature": "time feature",
}


class EnvSpec(Frozen):
    """The environment: an id of the installed Gymnasium registry, its keyword arguments, and its wrappers.

    Wrappers go around it in a fixed order: time feature, frame stack, normalising.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$")
    kwargs: dict[str, JsonValue] = Field(default={}, max_length=100)
    normalize_observations: bool = False  # by their running mean and variance
    normalize_rewards: bool = False  # in training, by the running spread of discounted returns
    frame_stack: int = Field(default=1, ge=1, le=16)  # how many observations the agent sees at once
    time_feature: bool = False  # the share of the episode that is left, as one more number

    @field_validator("kwargs", mode="before")
    @classmethod
    def _plain_kwargs(cls, value: Any) -> Any:
        check_plain(value, "env.kwargs")
        for name in value if isinstance(value, dict) else ():
            if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
                raise ValueError(
                    f"A name in `env.kwargs` must be one that Python takes for a keyword argument: "
                    f"received {shown(name)}."
                )
        return value

    @property
    def normalizes(self) -> bool:
        """Whether training keeps running statistics."""
        return self.normalize_observations or self.normalize_rewards

    @property
    def wrappers(self) -> dict[str, JsonValue]:
        """The wrappers that are on, by the names of their fields."""
        return {
            name: value for name, value in self.model_dump(exclude_defaults=True).items() if name in WRAPPERS
        }

    def record(self) -> dict[str, JsonValue]:
        """Return it as plain JSON: id and arguments, and of the wrappers those that are on."""
        return {"id": self.id, "kwargs": self.kwargs, **self.wrappers}


def wrappers_text(env: EnvSpec) -> str:
    """Return the wrappers that are on, as people read of them: "time feature, 4 frames stacked"."""
    words = [f"{env.frame_stack} " * (name == "frame_stack") + WRAPPERS[name] for name in env.wrappers]
    return ", ".join(words)


class SamplerSpec(Frozen):
    """How configurations are proposed; `tuning.sampler_choice` says which requests each name can serve."""

    name: Literal["auto", "tpe", "gp", "cmaes", "qmc", "random", "grid", "brute_force", "nsga2"] = "tpe"
    # Random trials before TPE, GP or CMA-ES models anything; NSGA-II's population, the first one random.
    n_startup_trials: int = Field(default=10, ge=0, le=10_000)
    multivariate: bool = True  # TPE: model the parameters jointly
    group: bool = False  # TPE, jointly: a model for each group of parameters that occur together
    grid_levels: int = Field(default=4, ge=2, le=1000)  # grid: values of a parameter that has more than that
    random_share: float = Field(default=0.15, ge=0, le=1)  # of the trials, drawn at random throughout


class PrunerSpec(Frozen):
    """When a weak trial is cut short; `tuning.pruner_choice` says at which evaluations that can be."""

    name: Literal[
        "median",
        "percentile",
        "successive_halving",
        "hyperband",
        "wilcoxon",
        "patient",
        "threshold",
        "none",
    ] = "median"
    n_startup_trials: int = Field(default=10, ge=0, le=10_000)  # complete trials before anything is pruned
    warmup_fraction: float = Field(default=1 / 3, ge=0, le=1)  # of the training, without pruning
    percentile: float = Field(default=75.0, gt=0, lt=100)  # percentile: the share in % that is kept, at least
    reduction_factor: int = Field(default=3, ge=2, le=100)  # halving, Hyperband: 1 of so many goes on
    patience: int = Field(default=1, ge=0, le=1000)  # patient: evaluations without a gain that are borne
    p_threshold: float = Field(default=0.1, gt=0, lt=1)  # Wilcoxon: p-value below which a trial ends
    threshold: float | None = Field(default=None, allow_inf_nan=False)  # threshold: worse than this ends


class Objective(Frozen):
    """What makes a trial good: the mean return of its evaluation, and what is weighed against it."""

    last_k: int = Field(default=1, ge=1, le=1000)  # the value is the mean of the last k evaluations
    n_seeds: int = Field(default=1, ge=1, le=50)  # trainings a trial; the value is their mean
    second: Literal["training_time", "steps_to_threshold"] | None = None  # to be as small as possible
    threshold: float | None = Field(default=None, allow_inf_nan=False)  # mean return to be reached


class Budget(Frozen):
    """How much is spent, on the study and on each trial."""

    n_trials: int = Field(default=60, ge=1, le=100_000)  # complete + pruned
    timeout_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # start no trial after this
    n_timesteps: int = Field(default=40_000, ge=1, le=10**10)  # env steps a training, over all training envs
    # Wall-clock budget of a training, evaluations not counted, which then ends it instead of `n_timesteps`.
    trial_seconds: float | None = Field(default=None, ge=1, le=10**6, allow_inf_nan=False)
    n_evaluations: int = Field(default=2, ge=1, le=1000)  # a trial, the last one at the end of training
    n_eval_episodes: int = Field(default=10, ge=1, le=10_000)  # an evaluation


class Retention(Frozen):
    """Which trials keep weights and resolved request: the best `top`, the defaults, every pinned one."""

    top: int = Field(default=20, ge=0, le=10_000)
