"""Does every algorithm run with every sampler? Meant for every night.

    nice python -m benchmarks.every_algorithm
    python -m benchmarks.every_algorithm --algorithms ARS TRPO --samplers tpe gp --samples 0   # a look

First a model is built from random configurations of every preset (`--samples`). Then each pair of an
algorithm and a sampler is a real study with a runner of its own: the algorithm's starter preset, on a small
environment, a few short trials. Only the first is a start-up trial, so the sampler's model proposes the rest.
A sampler that refuses the request as it is gets the nearest one that it takes, and a note says what was in
the way. Prints Markdown; ends with 1 when anything went wrong. Studies are written to a temporary folder.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import optuna

from benchmarks.preset_models import preset_faults, suitable_env
from benchmarks.searches import leave_nothing_when_ended, stop_job
from storage.trials import COUNTED
from tuning import launch
from tuning.algorithms import algorithm, algorithm_names
from tuning.jobs import job_status
from tuning.spec import SpecError, StudySpec, build_spec
from tuning.spec_parts import SamplerSpec

SAMPLERS: tuple[str, ...] = get_args(SamplerSpec.model_fields["name"].annotation)
POLL_S = 0.2
TIMEOUT_S = 600.0  # of one study

# Its default critics of [1024, 1024] took 0.14 s an update here, which is most of the time of a night.
FIXED: dict[str, dict[str, Any]] = {"CrossQ": {"policy_kwargs.net_arch": [64, 64]}}

Data = dict[str, Any]  # a request before it is checked


def request(name: str, sampler: str, *, n_trials: int, n_timesteps: int) -> Data:
    """Return the request of one study."""
    known = algorithm(name)
    data: Data = {
        "name": f"{name}-{sampler}".replace("_", "-").lower(),
        "env": {"id": suitable_env(known)},
        "algorithm": name,
        "search_space": [p.model_dump() for p in known.preset("starter").space],
        "hyperparameters": {**known.preset("starter").fixed, **FIXED.get(name, {})},
        "sampler": {"name": sampler, "n_startup_trials": 1, "random_share": 0.0},
        "pruner": {"name": "none"},
        "budget": {
            "n_trials": n_trials,
            "n_timesteps": n_timesteps,
            "n_evaluations": 2,
            "n_eval_episodes": 2,
        },
        "n_train_envs": 1,
        "n_eval_envs": 2,
        "n_workers": 2,
        "defaults_first": False,
        "tuned_first": False,
        "retention": {"top": 1},
    }
    return data


def numbers_only(data: Data) -> Data:
    """Return the request without the parameters that have choices."""
    return {**data, "search_space": [p for p in data["search_space"] if p["kind"] != "categorical"]}


def few_values(data: Data) -> Data:
    """Return the request with at most three values of a number, from its low end in halves of its range."""

    def stepped(p: Data) -> Data:
        width = p["high"] - p["low"]
        step = width / 2 if p["kind"] == "float" else max(1, -(-width // 2))
        return {**p, "log": False, "step": step}

    rows = [p if p["kind"] == "categorical" else stepped(p) for p in data["search_space"]]
    return {**data, "search_space": rows}


def two_objectives(data: Data) -> Data:
    """Return the request with the time of a training as its second objective."""
    return {**data, "objective": {"second": "training_time"}}


# What makes a request one that a sampler takes, where it refuses the usual one; and that in a word.
ADAPTED: dict[str, tuple[Callable[[Data], Data], str]] = {
    "cmaes": (numbers_only, "so its numbers alone are searched"),
    "brute_force": (few_values, "so each number gets three values"),
    "nsga2": (two_objectives, "so it gets a second objective"),
}


def fitting(name: str, sampler: str, *, n_trials: int, n_timesteps: int) -> tuple[StudySpec | str, str]:
    """Return a request that a sampler takes, or why there is none; and what was changed for it, and why.

    Args:
        name: of the algorithm.
        sampler: by its name in a spec.
        n_trials: of the study.
        n_timesteps: of a trial.
    """
    data = request(name, sampler, n_trials=n_trials, n_timesteps=n_timesteps)
    try:
        return build_spec(data), ""
    except SpecError as error:
        refused = " ".join(error.faults)
    if sampler not in ADAPTED:
        return refused, ""
    adapt, words = ADAPTED[sampler]
    try:
        return build_spec(adapt(data)), f"{refused} ({name}: {words})"
    except SpecError as error:
        return " ".join(error.faults), ""


def run(spec: StudySpec, root: Path) -> str:
    """Run a study to its end; return how many trials are complete, and what went wrong where some are not."""
    folder = launch.launch(spec, root)
    started = time.monotonic()
    try:
        while job_status(folder).state.alive and time.monotonic() - started < TIMEOUT_S:
            time.sleep(POLL_S)
    finally:
        stop_job(folder)
    found = launch.read_run(folder)
    trials = found.study.trials
    complete = sum(t.state.name == "COMPLETE" for t in trials)
    if complete == spec.budget.n_trials:
        return str(complete)
    ended = sum(t.state in COUNTED for t in trials)
    reason = found.status.reason or found.status.state.value
    return f"{complete} of {spec.budget.n_trials} ({ended} ended): {reason}"


def table(names: Sequence[str], samplers: Sequence[str], cells: dict[tuple[str, str], str]) -> str:
    """Return the number of complete trials of each pair as a Markdown table."""
    lines = ["| | " + " | ".join(samplers) + " |", "|---|" + "---:|" * len(samplers)]
    lines += [f"| {name} | " + " | ".join(cells[name, s] for s in samplers) + " |" for name in names]
    return "\n".join(lines)


def validate(names: Sequence[str], n: int) -> list[str]:
    """Build models from every preset of some algorithms; print how many, and return what went wrong."""
    faults, built = [], 0
    for name in names:
        for preset in algorithm(name).presets:
            faults += preset_faults(name, preset, n=n)
            built += 1
    print(f"{built} presets, {n} configurations each: {len(faults)} could not be built.\n", flush=True)
    return faults


def main() -> int:
    """Validate the presets, run the studies, print the table; return the exit code."""
    parser = argparse.ArgumentParser(description="Run every algorithm with every sampler.")
    parser.add_argument("--algorithms", nargs="+", default=algorithm_names(), choices=algorithm_names())
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS, choices=SAMPLERS)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--timesteps", type=int, default=400, help="of a trial")
    parser.add_argument("--samples", type=int, default=50, help="configurations of a preset; 0: no models")
    options = parser.parse_args()
    leave_nothing_when_ended()
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    problems = validate(options.algorithms, options.samples) if options.samples else []
    cells: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="every-algorithm-") as folder:
        for name in options.algorithms:
            for sampler in options.samplers:
                began = time.monotonic()
                spec, note = fitting(name, sampler, n_trials=options.trials, n_timesteps=options.timesteps)
                result = spec if isinstance(spec, str) else run(spec, Path(folder))
                if note and note not in notes:
                    notes.append(note)
                cells[name, sampler] = result if not note else f"{result} ({notes.index(note) + 1})"
                if result != str(options.trials):
                    problems.append(f"{name} with {sampler}: {result}")
                took = time.monotonic() - began
                print(f"{name} with {sampler}: {result} in {took:.0f} s", file=sys.stderr, flush=True)
    print(table(options.algorithms, options.samplers, cells))
    print("\n".join(["", *(f"({i}) {note}" for i, note in enumerate(notes, start=1))]))
    print("\n".join(["", *problems]) if problems else "\nNothing went wrong.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
