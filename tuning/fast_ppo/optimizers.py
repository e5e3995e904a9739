"""Adam and RMSprop on one flat vector, as torch's optimisers do it, on the state that torch's would keep.

The state stays in the policy's own torch optimiser, as views of one vector per moment. So it is saved and
loaded with the model, and torch's code can take over between two updates.

Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; Hinton, lecture 6e of "Neural
networks for machine learning", 2012; where ε and the bias corrections go is torch's choice.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch.optim import Adam, Optimizer, RMSprop

from tuning.fast_ppo.flat import FlatParameters


class FlatOptimizer(ABC):
    """Changes the values of a flat vector by its gradient, in a `with` block that gives `step`."""

    moment_names: ClassVar[tuple[str, ...]]  # as torch's optimiser calls its state

    def __init__(self, optimizer: Optimizer, flat: FlatParameters) -> None:
        self.options: dict[str, Any] = optimizer.param_groups[0]
        self.flat = flat
        self.n_steps = torch.tensor(0.0)
        self.moments = tuple(torch.zeros_like(flat.tensor) for _ in self.moment_names)
        self._states: list[dict[str, Any]] = [optimizer.state[p] for p in flat.parameters]
        self._views: list[dict[str, torch.Tensor]] = [{} for _ in self._states]
        for name, moment in zip(self.moment_names, self.moments, strict=True):
            for state, views, view in zip(self._states, self._views, flat.split(moment), strict=True):
                if name in state:
                    view.copy_(state[name])
                state[name] = views[name] = view
        for state in self._states:
            state.setdefault("step", torch.tensor(0.0))

    def belongs_to(self, optimizer: Optimizer) -> bool:
        """Say whether this is still the state that the torch optimiser keeps: loading gives it another."""
        return optimizer.param_groups[0] is self.options and all(
            optimizer.state[p].get(name) is view
            for p, views in zip(self.flat.parameters, self._views, strict=True)
            for name, view in views.items()
        )

    def __enter__(self) -> Callable[..., None]:
        self.n_steps.copy_(self._states[0]["step"])
        return self.step

    def __exit__(self, *error: object) -> None:
        for state in self._states:  # whatever ended the block, so that moments and steps agree
            state["step"].copy_(self.n_steps)

    @abstractmethod
    def step(self, *, scale: float) -> None:
        """Take one step along the gradient times `scale`."""


class FlatAdam(FlatOptimizer):
    """m ← β₁ m + (1-β₁) g,  v ← β₂ v + (1-β₂) g²,  w ← w - η m / (1-β₁ᵗ) / (√(v / (1-β₂ᵗ)) + ε).

    The arithmetic is that of `torch.optim.Adam(fused=True)`, one pass over the memory. Its operator is called
    directly, as the optimiser's own bookkeeping takes several times as long. It has no public name: another
    torch than the pinned one may want other arguments.
    """

    moment_names = ("exp_avg", "exp_avg_sq")

    def __init__(self, optimizer: Optimizer, flat: FlatParameters) -> None:
        super().__init__(optimizer, flat)
        self._gradient, self._n_steps = flat.gradient.numpy(), self.n_steps.numpy()

    def step(self, *, scale: float) -> None:
        """See `FlatOptimizer`."""
        if scale != 1:
            np.multiply(self._gradient, scale, out=self._gradient)
        np.add(self._n_steps, 1, out=self._n_steps)
        mean, mean_square = self.moments
        torch._fused_adam_(
            [self.flat.tensor],
            grads=[self.flat.gradient],
            exp_avgs=[mean],
            exp_avg_sqs=[mean_square],
            max_exp_avg_sqs=[],
            state_steps=[self.n_steps],
            lr=self.options["lr"],
            beta1=self.options["betas"][0],
            beta2=self.options["betas"][1],
            weight_decay=0.0,
            eps=self.options["eps"],
            amsgrad=False,
            maximize=False,
        )


class FlatRMSprop(FlatOptimizer):
    """v ← α v + (1-α) g²,  w ← w - η g / (√v + ε)."""

    moment_names = ("square_avg",)

    def __init__(self, optimizer: Optimizer, flat: FlatParameters) -> None:
        super().__init__(optimizer, flat)
        self._values, self._gradient = flat.tensor.numpy(), flat.gradient.numpy()
        self._mean_square = self.moments[0].numpy()

    def step(self, *, scale: float) -> None:
        """See `FlatOptimizer`."""
        g, v, alpha = self._gradient, self._mean_square, self.options["alpha"]
        if scale != 1:
            np.multiply(g, scale, out=g)
        np.multiply(v, alpha, out=v)
        np.add(v, (1 - alpha) * g * g, out=v)
        np.subtract(
            self._values, self.options["lr"] * g / (np.sqrt(v) + self.options["eps"]), out=self._values
        )
        self.n_steps += 1


def flat_optimizer(optimizer: Optimizer, flat: FlatParameters) -> FlatOptimizer:
    """Return the flat counterpart of a policy's optimiser, with its state."""
    kinds: dict[type[Optimizer], type[FlatOptimizer]] = {Adam: FlatAdam, RMSprop: FlatRMSprop}
    return kinds[type(optimizer)](optimizer, flat)
