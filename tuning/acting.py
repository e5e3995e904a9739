"""One policy that acts in one environment, step by step: for episodes that only count, and for films."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tuning.normalization import Normalization

if TYPE_CHECKING:
    import gymnasium as gym
    from stable_baselines3.common.policies import BasePolicy


class Acting:
    """A policy in a single environment, and what the current episode has come to."""

    def __init__(
        self, policy: "BasePolicy", env: "gym.Env[Any, Any]", normalization: Normalization | None = None
    ) -> None:
        """Take the statistics along where the policy was trained on normalised observations."""
        self._policy, self._env, self._normalization = policy, env, normalization
        self._observation: Any = None
        self._memory: Any = None  # a recurrent policy's state; None before its first step
        self.total = 0.0  # undiscounted return so far
        self.steps = 0
        self.terminated = self.truncated = False

    @property
    def has_ended(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated

    def start(self, seed: int) -> Any:
        """Begin an episode; return its first observation."""
        self._observation, _ = self._env.reset(seed=seed)
        self._memory = None
        self.total, self.steps = 0.0, 0
        self.terminated = self.truncated = False
        return self._observation

    def step(self, *, deterministic: bool = True) -> None:
        """Take one step."""
        seen = self._normalization.applied(self._observation) if self._normalization else self._observation
        action, self._memory = self._policy.predict(
            seen,
            state=self._memory,
            episode_start=np.array([self.steps == 0]),
            deterministic=deterministic,
        )
        # For one discrete action SB3 returns an array without dimensions here, where its vectorised envs hand
        # out a NumPy integer, as in training. Environments look up tables with it, and no array is a key.
        self._observation, reward, terminated, truncated, _ = self._env.step(action[()])
        self.total += float(reward)
        self.steps += 1
        self.terminated, self.truncated = bool(terminated), bool(truncated)
