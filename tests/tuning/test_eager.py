import subprocess
import sys

CHILD = """
import sys
import torch
from tuning import environments
from tuning.policy import build_model

env = environments.make("CartPole-v1", {})
model = build_model("PPO", "MlpPolicy", env, {"policy_kwargs": {"net_arch": [4]}}, seed=0)
state = model.policy.optimizer.state_dict()
model.policy.optimizer.zero_grad()
model.policy.optimizer.load_state_dict(state)
assert "torch" in sys.modules
assert "torch._dynamo" not in sys.modules, "the compiler was imported"
"""


def test_a_model_is_built_and_filled_without_the_compiler():
    subprocess.run([sys.executable, "-W", "ignore", "-c", CHILD], check=True, timeout=60)


def test_the_marked_methods_are_still_torchs_own():
    import torch

    from tuning.eager import leave_compiler_out

    leave_compiler_out()
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    assert optimizer.param_groups[0]["lr"] == 0.1
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert set(optimizer.state_dict()["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    optimizer.zero_grad()
    assert layer.weight.grad is None
