"""Measure what the time estimate is made of: PPO on one torch thread, on Pendulum-v1 and CartPole-v1.

    python -m benchmarks.step_costs

Takes a minute or two. Each number is the fastest of a few rollouts, in CPU time: whatever else the machine
does can only make it larger.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

N_ROLLOUTS = 7
ENVS = ("Pendulum-v1", "CartPole-v1")


class TimedPPO(PPO):
    """Notes the CPU seconds of every rollout and update."""

    rollout_s: list[float]
    update_s: list[float]

    def collect_rollouts(self, *args: Any, **kwargs: Any) -> bool:
        """Collect, and note how long it took."""
        return _timed(
            self.__dict__.setdefault("rollout_s", []),
            lambda: super(TimedPPO, self).collect_rollouts(*args, **kwargs),
        )

    def train(self) -> None:
        """Update, and note how long it took."""
        return _timed(self.__dict__.setdefault("update_s", []), super().train)


def _timed(times: list[float], call: Callable[[], Any]) -> Any:
    start = time.process_time()
    result = call()
    times.append(time.process_time() - start)
    return result


def run(env_id: str, *, n_envs: int, n_steps: int, batch: int, net: list[int], n_epochs: int = 1) -> TimedPPO:
    """Train for a few rollouts and return the model with its times."""
    env = make_vec_env(env_id, n_envs=n_envs, seed=0)
    model = TimedPPO(
        "MlpPolicy",
        env,
        n_steps=n_steps,
        batch_size=batch,
        n_epochs=n_epochs,
        policy_kwargs={"net_arch": {"pi": net, "vf": net}},
        device="cpu",
        seed=0,
    )
    model.learn(N_ROLLOUTS * n_steps * n_envs)
    return model


def main() -> None:
    """Print one line for each measurement."""
    torch.set_num_threads(1)
    for env_id in ENVS:
        for n_envs in (1, 5, 16):
            model = run(env_id, n_envs=n_envs, n_steps=256, batch=256, net=[64, 64])
            cost = min(model.rollout_s) / 256
            print(f"{env_id:12} collect, {n_envs:2} envs: {cost * 1e6:7.0f} us a vectorised step")
        env = make_vec_env(env_id, n_envs=5, seed=1)
        lengths: list[int] = []
        times: list[float] = []
        for _ in range(3):
            episodes = _timed(times, lambda: evaluate_policy(model, env, 5, return_episode_rewards=True))  # noqa: B023
            lengths.append(max(episodes[1]))
        cost = min(t / n for t, n in zip(times, lengths, strict=True))
        print(f"{env_id:12} evaluate, 5 envs: {cost * 1e6:7.0f} us a vectorised step")
    for net in ([64], [64, 64], [256, 256]):
        for batch in (4, 64, 256, 1024):
            n_batches = 24
            model = run("Pendulum-v1", n_envs=8, n_steps=batch * n_batches // 8, batch=batch, net=net)
            cost = min(model.update_s) / n_batches
            print(f"update, net {net!s:10} batch {batch:5}: {cost * 1e3:6.2f} ms a minibatch")
    starts = []
    for _ in range(3):
        began = time.perf_counter()
        code = "import torch, stable_baselines3, optuna, gymnasium"
        subprocess.run([sys.executable, "-c", code], check=True)
        starts.append(time.perf_counter() - began)
    print(f"worker start: {min(starts):.1f} s (wall, the best of 3)")


if __name__ == "__main__":
    main()
