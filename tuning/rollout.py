"""What a rollout shows (which policies, from which start) and what came of it: plain data."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from storage.paths import NAME_PATTERN
from tuning.spec_parts import EnvSpec

MOST_ACTORS = 4  # side by side; more cannot be told apart on a screen
MOST_EPISODES = 20
MOST_SEED = 2**31 - 1  # what environments with 32-bit generators take

Role = Literal["tuned", "baseline"]

# How an episode ended: by the environment itself, by its limit of steps, or by the rollout's own.
Ending = Literal["terminated", "time limit", "cut short"]

_Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN.pattern}$")]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KeptTrial(_Plain):
    """The policy that a trial kept."""

    kind: Literal["trial"] = "trial"
    study: _Name  # id of the study in which the trial ran: where its weights lie
    number: int = Field(ge=0)  # of the trial there


class JobRun(_Plain):
    """The policy that one run of a retraining job of the study kept."""

    kind: Literal["run"] = "run"
    job: _Name  # id of the job
    run: int = Field(ge=0)  # its place in the job's plan


class Actor(_Plain):
    """One policy that plays, as people shall read of it."""

    label: str = Field(min_length=1, max_length=80)  # "SB3 defaults", "Tuned (trial 55)"
    role: Role
    policy: KeptTrial | JobRun = Field(discriminator="kind")

    @field_validator("label")
    @classmethod
    def _one_line(cls, label: str) -> str:
        if not label.strip() or not label.isprintable():
            raise ValueError(f"A label is one line of text: received {label[:80]!r}.")
        return label


class Rollout(_Plain):
    """The request: who plays, and from which start. All actors meet the same starting states."""

    env: EnvSpec
    actors: tuple[Actor, ...] = Field(min_length=1, max_length=MOST_ACTORS)
    seed: int = Field(
        default=0, ge=0, le=MOST_SEED - MOST_EPISODES
    )  # of the first episode; the next gets one more
    n_episodes: int = Field(default=1, ge=1, le=MOST_EPISODES)
    deterministic: bool = True  # the most likely action; else sampled, with the seed

    @model_validator(mode="after")
    def _distinct(self) -> "Rollout":
        for what, values in (
            ("label", [actor.label for actor in self.actors]),
            ("policy", [actor.policy.model_dump_json() for actor in self.actors]),
        ):
            if twice := next((value for value in values if values.count(value) > 1), None):
                raise ValueError(f"Each actor needs a {what} of its own: received {twice[:80]} twice.")
        return self


class Episode(_Plain):
    """How one actor did in one episode."""

    total: float | None  # undiscounted return; None when it is no finite number
    steps: int = Field(ge=0)
    ending: Ending


class Training(_Plain):
    """What is known about how an actor's policy was trained."""

    algorithm: str
    resolved: dict[str, JsonValue]  # the algorithm's keyword arguments
    n_train_envs: int
    n_timesteps: int | None  # that were asked for; None where nobody recorded it


class ActorResult(_Plain):
    """What one actor did."""

    label: str
    role: Role
    episodes: tuple[Episode, ...]
    video: str | None  # name of its file in the rollout's folder; None without pictures
    training: Training

    @property
    def mean(self) -> float | None:
        """Mean undiscounted return over the episodes, or None when one of them has none."""
        totals = [episode.total for episode in self.episodes]
        finite = [total for total in totals if total is not None]
        return sum(finite) / len(finite) if finite and len(finite) == len(totals) else None

    @property
    def steps(self) -> int:
        """Env steps over all episodes."""
        return sum(episode.steps for episode in self.episodes)


class RolloutResult(_Plain):
    """What came of a rollout."""

    actors: tuple[ActorResult, ...]  # in the order of the request
    side_by_side: str | None = None  # name of the video with all actors; None with one, or without pictures
    poster: str | None = None  # name of a still picture
    fps: float | None = None  # of the videos
    n_frames: int = 0  # of each video
    no_video: str = ""  # why there are no pictures
    notes: tuple[str, ...] = ()  # what else a person should know, in plain sentences


def episode_seed(request: Rollout, episode: int) -> int:
    """Return the seed with which every actor's environment is reset for an episode, counted from 0."""
    return request.seed + episode


def plain_request(request: Rollout) -> dict[str, Any]:
    """Return the request as plain JSON; two requests that ask for the same are equal in it."""
    return request.model_dump(mode="json")
