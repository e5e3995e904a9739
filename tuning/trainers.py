"""Whose code trains: the fast kernels of `tuning.fast_ppo`, or Stable-Baselines3's own.

Both train the same PPO or A2C; they differ in speed and in float32 rounding.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from optuna.trial import FrozenTrial

from storage.trials import TRAINER

TrainerName = Literal["fast", "sb3"]

# auto: the fast kernels where they apply, SB3's own code elsewhere; sb3: always SB3's own.
TrainerChoice = Literal["auto", "sb3"]

TRAINER_NAMES: dict[TrainerName, str] = {"fast": "fast kernels", "sb3": "Stable-Baselines3"}


@dataclass(frozen=True)
class TrainerUsed:
    """Whose code trained a model."""

    name: TrainerName
    reason: str | None = None  # why not the fast kernels; None where SB3 was asked for

    @property
    def words(self) -> str:
        """The trainer for people: "fast kernels", "Stable-Baselines3 (gSDE)"."""
        return TRAINER_NAMES[self.name] + (f" ({self.reason})" if self.reason else "")

    def record(self) -> dict[str, Any]:
        """Return it as plain JSON, as a trial keeps it."""
        return {"name": self.name, **({"reason": self.reason} if self.reason else {})}


def trainer_used(trial: FrozenTrial) -> TrainerUsed | None:
    """Return whose code trained a trial; None where it recorded none, as trials of older studies."""
    record = trial.user_attrs.get(TRAINER)
    if not isinstance(record, dict) or record.get("name") not in get_args(TrainerName):
        return None
    reason = record.get("reason")
    return TrainerUsed(record["name"], reason if isinstance(reason, str) else None)
