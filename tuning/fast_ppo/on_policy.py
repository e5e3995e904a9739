"""What the fast PPO and the fast A2C have in common: collect rollouts and predict by the kernel."""

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import explained_variance
from stable_baselines3.common.vec_env import VecEnv

from tuning.fast_ppo.kernel import Kernel
from tuning.fast_ppo.support import why_not


class FastOnPolicy(OnPolicyAlgorithm):
    """A mix-in for SB3's on-policy algorithms. Models that the kernel cannot train run SB3's own code.

    A model is not for several threads at a time, as its kernel has working memory.
    """

    _kernel: Kernel | None = None

    @property
    def why_not_fast(self) -> str | None:
        """What keeps this model from the kernel, in a few words; None: the kernel trains it."""
        return why_not(self)

    def kernel(self) -> Kernel | None:
        """Return the kernel on the policy's memory, or None where SB3's own code has to do.

        A model that was loaded or copied, or whose policy was moved, has other memory: it gets a new kernel.
        """
        if self.why_not_fast:
            self._kernel = None
        elif self._kernel is None or not self._kernel.serves(self.policy):
            self._kernel = Kernel(self.policy)
        return self._kernel

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_kernel"]

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Return actions as SB3 does: clipped to the action space, with `state` as it was."""
        kernel = self._kernel
        if kernel is None or not kernel.serves(self.policy):  # anything else is looked at once a rollout
            kernel = self.kernel()
        if kernel is None or not kernel.acts_on(observation):
            return super().predict(observation, state, episode_start, deterministic)
        assert isinstance(observation, np.ndarray)
        actions = kernel.best(observation) if deterministic else kernel.sample(observation)[0]
        return self._clipped(actions.reshape(-1, *(self.action_space.shape or ()))), state

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer with rollouts, and return False where the callback broke that off.

        The names of local variables are those of SB3, as callbacks read them; `obs_tensor`, `values` and
        `log_probs` are rows of the buffer, each written once. A callback may change the weights in place; a
        policy that it replaces acts from the next rollout on. Nothing that the kernel covers tells torch's
        training mode from its evaluation mode, so neither is set.
        """
        kernel = self.kernel()
        if kernel is None:
            return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        assert self._last_obs is not None, "No previous observation was provided"
        rollout_buffer.reset()
        n_steps = 0
        callback.on_rollout_start()
        while n_steps < n_rollout_steps:
            obs: Any = self._last_obs  # (n_envs, ...)
            actions, log_prob, value = kernel.sample(obs)
            rollout_buffer.observations[n_steps] = obs.reshape(rollout_buffer.observations.shape[1:])
            rollout_buffer.values[n_steps] = value
            rollout_buffer.log_probs[n_steps] = log_prob
            rollout_buffer.actions[n_steps] = actions.reshape(env.num_envs, -1)
            rollout_buffer.episode_starts[n_steps] = self._last_episode_starts
            actions = actions.reshape(-1, *(self.action_space.shape or ()))
            clipped_actions = self._clipped(actions)
            obs_tensor = torch.from_numpy(rollout_buffer.observations[n_steps]).view(obs.shape)
            values = torch.from_numpy(rollout_buffer.values[n_steps, :, None])
            log_probs = torch.from_numpy(rollout_buffer.log_probs[n_steps])

            new_obs, rewards, dones, infos = env.step(clipped_actions)

            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            self._update_info_buffer(infos, dones)
            if isinstance(self.action_space, spaces.Discrete):
                actions = actions.reshape(-1, 1)
            if dones.any():
                self._bootstrap(kernel, rewards, dones, infos)
            rollout_buffer.rewards[n_steps] = rewards
            rollout_buffer.pos += 1
            n_steps += 1
            self._last_obs = new_obs  # type: ignore[assignment] # as in SB3
            self._last_episode_starts = dones
        rollout_buffer.full = True
        values = torch.from_numpy(kernel.values(new_obs))[:, None]  # type: ignore[arg-type]
        rollout_buffer.compute_returns_and_advantage(last_values=values, dones=dones)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _bootstrap(
        self, kernel: Kernel, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]
    ) -> None:
        """Add the value of the last observation to the reward where only the time limit ended an episode.

        Source: Pardo et al., "Time limits in reinforcement learning", 2018.
        """
        for i in np.flatnonzero(dones):
            last_obs = infos[i].get("terminal_observation")
            if last_obs is not None and infos[i].get("TimeLimit.truncated", False):
                rewards[i] += self.gamma * kernel.values(np.asarray(last_obs)[None])[0]

    def _clipped(self, actions: np.ndarray) -> np.ndarray:
        if not isinstance(self.action_space, spaces.Box):
            return actions
        return np.minimum(np.maximum(actions, self.action_space.low), self.action_space.high)

    @np.errstate(all="ignore")  # as silent as torch
    def train(self) -> None:
        """Update the policy from the rollout buffer; logs what SB3 logs.

        Raises:
            ValueError: training has diverged, as torch's distributions would say at the next forward pass.
        """
        kernel = self.kernel()
        if kernel is None:
            super().train()
            return
        self._update_learning_rate(self.policy.optimizer)
        for name, value in self._update(kernel).items():
            self.logger.record(f"train/{name}", value)
        buffer, policy = self.rollout_buffer, self.policy
        explained = explained_variance(buffer.values.flatten(), buffer.returns.flatten())
        self.logger.record("train/explained_variance", explained)
        if hasattr(policy, "log_std"):
            self.logger.record("train/std", torch.exp(policy.log_std).mean().item())
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        if not np.isfinite(kernel.flat.tensor.numpy()).all():
            raise ValueError("Expected parameters of the policy to be finite after an update: some are not.")

    @abstractmethod
    def _update(self, kernel: Kernel) -> dict[str, float]:
        """Change the policy as the algorithm does, and return what it logs under `train/`."""
