"""The working memory of a network."""

import weakref

import pytest
import torch
from torch.nn import Linear

from tuning.fast_ppo.flat import FlatParameters
from tuning.fast_ppo.network import Network, side_by_side


@pytest.fixture
def network():
    levels = side_by_side([Linear(3, 4), Linear(4, 2)], [Linear(3, 4), Linear(4, 1)])
    return Network(levels, FlatParameters([p for level in levels for p in level.parameters]), "tanh")


def test_memory_of_a_size_is_used_again(network):
    first, other = network.rows(4), network.rows(64)
    assert network.rows(4) is first
    assert network.rows(64) is other


def test_memory_is_kept_for_few_sizes(network):
    made = [weakref.ref(network.rows(n)) for n in range(1, 101)]
    assert 1 <= sum(memory() is not None for memory in made) <= 16


def test_a_pass_computes_what_torch_computes(network):
    levels = side_by_side([Linear(3, 4), Linear(4, 2)], [Linear(3, 1)])
    network = Network(levels, FlatParameters([p for level in levels for p in level.parameters]), "relu")
    rows = network.rows(5)
    x = torch.randn(5, 3)
    rows.observations[:] = x.numpy()
    (hidden,), (head, values) = levels[0].layers, levels[1].layers
    expected = torch.cat([head(torch.relu(hidden(x))), values(x)], dim=1)
    assert torch.allclose(torch.from_numpy(rows.forward()), expected, atol=1e-6)
