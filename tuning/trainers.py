"""Whose code trains: the fast kernels of `tuning.fast_ppo`, or Stable-Baselines3's own.

Both train the same PPO or A2C with the same random numbers. They differ in speed and in float32 rounding,
which grows over a training as it does between two machines.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from optuna.trial import FrozenTrial

from storage.trials import COUNTED, TRAINER, own
from tuning.analysis.words import count

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
    return read_trainer(trial.user_attrs.get(TRAINER))


def read_trainer(record: Any) -> TrainerUsed | None:
    """Return what `TrainerUsed.record` wrote; None for anything else."""
    if not isinstance(record, dict) or record.get("name") not in get_args(TrainerName):
        return None
    reason = record.get("reason")
    return TrainerUsed(record["name"], reason if isinstance(reason, str) else None)


def speaks_for(trial: FrozenTrial, choice: TrainerChoice) -> bool:
    """Say whether a trial's duration tells how long another training takes that is asked for like this."""
    used = trainer_used(trial)
    by_sb3_alone = used is None or used == TrainerUsed("sb3")  # nobody recorded it when there was no other
    return by_sb3_alone == (choice == "sb3")


def study_trainers(trials: Sequence[FrozenTrial]) -> str:
    """Say whose code trained the study's own trials, as `trained_by` does."""
    trained = [t for t in own(trials) if TRAINER in t.user_attrs or t.state in COUNTED]
    return trained_by([trainer_used(t) for t in trained], "trial")


def trained_by(used: Sequence[TrainerUsed | None], noun: str) -> str:
    """Say whose code trained several models, the most frequent first; empty where none recorded it.

    "fast kernels", or "fast kernels: 40 trials; Stable-Baselines3 (gSDE): 2 trials".
    """
    known = Counter(trainer.words for trainer in used if trainer is not None)
    if len(known) == 1 and None not in used:
        return next(iter(known))
    parts = [f"{words}: {count(n, noun)}" for words, n in known.most_common()]
    if known and None in used:
        parts.append(f"not recorded: {count(used.count(None), noun)}")
    return "; ".join(parts)
