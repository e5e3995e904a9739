"""What one joblib task of a retraining does in a worker process: train a run, and tell how it ended.

What needs torch is imported inside the functions: the watchdog must be up before the seconds that takes.
"""

import errno
import math
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.artifacts import load_policy
from storage.live import drop_curve
from storage.paths import RunFolder
from tuning.jobs import requested_stop
from tuning.reporter import Reporter
from tuning.retraining_plan import RetrainPlan, RunResult
from tuning.trainers import TrainerUsed
from tuning.watchdog import CONTROL

if TYPE_CHECKING:
    from tuning.evaluation import EvaluationResult
    from tuning.training import OnStart

MAX_MESSAGE_CHARS = 2000
_FULL = (errno.ENOSPC, errno.EDQUOT)


class NotKept(OSError):
    """What a run leaves cannot be written to disk: that says nothing about the run, and ends the job."""


@dataclass(frozen=True)
class RunTask:
    """One run to train. Everything in it crosses a process boundary, so it is plain data."""

    folder: str
    plan: RetrainPlan
    index: int  # of the run in the plan; names its heartbeat and its curve


@dataclass(frozen=True)
class RunOutcome:
    """How one task ended."""

    index: int
    result: RunResult | None  # None: not started, or stopped before it ended


def run_training(task: RunTask) -> RunOutcome:
    """Train one run to its end, or let its kept policy play.

    Never raises for what the environment or the algorithm does; but a full disk, wherever it is met, or a
    policy or a curve that cannot be kept is no result of the run, and ends the job.

    Raises:
        NotKept: see above.
    """
    folder = RunFolder(Path(task.folder))
    if requested_stop(folder) or CONTROL.stop_kind:  # joblib takes tasks ahead of time
        return RunOutcome(task.index, None)
    CONTROL.busy = True
    try:
        return RunOutcome(task.index, _result(folder, task))
    finally:
        CONTROL.busy = False


def _result(folder: RunFolder, task: RunTask) -> RunResult | None:
    run = task.plan.runs[task.index]
    drop_curve(folder, task.index)  # of an attempt that ended half-way
    started = time.monotonic()
    used: list[TrainerUsed] = []  # empty where nothing was trained, or the model could not be built
    try:
        with Reporter(folder, task.index, task.plan.steps_of(run)) as reporter:
            result = _attempt(folder, task, reporter, used.append)
    except NotKept:
        raise
    except OSError as error:  # the reporter's own
        raise NotKept(f"The curve of {run.label} cannot be written: {error}.") from error
    if result is None:
        return None
    duration_s = round(time.monotonic() - started, 3)
    # However the run ended: one that broke says whose code it broke in.
    return result.model_copy(update={"duration_s": duration_s, "trainer": used[0] if used else None})


def _attempt(folder: RunFolder, task: RunTask, reporter: Reporter, on_start: "OnStart") -> RunResult | None:
    run = task.plan.runs[task.index]
    try:
        return _play(folder, task, reporter) if run.plays_only else _train(folder, task, reporter, on_start)
    except NotKept:
        raise
    except (Exception, SystemExit) as error:  # an env may raise anything, and must not end the worker
        if isinstance(error, OSError) and error.errno in _FULL:
            raise NotKept(f"The disk became full during {run.label}: {error}.") from error
        traceback.print_exc()
        message = "".join(traceback.format_exception_only(error)).strip()[:MAX_MESSAGE_CHARS]
        return RunResult(key=run.key, state="failed", message=message)


def _train(folder: RunFolder, task: RunTask, reporter: Reporter, on_start: "OnStart") -> RunResult | None:
    from tuning.training import Seeds, Training, keep_policy, train
    from tuning.training_callback import Diverged, TrainingStopped

    plan, run = task.plan, task.plan.runs[task.index]
    training = Training(
        env=plan.env,
        algorithm=plan.algorithm,
        policy=plan.policy,
        trainer=plan.trainer,
        resolved=dict(run.resolved),
        seeds=Seeds(run.train_seed, run.eval_seed),
        n_train_envs=run.n_train_envs or plan.n_train_envs,
        n_timesteps=plan.steps_of(run),
        marks=(plan.steps_of(run),) if plan.trial_seconds is None else (math.ceil(plan.trial_seconds),),
        seconds=plan.trial_seconds,
        n_eval_envs=plan.n_eval_envs,
        n_eval_episodes=plan.n_eval_episodes,
    )
    try:
        trained = train(
            training,
            on_evaluation=lambda _: None,
            reporter=reporter,
            control=CONTROL,
            on_start=on_start,
        )
    except TrainingStopped:
        return None
    except Diverged as reason:
        return RunResult(key=run.key, state="diverged", message=str(reason), timesteps=reporter.timesteps)
    if plan.keep_weights:  # before there is a result, so that a result implies them
        reporter.phase("save")
        try:
            keep_policy(folder, task.index, training, trained)
        except OSError as error:
            raise NotKept(f"The policy of {run.label} cannot be kept: {error}.") from error
    return _ok(run.key, trained.evaluation.result, timesteps=trained.model.num_timesteps)


def _play(folder: RunFolder, task: RunTask, reporter: Reporter) -> RunResult | None:
    import torch

    from tuning.env_wrappers import make_wrapped
    from tuning.evaluation import play
    from tuning.normalization import normalization_of
    from tuning.policy import rebuild_policy
    from tuning.training_callback import TrainingStopped

    plan, run = task.plan, task.plan.runs[task.index]
    torch.set_num_threads(1)  # more threads only get in the way of the other workers
    kept = load_policy(folder, task.index)
    policy = rebuild_policy(kept)

    def check_stop() -> None:
        if CONTROL.stop_kind:
            raise TrainingStopped(CONTROL.stop_kind)

    def count_episode() -> None:
        reporter.timesteps += 1

    env = make_wrapped(plan.env)
    reporter.set_total(plan.n_eval_episodes)  # nothing is trained, so episodes are what there is to count
    reporter.phase("evaluate")
    try:
        starts = range(run.eval_seed, run.eval_seed + plan.n_eval_episodes)
        played = play(
            policy,
            env,
            seeds=starts,
            normalization=normalization_of(kept),
            on_step=check_stop,
            on_episode=count_episode,
        )
    except TrainingStopped:
        return None
    finally:
        env.close()
    if not math.isfinite(played.mean):
        return RunResult(key=run.key, state="diverged", message=f"the mean return was {played.mean}")
    return _ok(run.key, played, timesteps=0)


def _ok(key: str, result: "EvaluationResult", *, timesteps: int) -> RunResult:
    return RunResult(
        key=key,
        state="ok",
        mean=result.mean,
        std=result.std,
        returns=result.returns,
        timesteps=timesteps,
    )
