"""SB3's PPO and A2C on small networks, with the gradients derived by hand and computed in numpy.

One minibatch of a small network is hardly any arithmetic; on a CPU torch's bookkeeping takes ten times as
long. Here a policy's parameters are views of one vector (`flat`), both nets are one pass of numpy calls
(`network`), the distributions and the losses know their own derivatives (`actions`, `update`), and one call
changes all parameters (`optimizers`). `kernel` puts these together for a policy, `on_policy` collects
rollouts by it, and `models` are the algorithms. `support` says what is left to SB3.
"""

from tuning.fast_ppo.models import FastA2C, FastPPO

__all__ = ["FastA2C", "FastPPO"]
