"""Does RL Zoo read the YAML that is exported here, and train from it? A check to run by hand.

RL Zoo is no dependency, so it lives in an environment of its own:

    python3 -m venv zoo && zoo/bin/pip install rl_zoo3==2.9.2
    python -m benchmarks.rl_zoo_loads_our_yaml zoo/bin/python [STUDY_FOLDER]
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from storage.paths import RunFolder
from storage.trials import own
from tuning import export, launch
from tuning.examples import recorded

STEPS = 2560  # enough for a few updates

# What RL Zoo reads, before it makes objects of it.
READ = """
import argparse, json, sys
from rl_zoo3.exp_manager import ExperimentManager
manager = ExperimentManager(argparse.Namespace(), "ppo", sys.argv[1], "logs", config=sys.argv[2])
hyperparams, _ = manager.read_hyperparameters()
print(json.dumps({k: v if isinstance(v, (int, float, str)) else repr(v) for k, v in hyperparams.items()}))
"""


def main(zoo_python: str, study: Path) -> int:
    """Export the best configuration, let RL Zoo read it and train a few steps; return the exit code."""
    run = launch.read_run(RunFolder(study.resolve()))
    assert run.spec is not None
    best = export.best_trial(own(run.study.trials), maximize=run.study.maximize)
    assert best is not None
    text = export.to_yaml(run.spec, best)
    ours: dict[str, Any] = yaml.safe_load(text)[run.spec.env.id]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "best.yaml"
        config.write_text(text)
        read = subprocess.run(
            [zoo_python, "-c", READ, run.spec.env.id, str(config)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if read.returncode:
            print(read.stderr[-2000:])
            return 1
        theirs = yaml.safe_load(read.stdout.splitlines()[-1])
        print(text)
        faults = [name for name in ours if theirs.get(name) != ours[name]]
        for name in ours:
            print(f"{name:14} ours {ours[name]!r:28} RL Zoo read {theirs.get(name)!r}")
        arguments = [
            "--algo",
            run.spec.algorithm.lower(),
            "--env",
            run.spec.env.id,
            "--n-timesteps",
            str(STEPS),
        ]
        trained = subprocess.run(
            [
                *(zoo_python, "-m", "rl_zoo3.train", *arguments),
                *("--conf-file", str(config), "--log-folder", "logs", "--eval-freq", "-1", "--device", "cpu"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        models = list(Path(folder).glob("logs/*/*/*.zip"))
        print(f"rl_zoo3.train ended with code {trained.returncode} and left {[m.name for m in models]}")
        if trained.returncode:
            print(trained.stderr[-2000:])
    return 1 if faults or trained.returncode or not models else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else recorded()[0]))
