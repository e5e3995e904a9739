"""How many trials an hour? RL Zoo and Edgewise train the identical configurations on two workers each.

    python3 -m venv .venv-bench && .venv-bench/bin/pip install -r requirements-bench.txt
    .venv-bench/bin/python -m benchmarks.trials_per_hour --out speed.json
    .venv-bench/bin/python -m benchmarks.trials_per_hour --list starter --n 4 --rounds 1   # a look

Two lists of configurations, drawn once: from our starter space and from RL Zoo's PPO space. The arms train
each list on Pendulum-v1, 20,000 steps, 2 evaluations: every arm in fresh processes from launch to exit, one
after the other, in an order that is turned from round to round. docs/speed.md says what differs between them.
Nothing else should run on the machine meanwhile.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import optuna

from benchmarks.searches import (
    Configuration,
    EdgewiseSearch,
    RlZooSearch,
    Search,
    faults,
    leave_nothing_when_ended,
    require_rl_zoo,
)
from tuning.algorithms import algorithm
from tuning.analysis.words import duration
from tuning.cores import usable_cores
from tuning.spec import StudySpec, build_spec
from tuning.trainers import trainer_used

ListName = Literal["starter", "rl-zoo"]

DRAW_SEED = 0
# Start-up is some seconds of each arm: with fewer trials it would weigh more than in a study.
N_CONFIGURATIONS: dict[ListName, int] = {"starter": 24, "rl-zoo": 12}
# The starter preset's own; and what RL Zoo's configuration file says of Pendulum-v1.
N_TRAIN_ENVS: dict[ListName, int] = {"starter": 5, "rl-zoo": 4}
N_TIMESTEPS = 20_000
N_WORKERS = 2
ARMS = ("rl-zoo", "rl-zoo-2p", "sb3", "auto")

Start = Callable[[StudySpec, Path, Sequence[Configuration]], Search]


@dataclass(frozen=True)
class Timing:
    """One arm in one round."""

    list_name: ListName
    round: int
    arm: str
    wall_s: float  # from launch to exit
    start_up_s: float  # of which: until the first trial began
    tail_s: float  # of which: after the last trial had ended
    n_complete: int
    n_evaluations: int  # of all trials together
    faults: tuple[str, ...]  # why the round does not count; empty when all trials are as queued
    trainers: dict[str, int]  # trials by whose code trained them; Edgewise only
    values: tuple[float | None, ...]  # mean return of each trial's last evaluation
    trial_s: tuple[float, ...]  # seconds of each trial, beside another one
    load_before: float  # of the machine, over the minute before the arm

    @property
    def trials_an_hour(self) -> float:
        """Complete trials an hour, start-up included."""
        return self.n_complete / self.wall_s * 3600


def configurations(name: ListName, n: int) -> list[Configuration]:
    """Draw configurations at random from a preset; a longer list begins with the shorter one."""
    space = {p.name: p.distribution() for p in algorithm("PPO").preset(name).space}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=DRAW_SEED))
    return [study.ask(space).params for _ in range(n)]


def spec_of(name: ListName, *, n: int, seed: int, trainer: str, n_timesteps: int = N_TIMESTEPS) -> StudySpec:
    """Return the study that every arm runs; only Edgewise reads `trainer`."""
    return build_spec(
        {
            "name": f"speed-{name}",
            "env": {"id": "Pendulum-v1"},
            "search_space": name,
            "pruner": {"name": "none"},
            "budget": {"n_trials": n, "n_timesteps": n_timesteps, "n_evaluations": 2, "n_eval_episodes": 10},
            "n_train_envs": N_TRAIN_ENVS[name],
            "n_eval_envs": 5,
            "n_workers": N_WORKERS,
            "seed": seed,
            "defaults_first": False,
            "tuned_first": False,
            "trainer": trainer,
        }
    )


def run(arm: str, start: Start, spec: StudySpec, queued: Sequence[Configuration]) -> dict[str, Any]:
    """Run one arm from launch to exit and return what it took, as fields of a `Timing`."""
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="edgewise-speed-") as folder:
        with start(spec, Path(folder), queued) as search:
            search.start()
            wall_s = search.wait()
            trials = search.trials()
        began = [t.datetime_start.timestamp() for t in trials if t.datetime_start]
        ended = [t.datetime_complete.timestamp() for t in trials if t.datetime_complete]
        used = [trainer.words for t in trials if (trainer := trainer_used(t))]
        return {
            "arm": arm,
            "wall_s": wall_s,
            "start_up_s": min(began) - search.launched_at,
            "tail_s": search.launched_at + wall_s - max(ended),
            "n_complete": sum(t.state == optuna.trial.TrialState.COMPLETE for t in trials),
            "n_evaluations": sum(len(t.intermediate_values) for t in trials),
            "faults": tuple(faults(trials, spec, queued)),
            "trainers": dict(Counter(used)),
            "values": tuple(t.value for t in trials),
            "trial_s": tuple(t.duration.total_seconds() for t in trials if t.duration),
            "load_before": load,
        }


def in_turn(arms: Sequence[str], n_rounds: int) -> Iterator[tuple[int, str]]:
    """Yield each round's arms; each round begins with another one."""
    for number in range(n_rounds):
        for place in range(len(arms)):
            yield number, arms[(number + place) % len(arms)]


def summary(timings: Sequence[Timing]) -> list[dict[str, Any]]:
    """Return the medians over rounds of each list and arm, and how they compare.

    `times` has, by the other arm, how many times its trials this one makes: the ratio of the medians, and the
    smallest and the largest of a round.
    """
    rows = []
    for name, arm in dict.fromkeys((t.list_name, t.arm) for t in timings):
        mine = [t for t in timings if (t.list_name, t.arm) == (name, arm)]
        row: dict[str, Any] = {
            "list": name,
            "arm": arm,
            "wall_s": [round(t.wall_s, 2) for t in mine],
            "trials_an_hour": round(statistics.median(t.trials_an_hour for t in mine), 1),
            "start_up_s": round(statistics.median(t.start_up_s for t in mine), 2),
            "n_complete": sum(t.n_complete for t in mine),
            "n_evaluations": sum(t.n_evaluations for t in mine),
            "mean_return": round(statistics.fmean(v for t in mine for v in t.values if v is not None), 1),
            "times": {},
        }
        for other in dict.fromkeys(t.arm for t in timings if t.list_name == name and t.arm != arm):
            theirs = {t.round: t for t in timings if (t.list_name, t.arm) == (name, other)}
            each = [t.trials_an_hour / theirs[t.round].trials_an_hour for t in mine if t.round in theirs]
            if each:
                median = statistics.median(t.trials_an_hour for t in theirs.values())
                of_medians = statistics.median(t.trials_an_hour for t in mine) / median
                row["times"][other] = [round(x, 2) for x in (of_medians, min(each), max(each))]
        rows.append(row)
    return rows


def main() -> int:
    """Run the rounds and print the table; return 1 when a trial was not what was queued."""
    options = _options()
    require_rl_zoo()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    leave_nothing_when_ended()
    machine = machine_record()
    timings: list[Timing] = []
    for name in options.list:
        for timing in _run_list(name, options):
            timings.append(timing)
            if options.out:
                record = {"machine": machine, "summary": summary(timings), "timings": [*map(asdict, timings)]}
                options.out.write_text(json.dumps(record, indent=1) + "\n")
        _print_table([row for row in summary(timings) if row["list"] == name])
    return 1 if any(t.faults for t in timings) else 0


def _run_list(name: ListName, options: argparse.Namespace) -> Iterator[Timing]:
    n = options.n or N_CONFIGURATIONS[name]
    queued = configurations(name, n)
    arms = _arms(options.zoo_threads)
    print(f"{name}: {n} configurations, {options.timesteps:,} steps, {N_TRAIN_ENVS[name]} training envs")
    for number, arm in in_turn(options.arms, options.rounds):
        trainer, start = arms[arm]
        spec = spec_of(name, n=n, seed=number, trainer=trainer, n_timesteps=options.timesteps)
        timing = Timing(list_name=name, round=number, **run(arm, start, spec, queued))
        print(
            f"  round {number + 1}  {arm:9} {duration(timing.wall_s):>12}  "
            f"{timing.trials_an_hour:7.0f} trials/h  {timing.n_complete} complete  "
            f"{', '.join(f'{k}: {v}' for k, v in timing.trainers.items())}",
            flush=True,
        )
        for fault in timing.faults:
            print(f"    WRONG: {fault}", flush=True)
        yield timing


def _arms(zoo_threads: int) -> dict[str, tuple[str, Start]]:
    """Return each arm's trainer and how it is started."""
    return {
        "rl-zoo": ("auto", partial(RlZooSearch, threads=zoo_threads)),
        "rl-zoo-2p": ("auto", partial(RlZooSearch, threads=zoo_threads, processes=True)),
        "sb3": ("sb3", EdgewiseSearch),
        "auto": ("auto", EdgewiseSearch),
    }


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    counts = f"{'complete':>8} {'evaluations':>11} {'mean return':>11}"
    print(f"\n  {'arm':9} {'trials/h':>8} {'start-up':>9} {counts}  wall seconds")
    for row in rows:
        walls = ", ".join(f"{s:.1f}" for s in row["wall_s"])
        print(
            f"  {row['arm']:9} {row['trials_an_hour']:8.0f} {row['start_up_s']:7.1f} s {row['n_complete']:8} "
            f"{row['n_evaluations']:11} {row['mean_return']:11.0f}  {walls}"
        )
    for row in rows:
        for other, (ratio, low, high) in row["times"].items():
            if ratio > 1:
                spread = f"{low:.1f} to {high:.1f} by round"
                print(f"  {row['arm']} makes {ratio:.1f} times the trials of {other} ({spread})")
    print(flush=True)


def machine_record() -> dict[str, Any]:
    """Return and print what a figure is worth nothing without: machine, versions, what else it was doing."""
    packages = ("rl_zoo3", "stable_baselines3", "torch", "numpy", "optuna", "gymnasium")
    record = {
        "date": time.strftime("%Y-%m-%d"),
        "cores": usable_cores(),
        "processor": _processor(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "load": round(os.getloadavg()[0], 1),
    }
    print(", ".join(f"{name} {value}" for name, value in record.items()), flush=True)
    if record["load"] > 0.5:
        print("Something else runs on this machine: these figures will be off.", flush=True)
    print()
    return record


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", nargs="+", choices=[*N_CONFIGURATIONS], default=[*N_CONFIGURATIONS])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--n", type=int, help="configurations of a list; 24 and 12 unless told")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--timesteps", type=int, default=N_TIMESTEPS, help="a trial; with fewer RL Zoo evaluates more"
    )
    parser.add_argument("--zoo-threads", type=int, default=1, help="of torch and BLAS in RL Zoo; 0: its own")
    parser.add_argument("--out", type=Path, help="write everything as JSON too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
