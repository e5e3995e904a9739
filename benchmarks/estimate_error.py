"""How far off is the time of a study, guessed and measured beforehand? Small real studies, run to their ends.

    python -m benchmarks.estimate_error [--only ppo sac dqn] [--workers N]

For each request: the rough guess, what a calibration says, the study's real seconds from launch to end, and
the ratio of real to the middle of each range. Nothing is kept. Other work on the machine spoils all of it, so
the busy cores at the time of the calibration are printed too.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tuning import examples, launch
from tuning.calibrating import calibrate
from tuning.calibration import study_time
from tuning.cores import usable_cores
from tuning.estimate import study_seconds
from tuning.jobs import JobState, job_status
from tuning.spec import StudySpec, build_spec


def requests(n_workers: int) -> dict[str, StudySpec]:
    """Return the studies: the story with fewer trials, and two algorithms that replay steps."""
    story = examples.pendulum_story().model_dump()
    ppo = {**story, "budget": {**story["budget"], "n_trials": 16}}
    small = {"n_trials": 6, "n_timesteps": 2000, "n_evaluations": 2, "n_eval_episodes": 5}
    sac = {"algorithm": "SAC", "env": {"id": "Pendulum-v1"}, "search_space": "starter", "budget": small}
    dqn = {
        "algorithm": "DQN",
        "env": {"id": "CartPole-v1"},
        "search_space": "starter",
        "budget": {**small, "n_timesteps": 10_000},
    }
    found = {"ppo": ppo, "sac": sac, "dqn": dqn}
    common = {"n_workers": n_workers, "defaults_first": False, "tuned_first": False}
    return {name: build_spec({**data, **common}) for name, data in found.items()}


def real_seconds(spec: StudySpec, root: Path) -> float:
    """Run a study and return the seconds from its launch to the end of its last trial."""
    begun = time.monotonic()
    folder = launch.launch(spec, root)
    while job_status(folder).state.alive:
        time.sleep(0.1)
    status = job_status(folder)
    if status.state != JobState.FINISHED:
        raise SystemExit(f"{folder.id} ended as {status.state}: {status.reason}")
    return time.monotonic() - begun


def main() -> None:
    """Print one line for each study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", nargs="*", default=["ppo", "sac", "dqn"])
    parser.add_argument("--workers", type=int, default=usable_cores())
    asked = parser.parse_args()
    print("study   guess s          measured s       real s  real/guess  real/measured  inside  busy cores")
    with tempfile.TemporaryDirectory() as folder:
        for name, spec in requests(asked.workers).items():
            if name not in asked.only:
                continue
            guess = study_seconds(spec)
            found = calibrate(spec, Path(folder))
            row = study_time(spec, found).row(spec.n_workers)
            real = real_seconds(spec, Path(folder))
            ratios = [
                real / ((low + high) / 2)
                for low, high in ((guess.low_s, guess.high_s), (row.low_s, row.high_s))
            ]
            inside = "yes" if row.low_s <= real <= row.high_s else "no"
            print(
                f"{name:6s}  {guess.low_s:6.1f} to {guess.high_s:6.1f} {row.low_s:6.1f} to {row.high_s:6.1f}"
                f"  {real:6.1f}  {ratios[0]:10.2f}  {ratios[1]:13.2f}  {inside:6s}  {found.busy_cores:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
