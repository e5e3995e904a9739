import subprocess
import sys

import torch

from tuning.eager import leave_compiler_out

CHILD = """
import sys
import torch
from tuning.policy import build_model, policy_arrays
from tuning.spec_parts import EnvSpec
from tuning.training import make_envs

arguments = {"policy_kwargs": {"net_arch": [4]}, "n_steps": 8, "batch_size": 4}
env = make_envs(EnvSpec(id="CartPole-v1"), 1, seed=0)
plain = build_model("PPO", "MlpPolicy", env, arguments, seed=0)
plain.policy.optimizer.load_state_dict(plain.policy.optimizer.state_dict())
plain.policy.optimizer.zero_grad()
fast = build_model("PPO", "MlpPolicy", env, arguments, seed=0, trainer="auto")
fast.learn(16)
assert policy_arrays(fast.policy)
assert "torch._dynamo" not in sys.modules, "the compiler was imported"
"""


def test_models_are_built_and_the_fast_trainer_runs_without_the_compiler():
    subprocess.run([sys.executable, "-W", "ignore", "-c", CHILD], check=True, timeout=180)


def test_the_marked_methods_are_still_torchs_own():
    leave_compiler_out()
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    assert optimizer.param_groups[0]["lr"] == 0.1
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert set(optimizer.state_dict()["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    optimizer.zero_grad()
    assert layer.weight.grad is None
