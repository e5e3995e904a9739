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

from tuning.fast_ppo.flat import FlatParameters

Activation = Literal["tanh", "relu"]


@dataclass(frozen=True)
class Level:
    """One layer of each net that reaches down to here."""

    layers: tuple[Linear, ...]  # of the policy, of the value net, or one of each
    reads: tuple[slice | None, ...]  # columns of the level below, for each layer; None: the observations

    @property
    def width(self) -> int:
        """Units of both nets together."""
        return sum(layer.out_features for layer in self.layers)

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
    """Both nets, on the memory of their parameters. Makes the working memory for any number of rows."""

    def __init__(self, levels: Sequence[Level], flat: FlatParameters, activation: Activation) -> None:
        self.levels = [_BoundLevel(level, flat) for level in levels]
        self.activation = activation
        self.n_inputs = levels[0].layers[0].in_features
        self._passes: dict[int, Pass] = {}

    def rows(self, n: int) -> "Pass":
        """Return the working memory for n rows. It is made once for each n that occurs."""
        if n not in self._passes:
            self._passes[n] = Pass(self, n)
        return self._passes[n]


@dataclass(frozen=True)
class _Product:
    weight: np.ndarray  # (n_out, n_in)
    gradient: np.ndarray  # (n_out, n_in)
    reads: slice | None  # as in Level
    writes: slice  # columns of its own level


class _BoundLevel:
    def __init__(self, level: Level, flat: FlatParameters) -> None:
        self.width = level.width
        self.bias = flat.block(level.layers[0].bias, level.layers[-1].bias)
        self.products: list[_Product] = []
        pairs = list(zip(level.layers, level.reads, strict=True))
        groups = [pairs] if all(reads is None for reads in level.reads) else [[pair] for pair in pairs]
        column = 0
        for group in groups:
            block = flat.block(group[0][0].weight, group[-1][0].weight)
            shape = (sum(layer.out_features for layer, _ in group), group[0][0].in_features)
            writes = slice(column, column + shape[0])
            self.products.append(
                _Product(block.values.reshape(shape), block.gradient.reshape(shape), group[0][1], writes)
            )
            column = writes.stop


class Pass:
    """A forward and a backward pass over n rows.

    Attributes:
        observations: (n, n_inputs), read by `forward` and by `backward`.
        output: (n, k + 1), the heads: k columns of the policy, one value. The next `forward` overwrites it.
        delta: (n, k + 1), ∂L/∂output, read by `backward`.
    """

    def __init__(self, network: Network, n: int) -> None:
        self.observations = np.zeros((n, network.n_inputs), np.float32)
        units = [np.zeros((n, level.width), np.float32) for level in network.levels]
        deltas = [np.zeros_like(u) for u in units]
        self.output, self.delta = units[-1], deltas[-1]
        self._activation = network.activation
        self._ones = np.ones(n, np.float32)
        # All views are made here, once: for small minibatches a slice costs as much as a product.
        self._up, self._down = [], []
        for i, level in enumerate(network.levels):
            h, delta = units[i], deltas[i]
            inputs = [
                self.observations if p.reads is None else units[i - 1][:, p.reads] for p in level.products
            ]
            outputs = [h[:, p.writes] for p in level.products]
            parts = [delta[:, p.writes] for p in level.products]
            self._up.append(
                (
                    [(x, p.weight.T, y) for x, p, y in zip(inputs, level.products, outputs, strict=True)],
                    (h, level.bias.values),
                )
            )
            self._down.append(
                (
                    [(d.T, x, p.gradient) for d, x, p in zip(parts, inputs, level.products, strict=True)],
                    (self._ones, delta, level.bias.gradient),
                    [
                        (d, p.weight, deltas[i - 1][:, p.reads])
                        for d, p in zip(parts, level.products, strict=True)
                        if p.reads is not None
                    ],
                    (units[i - 1], deltas[i - 1]) if i else None,
                )
            )
        self._down.reverse()

    def forward(self) -> np.ndarray:
        """Compute `output` from `observations`, and return it."""
        for products, (h, bias) in self._up:
            for x, weight, y in products:
                np.matmul(x, weight, out=y)
            np.add(h, bias, out=h)
            if h is self.output:
                break
            if self._activation == "tanh":
                np.tanh(h, out=h)
            else:
                np.maximum(h, 0, out=h)
        return self.output

    def backward(self) -> None:
        """Write the gradient of all weights and biases, from `delta`. Uses up the units of `forward`."""
        for products, biases, back, below in self._down:
            for delta, x, gradient in products:
                np.matmul(delta, x, out=gradient)
            np.matmul(biases[0], biases[1], out=biases[2])
            if below is None:
                return
            for delta, weight, out in back:
                np.matmul(delta, weight, out=out)
            h, delta = below
            if self._activation == "tanh":
                np.multiply(h, h, out=h)
                np.subtract(1, h, out=h)
            else:
                np.sign(h, out=h)  # h is never negative
            np.multiply(delta, h, out=delta)
