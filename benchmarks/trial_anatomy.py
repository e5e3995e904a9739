"""Show where a trial's seconds go, and those until a study takes its first training step.

    python -m benchmarks.trial_anatomy [steps|trial|start]

Without an argument all three, which takes a minute or two. The numbers are wall-clock times on one torch
thread; run it on a quiet machine. Two trials are trained with each trainer, and the second is shown: the
first one also pays for what is imported late.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from storage.live import read_heartbeats
from tuning import jobs, launch
from tuning.spec import StudySpec
from tuning.trainers import TrainerChoice

ENVS = ("Pendulum-v1", "CartPole-v1")
N_ENVS = (1, 4, 8)
TRAINERS: tuple[TrainerChoice, ...] = ("sb3", "auto")
SPEC: dict[str, Any] = {
    "name": "anatomy",
    "env": {"id": "Pendulum-v1"},
    "algorithm": "PPO",
    "hyperparameters": {"n_steps": 128, "batch_size": 64, "n_epochs": 10},
    "search_space": [
        {"name": "learning_rate", "kind": "float", "low": 3.0e-5, "high": 3.0e-3, "log": True},
        {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999},
    ],
    "n_train_envs": 4,
    "budget": {"n_trials": 2, "n_timesteps": 20_480, "n_evaluations": 2},
    "seed": 1,
}
IMPORTS = {
    "Python": "pass",
    "what a worker asks for a trial with": "import tuning.worker",
    "torch and Stable-Baselines3 on top": "import tuning.worker, tuning.objective",
    "the first model on top": (
        "import tuning.worker, tuning.objective, tuning.policy as p, gymnasium as g; "
        "p.build_model('PPO', 'MlpPolicy', g.make('Pendulum-v1'), {}, seed=0, trainer='auto')"
    ),
}


class Stopwatch:
    """Adds up the seconds of wrapped functions, each without those wrapped inside it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._inside = [0.0]  # seconds of wrapped calls in the call underway

    def wrap(self, owner: Any, name: str, part: str) -> None:
        """Replace a function, or a method of a class or object, by one that is timed."""
        function = getattr(owner, name)

        def timed(*arguments: Any, **keywords: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return function(*arguments, **keywords)
            self._inside.append(0.0)
            start = time.perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                took = time.perf_counter() - start
                self.seconds[part] += took - self._inside.pop()
                self.calls[part] += 1
                self._inside[-1] += took

        setattr(owner, name, timed)


def fastest(call: Callable[[], Any], *, n: int = 1000, rounds: int = 7) -> float:
    """Return the microseconds of one call in the fastest round."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(n):
            call()
        times.append(time.perf_counter() - start)
    return min(times) / n * 1e6


def show_steps() -> None:
    """Print what a vectorised step costs, layer by layer."""
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv

    from tuning.vec_env import LightVecEnv

    print("Microseconds of one step of all envs\n")
    print(
        f"{'':12} {'envs':>4} {'bare env':>9} {'wrappers':>9} {'Monitor':>9} {'DummyVecEnv':>12} {'ours':>7}"
    )
    for env_id in ENVS:
        made = gymnasium.make(env_id)
        action = made.action_space.sample()
        layers = [made.unwrapped, made, Monitor(gymnasium.make(env_id))]
        alone = [fastest(_stepping(env, action)) for env in layers]
        for n in N_ENVS:
            vectorised = []
            for cls in (DummyVecEnv, LightVecEnv):
                env = make_vec_env(env_id, n_envs=n, seed=0, vec_env_cls=cls)
                env.reset()
                actions = np.array([action] * n)
                vectorised.append(fastest(lambda env=env, actions=actions: env.step(actions)))
                env.close()
            costs = [n * cost for cost in alone] + vectorised
            print(f"{env_id:12} {n:4}" + "".join(f" {cost:11.1f}" for cost in costs))


def _stepping(env: gymnasium.Env[Any, Any], action: Any) -> Callable[[], None]:
    env.reset(seed=0)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return step


def show_trial(trainer: TrainerChoice, root: Path) -> None:
    """Train two trials in this process, as a worker does, and print the parts of the second."""
    import tuning.objective
    import tuning.training
    from storage.journal import SafeJournalBackend
    from tuning import worker
    from tuning.reporter import Reporter
    from tuning.training_callback import TrainingCallback
    from tuning.vec_env import LightVecEnv

    spec = StudySpec.model_validate({**SPEC, "trainer": trainer})
    folder = launch.create_study(spec, root)
    worker.run_trial(worker.Task(str(folder.path), spec, 0, alone=True))

    watch = Stopwatch()
    build = tuning.training.build_model

    def watched_model(*arguments: Any, **keywords: Any) -> Any:
        model = build(*arguments, **keywords)
        watch.wrap(model, "collect_rollouts", "rollouts, beside the envs")
        watch.wrap(model, "train", "updates")
        return model

    tuning.training.build_model = watched_model
    watch.wrap(tuning.training, "build_model", "envs and model made")
    watch.wrap(tuning.training, "make_envs", "envs and model made")
    watch.wrap(LightVecEnv, "step", "envs step")
    watch.wrap(TrainingCallback, "_on_step", "callback")
    watch.wrap(TrainingCallback, "_evaluate", "evaluations, beside the envs")
    watch.wrap(Reporter, "_write", "heartbeat")
    watch.wrap(SafeJournalBackend, "append_logs", "journal appends")
    watch.wrap(tuning.objective, "keep_policy", "policy kept")
    watch.wrap(worker, "_run_trial", "the rest: sampler, SB3's loop, ...")
    start = time.perf_counter()
    outcome = worker.run_trial(worker.Task(str(folder.path), spec, 1, alone=True))
    total = time.perf_counter() - start
    print(f"trainer {trainer}: {total:.2f} s ({outcome.sentence})")
    for part, seconds in watch.seconds.most_common():
        print(f"  {part:36} {seconds * 1e3:8.1f} ms {seconds / total:5.0%} {watch.calls[part]:7} calls")


def show_start(root: Path) -> None:
    """Launch a study as a page does and print when what happened; then what the imports alone take."""
    print("Seconds until a worker of a study trains\n")
    began = 0.0
    for label, code in IMPORTS.items():
        times = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=_one_thread())
            times.append(time.perf_counter() - start)
        print(f"  {label:36} {min(times) - began:6.2f} s")
        began = min(times)
    for trainer in TRAINERS:
        spec = StudySpec.model_validate({**SPEC, "trainer": trainer, "n_workers": 2})
        folder = launch.create_study(spec, root)
        start = time.time()
        launch.start(folder)
        seen = {"the runner holds its lock": time.time() - start}
        while jobs.job_status(folder).state.alive and len(seen) < 3:
            phases = {beat.phase for beat in read_heartbeats(folder)}
            if phases:
                seen.setdefault("the first trial is asked for", time.time() - start)
            if phases - {"start"}:
                seen["the first training step"] = time.time() - start
            time.sleep(0.005)
        launch.stop(folder, "now")
        while jobs.job_status(folder).state.alive:
            time.sleep(0.05)
        print(f"\n  trainer {trainer}, two workers")
        for label, seconds in seen.items():
            print(f"  {label:36} {seconds:6.2f} s after launch")


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Print the parts that the command line names, or all."""
    chosen = sys.argv[1:] or ["steps", "trial", "start"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if "steps" in chosen:
            show_steps()
            print()
        if "trial" in chosen:
            budget, n_envs = SPEC["budget"], SPEC["n_train_envs"]
            print(f"A trial of {budget['n_timesteps']} steps in {n_envs} envs of {SPEC['env']['id']}\n")
            for trainer in TRAINERS:  # each in a process of its own: timing replaces functions
                command = [
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    "benchmarks.trial_anatomy",
                    f"only-{trainer}",
                ]
                subprocess.run(command, check=True, env=_one_thread())
            print()
        for trainer in TRAINERS:
            if f"only-{trainer}" in chosen:
                show_trial(trainer, root)
        if "start" in chosen:
            show_start(root)


if __name__ == "__main__":
    main()
