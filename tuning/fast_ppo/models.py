"""`FastPPO` and `FastA2C`: SB3's algorithms with another engine."""

from stable_baselines3 import A2C, PPO

from tuning.fast_ppo.kernel import Kernel
from tuning.fast_ppo.on_policy import FastOnPolicy
from tuning.fast_ppo.update import ClippedLoss, Loss, update_a2c, update_ppo


class FastPPO(FastOnPolicy, PPO):
    """SB3's PPO, several times faster on the CPU for policies of small networks.

    Arguments, callbacks, logs and files are SB3's, and each update equals SB3's up to the rounding of 32-bit
    floats, with the same random numbers. Rounding grows: after some thousand steps a run is another one than
    SB3's of the same seed, as on another machine. `why_not_fast` says where SB3's own code runs instead.
    """

    def _update(self, kernel: Kernel) -> dict[str, float]:
        progress = self._current_progress_remaining
        clip_range = self.clip_range(progress)  # type: ignore[operator] # SB3 makes it a schedule
        clip_range_vf = None if self.clip_range_vf is None else self.clip_range_vf(progress)  # type: ignore[operator]
        diagnostics = update_ppo(
            kernel,
            ClippedLoss(
                entropy=self.ent_coef,
                value=self.vf_coef,
                max_grad_norm=self.max_grad_norm,
                normalize_advantage=self.normalize_advantage,
                clip_range=clip_range,
                clip_range_vf=clip_range_vf,
                target_kl=self.target_kl,
            ),
            lambda: next(self.rollout_buffer.get()),
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
        )
        if diagnostics.stopped_at is not None and self.verbose >= 1:
            print(f"Stopped in epoch {diagnostics.n_epochs}: the divergence was {diagnostics.stopped_at:.2f}")
        self._n_updates += diagnostics.n_epochs
        records = diagnostics.records(entropy=self.ent_coef, value=self.vf_coef, clip_range=clip_range)
        records["clip_range"] = clip_range
        if clip_range_vf is not None:
            records["clip_range_vf"] = clip_range_vf
        return records


class FastA2C(FastOnPolicy, A2C):
    """SB3's A2C by the same kernel; see `FastPPO`."""

    def _update(self, kernel: Kernel) -> dict[str, float]:
        self._n_updates += 1
        loss = Loss(
            entropy=self.ent_coef,
            value=self.vf_coef,
            max_grad_norm=self.max_grad_norm,
            normalize_advantage=self.normalize_advantage,
        )
        return update_a2c(kernel, loss, next(self.rollout_buffer.get()))
