"""Small environments that misbehave on request; importing the package registers them."""

import os
import signal
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Fault(gym.Env):
    """Reward is minus the distance between action and observation; `fault` says what goes wrong, and when.

    `fault`: none, raise, exit (SystemExit), nan (reward), or die (SIGKILL to the own process). `after` counts
    the steps of this env object. With `tickets`, a folder, each fault uses up one of its files.
    """

    def __init__(self, *, fault: str = "none", after: int = 50, tickets: str | None = None):
        self.fault, self.after, self.tickets = fault, after, tickets
        self.steps = 0
        self.observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1.0, 1.0, (1,)).astype(np.float32)
        return self.state, {}

    def step(self, action):
        self.steps += 1
        reward = -float(abs(action[0] - self.state[0]))
        if self.steps == self.after and self._due():
            if self.fault == "raise":
                raise RuntimeError("the simulator lost <b>contact</b>")
            if self.fault == "exit":
                raise SystemExit(7)
            if self.fault == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.fault == "nan":
                reward = float("nan")
        self.state = self.np_random.uniform(-1.0, 1.0, (1,)).astype(np.float32)
        return self.state, reward, False, False, {}

    def _due(self):
        if self.tickets is None:
            return self.fault != "none"
        for ticket in Path(self.tickets).iterdir():
            try:
                ticket.unlink()
            except FileNotFoundError:
                continue  # another env was faster
            return True
        return False


gym.register("Edgewise/Fault-v0", entry_point=Fault, max_episode_steps=10)
