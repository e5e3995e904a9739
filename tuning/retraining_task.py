"""What one joblib task of a retraining does in a worker process: train a run, and tell how it ended.

What needs torch is imported inside the functions: the watchdog must be up before the seconds that takes.
"""

import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from storage.live import drop_curve
from storage.paths import RunFolder
from tuning.jobs import requested_stop
from tuning.reporter import Reporter
from tuning.retraining_plan import RetrainPlan, RunResult, TrainingRun
from tuning.watchdog import CONTROL

MAX_MESSAGE_CHARS = 2000


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
    """Train one run to its end. Never raises for what the environment or the algorithm does."""
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
    with Reporter(folder, task.index, task.plan.n_timesteps) as reporter:
        try:
            result = _train(task.plan, run, reporter)
        except (Exception, SystemExit) as error:  # an env may raise anything, and must not end the worker
            traceback.print_exc()
            message = "".join(traceback.format_exception_only(error)).strip()[:MAX_MESSAGE_CHARS]
            result = RunResult(key=run.key, state="failed", message=message)
    if result is None:
        return None
    return result.model_copy(update={"duration_s": round(time.monotonic() - started, 3)})


def _train(plan: RetrainPlan, run: TrainingRun, reporter: Reporter) -> RunResult | None:
    from tuning.training import Seeds, Training, train
    from tuning.training_callback import Diverged, TrainingStopped

    training = Training(
        env=plan.env,
        algorithm=plan.algorithm,
        policy=plan.policy,
        resolved=dict(run.resolved),
        seeds=Seeds(run.train_seed, run.eval_seed),
        n_train_envs=plan.n_train_envs,
        n_timesteps=plan.n_timesteps,
        marks=(plan.n_timesteps,),
        n_eval_envs=plan.n_eval_envs,
        n_eval_episodes=plan.n_eval_episodes,
    )
    try:
        trained = train(training, on_evaluation=lambda _: None, reporter=reporter, control=CONTROL)
    except TrainingStopped:
        return None
    except Diverged as reason:
        return RunResult(key=run.key, state="diverged", message=str(reason), timesteps=reporter.timesteps)
    evaluated = trained.evaluation.result
    return RunResult(
        key=run.key,
        state="ok",
        mean=evaluated.mean,
        std=evaluated.std,
        returns=evaluated.returns,
        timesteps=trained.model.num_timesteps,
    )
