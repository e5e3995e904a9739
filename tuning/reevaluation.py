"""What a re-evaluation asks: which candidates are measured anew, how, and how often."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

MOST_CANDIDATES = 20
MOST_SEEDS = 100
MOST_EPISODES = 10_000

# "retrain": train the configuration again with fresh seeds. "weights": play more episodes with the policy
# that the search kept. The first judges a configuration, the second one trained agent: never mix them.
Mode = Literal["retrain", "weights"]

CandidateKind = Literal["trial", "defaults", "tuned"]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Candidate(_Plain):
    """One configuration that is measured anew."""

    key: str = Field(min_length=1, max_length=80)  # unique in its re-evaluation: "trial 55", "defaults"
    kind: CandidateKind
    name: str = Field(max_length=80)  # for people: "Trial 55", "SB3 defaults"
    trial: int | None = None  # its number in the study; None when the study never ran it
    resolved: dict[str, JsonValue]  # the algorithm's keyword arguments
    n_train_envs: int = Field(ge=1, le=999)
    search_value: float | None = None  # what the study measured for it, once
    merged: tuple[int, ...] = ()  # near-equal trials that it stands for

    @property
    def is_baseline(self) -> bool:
        """Whether it is there to be compared with, not found by the search."""
        return self.kind != "trial"


class Reevaluation(_Plain):
    """The question that a re-evaluation's runs answer: which candidate is really best, and how good is it?"""

    mode: Mode
    candidates: tuple[Candidate, ...] = Field(
        min_length=1, max_length=MOST_CANDIDATES
    )  # best first, then baselines
    n_seeds: int = Field(
        ge=1, le=MOST_SEEDS
    )  # training runs of a candidate, with shared seeds; 1 for weights
    n_episodes: int = Field(ge=1, le=MOST_EPISODES)  # that each run, or each kept policy, is judged by
    n_timesteps: int = Field(ge=1)  # env steps of a training run
    study_timesteps: int = Field(ge=1)  # env steps of a trial of the study
    # Time of a trial of the study, which ends it; both steps are nominal then. None where steps end it.
    study_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    maximize: bool
    racing: bool = False  # candidates that cannot win any more are not trained further
    reward_threshold: float | None = None  # return from which the environment counts as solved
    # About what no learning gives: the 5 % quantile of the study's values. The worst may have run away, and
    # would alone decide what a broken run costs.
    worst_seen: float | None = None

    @model_validator(mode="after")
    def _distinct_keys(self) -> "Reevaluation":
        keys = [candidate.key for candidate in self.candidates]
        if len(set(keys)) < len(keys):
            raise ValueError(f"Each candidate needs a key of its own: received {keys}.")
        return self

    def run_key(self, candidate: Candidate, seed: int) -> str:
        """Return the key of a run's result; seeds count from 0, and all candidates share them."""
        return f"{candidate.key}, seed {seed}"

    @property
    def run_keys(self) -> list[str]:
        """The keys of all its runs, seed by seed."""
        return [
            self.run_key(candidate, seed) for seed in range(self.n_seeds) for candidate in self.candidates
        ]

    @property
    def baseline(self) -> Candidate | None:
        """What the others are compared with: the defaults, else any baseline, else None."""
        found = [c for c in self.candidates if c.is_baseline]
        return next((c for c in found if c.kind == "defaults"), found[0] if found else None)
