"""Evaluate a policy on envs of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from tuning.acting import Acting
from tuning.normalization import Normalization


@dataclass(frozen=True)
class EvaluationResult:
    """The episodes of one evaluation with a deterministic policy."""

    returns: tuple[float, ...]  # undiscounted, one for each episode
    lengths: tuple[int, ...]  # env steps

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(np.mean(self.returns))

    @property
    def std(self) -> float:
        """Standard deviation of the returns over the episodes (population)."""
        return float(np.std(self.returns))


def evaluate(
    model: BaseAlgorithm,
    env: VecEnv,
    *,
    n_episodes: int,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> EvaluationResult:
    """Play episodes and return their undiscounted returns.

    The envs are seeded anew each time, so that all evaluations with one seed meet the same starting states.

    Args:
        model: the model to act with.
        env: separate vectorised envs with a Monitor each.
        n_episodes: in all, spread over the envs as SB3's `evaluate_policy` does, which keeps short episodes
            from being counted too often.
        seed: of env 0; env i gets seed + i.
        on_step: called after each vectorised step; may raise to break off.
    """

    def callback(local: dict[str, Any], _: dict[str, Any]) -> None:
        on_step()

    env.seed(seed)
    returns, lengths = evaluate_policy(
        model,
        env,
        n_eval_episodes=n_episodes,
        deterministic=True,
        return_episode_rewards=True,
        callback=callback,
    )
    assert isinstance(returns, list)
    assert isinstance(lengths, list)
    return EvaluationResult(tuple(float(r) for r in returns), tuple(int(n) for n in lengths))


def play(
    policy: BasePolicy,
    env: gym.Env[Any, Any],
    *,
    seeds: Iterable[int],
    normalization: Normalization | None = None,
    on_step: Callable[[], None] = lambda: None,
    on_episode: Callable[[], None] = lambda: None,
) -> EvaluationResult:
    """Play one episode from the start that each seed gives, and return their undiscounted returns in order.

    Policies that play with the same seeds meet the same starts, episode by episode, however long each
    episode takes; in a vectorised env the next start depends on how many steps came before.

    Args:
        policy: to act with, deterministically.
        env: a single one.
        seeds: one for each episode.
        normalization: of the observations that the policy was trained on.
        on_step: called after each step; may raise to break off.
        on_episode: called after each episode.
    """
    acting, returns, lengths = Acting(policy, env, normalization), [], []
    for seed in seeds:
        acting.start(seed)
        while not acting.has_ended:
            acting.step()
            on_step()
        returns.append(acting.total)
        lengths.append(acting.steps)
        on_episode()
    return EvaluationResult(tuple(returns), tuple(lengths))
