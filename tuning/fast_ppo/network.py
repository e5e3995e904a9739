"""The policy net and the value net of an actor-critic, forward and backward, in numpy.

A layer maps h to φ(h Wᵀ + b). With δ = ∂L/∂(h Wᵀ + b), for the loss L of a minibatch, the chain rule gives

    ∂L/∂W = δᵀ h        ∂L/∂b = Σ_i δ_i        ∂L/∂h = δ W

and one layer further down δ is ∂L/∂h ⊙ φ', where φ' follows from that layer's own output h: 1 - h² for
tanh, [h > 0] for relu.

Small nets spend their time in calls, not in arithmetic. So both nets are computed side by side: a level
holds one layer of each, its units in the columns of one array, with one addition of the biases and one
activation for both. The heads make up the top level. Two layers that read the observations are a single
product, as their weights lie next to each other in memory.

Source: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", Nature 323, 1986.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor
from torch.nn import Linear

from tuning.fast_ppo.flat import Block, FlatParameters

Activation = Literal["tanh", "relu"]

_MAX_PASSES = 16  # with working memory at a time


@dataclass(frozen=True)
class Level:
    """One layer of each net that reaches down to here."""

    layers: tuple[Linear, ...]  # of the policy, of the value net, or one of each
    reads: tuple[slice | None, ...]  # columns of the level below, for each layer; None: the observations

    @property
    def parameters(self) -> list[Tensor]:
        """Weights, then biases."""
        return [layer.weight for layer in self.layers] + [layer.bias for layer in self.layers]


def side_by_side(policy_net: Sequence[Linear], value_net: Sequence[Linear]) -> tuple[Level, ...]:
    """Arrange the layers of two nets, heads included, in levels that are aligned at the heads."""
    levels: list[Level] = []
    height = max(len(policy_net), len(value_net))
    for i in range(height):
        layers, reads = [], []
        for net in (policy_net, value_net):
            position = i - (height - len(net))
            if position >= 0:
                layers.append(net[position])
                reads.append(_columns(levels[-1], net[position - 1]) if position else None)
        levels.append(Level(tuple(layers), tuple(reads)))
    return tuple(levels)


def _columns(level: Level, layer: Linear) -> slice:
    start = 0 if layer is level.layers[0] else level.layers[0].out_features
    return slice(start, start + layer.out_features)


class Network:
    """Both nets, on the memory of their parameters."""

    def __init__(self, levels: Sequence[Level], flat: FlatParameters, activation: Activation) -> None:
        self.levels = [_bound(level, flat) for level in levels]
        self.activation = activation
        self.n_inputs = levels[0].layers[0].in_features
        self._passes: dict[int, Pass] = {}

    def rows(self, n: int) -> "Pass":
        """Return working memory for n rows; it is kept for the few n that training has."""
        if n not in self._passes:
            if len(self._passes) == _MAX_PASSES:
                self._passes.clear()
            self._passes[n] = Pass(self, n)
        return self._passes[n]


@dataclass(frozen=True)
class _Product:
    """h Wᵀ of one layer, or of two that read the same."""

    weight: np.ndarray  # (n_out, n_in)
    gradient: np.ndarray  # (n_out, n_in)
    reads: slice | None  # as in Level
    writes: slice  # columns of its own level


@dataclass(frozen=True)
class _BoundLevel:
    products: tuple[_Product, ...]
    bias: Block


def _bound(level: Level, flat: FlatParameters) -> _BoundLevel:
    """Find a level's parameters in the vector."""
    pairs = list(zip(level.layers, level.reads, strict=True))
    groups = [pairs] if all(reads is None for reads in level.reads) else [[pair] for pair in pairs]
    products: list[_Product] = []
    for group in groups:
        (first, reads), (last, _) = group[0], group[-1]
        weights = flat.block(first.weight, last.weight)
        shape = (-1, first.in_features)
        start = products[-1].writes.stop if products else 0
        writes = slice(start, start + sum(layer.out_features for layer, _ in group))
        views = weights.values.reshape(shape), weights.gradient.reshape(shape)
        products.append(_Product(*views, reads=reads, writes=writes))
    return _BoundLevel(tuple(products), flat.block(level.layers[0].bias, level.layers[-1].bias))


class Pass:
    """A forward and a backward pass over n rows.

    Attributes:
        observations: (n, n_inputs), read by `forward` and by `backward`.
        output: (n, k + 1), the heads: k columns of the policy, one value. The next `forward` overwrites it.
        delta: (n, k + 1), ∂L/∂output, read by `backward`.
    """

    def __init__(self, network: Network, n: int) -> None:
        self.observations = np.zeros((n, network.n_inputs), np.float32)
        self._levels: list[_LevelPass] = []
        for level in network.levels:
            below = self._levels[-1] if self._levels else None
            self._levels.append(_LevelPass(level, below, self.observations))
        self._is_tanh = network.activation == "tanh"
        self.output, self.delta = self._levels[-1].units, self._levels[-1].delta

    def forward(self) -> np.ndarray:
        """Compute `output` from `observations`, and return it."""
        for level in self._levels:
            level.forward()
            if level.units is not self.output:
                self._activate(level)
        return self.output

    def backward(self) -> None:
        """Write the gradient of all weights and biases, from `delta`. Uses up the units of `forward`."""
        for level in reversed(self._levels):
            if level.units is not self.output:
                self._differentiate(level)
                np.multiply(level.delta, level.units, out=level.delta)
            level.backward()

    def _activate(self, level: "_LevelPass") -> None:
        """Replace a by φ(a)."""
        h = level.units
        if self._is_tanh:
            np.tanh(h, out=h)
        else:
            np.maximum(h, level.zeros, out=h)  # faster than with a single zero

    def _differentiate(self, level: "_LevelPass") -> None:
        """Replace φ(a) by φ'(a)."""
        h = level.units
        if self._is_tanh:
            np.multiply(h, h, out=h)
            np.subtract(1, h, out=h)
        else:
            np.greater(h, 0, out=h, casting="unsafe")  # as 0 and 1


class _LevelPass:
    """One level for n rows. All views are made here, once: a slice costs as much as a small product."""

    def __init__(self, level: _BoundLevel, below: "_LevelPass | None", observations: np.ndarray) -> None:
        n, width = len(observations), len(level.bias.values)
        self.units = np.zeros((n, width), np.float32)  # before the activation, then after it, then φ'
        self.delta = np.zeros((n, width), np.float32)  # ∂L/∂units
        self.zeros = np.zeros((n, width), np.float32)
        self._bias = level.bias
        self._ones = np.ones(n, np.float32)
        self._forward, self._weights, self._below = [], [], []
        for product in level.products:
            units, delta = self.units[:, product.writes], self.delta[:, product.writes]
            if product.reads is None:
                h = observations
            else:
                assert below is not None
                h = below.units[:, product.reads]
                self._below.append((delta, product.weight, below.delta[:, product.reads]))
            self._forward.append((h, product.weight.T, units))
            self._weights.append((delta.T, h, product.gradient))

    def forward(self) -> None:
        """Compute h Wᵀ + b."""
        for h, weight, units in self._forward:
            np.matmul(h, weight, out=units)
        np.add(self.units, self._bias.values, out=self.units)

    def backward(self) -> None:
        """Compute ∂L/∂W, ∂L/∂b, and ∂L/∂h for the level below."""
        for delta, h, gradient in self._weights:
            np.matmul(delta, h, out=gradient)
        np.matmul(self._ones, self.delta, out=self._bias.gradient)
        for delta, weight, out in self._below:
            np.matmul(delta, weight, out=out)
