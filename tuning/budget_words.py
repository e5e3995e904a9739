"""How long a training lasts, in words: env steps, or the time of a study whose clock ends each training."""

from typing import Protocol

from tuning.analysis.words import duration, whole
from tuning.spec import StudySpec


class AskedBudget(Protocol):
    """What a probe and a re-evaluation know of their own budget and the study's."""

    @property
    def n_timesteps(self) -> int:
        """Env steps of a run; nominal where the clock ends it."""

    @property
    def study_timesteps(self) -> int:
        """Env steps of a trial of the study; likewise."""

    @property
    def study_seconds(self) -> float | None:
        """Time of a trial of the study, where the clock ends it."""


def budget_words(spec: StudySpec) -> str:
    """Return what one training of a study gets: "40 000 steps", "1 min of training"."""
    seconds = spec.budget.trial_seconds
    if seconds is None:
        return f"{whole(spec.budget.n_timesteps)} steps"
    return f"{duration(seconds)} of training"


def run_words(asked: AskedBudget) -> str:
    """Return what a run gets: "40 000 steps" or "1 min"."""
    if asked.study_seconds is None:
        return f"{whole(asked.n_timesteps)} steps"
    return duration(asked.study_seconds * asked.n_timesteps / asked.study_timesteps)


def study_words(asked: AskedBudget) -> str:
    """Return what a trial of the study got: "40 000 steps" or "1 min"."""
    if asked.study_seconds is None:
        return f"{whole(asked.study_timesteps)} steps"
    return duration(asked.study_seconds)
