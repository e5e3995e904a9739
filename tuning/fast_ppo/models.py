"""`FastPPO` and `FastA2C`: SB3's algorithms with another engine."""

import numpy as np
from stable_baselines3 import A2C, PPO

from tuning.fast_ppo.on_policy import FastOnPolicy
from tuning.fast_ppo.update import Clipping, Coefficients, update_a2c, update_ppo


class FastPPO(FastOnPolicy, PPO):
    """SB3's PPO, several times faster on the CPU for policies of small networks.

    Everything that SB3 promises holds: arguments, callbacks, logs, files, and, up to the rounding of 32-bit
    floats, the result of a seed. `why_not_fast` says where SB3's own code runs instead.
    """

    def train(self) -> None:
        """Update the policy from the rollout buffer; logs what SB3 logs."""
        kernel = self.kernel()
        if kernel is None:
            super().train()
            return
        self._update_learning_rate(self.policy.optimizer)
        progress = self._current_progress_remaining
        clip_range = self.clip_range(progress)  # type: ignore[operator] # SB3 makes it a schedule
        clip_range_vf = None if self.clip_range_vf is None else self.clip_range_vf(progress)  # type: ignore[operator]
        with np.errstate(all="ignore"):  # as silent as torch
            diagnostics = update_ppo(
                kernel,
                lambda: next(self.rollout_buffer.get()),
                n_epochs=self.n_epochs,
                batch_size=self.batch_size,
                coefficients=Coefficients(
                    self.ent_coef, self.vf_coef, self.max_grad_norm, self.normalize_advantage
                ),
                clipping=Clipping(clip_range, clip_range_vf, self.target_kl),
            )
        self._n_updates += diagnostics.n_epochs
        self._record(**diagnostics.records())
        self.logger.record("train/clip_range", clip_range)
        if clip_range_vf is not None:
            self.logger.record("train/clip_range_vf", clip_range_vf)
        self._check_weights(kernel)


class FastA2C(FastOnPolicy, A2C):
    """SB3's A2C by the same kernel; see `FastPPO`."""

    def train(self) -> None:
        """Update the policy from the rollout buffer; logs what SB3 logs."""
        kernel = self.kernel()
        if kernel is None:
            super().train()
            return
        self._update_learning_rate(self.policy.optimizer)
        with np.errstate(all="ignore"):  # as silent as torch
            diagnostics = update_a2c(
                kernel,
                next(self.rollout_buffer.get()),
                Coefficients(self.ent_coef, self.vf_coef, self.max_grad_norm, self.normalize_advantage),
            )
        self._n_updates += 1
        self._record(
            entropy_loss=diagnostics.entropy_loss,
            policy_loss=diagnostics.policy_loss,
            value_loss=diagnostics.value_loss,
        )
        self._check_weights(kernel)
