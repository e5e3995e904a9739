"""Measure what the time estimate of algorithms that replay steps is made of, on one torch thread.

python -m benchmarks.gradient_step_costs            # about two minutes
python -m benchmarks.gradient_step_costs --algorithms SAC DQN
"""

import argparse
import itertools
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from tuning.algorithms import algorithm, algorithm_names
from tuning.policy import build_model
from tuning.spec_parts import EnvSpec
from tuning.training import make_envs

NETS = ([64, 64], [256, 256])
BATCHES = (32, 256, 1024)
N_COLLECTED = 1_000  # vectorised steps
N_GRADIENT_STEPS = 40
N_ENVS = (1, 8)


def seconds(call: Callable[[], Any]) -> float:
    """Return the CPU seconds that a call takes."""
    start = time.process_time()
    call()
    return time.process_time() - start


def built(name: str, n_envs: int, **resolved: Any) -> OffPolicyAlgorithm:
    """Return a model that has collected as many steps as it needs for one batch, and learned nothing."""
    env_id = "Pendulum-v1" if "continuous" in algorithm(name).actions else "CartPole-v1"
    env = make_envs(EnvSpec(id=env_id), n_envs, seed=0)
    model = build_model(name, "MlpPolicy", env, {"buffer_size": 20_000, **resolved}, seed=0)
    assert isinstance(model, OffPolicyAlgorithm)
    return model


def gradient_step(model: OffPolicyAlgorithm) -> float:
    """Return the CPU seconds of one; fewer are timed where they are slow."""
    first = seconds(lambda: model.train(2, batch_size=model.batch_size)) / 2
    n = max(2, min(N_GRADIENT_STEPS, int(2.0 / first)))
    return seconds(lambda: model.train(n, batch_size=model.batch_size)) / n


def main() -> None:
    """Print one line for each measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [name for name in algorithm_names() if algorithm(name).kind == "off-policy"]
    parser.add_argument("--algorithms", nargs="+", choices=known, default=known)
    torch.set_num_threads(1)
    for name in parser.parse_args().algorithms:
        for n_envs in N_ENVS:
            # An update so rare that there is none: what is left is acting, stepping and storing.
            model = built(name, n_envs, learning_starts=0, train_freq=N_COLLECTED, gradient_steps=1)
            model.train = lambda *_, **__: None  # type: ignore[method-assign]
            cost = seconds(partial(model.learn, N_COLLECTED * n_envs)) / N_COLLECTED
            print(f"{name:8} {n_envs} envs: a vectorised step in training {cost * 1e3:6.3f} ms", flush=True)
        for net, size in itertools.product(NETS, BATCHES):
            model = built(name, 1, learning_starts=10**6, batch_size=size, policy_kwargs={"net_arch": net})
            model.learn(2 * size)
            print(
                f"{name:8} net {net!s:10} batch of {size:4}: {gradient_step(model) * 1e3:6.2f} ms", flush=True
            )


if __name__ == "__main__":
    main()
