"""A policy as the fast trainer computes it: act, judge actions, and the gradient of both nets."""

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from torch.nn import Linear, Module

from tuning.fast_ppo.actions import ActionDistribution, Categorical, Gaussian, Judged
from tuning.fast_ppo.flat import FlatParameters
from tuning.fast_ppo.network import Network, Pass, side_by_side
from tuning.fast_ppo.optimizers import FlatOptimizer, flat_optimizer
from tuning.fast_ppo.support import ACTIVATIONS


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a policy says of a minibatch of n transitions."""

    values: np.ndarray  # (n,)
    judged: Judged  # of its actions
    rows: Pass


class Kernel:
    """One policy on one flat vector. Build another one when `serves` says no."""

    def __init__(self, policy: ActorCriticPolicy) -> None:
        self._policy = policy
        levels = side_by_side(
            _linear(policy.mlp_extractor.policy_net, policy.action_net),
            _linear(policy.mlp_extractor.value_net, policy.value_net),
        )
        own: list[Tensor] = [policy.log_std] if hasattr(policy, "log_std") else []
        self.flat = FlatParameters([*(p for level in levels for p in level.parameters), *own])
        self.network = Network(levels, self.flat, ACTIVATIONS[policy.activation_fn])
        self.actions: ActionDistribution
        if own:
            self.actions = Gaussian(self.flat.block(policy.log_std, policy.log_std))
        else:
            self.actions = Categorical(levels[-1].layers[0].out_features)
        self._one_hot: np.ndarray | None = None
        if isinstance(policy.observation_space, spaces.Discrete):
            self._one_hot = np.eye(int(policy.observation_space.n), dtype=np.float32)
        self._optimizer: FlatOptimizer | None = None

    def serves(self, policy: ActorCriticPolicy) -> bool:
        """Say whether this is still the memory that a policy computes with."""
        return policy is self._policy and self.flat.is_bound

    def optimizer(self) -> FlatOptimizer:
        """Return the flat counterpart of the policy's optimiser."""
        if self._optimizer is None or not self._optimizer.belongs_to(self._policy.optimizer):
            self._optimizer = flat_optimizer(self._policy.optimizer, self.flat)
        return self._optimizer

    def encode(self, observations: np.ndarray) -> np.ndarray:
        """Return observations, (n, ...), as the nets read them, (n, n_inputs): flat, or one-hot."""
        if self._one_hot is not None:
            return self._one_hot[observations.reshape(-1).astype(np.int64, copy=False)]
        return observations.reshape(len(observations), -1)

    def reads(self, observations: object) -> bool:
        """Say whether these are observations of several envs, as an array of shape (n, ...)."""
        space = self._policy.observation_space
        return (
            isinstance(observations, np.ndarray)
            and observations.shape[1:] == space.shape != observations.shape
        )

    @np.errstate(all="ignore")  # as silent as torch; NaN is refused below
    def forward(self, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the policy's output, (n, k), and the values, (n,), as views that the next call overwrites.

        Raises:
            ValueError: the policy's output is NaN, as torch's distributions have it.
        """
        rows = self.network.rows(len(observations))
        rows.observations[:] = self.encode(observations)
        output = rows.forward()
        if np.isnan(output).any():
            raise ValueError("Expected parameters of a distribution: the policy's output is NaN.")
        return output[:, :-1], output[:, -1]

    def evaluate(self, observations: np.ndarray, actions: np.ndarray) -> Evaluated:
        """Return what the policy says of encoded observations, (n, n_inputs), and encoded actions, (n, k)."""
        rows = self.network.rows(len(observations))
        rows.observations[:] = observations
        output = rows.forward()
        return Evaluated(output[:, -1], self.actions.judge(output[:, :-1], actions), rows)

    def backward(
        self, evaluated: Evaluated, *, log_prob: np.ndarray, entropy: float, value: np.ndarray
    ) -> None:
        """Write the gradient of a loss L into `flat.gradient`.

        Args:
            evaluated: the newest result of `evaluate`.
            log_prob: (n,), ∂L/∂ log π(a_i|s_i).
            entropy: ∂L/∂ of the mean entropy.
            value: (n,), ∂L/∂V(s_i).
        """
        delta = evaluated.rows.delta
        self.actions.backward(evaluated.judged, log_prob, entropy, delta[:, :-1])
        delta[:, -1] = value
        evaluated.rows.backward()


def _linear(net: Module, head: Module) -> list[Linear]:
    return [layer for layer in (*net.children(), head) if isinstance(layer, Linear)]
