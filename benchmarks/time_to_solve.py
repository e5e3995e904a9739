"""How long until Pendulum-v1 is solved? From launch to the first trial whose configuration really solves it.

    .venv-bench/bin/python -m benchmarks.time_to_solve --out solve.json
    .venv-bench/bin/python -m benchmarks.time_to_solve --arms edgewise rl-zoo-starter --repeats 1   # a look

A configuration solves it when five trainings with fresh seeds have a mean return above -250. A trial's own
value is one training and a few episodes, so every trial that ends above -400 is judged: its configuration is
trained again, for as many steps, by the same code and with the same seeds whoever found it. The search stands
still meanwhile, and so does the clock: what counts is when the solving trial ended, not when anybody knew.
Pruned trials are not judged. benchmarks/trials_per_hour.py says what to install.

Arms: `edgewise` is the starter space as examples/pendulum.yaml has it. `rl-zoo` is RL Zoo as it comes: its
space, its settings for Pendulum-v1 (100,000 steps, 4 envs, gSDE), its sampler and pruner. `rl-zoo-40k` is its
space with the steps, envs and evaluations of `edgewise`, without gSDE. `rl-zoo-starter` has our space too.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from benchmarks.searches import (
    EdgewiseSearch,
    RlZooSearch,
    Search,
    leave_nothing_when_ended,
    require_rl_zoo,
    stop_job,
)
from benchmarks.trials_per_hour import in_turn, machine_record
from storage.paths import create_run
from tuning import jobs, launch
from tuning.analysis.words import duration
from tuning.retraining_plan import RetrainPlan, TrainingRun, read_results, write_plan
from tuning.seeds import retraining_seeds
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec, build_spec

SOLVED = -250.0  # mean return over the fresh seeds
PROMISING = -400.0  # a trial's own value that is worth judging
N_SEEDS = 5
N_EPISODES = 20  # of each fresh training, after its end
POLL_S = 0.25

EQUAL_BUDGET = {
    "budget": {"n_trials": 10_000, "n_timesteps": 40_000, "n_evaluations": 2, "n_eval_episodes": 10},
    "n_train_envs": 5,
    "n_eval_envs": 5,
}
AS_RL_ZOO_COMES = {
    "budget": {"n_trials": 10_000, "n_timesteps": 100_000, "n_evaluations": 1, "n_eval_episodes": 5},
    "n_train_envs": 4,
    "n_eval_envs": 1,
    "hyperparameters": {"use_sde": True, "sde_sample_freq": 4},
}
ARMS: dict[str, tuple[type[EdgewiseSearch | RlZooSearch], dict[str, Any]]] = {
    "edgewise": (EdgewiseSearch, {"search_space": "starter", **EQUAL_BUDGET}),
    "rl-zoo": (RlZooSearch, {"search_space": "rl-zoo", **AS_RL_ZOO_COMES}),
    "rl-zoo-40k": (RlZooSearch, {"search_space": "rl-zoo", **EQUAL_BUDGET}),
    "rl-zoo-starter": (RlZooSearch, {"search_space": "starter", **EQUAL_BUDGET}),
}


@dataclass(frozen=True)
class Judged:
    """A promising trial, and its configuration trained again."""

    trial: int
    at_s: float  # of the clock, when it ended
    value: float  # its own, which the search saw
    params: dict[str, Any]
    means: tuple[float | None, ...]  # mean return of each fresh seed; None where it diverged

    @property
    def mean(self) -> float:
        """Mean return over the seeds; minus infinity when one of them diverged."""
        return statistics.fmean(-math.inf if m is None else m for m in self.means)


@dataclass(frozen=True)
class Solve:
    """One search of one arm."""

    repeat: int
    arm: str
    limit_s: float
    solved_at_s: float | None  # of the clock; None: not within the limit
    n_ended: int  # trials, complete or pruned, when it stopped
    judged: tuple[Judged, ...]


def spec_of(arm: str, *, seed: int) -> StudySpec:
    """Return what an arm searches."""
    return build_spec(
        {"name": arm, "env": {"id": "Pendulum-v1"}, "n_workers": 2, "seed": seed, **ARMS[arm][1]}
    )


def solve(arm: str, *, repeat: int, limit_s: float, zoo_threads: int) -> Solve:
    """Let an arm search until a configuration solves it or the clock reaches the limit."""
    spec, options = spec_of(arm, seed=repeat), {}
    if ARMS[arm][0] is RlZooSearch:
        options["threads"] = zoo_threads
    with tempfile.TemporaryDirectory(prefix="edgewise-solve-") as folder:
        place, judges = Path(folder).resolve() / "search", Path(folder).resolve() / "judges"
        place.mkdir()
        with ARMS[arm][0](spec, place, **options) as search:
            search.start()
            return _watch(search, arm, judges, repeat=repeat, limit_s=limit_s)


def _watch(search: Search, arm: str, judges: Path, *, repeat: int, limit_s: float) -> Solve:
    judged: list[Judged] = []
    stood_still: list[tuple[float, float]] = []  # from, to; seconds since the epoch

    def clock(at: float) -> float:
        return at - search.launched_at - sum(end - begin for begin, end in stood_still if begin < at)

    while True:
        time.sleep(POLL_S)
        trials = search.trials()
        n_ended = sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in trials)
        for trial in _promising(trials, without={j.trial for j in judged}):
            assert trial.value is not None
            assert trial.datetime_complete is not None
            at_s = clock(trial.datetime_complete.timestamp())
            if at_s > limit_s:
                continue
            with search.frozen():
                began = time.time()
                means = retrain(search.spec, trial.params, judges, seed=repeat)
                stood_still.append((began, time.time()))
            judged.append(Judged(trial.number, at_s, trial.value, trial.params, means))
            if judged[-1].mean > SOLVED:
                return Solve(repeat, arm, limit_s, at_s, n_ended, tuple(judged))
        if clock(time.time()) > limit_s:
            return Solve(repeat, arm, limit_s, None, n_ended, tuple(judged))
        if not search.alive:
            raise RuntimeError(f"{arm} ended by itself:\n{search.output_tail()}")


def _promising(trials: Sequence[FrozenTrial], *, without: set[int]) -> list[FrozenTrial]:
    """Return the complete trials that are worth judging, in the order in which they ended."""
    found = [
        t
        for t in trials
        if t.state == TrialState.COMPLETE
        and t.value is not None
        and t.value > PROMISING
        and t.number not in without
    ]
    return sorted(found, key=lambda t: t.datetime_complete.timestamp() if t.datetime_complete else math.inf)


def retrain(spec: StudySpec, params: dict[str, Any], place: Path, *, seed: int) -> tuple[float | None, ...]:
    """Train a configuration with fresh seeds and return the mean return of each; None where one diverged."""
    resolved = resolve_configuration(spec, params)
    pairs = retraining_seeds(seed, 0, N_SEEDS, study="time-to-solve")
    plan = RetrainPlan(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        n_train_envs=spec.n_train_envs,
        n_timesteps=spec.budget.n_timesteps,
        n_eval_episodes=N_EPISODES,
        n_eval_envs=5,
        n_workers=spec.n_workers,
        trainer="auto",
        runs=tuple(
            TrainingRun(key=str(k), label=f"seed {k}", resolved=resolved, train_seed=train, eval_seed=play)
            for k, (train, play) in enumerate(pairs)
        ),
    )
    job = create_run(place, "judge")
    write_plan(job, plan)
    jobs.create_job(job, "retraining")
    launch.start(job)
    try:
        while jobs.job_status(job).state.alive:
            time.sleep(POLL_S)
    finally:
        stop_job(job)
    results = read_results(job, plan)
    if failed := [r.message for r in results.values() if r.state == "failed"]:
        raise RuntimeError(f"Training again failed: {failed[0]}")
    return tuple(results[run.key].mean for run in plan.runs)


def main() -> None:
    """Run the repetitions and print when each arm solved it."""
    options = _options()
    require_rl_zoo()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    leave_nothing_when_ended()
    machine = machine_record()
    solves: list[Solve] = []
    for number, arm in in_turn(options.arms, options.repeats):
        limit_s = options.minutes * 60
        solves.append(solve(arm, repeat=number, limit_s=limit_s, zoo_threads=options.zoo_threads))
        _print_solve(solves[-1])
        if options.out:
            record = {"machine": machine, "solves": [asdict(s) for s in solves]}
            options.out.write_text(json.dumps(record, indent=1) + "\n")
    print()
    for arm in options.arms:
        mine = [s for s in solves if s.arm == arm]
        times = sorted(math.inf if s.solved_at_s is None else s.solved_at_s for s in mine)
        solved = sum(t < math.inf for t in times)
        # With an even number of repetitions the upper of the two in the middle: half of infinity is no time.
        print(
            f"{arm:15} median {_shown(times[len(times) // 2], options.minutes)}, "
            f"solved {solved} of {len(mine)}: {', '.join(_shown(t, options.minutes) for t in times)}"
        )


def _print_solve(result: Solve) -> None:
    limit = result.limit_s / 60
    at = math.inf if result.solved_at_s is None else result.solved_at_s
    print(
        f"repeat {result.repeat + 1}  {result.arm:15} {_shown(at, limit)}, {result.n_ended} trials ended, "
        f"{len(result.judged)} judged"
    )
    for j in result.judged:
        print(
            f"    trial {j.trial} ended at {duration(j.at_s)} with {j.value:.0f}; trained again: {j.mean:.0f}"
        )
    sys.stdout.flush()


def _shown(seconds: float, limit_minutes: float) -> str:
    return duration(seconds) if seconds < math.inf else f"not within {limit_minutes:g} min"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arms", nargs="+", choices=[*ARMS], default=[*ARMS])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=15.0, help="how long an arm may take each time")
    parser.add_argument("--zoo-threads", type=int, default=1, help="of torch and BLAS in RL Zoo; 0: its own")
    parser.add_argument("--out", type=Path, help="write everything as JSON too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
