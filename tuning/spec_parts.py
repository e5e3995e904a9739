"""The parts of a `StudySpec`: environment, sampler, pruner, budget, and what is kept."""

import keyword
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator

from tuning.space.parameters import shown
from tuning.spec_base import Frozen, check_plain


class EnvSpec(Frozen):
    """The environment: an id of the installed Gymnasium registry and its keyword arguments."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$")
    kwargs: dict[str, JsonValue] = Field(default={}, max_length=100)

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


class SamplerSpec(Frozen):
    """How configurations are proposed."""

    name: Literal["tpe", "random"] = "tpe"
    n_startup_trials: int = Field(default=10, ge=0, le=10_000)  # random trials before TPE models anything
    multivariate: bool = True  # TPE: model the parameters jointly


class PrunerSpec(Frozen):
    """When a weak trial is cut short."""

    name: Literal["median", "none"] = "median"
    n_startup_trials: int = Field(default=10, ge=0, le=10_000)  # complete trials before anything is pruned
    warmup_fraction: float = Field(default=1 / 3, ge=0, le=1)  # of the training steps, without pruning


class Budget(Frozen):
    """How much is spent, on the study and on each trial."""

    n_trials: int = Field(default=60, ge=1, le=100_000)  # complete + pruned
    timeout_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # start no trial after this
    n_timesteps: int = Field(default=40_000, ge=1, le=10**10)  # env steps a trial, over all training envs
    n_evaluations: int = Field(default=2, ge=1, le=1000)  # a trial, the last one at the end of training
    n_eval_episodes: int = Field(default=10, ge=1, le=10_000)  # an evaluation


class Retention(Frozen):
    """Which trials keep weights and resolved request: the best `top`, the defaults, every pinned one."""

    top: int = Field(default=20, ge=0, le=10_000)
