"""Models that somebody altered after they were made, or in the middle of training, are left to SB3's code.

After each alteration training gives SB3's numbers to the last bit.
"""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.logger import Logger
from torch import nn

from tuning.fast_ppo import FastA2C, FastPPO

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

N_UNITS, N_ACTIONS = 8, 2
ACTION = spaces.Box(-1.0, 1.0, (N_ACTIONS,), np.float32)


def renew_optimizer(policy):
    policy.optimizer = torch.optim.Adam(policy.parameters(), lr=1e-3, eps=1e-5)


def layer_norm(policy):
    net = policy.mlp_extractor.policy_net
    policy.mlp_extractor.policy_net = nn.Sequential(net[0], nn.LayerNorm(N_UNITS), *net[1:])
    renew_optimizer(policy)


def layer_norm_without_weights(policy):
    norm = nn.LayerNorm(N_UNITS, elementwise_affine=False)
    policy.mlp_extractor.policy_net = nn.Sequential(*policy.mlp_extractor.policy_net, norm)


def gelu(policy):
    policy.mlp_extractor.policy_net[1] = nn.GELU()


def one_activation_less(policy):
    del policy.mlp_extractor.policy_net[3]


def spectral_norm(policy):
    policy.action_net = nn.utils.spectral_norm(policy.action_net)


def parametrized_spectral_norm(policy):
    policy.action_net = nn.utils.parametrizations.spectral_norm(policy.action_net)
    renew_optimizer(policy)


def deeper_action_net(policy):
    policy.action_net = nn.Sequential(nn.Linear(N_UNITS, 5), nn.ReLU(), nn.Linear(5, N_ACTIONS))
    renew_optimizer(policy)


def no_bias(policy):
    policy.action_net = nn.Linear(N_UNITS, N_ACTIONS, bias=False)
    renew_optimizer(policy)


def no_bias_inside(policy):
    policy.mlp_extractor.value_net[0] = nn.Linear(3, N_UNITS, bias=False)
    renew_optimizer(policy)


def shared_networks(policy):
    policy.mlp_extractor.value_net = policy.mlp_extractor.policy_net
    renew_optimizer(policy)


def shared_layer(policy):
    policy.mlp_extractor.value_net[0] = policy.mlp_extractor.policy_net[0]
    renew_optimizer(policy)


def frozen(policy):
    for parameter in policy.mlp_extractor.policy_net.parameters():
        parameter.requires_grad_(False)


def frozen_spread(policy):
    policy.log_std.requires_grad_(False)


def groups(policy):
    nets = [*policy.mlp_extractor.parameters()]
    rest = [policy.log_std, *policy.action_net.parameters(), *policy.value_net.parameters()]
    policy.optimizer = torch.optim.Adam([{"params": nets, "betas": (0.5, 0.9)}, {"params": rest}], lr=1e-3)


def part_of_the_parameters(policy):
    policy.optimizer = torch.optim.Adam([*policy.mlp_extractor.parameters()], lr=1e-3)


def foreign_parameter(policy):
    own = [p for p in policy.parameters() if p is not policy.log_std]
    policy.optimizer = torch.optim.Adam([*own, nn.Parameter(torch.zeros(2))], lr=1e-3)


ALTERATIONS = (
    layer_norm,
    layer_norm_without_weights,
    gelu,
    one_activation_less,
    spectral_norm,
    parametrized_spectral_norm,
    deeper_action_net,
    no_bias,
    no_bias_inside,
    shared_networks,
    shared_layer,
    frozen,
    frozen_spread,
    groups,
    part_of_the_parameters,
    foreign_parameter,
)


def another_optimizer(policy):
    policy.optimizer = torch.optim.SGD(policy.parameters(), lr=1e-3, momentum=0.5)


def weight_decay(policy):
    policy.optimizer.param_groups[0]["weight_decay"] = 0.1


def maximize(policy):
    policy.optimizer.param_groups[0]["maximize"] = True


def unequal_steps(policy):
    policy.optimizer.state[policy.action_net.weight]["step"] += 7


# Each takes over the moments that our optimiser has left, or gives a network another layer by then.
ALTERATIONS_IN_BETWEEN = (another_optimizer, weight_decay, maximize, unequal_steps, frozen, gelu)


@pytest.fixture
def new(build, toy_envs):
    def make(cls):
        arguments = {"batch_size": 8, "n_epochs": 2} if issubclass(cls, PPO) else {"use_rms_prop": False}
        policy = {"net_arch": [N_UNITS, N_UNITS]}
        return build(cls, toy_envs(action=ACTION), n_steps=8, spread=1.0, policy_kwargs=policy, **arguments)

    return make


@pytest.fixture
def learn(toy_envs, weights):
    """Train on fresh envs with known random numbers, and return the weights."""

    def run(model, *, seed):
        model.set_env(toy_envs(action=ACTION, seed=seed))
        torch.manual_seed(seed)
        np.random.seed(seed)
        model.learn(48, reset_num_timesteps=False)
        return weights(model)

    return run


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_altered_before_training(alter, new, learn):
    theirs, ours = new(PPO), new(FastPPO)
    assert ours.why_not_fast is None
    for model in (theirs, ours):
        torch.manual_seed(9)  # some alterations draw weights
        alter(model.policy)
    assert ours.why_not_fast
    np.testing.assert_array_equal(learn(ours, seed=1), learn(theirs, seed=1))


@pytest.mark.parametrize("classes", [(PPO, FastPPO), (A2C, FastA2C)], ids=["ppo", "a2c"])
@pytest.mark.parametrize("alter", ALTERATIONS_IN_BETWEEN, ids=lambda alter: alter.__name__)
def test_altered_in_between(alter, classes, new, learn, tmp_path):
    ours = new(classes[1])
    learn(ours, seed=1)
    assert ours.why_not_fast is None
    ours.save(tmp_path / "model.zip")
    theirs = classes[0].load(tmp_path / "model.zip", device="cpu")
    theirs.set_logger(Logger(None, []))
    for model in (theirs, ours):
        alter(model.policy)
    np.testing.assert_array_equal(learn(ours, seed=2), learn(theirs, seed=2))
    assert ours.why_not_fast


def test_what_is_restored_is_fast_again(new, learn, assert_equal_norm):
    theirs, ours = new(PPO), new(FastPPO)
    learn(theirs, seed=1)
    learn(ours, seed=1)
    reasons = []
    for decay in (0.1, 0.0):
        for model in (theirs, ours):
            model.policy.optimizer.param_groups[0]["weight_decay"] = decay
        results = [learn(model, seed=2) for model in (ours, theirs)]
        reasons.append(ours.why_not_fast)
    assert reasons == ["the optimiser uses weight_decay", None]
    assert_equal_norm(*results, rtol=1e-5)
