"""The Pendulum story in figures: `python -m benchmarks.story [--minutes 5]`.

Launches examples/pendulum.yaml with two workers in a temporary folder and prints the seconds from launch to
the first training step, what the SB3 defaults reach, the best value after each minute, and trials an hour at
40 000 steps. Nothing else should run on the machine meanwhile.
"""

import argparse
import tempfile
import time
from pathlib import Path

from storage.live import read_heartbeats
from storage.paths import RunFolder
from storage.trials import BASELINE, counted, ranked
from tuning import examples, launch
from tuning.jobs import job_status


def main() -> None:
    """Run the story and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as root:
        started = time.monotonic()
        folder = launch.launch(examples.pendulum_story(), Path(root).resolve())
        try:
            watch(folder, started, minutes)
        finally:
            launch.stop(folder, "now")
            while job_status(folder).state.alive:
                time.sleep(0.1)


def watch(folder: RunFolder, started: float, minutes: float) -> None:
    """Print figures as they come, until the time is up or the study ends."""
    while not any(beat.timesteps for beat in read_heartbeats(folder)):
        time.sleep(0.02)
    print(f"launch to first training step: {time.monotonic() - started:.1f} s", flush=True)
    for minute in range(1, int(minutes) + 1):
        while time.monotonic() - started < 60 * minute and job_status(folder).state.alive:
            time.sleep(0.2)
        run = launch.read_run(folder)
        best = ranked(run.study.trials, maximize=True)
        done = len(counted(run.study.trials))
        shown = f"best {best[0].value:.0f} (trial {best[0].number})" if best else "no result"
        print(f"after {minute} min: {done} trials, {shown}", flush=True)
    elapsed_h = (time.monotonic() - started) / 3600
    print(f"trials an hour, complete and pruned: {done / elapsed_h:.0f}")
    steps = sum(
        t.user_attrs.get("evaluations", [{}])[-1].get("timesteps", 0) for t in counted(run.study.trials)
    )
    print(f"the same in whole trials of 40 000 steps: {steps / 40_000 / elapsed_h:.0f}")
    for trial in run.study.trials:
        if trial.user_attrs.get(BASELINE) and trial.value is not None:
            print(f"{trial.user_attrs[BASELINE]}: {trial.value:.0f}")


if __name__ == "__main__":
    main()
