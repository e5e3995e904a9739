"""A person's own environments, as small as they can be; importing the package registers them."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Target(gym.Env):
    """Move a point to the origin; the return is minus the distance covered on the way."""

    def __init__(self, *, size: float = 1.0):
        self.size = size
        self.observation_space = spaces.Box(-2.0, 2.0, (1,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = self.np_random.uniform(-self.size, self.size, (1,)).astype(np.float32)
        return self.position.copy(), {}

    def step(self, action):
        self.position = np.clip(self.position + 0.2 * np.asarray(action, np.float32), -2.0, 2.0)
        return self.position.copy(), -float(abs(self.position[0])), False, False, {}


class Boxes(Target):
    """Cannot be learnt by PPO: its actions are a tuple."""

    def __init__(self):
        super().__init__()
        self.action_space = spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3)))


class Sensors(Target):
    """Observes a dict and counts its actions from 1."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Dict({"position": spaces.Box(-2.0, 2.0, (1,), np.float32)})
        self.action_space = spaces.Discrete(2, start=1)


class Broken(Target):
    """Fails in its constructor."""

    def __init__(self):
        raise RuntimeError("the simulator is not running")


print("edgewise_test_envs says hello on stdout, as many packages do")
gym.register("EdgewiseTarget-v0", entry_point=Target, max_episode_steps=20)
gym.register("EdgewiseTarget-v1", entry_point=Target, max_episode_steps=20, reward_threshold=-1)
gym.register("edgewise/Boxes-v0", entry_point="edgewise_test_envs:Boxes", max_episode_steps=20)
gym.register("edgewise/Sensors-v0", entry_point="edgewise_test_envs:Sensors", max_episode_steps=20)
gym.register("edgewise/Broken-v0", entry_point="edgewise_test_envs:Broken", max_episode_steps=20)
gym.register("edgewise/Gone-v0", entry_point="a_module_that_is_not_there:Env")
