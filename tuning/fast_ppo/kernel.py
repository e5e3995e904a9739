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

MAX_ROWS_TO_ACT_ON = 256  # memory for these stays; with more, torch is as fast


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a policy says of n transitions."""

    values: np.ndarray  # (n,)
    actions: Judged
    rows: Pass


class Kernel:
    """One policy on one flat vector. Not for several threads at a time: its working memory is shared."""

    def __init__(self, policy: ActorCriticPolicy) -> None:
        self._policy = policy
        levels = side_by_side(
            _linear(policy.mlp_extractor.policy_net, policy.action_net),
            _linear(policy.mlp_extractor.value_net, policy.value_net),
        )
        own: list[Tensor] = [policy.log_std] if hasattr(policy, "log_std") else []
        self.flat = FlatParameters([*(p for level in levels for p in level.parameters), *own])
        self._network = Network(levels, self.flat, ACTIVATIONS[policy.activation_fn])
        self.actions: ActionDistribution
        if own:
            self.actions = Gaussian(self.flat.block(policy.log_std, policy.log_std))
        else:
            self.actions = Categorical(levels[-1].layers[0].out_features)
        self._one_hot = isinstance(policy.observation_space, spaces.Discrete)
        self._optimizer: FlatOptimizer | None = None

    def serves(self, policy: ActorCriticPolicy) -> bool:
        """Say whether this is still the memory that a policy computes with; else it needs another kernel."""
        return policy is self._policy and self.flat.is_bound

    def optimizer(self) -> FlatOptimizer:
        """Return the flat counterpart of the policy's optimiser."""
        if self._optimizer is None or not self._optimizer.belongs_to(self._policy.optimizer):
            self._optimizer = flat_optimizer(self._policy.optimizer, self.flat)
        return self._optimizer

    def acts_on(self, observations: object) -> bool:
        """Say whether these are observations of a few envs: an array of shape (n, ...)."""
        shape = self._policy.observation_space.shape or ()
        if not isinstance(observations, np.ndarray) or observations.ndim != len(shape) + 1:
            return False  # a single observation, for one
        return observations.shape[1:] == shape and 0 < len(observations) <= MAX_ROWS_TO_ACT_ON

    @np.errstate(all="ignore")  # as silent as torch
    def sample(self, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return random actions, (n, k) or (n,), their log π, (n,), and the states' values, (n,).

        Raises:
            ValueError: the policy's output is NaN, as torch's distributions have it.
        """
        output = self._forward(observations).output
        actions, log_prob = self.actions.sample(output[:, :-1])
        return actions, log_prob, output[:, -1].copy()

    @np.errstate(all="ignore")
    def best(self, observations: np.ndarray) -> np.ndarray:
        """Return the likeliest actions, (n, k) or (n,); raises as `sample` does."""
        return self.actions.best(self._forward(observations).output[:, :-1])

    @np.errstate(all="ignore")
    def values(self, observations: np.ndarray) -> np.ndarray:
        """Return the values of states, (n,)."""
        return self._forward(observations).output[:, -1].copy()

    def evaluate(self, observations: np.ndarray, actions: np.ndarray) -> Evaluated:
        """Return what the policy says of observations, (n, ...), and encoded actions, (n, k)."""
        rows = self._forward(observations)
        return Evaluated(rows.output[:, -1], self.actions.judge(rows.output[:, :-1], actions), rows)

    def backward(
        self, evaluated: Evaluated, *, log_prob: np.ndarray, entropy: float, value: np.ndarray
    ) -> None:
        """Write the gradient of a loss L into `flat.gradient`.

        Args:
            evaluated: the newest result of `evaluate`; it is used up.
            log_prob: (n,), ∂L/∂ log π(a_i|s_i).
            entropy: ∂L/∂ of the mean entropy.
            value: (n,), ∂L/∂V(s_i).
        """
        delta = evaluated.rows.delta
        evaluated.actions.backward(log_prob, entropy, delta[:, :-1])
        delta[:, -1] = value
        evaluated.rows.backward()

    def _forward(self, observations: np.ndarray) -> Pass:
        """Run both nets on observations: flattened, or one-hot where the space is Discrete."""
        rows = self._network.rows(len(observations))
        if self._one_hot:
            states = observations.reshape(-1).astype(np.int64, copy=False)
            if states.min() < 0:
                raise ValueError(f"A state of a Discrete space is at least 0: received {states.min()}.")
            rows.observations.fill(0)
            rows.observations[np.arange(len(states)), states] = 1
        else:
            rows.observations[:] = observations.reshape(rows.observations.shape)
        rows.forward()
        return rows


def _linear(net: Module, head: Module) -> list[Linear]:
    return [layer for layer in (*net.children(), head) if isinstance(layer, Linear)]
