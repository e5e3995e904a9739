"""How far a study or a retraining is, and when it will be done."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from optuna.trial import FrozenTrial

from storage.live import Heartbeat
from storage.trials import counted
from tuning.combinations import trials_in_all
from tuning.retraining_plan import RetrainPlan, RunResult
from tuning.spec import StudySpec


@dataclass(frozen=True)
class Progress:
    """Progress at one moment; what is done are a study's trials or a retraining's runs."""

    done: int  # complete + pruned trials of its own
    total: int  # the budget, or fewer where all combinations will have been tried before
    fraction: float  # of the whole study, running trials included by their share of the training steps
    eta_s: float | None  # None when nothing runs or nothing can be said yet
    steps_per_s: float  # training env steps, all workers together


def study_progress(
    spec: StudySpec, trials: Sequence[FrozenTrial], beats: Sequence[Heartbeat], *, now: datetime
) -> Progress:
    """Return progress and ETA.

    The ETA divides the work left (in trials; a running one counts for what it has not trained yet) by the
    rate of the last 20 ended trials, or, before any has ended, by the running trials' own speed.

    Args:
        spec: the request.
        trials: all trials of the study.
        beats: heartbeats of the running ones; empty when nothing runs.
        now: naive local time, as Optuna's trial times are.
    """
    own = counted(trials)
    total = trials_in_all(spec, trials)
    underway = sum(min(b.timesteps / b.total_timesteps, 1.0) for b in beats if b.total_timesteps)
    fraction = min(1.0, (len(own) + underway) / total)
    left = max(0.0, total - len(own) - underway)
    rate = _trials_per_s(spec, own, beats, now) if beats else None
    eta_s = left / rate if rate else None
    return Progress(len(own), total, fraction, eta_s, sum(map(_speed, beats)))


def retraining_progress(
    plan: RetrainPlan, results: Collection[RunResult], beats: Sequence[Heartbeat], *, n_spared: int = 0
) -> Progress:
    """Return progress and ETA of a retraining job, as `study_progress` does for a study.

    A run counts for as much of the work as it has steps to train.

    Args:
        plan: what it trains.
        results: those there are, in any order.
        beats: heartbeats of the running runs; empty when nothing runs.
        n_spared: runs of the plan that nobody needs any more; they count for nothing here.
    """
    total = max(len(plan.runs) - n_spared, 1)
    work = _work(plan)  # in runs of the mean length
    by_key = {run.key: share for run, share in zip(plan.runs, work, strict=True)}
    done = math.fsum(by_key.get(r.key, 1.0) for r in results)
    at_work = [(b, work[b.trial] if b.trial < len(work) else 1.0) for b in beats if b.total_timesteps]
    underway = sum(share * min(b.timesteps / b.total_timesteps, 1.0) for b, share in at_work)
    left = max(0.0, round(total - done - underway, 9))  # shares of the whole add up to it only roughly
    ended = [r for r in results if r.state == "ok" and r.duration_s > 0]
    rate: float | None = None
    if beats and ended:
        ended_work = sum(by_key.get(r.key, 1.0) for r in ended)
        rate = min(len(beats), plan.n_workers) * ended_work / sum(r.duration_s for r in ended)
    else:  # each counts its own steps, or, where nothing is trained, its own episodes
        rate = sum(share * _speed(b) / b.total_timesteps for b, share in at_work) or None
    plays_only = all(run.plays_only for run in plan.runs)
    speed = 0.0 if plays_only else sum(map(_speed, beats))
    fraction = min(1.0, round((done + underway) / total, 9))
    return Progress(len(results), total, fraction, left / rate if rate else None, speed)


def _work(plan: RetrainPlan) -> list[float]:
    """Return what each run's training takes of the whole, 1 on average."""
    steps = [plan.steps_of(run) for run in plan.runs]
    return [n * len(steps) / sum(steps) for n in steps]


def _trials_per_s(
    spec: StudySpec, own: Sequence[FrozenTrial], beats: Sequence[Heartbeat], now: datetime
) -> float | None:
    recent = sorted((t for t in own if t.datetime_complete), key=lambda t: t.datetime_complete or now)[-20:]
    durations = [t.duration.total_seconds() for t in recent if t.duration]
    if durations and sum(durations) > 0:
        return min(len(beats), spec.n_workers) * len(durations) / sum(durations)
    # Of what each counts on to train: where the clock ends a training, that follows its speed.
    return sum(_speed(b) / b.total_timesteps for b in beats if b.total_timesteps) or None


def _speed(beat: Heartbeat) -> float:
    """Env steps per second over the trial's life: in the newest seconds an update may take no steps."""
    lived_s = beat.updated_at - beat.started_at
    return beat.timesteps / lived_s if lived_s > 0 else 0.0
