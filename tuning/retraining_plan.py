"""What a retraining job trains, and how each of its runs ended: plain data, and its files."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from storage.growing import GrowingFiles
from storage.json_lines import append_line
from storage.paths import RunFolder
from storage.records import MAX_RECORD_BYTES, read_record, write_text
from tuning.spec import StudySpec
from tuning.spec_parts import EnvSpec
from tuning.trainers import TrainerChoice, TrainerUsed, trained_by

MAX_RUNS = 1000
MOST_REMEMBERED_EPISODES = 2_000_000  # of the results that were read last; some 32 bytes each

Model = TypeVar("Model", bound=BaseModel)

_Seed = Annotated[int, Field(ge=0, lt=2**32 - 1000)]  # env i gets the seed plus i


class PlanError(ValueError):
    """What a retraining job was asked for cannot be read, or makes no sense; says why."""


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrainingRun(_Plain):
    """One training of one configuration, or episodes of one kept policy."""

    key: str = Field(min_length=1, max_length=200)  # of its result; unique in the plan
    label: str = Field(max_length=300)  # for the log and for people
    resolved: dict[str, JsonValue]  # the algorithm's keyword arguments
    train_seed: _Seed
    eval_seed: _Seed
    n_train_envs: int | None = Field(default=None, ge=1, le=999)  # where it is not the plan's
    n_timesteps: int | None = Field(default=None, ge=1, le=10**11)  # likewise
    # Nothing is trained: the policy in the job's weights/<index of the run> plays. Episode k begins from the
    # state that the evaluation seed plus k gives.
    plays_only: bool = False


class RetrainPlan(_Plain):
    """Runs that share everything but their configuration and their seeds. They start in this order."""

    env: EnvSpec
    algorithm: str
    policy: str
    trainer: TrainerChoice = "sb3"  # plans had none when SB3 trained every run
    n_train_envs: int = Field(ge=1, le=999)
    n_timesteps: int = Field(ge=1, le=10**10)  # env steps a run, over all training envs
    # Wall-clock time a run, evaluations not counted, which then ends it instead of the steps; for studies
    # whose trials have one. The steps are nominal then.
    trial_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    n_eval_episodes: int = Field(ge=1, le=10_000)  # played once, at the end of training
    n_eval_envs: int = Field(ge=1, le=999)
    n_workers: int = Field(ge=1, le=256)
    keep_weights: bool = False  # each trained policy, in the job's weights/<index of the run>
    runs: tuple[TrainingRun, ...] = Field(min_length=1, max_length=MAX_RUNS)

    @model_validator(mode="after")
    def _distinct_keys(self) -> "RetrainPlan":
        keys = [run.key for run in self.runs]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"The key of a run must be its own: {twice[0][:60]!r} is used more than once.")
        return self

    def steps_of(self, run: TrainingRun) -> int:
        """Return how many env steps a run trains."""
        return run.n_timesteps or self.n_timesteps


class RunResult(_Plain):
    """How one run ended. A run that fails is a result too; `mean` is None then."""

    key: str
    state: Literal["ok", "diverged", "failed"]
    mean: float | None = None  # undiscounted return, over the evaluation's episodes
    std: float | None = None  # over the episodes (population)
    returns: tuple[float, ...] = ()  # of each episode
    timesteps: int = 0  # env steps trained, a whole number of rollouts
    duration_s: float = 0.0  # of the run, evaluation included
    trainer: TrainerUsed | None = None  # that trained it; None where nothing was recorded
    message: str = ""  # why it diverged or failed
    worker_died: bool = False  # it failed because its processes were killed: that may say nothing about it

    @model_validator(mode="after")
    def _has_its_value(self) -> "RunResult":
        if (self.mean is None) == (self.state == "ok"):
            raise ValueError(f"A run has a mean return exactly when it is ok: received {self.state}.")
        if self.worker_died and self.state != "failed":
            raise ValueError(f"A run whose workers died has failed: received {self.state}.")
        return self


def seconds_of_a_run(spec: StudySpec, n_timesteps: int) -> float | None:
    """Return the time of a run where the study's trials have one: more or less of it as of the steps."""
    each = spec.budget.trial_seconds
    return None if each is None else each * n_timesteps / spec.budget.n_timesteps


def with_seeds(plan: RetrainPlan, pairs: Sequence[tuple[int, int]]) -> RetrainPlan:
    """Return the plan with other seeds; runs that shared theirs still do.

    Args:
        plan: whose runs get them.
        pairs: of a training and an evaluation seed, one for each that the plan has, in its order.
    """
    fresh = dict(zip(seed_pairs(plan), pairs, strict=True))
    runs = []
    for run in plan.runs:
        train_seed, eval_seed = fresh[run.train_seed, run.eval_seed]
        runs.append(run.model_copy(update={"train_seed": train_seed, "eval_seed": eval_seed}))
    return plan.model_copy(update={"runs": tuple(runs)})


def seed_pairs(plan: RetrainPlan) -> list[tuple[int, int]]:
    """Return the distinct pairs of a training and an evaluation seed, in the plan's order."""
    return list(dict.fromkeys((run.train_seed, run.eval_seed) for run in plan.runs))


@dataclass(frozen=True)
class Spared:
    """What need not be trained, going by the results so far."""

    given_up: tuple[str, ...] = ()  # whose runs they are
    runs: frozenset[str] = frozenset()  # their keys; none of them has a result


# Says what need not be trained: a pure function of the results, so that a resumed job decides the same.
Spare = Callable[[Mapping[str, RunResult]], Spared]


def spare_nothing(results: Mapping[str, RunResult]) -> Spared:
    """Ask for every run."""
    return Spared()


def write_plan(folder: RunFolder, plan: RetrainPlan) -> None:
    """Write the plan into the job's folder.

    Raises:
        PlanError: it is too long to be read back.
    """
    text = plan.model_dump_json(indent=1)
    if len(text.encode()) > MAX_RECORD_BYTES:
        raise PlanError(f"The plan of {len(plan.runs)} runs is too long. Ask for fewer runs.")
    write_text(folder.plan, text)


def load_plan(folder: RunFolder) -> RetrainPlan:
    """Read the plan of a job.

    Raises:
        PlanError: it is absent, unreadable or invalid.
    """
    return read_model(folder.plan, RetrainPlan)


def read_model(path: Path, kind: type[Model]) -> Model:
    """Read a JSON file into a model.

    Raises:
        PlanError: it is absent, unreadable or invalid.
    """
    record = read_record(path)
    if record is None:
        raise PlanError(f"{path.name} of {path.parent.name} is missing or is no JSON. Start a new one.")
    try:
        return kind.model_validate(record)
    except (ValidationError, RecursionError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "it is nested too deeply"
        raise PlanError(f"{path.name} of {path.parent.name} is not valid: {what}. Start a new one.") from None


def append_result(folder: RunFolder, result: RunResult) -> None:
    """Add one result to the job's file, for good. Only the runner may."""
    append_line(folder.results, json.loads(result.model_dump_json(exclude_defaults=True)))


def read_results(folder: RunFolder, plan: RetrainPlan) -> dict[str, RunResult]:
    """Return the results so far by key; of two with one key the first counts, others' keys are left out.

    Only where a run failed because its workers died, a later result takes the place of an earlier one.
    """
    keys = {run.key for run in plan.runs}
    found: dict[str, RunResult] = {}
    for result in _results.read(folder.results):
        if result.key in keys and (result.key not in found or found[result.key].worker_died):
            found[result.key] = result
    return found


def runs_trained_by(results: Mapping[str, RunResult]) -> str:
    """Say whose code trained a job's runs: "fast kernels"; empty where nothing was trained or recorded."""
    return trained_by([result.trainer for result in results.values()], "run")


def _result(line: dict[str, Any]) -> RunResult | None:
    try:
        return RunResult.model_validate(line)
    except ValidationError:
        return None  # by another version, or by hand: the run counts as missing


# A result has the return of each episode. The pages of a running job ask for all of them at every tick, and
# its runner before every run: read anew each time, a million episodes would take more than a second.
_results = GrowingFiles(_result, lambda result: 1 + len(result.returns), most=MOST_REMEMBERED_EPISODES)
