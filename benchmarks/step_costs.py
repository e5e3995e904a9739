"""Measure what the time estimate is made of: PPO and A2C on one torch thread, with each trainer.

    python -m benchmarks.step_costs

On Pendulum-v1 and CartPole-v1, with envs and models as the engine makes them; takes a minute or two. Each
number is the fastest of a few rounds, in CPU time: whatever else the machine does can only make it larger.
"""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from tuning.evaluation import evaluate
from tuning.policy import build_model, trainer_of
from tuning.spec_parts import EnvSpec
from tuning.trainers import TrainerChoice
from tuning.training import make_envs

N_ROUNDS = 5
N_STEPS = 256  # of a rollout that is timed
N_MINIBATCHES = 24  # of an update that is timed
N_ENVS = (1, 5, 16)
SIZES = (8, 64, 256, 1024)  # transitions of a minibatch
ENVS = ("Pendulum-v1", "CartPole-v1")
NETS = ([64], [64, 64], [256, 256])
TRAINERS: tuple[TrainerChoice, ...] = ("sb3", "auto")


def seconds(call: Callable[[], Any]) -> float:
    """Return the CPU seconds that a call takes."""
    start = time.process_time()
    call()
    return time.process_time() - start


def built(
    trainer: TrainerChoice, env_id: str, *, algorithm: str = "PPO", n_envs: int, **resolved: Any
) -> OnPolicyAlgorithm:
    """Return a model that is ready to learn."""
    env = make_envs(EnvSpec(id=env_id), n_envs, seed=0)
    model = build_model(algorithm, "MlpPolicy", env, resolved, seed=0, trainer=trainer)
    assert isinstance(model, OnPolicyAlgorithm)
    return model


def steps(trainer: TrainerChoice, env_id: str) -> None:
    """Print what a vectorised step costs, in training and in an evaluation."""
    for n_envs in N_ENVS:
        model = built(trainer, env_id, n_envs=n_envs, n_steps=N_STEPS, batch_size=N_STEPS, n_epochs=1)
        rollouts: list[float] = []
        collect = model.collect_rollouts

        def timed(*args: Any, times: list[float] = rollouts, call: Any = collect, **kwargs: Any) -> bool:
            times.append(seconds(lambda: call(*args, **kwargs)))
            return True

        model.collect_rollouts = timed  # type: ignore[method-assign]
        model.learn(N_ROUNDS * N_STEPS * n_envs)
        env = make_envs(EnvSpec(id=env_id), n_envs, seed=1)
        evaluations = []
        for _ in range(N_ROUNDS):
            start = time.process_time()
            found = evaluate(model, env, n_episodes=n_envs, seed=1)
            evaluations.append((time.process_time() - start) / max(found.lengths))
        costs = min(rollouts) / N_STEPS * 1e6, min(evaluations) * 1e6
        print(
            f"{named(model, trainer)}{env_id:12}{n_envs:3} envs: a vectorised step in training "
            f"{costs[0]:5.0f} us, in an evaluation {costs[1]:5.0f} us",
            flush=True,
        )


def updates(trainer: TrainerChoice, algorithm: str) -> None:
    """Print what a minibatch costs; all of a rollout is one minibatch of A2C."""
    n = N_MINIBATCHES if algorithm == "PPO" else 1
    for net, size in itertools.product(NETS, SIZES):
        fields: dict[str, Any] = {"policy_kwargs": {"net_arch": {"pi": net, "vf": net}}}
        if algorithm == "PPO":
            fields |= {"batch_size": size, "n_epochs": 1}
        n_steps = size * n // 8
        model = built(trainer, "Pendulum-v1", algorithm=algorithm, n_envs=8, n_steps=n_steps, **fields)
        model.learn(n_steps * 8)
        cost = min(seconds(model.train) for _ in range(N_ROUNDS * N_MINIBATCHES // n)) / n
        print(
            f"{named(model, trainer)}{algorithm}, net {net!s:10} minibatch of {size:4}: {cost * 1e3:6.3f} ms",
            flush=True,
        )


def named(model: OnPolicyAlgorithm, trainer: TrainerChoice) -> str:
    """Return whose code trains, padded."""
    return f"{trainer_of(model, trainer).words:19}"


def main() -> None:
    """Print one line for each measurement."""
    torch.set_num_threads(1)
    for trainer in TRAINERS:
        for env_id in ENVS:
            steps(trainer, env_id)
        for algorithm in ("PPO", "A2C"):
            updates(trainer, algorithm)
    starts = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import tuning.worker, tuning.objective"], check=True)
        starts.append(time.perf_counter() - began)
    print(f"worker start: {min(starts):.1f} s (wall, the best of 3)")


if __name__ == "__main__":
    main()
