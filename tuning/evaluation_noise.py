"""How noisy is the mean of an evaluation's episodes in an environment?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType

from optuna.trial import FrozenTrial

from storage.trials import EVALUATIONS, own, ranked
from tuning.analysis.words import count, three_digits

MIN_EPISODES = 5  # of an evaluation, for its spread to say something
BEST_SHARE = 0.5  # of a study's complete trials: poor policies often have no spread, or another one

# Spread of episode returns of agents trained with PPO, where it is not nothing.
# Source: RL Zoo's benchmark.md.
KNOWN = MappingProxyType(
    {"Pendulum-v1": 100.0, "MountainCar-v0": 20.0, "Acrobot-v1": 18.0, "MountainCarContinuous-v0": 3.0}
)


@dataclass(frozen=True)
class EpisodeNoise:
    """How far the returns of one policy's episodes scatter."""

    std: float
    source: str  # where that is from, to end a sentence


def measured_noise(studies: Sequence[tuple[Sequence[FrozenTrial], bool]]) -> EpisodeNoise | None:
    """Return the spread that earlier studies of an environment have met, or None when they tell nothing.

    Args:
        studies: the trials of each, and whether it maximizes.
    """
    spreads: list[float] = []
    n_studies = 0
    for trials, maximize in studies:
        best = ranked(own(trials), maximize=maximize)
        found = [s for t in best[: math.ceil(len(best) * BEST_SHARE)] if (s := _last_spread(t)) is not None]
        spreads += found
        n_studies += bool(found)
    if not spreads:
        return None
    trials_word = count(len(spreads), "good trial")
    studies_word = "one study" if n_studies == 1 else f"{n_studies} studies"
    return EpisodeNoise(median(spreads), f"as in {trials_word} of {studies_word} here")


def known_noise(env_id: str) -> EpisodeNoise | None:
    """Return the spread that others have published, or None."""
    std = KNOWN.get(env_id)
    return None if std is None else EpisodeNoise(std, "as with PPO in RL Zoo's benchmark")


def noise_sentence(noise: EpisodeNoise | None, n_episodes: int) -> str:
    """Return what a number of episodes comes to: the standard error of their mean."""
    episodes = count(n_episodes, "episode")
    if noise is None:
        return (
            f"How noisy the mean of {episodes} is here is not known yet: the first study of this environment "
            "will tell."
        )
    verb = "means" if n_episodes == 1 else "mean"
    if noise.std == 0:
        return f"All episodes of a good policy returned the same here ({noise.source}): few are enough."
    error = noise.std / math.sqrt(n_episodes)
    apart = 2 * math.sqrt(2) * error
    said = (
        f"{episodes} here {verb} a standard error of about {_rough(error)} (returns scatter by "
        f"{_rough(noise.std)}, {noise.source}): trials whose values are closer than about {_rough(apart)} "
        "cannot be told apart. "
    )
    return said + f"{4 * n_episodes} episodes halve it."


def _rough(x: float) -> str:
    return three_digits(float(f"{x:.2g}"))


def _last_spread(trial: FrozenTrial) -> float | None:
    """Return the standard deviation over the episodes of a trial's last evaluation."""
    records = trial.user_attrs.get(EVALUATIONS)
    if not isinstance(records, list) or not records or not isinstance(records[-1], dict):
        return None
    std, n = records[-1].get("std"), records[-1].get("n_episodes")
    if type(n) is not int or n < MIN_EPISODES or not isinstance(std, int | float) or not math.isfinite(std):
        return None
    return float(std) * math.sqrt(n / (n - 1))  # it is the population's
