"""Gradients against autograd: losses written anew here in float64, on random shapes and numbers.

The gradient is read where SB3 keeps it: with beta1 = 0, Adam's first moment is the newest gradient. RMSprop's
second moment is its square.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.nn import functional

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

SEEDS = range(30)
UNCLIPPED = 1e9
GRADIENT_RTOL = 2e-6  # of the norm; float32's own rounding is 6e-8 an operation


@dataclass(frozen=True)
class Draw:
    """One random problem."""

    observation: spaces.Space
    action: spaces.Space
    policy_kwargs: dict[str, Any]
    rows: int
    loss: dict[str, Any]  # PPO's arguments; A2C takes those it knows


def draw(seed: int) -> Draw:
    random = np.random.default_rng([seed, 77])
    width = int(random.integers(1, 7))
    observation = random.choice(["box", "matrix", "discrete"])
    nets = [[int(n) for n in random.integers(1, 20, size=random.integers(0, 4))] for _ in range(2)]
    return Draw(
        observation={
            "box": spaces.Box(-np.inf, np.inf, (width,), np.float32),
            "matrix": spaces.Box(-np.inf, np.inf, (2, width), np.float64),
            "discrete": spaces.Discrete(width + 1),
        }[observation],
        action=(
            spaces.Discrete(int(random.integers(2, 8)))
            if random.random() < 0.5
            else spaces.Box(-1.0, 1.0, (int(random.integers(1, 5)),), np.float32)
        ),
        policy_kwargs={
            "net_arch": {"pi": nets[0], "vf": nets[1]},
            "activation_fn": torch.nn.Tanh if random.random() < 0.5 else torch.nn.ReLU,
        },
        rows=int(random.integers(2, 48)),
        loss={
            "clip_range": float(random.uniform(0.02, 0.5)),
            "clip_range_vf": float(random.uniform(0.05, 0.5)) if random.random() < 0.5 else None,
            "normalize_advantage": bool(random.random() < 0.5),
            "ent_coef": float(random.choice([0.0, random.uniform(0, 2)])),
            "vf_coef": float(random.choice([0.0, random.uniform(0.1, 2)])),
        },
    )


@pytest.fixture
def trained(build, toy_envs, fill, weights):
    """A model that has made one update, its parameters before it, and the buffer it learnt from."""

    def run(cls, problem, *, seed, max_grad_norm=UNCLIPPED, **arguments):
        model = build(
            cls,
            toy_envs(problem.observation, problem.action, n_envs=1),
            n_steps=problem.rows,
            max_grad_norm=max_grad_norm,
            spread=1.0,
            **arguments,
        )
        assert model.why_not_fast is None
        fill(model, seed=seed)
        before = {k: v.detach().clone().double() for k, v in model.policy.named_parameters()}
        model.train()
        return model, before

    return run


def evaluated(parameters, problem, buffer):
    """Return values, log-probabilities and entropies of the rows, shape (rows,), from first principles."""
    rows = torch.as_tensor(buffer.observations).reshape(problem.rows, -1)
    if isinstance(problem.observation, spaces.Discrete):
        x = functional.one_hot(rows.long().flatten(), int(problem.observation.n)).double()
    else:
        x = rows.float().double()
    outputs = []
    for net, head in (("policy_net", "action_net"), ("value_net", "value_net")):
        h, layer = x, 0
        while (name := f"mlp_extractor.{net}.{layer}.weight") in parameters:
            h = h @ parameters[name].T + parameters[name.replace("weight", "bias")]
            h = torch.tanh(h) if problem.policy_kwargs["activation_fn"] is torch.nn.Tanh else h.clamp(min=0)
            layer += 2
        outputs.append(h @ parameters[f"{head}.weight"].T + parameters[f"{head}.bias"])
    scores, values = outputs[0], outputs[1].flatten()
    actions = torch.as_tensor(buffer.actions).reshape(problem.rows, -1)
    if isinstance(problem.action, spaces.Discrete):
        logs = scores - torch.logsumexp(scores, dim=1, keepdim=True)
        return values, logs.gather(1, actions.long()).flatten(), -(logs.exp() * logs).sum(dim=1)
    log_std = parameters["log_std"]
    z = (actions.double() - scores) / log_std.exp()
    log_prob = (-0.5 * z**2 - log_std - 0.5 * np.log(2 * np.pi)).sum(dim=1)
    return values, log_prob, (0.5 + 0.5 * np.log(2 * np.pi) + log_std).sum().expand(problem.rows)


def column(buffer, name):
    return torch.as_tensor(getattr(buffer, name)).double().flatten()


def advantages_of(buffer, *, normalised):
    a = column(buffer, "advantages")
    return (a - a.mean()) / (a.std() + 1e-8) if normalised else a


def ppo_loss(parameters, problem, buffer):
    p = problem.loss
    values, log_prob, entropy = evaluated(parameters, problem, buffer)
    a, clip = advantages_of(buffer, normalised=p["normalize_advantage"]), p["clip_range"]
    ratio = torch.exp(log_prob - column(buffer, "log_probs"))
    surrogate = torch.where(a > 0, torch.clamp(ratio, max=1 + clip), torch.clamp(ratio, min=1 - clip)) * a
    if p["clip_range_vf"] is not None:
        old = column(buffer, "values")
        values = old + torch.clamp(values - old, -p["clip_range_vf"], p["clip_range_vf"])
    errors = (values - column(buffer, "returns")) ** 2
    return -surrogate.mean() - p["ent_coef"] * entropy.mean() + p["vf_coef"] * errors.mean()


def a2c_loss(parameters, problem, buffer):
    p = problem.loss
    values, log_prob, entropy = evaluated(parameters, problem, buffer)
    a = advantages_of(buffer, normalised=p["normalize_advantage"])
    errors = (values - column(buffer, "returns")) ** 2
    return -(a * log_prob).mean() - p["ent_coef"] * entropy.mean() + p["vf_coef"] * errors.mean()


def gradient(loss, parameters, problem, buffer):
    leaves = {k: v.clone().requires_grad_() for k, v in parameters.items()}
    gradients = torch.autograd.grad(loss(leaves, problem, buffer), list(leaves.values()), allow_unused=True)
    flat = [torch.zeros_like(v) if g is None else g for g, v in zip(gradients, leaves.values(), strict=True)]
    return torch.cat([g.flatten() for g in flat]).numpy()


def moment(model, name):
    state = model.get_parameters()["policy.optimizer"]["state"]
    return torch.cat([state[i][name].flatten() for i in range(len(state))]).numpy()


def without_momentum(problem):
    return {**problem.policy_kwargs, "optimizer_kwargs": {"betas": (0.0, 0.999)}}


@pytest.mark.parametrize("seed", SEEDS)
def test_ppo(seed, trained, assert_equal_norm):
    problem = draw(seed)
    arguments = {"n_epochs": 1, "batch_size": 64, "policy_kwargs": without_momentum(problem), **problem.loss}
    model, before = trained(FastPPO, problem, seed=seed, **arguments)
    expected = gradient(ppo_loss, before, problem, model.rollout_buffer)
    assert_equal_norm(moment(model, "exp_avg"), expected, rtol=GRADIENT_RTOL)
    np.testing.assert_allclose(
        moment(model, "exp_avg"), expected, rtol=1e-4, atol=2e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a2c(seed, trained, assert_equal_norm):
    problem = draw(1_000 + seed)
    loss = {k: v for k, v in problem.loss.items() if not k.startswith("clip")}
    adam = {"use_rms_prop": False, "policy_kwargs": without_momentum(problem)}
    model, before = trained(FastA2C, problem, seed=seed, **adam, **loss)
    expected = gradient(a2c_loss, before, problem, model.rollout_buffer)
    assert_equal_norm(moment(model, "exp_avg"), expected, rtol=GRADIENT_RTOL)

    rms, _ = trained(FastA2C, problem, seed=seed, policy_kwargs=problem.policy_kwargs, **loss)
    assert_equal_norm(moment(rms, "square_avg"), 0.01 * expected**2, rtol=2 * GRADIENT_RTOL)


@pytest.mark.parametrize("seed", range(4))
def test_the_norm_of_the_whole_gradient_is_clipped(seed, trained, assert_equal_norm):
    problem = draw(seed)
    arguments = {"n_epochs": 1, "batch_size": 64, "policy_kwargs": without_momentum(problem), **problem.loss}
    model, before = trained(FastPPO, problem, seed=seed, max_grad_norm=0.01, **arguments)
    expected = gradient(ppo_loss, before, problem, model.rollout_buffer)
    assert np.linalg.norm(expected) > 0.01
    clipped = expected * 0.01 / (np.linalg.norm(expected) + 1e-6)
    assert_equal_norm(moment(model, "exp_avg"), clipped, rtol=GRADIENT_RTOL)
