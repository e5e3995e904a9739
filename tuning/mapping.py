"""A study that is not ours, mapped by a person to what trains it: an algorithm and an environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.paths import RunFolder
from tuning.launch import Run
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec


@dataclass(frozen=True)
class MappedParameter:
    """One parameter of the study, and what it is taken to set."""

    name: str  # stored; any text
    parameter: Parameter | None  # None: nobody could guess, or it is left out
    note: str = ""  # why nobody could, or what the guess rests on


@dataclass(frozen=True)
class MappingDraft:
    """A guess at how a study is trained again, for a person to correct."""

    parameters: tuple[MappedParameter, ...]
    spec: StudySpec | None  # of those that could be guessed; None while it has faults
    faults: tuple[str, ...] = ()

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parameters that nothing is known about."""
        return tuple(p.name for p in self.parameters if p.parameter is None)


def guess_mapping(
    run: Run,
    *,
    env_id: str,
    algorithm: str = "PPO",
    n_timesteps: int,
    policy: str = "MlpPolicy",
    n_train_envs: int = 1,
    overrides: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> MappingDraft:
    """Guess the request that would train the study's configurations.

    Args:
        run: the study.
        env_id: in which it trained.
        algorithm: that it tuned.
        n_timesteps: env steps of one of its trials.
        policy: of the algorithm.
        n_train_envs: that a trial trained in.
        overrides: by stored name, `target` and `transform` to use instead of the guess; None leaves it out.
    """
    raise NotImplementedError


def save_mapping(folder: RunFolder, spec: StudySpec) -> None:
    """Keep a mapping beside the study that it is for."""
    raise NotImplementedError


def mapped_spec(run: Run | RunFolder) -> StudySpec | None:
    """Return the request that trains a study's configurations: its own, else the mapping, else None."""
    raise NotImplementedError
