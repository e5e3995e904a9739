"""Few long trials or many short ones? Records what the guide's picture of it is drawn from.

    python -m benchmarks.budget_sizes FOLDER                     # some minutes on two cores
    python -m benchmarks.budget_sizes FOLDER --trials 4          # a look; writes nothing

It launches one study of random configurations on Pendulum-v1, none pruned, each evaluated eight times, and
writes what each evaluation measured to examples/budgets.json. Trained once, a configuration thus shows what a
search with an eighth, a quarter or a half of the steps would have seen of it, as PPO's settings here do not
change with the length of the training. The study stays in FOLDER; what is done is not done again.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from storage.paths import RunFolder, list_runs
from storage.trials import EVALUATIONS, completed
from tuning import launch
from tuning.examples import FOLDER
from tuning.jobs import JobState, job_status
from tuning.spec import StudySpec, build_spec

N_TRIALS = 288
N_MARKS = 8
POLL_S = 1.0


def study_spec(n_trials: int) -> StudySpec:
    """Return the request: the starter space, with rollouts that are short beside the smallest budget."""
    space = [
        {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 9, "transform": "2^x"},
        {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999},
        {"name": "learning_rate", "kind": "float", "low": 3e-5, "high": 3e-3, "log": True},
        {
            "name": "activation_fn",
            "kind": "categorical",
            "choices": ["tanh", "relu"],
            "transform": "activation_fn",
        },
    ]
    return build_spec(
        {
            "name": "budgets",
            "env": {"id": "Pendulum-v1"},
            "search_space": space,
            "sampler": {"name": "random"},
            "pruner": {"name": "none"},
            "budget": {
                "n_trials": n_trials,
                "n_timesteps": 40_000,
                "n_evaluations": N_MARKS,
                "n_eval_episodes": 10,
            },
            "n_train_envs": 5,
            "defaults_first": False,
            "retention": {"top": 0},
            "seed": 6,
        }
    )


def table(folder: RunFolder) -> dict[str, Any]:
    """Return what each complete trial was and what its evaluations measured."""
    run = launch.read_run(folder)
    assert run.spec is not None
    trials = completed(run.study.trials)
    return {
        "source": "python -m benchmarks.budget_sizes",
        "env": run.spec.env.id,
        "algorithm": run.spec.algorithm,
        "n_eval_episodes": run.spec.budget.n_eval_episodes,
        "marks": list(run.spec.evaluation_marks()),
        "trials": [
            {
                "params": t.params,
                "means": [round(e["mean"], 2) for e in t.user_attrs[EVALUATIONS]],
            }
            for t in trials
        ],
    }


def main() -> None:
    """Run the study where it is not done yet, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=N_TRIALS)
    options = parser.parse_args()
    root: Path = options.folder.resolve()
    root.mkdir(parents=True, exist_ok=True)
    folder = next(iter(list_runs(root)), None) or launch.create_study(study_spec(options.trials), root)
    if job_status(folder).state != JobState.FINISHED and not job_status(folder).state.alive:
        launch.start(folder)
    while job_status(folder).state.alive:
        time.sleep(POLL_S)
    found = table(folder)
    whole = [row for row in found["trials"] if len(row["means"]) == N_MARKS]
    print(f"{job_status(folder).state}: {len(whole)} of {len(found['trials'])} trials with all evaluations")
    if options.trials == N_TRIALS:
        text = json.dumps(found, separators=(",", ":")).replace('{"params"', '\n{"params"')
        (FOLDER / "budgets.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
