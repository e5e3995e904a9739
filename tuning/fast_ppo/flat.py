"""A policy's parameters as one flat vector, which the policy and numpy both see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Block:
    """Neighbouring parameters, as 1-D views of the vector and of its gradient."""

    values: np.ndarray
    gradient: np.ndarray


class FlatParameters:
    """Moves parameters into one vector and leaves each of them as a view of its part.

    Whatever reads or writes the parameters in place (`state_dict`, `load_state_dict`, an optimiser) goes on
    working and acts on the vector. What gives a parameter other memory (`Module.to`, a copy of the policy)
    ends that, and `is_bound` says so.

    Attributes:
        parameters: in the order of their parts.
        tensor: (n,) float32, all values.
        gradient: (n,) float32, to be filled in; nobody else reads it.
    """

    def __init__(self, parameters: Sequence[torch.Tensor]) -> None:
        self.parameters = tuple(parameters)
        self.tensor = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.gradient = torch.zeros_like(self.tensor)
        for p, part in zip(self.parameters, self.split(self.tensor), strict=True):
            p.data = part
        self._starts = tuple(p.storage_offset() * p.element_size() for p in parameters)

    @property
    def is_bound(self) -> bool:
        """Whether every parameter is still a view of the vector."""
        origin = self.tensor.data_ptr()
        return all(p.data_ptr() == origin + i for p, i in zip(self.parameters, self._starts, strict=True))

    def split(self, vector: torch.Tensor) -> list[torch.Tensor]:
        """Return the part of each parameter of a vector like `tensor`, as a view in the parameter's shape."""
        parts = vector.split([p.numel() for p in self.parameters])
        return [part.view(p.shape) for p, part in zip(self.parameters, parts, strict=True)]

    def block(self, first: torch.Tensor, last: torch.Tensor) -> Block:
        """Return the parameters from `first` to `last`, in the order of `parameters`."""
        part = slice(first.storage_offset(), last.storage_offset() + last.numel())
        return Block(self.tensor.numpy()[part], self.gradient.numpy()[part])
