"""One search-space parameter: what the sampler stores and what the algorithm receives."""

import math
from typing import Any, Literal, Self

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

POLICY_PREFIX = "policy_kwargs."  # of the names of arguments that the policy gets
Scalar = bool | int | float | str | None
Transform = Literal[
    "identity",
    "1 - x",
    "2^x",
    "net_arch",
    "activation_fn",
    "off_policy_net_arch",
    "net_arch_complexity",
    "auto_x",
]

# What a stored name stands for, in plain JSON; only a worker turns activation names into classes.
NET_ARCH: dict[str, Any] = {
    "tiny": {"pi": [64], "vf": [64]},
    "small": {"pi": [64, 64], "vf": [64, 64]},
    "medium": {"pi": [256, 256], "vf": [256, 256]},
}
# The same for actor and critics of an algorithm that replays steps. Source: RL Zoo's hyperparams_opt.py.
OFF_POLICY_NET_ARCH: dict[str, Any] = {"small": [64, 64], "medium": [256, 256], "big": [400, 300]}
# Whole numbers instead of names, so that a sampler without categories can search the size of the nets.
# Source: A. Raffin, "Getting SAC to Work on a Massive Parallel Simulator: Tuning for Speed"; its third
# one has residual blocks, which Stable-Baselines3 has not.
NET_ARCH_COMPLEXITY: tuple[Any, ...] = (
    [256, 256],
    [128, 128, 128],
    {"pi": [128, 128], "qf": [256, 256]},
    [512, 256, 128],
)
ACTIVATION_FN = ("tanh", "relu", "elu", "leaky_relu")
MAX_STEPS = 10**9
MAX_POWER = 24  # 2^24 rollout steps fill no workstation's memory by mistake


class Parameter(BaseModel):
    """A parameter of a search space.

    `low` and `high` are bounds of the *stored* value, both inclusive. `transform` maps it to the value that
    the algorithm's argument `target` gets (default: the parameter's own name; `policy_kwargs.x` sets an
    argument of the policy). `at_most` names what caps that value when a configuration is resolved, so that
    each sampler and each analysis has one static range: see `tuning.space.caps`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,63}$")
    kind: Literal["float", "int", "categorical"]
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    log: bool = False
    step: float | None = Field(default=None, allow_inf_nan=False)
    choices: tuple[Scalar, ...] | None = None
    transform: Transform = "identity"
    target: str = Field(default="", pattern=r"^([A-Za-z][A-Za-z0-9_.]{0,127})?$")
    at_most: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,63}( - [0-9]{1,6})?$")

    @field_validator("low", "high", "step", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool):
            raise ValueError(
                f"`{info.field_name}` of {shown(info.data.get('name'))} must be a number: received {value}."
            )
        return value

    @field_validator("choices", mode="before")
    @classmethod
    def _scalars(cls, value: Any, info: ValidationInfo) -> Any:
        for choice in value if isinstance(value, list | tuple) else ():
            if not isinstance(choice, Scalar) or not is_finite(choice):
                raise ValueError(
                    f"`choices` of {shown(info.data.get('name'))} must be text, finite numbers, true, false "
                    f"or null: received {shown(choice)}."
                )
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        faults = list(_categorical_faults(self) if self.kind == "categorical" else _range_faults(self))
        faults += _transform_faults(self)
        if faults:
            raise ValueError("\n".join(faults))
        if not self.target:
            object.__setattr__(self, "target", default_target(self.name, self.transform))
        return self

    def distribution(self) -> BaseDistribution:
        """Return the Optuna distribution of the stored value."""
        if self.kind == "categorical":
            return CategoricalDistribution(self.choices or ())
        assert self.low is not None
        assert self.high is not None
        if self.kind == "int":
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def suggest(self, trial: optuna.Trial) -> Scalar:
        """Let the study's sampler choose the stored value."""
        if self.kind == "categorical":
            choice: Scalar = trial.suggest_categorical(self.name, self.choices or ())
            return choice
        assert self.low is not None
        assert self.high is not None
        if self.kind == "int":
            low, high, step = int(self.low), int(self.high), int(self.step or 1)
            return trial.suggest_int(self.name, low, high, step=step, log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)

    def resolve(self, stored: Any) -> Any:
        """Return the value that the algorithm receives for a stored one; plain JSON."""
        match self.transform:
            case "1 - x":
                return 1.0 - float(stored)
            case "2^x":
                return 2 ** int(stored)
            case "net_arch":
                return NET_ARCH[str(stored)]
            case "off_policy_net_arch":
                return OFF_POLICY_NET_ARCH[str(stored)]
            case "net_arch_complexity":
                return NET_ARCH_COMPLEXITY[int(stored)]
            case "auto_x":
                return f"auto_{float(stored):.12g}"
            case _:
                return stored

    def stored(self, resolved: Any) -> Scalar:
        """Return the stored value that resolves to `resolved`, within this parameter's range.

        Raises:
            ValueError: no stored value does.
        """
        if self.kind == "categorical":
            for choice in self.choices or ():
                if self.resolve(choice) == resolved:
                    return choice
            raise ValueError(f"No choice of {self.name} gives {resolved!r}.")
        try:
            candidate: float = {
                "1 - x": lambda x: round(1.0 - x, 12),
                "2^x": lambda x: int(x).bit_length() - 1,
                "net_arch_complexity": NET_ARCH_COMPLEXITY.index,
                "auto_x": lambda x: 1.0 if x == "auto" else float(str(x).removeprefix("auto_")),
            }.get(self.transform, lambda x: x)(resolved)
            given = self.resolve(candidate)
            if self.transform in ("net_arch_complexity", "auto_x"):
                gives_it = given == ("auto_1" if resolved == "auto" else resolved)
            else:
                gives_it = abs(given - resolved) <= 1e-12
        except (TypeError, ValueError, OverflowError):  # text, null, NaN, infinity
            gives_it = False
        if not gives_it or not self.contains(candidate):
            raise ValueError(
                f"{self.name} cannot give {shown(resolved)} within {self.low:g} and {self.high:g}."
            )
        return int(candidate) if self.kind == "int" else float(candidate)

    def contains(self, stored: Any) -> bool:
        """Say whether a stored value lies within the declared range or choices."""
        distribution = self.distribution()
        try:
            return distribution._contains(distribution.to_internal_repr(stored))
        except (ValueError, TypeError, OverflowError):
            return False

    def resolved_range(self) -> str:
        """Describe for a person which values the algorithm receives, e.g. "32 … 4096"."""
        if self.kind == "categorical":
            return ", ".join(str(c) for c in self.choices or ())
        assert self.low is not None
        assert self.high is not None
        if self.transform in ("net_arch_complexity", "auto_x"):
            return f"{self.resolve(self.low)} … {self.resolve(self.high)}"
        ends = sorted([self.resolve(self.low), self.resolve(self.high)])
        return " … ".join(f"{end:.6g}".replace("e-0", "e-") for end in ends)


def shown(value: Any, *, max_chars: int = 60) -> str:
    """Quote whatever was received, on one line and short enough for a sentence."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write out integers of more than 4300 digits
        return "a number that is too long to show"
    return text if len(text) <= max_chars else text[: max_chars - 3] + "..."


def is_finite(value: Any) -> bool:
    """Say whether a value is no number, or one that fits a float."""
    try:
        return not isinstance(value, int | float) or math.isfinite(value)
    except OverflowError:
        return False


def default_target(name: str, transform: str) -> str:
    """Return the argument that a parameter of this name sets when its spec names none."""
    match transform:
        case "net_arch" | "off_policy_net_arch" | "net_arch_complexity":
            return "policy_kwargs.net_arch"
        case "activation_fn":
            return "policy_kwargs.activation_fn"
        case "auto_x":
            return name.removesuffix("_init")
        case "2^x":
            return name.removesuffix("_pow")
        case "1 - x":
            return name.removeprefix("one_minus_")
        case _:
            return name


def _categorical_faults(p: Parameter) -> list[str]:
    faults = []
    if p.low is not None or p.high is not None or p.step is not None or p.log:
        faults.append(
            f"`{p.name}` is categorical: remove low, high, step and log, its values are its choices."
        )
    if not p.choices:
        faults.append(f"`{p.name}` is categorical and has no choices: list at least two.")
    elif len(set(p.choices)) < len(p.choices):  # by value: Optuna takes 1, 1.0 and true for the same choice
        faults.append(
            f"`choices` of {p.name} repeats a value: received {shown(list(p.choices))}. Remove the copies."
        )
    elif len(p.choices) < 2:
        faults.append(f"`choices` of {p.name} has one value: fix it under hyperparameters instead.")
    return faults


def _range_faults(p: Parameter) -> list[str]:
    if p.choices:
        return [f"`{p.name}` is {p.kind}: remove its choices, or set kind: categorical."]
    if p.low is None or p.high is None:
        missing = " and ".join(n for n in ("low", "high") if getattr(p, n) is None)
        return [f"`{p.name}` has no {missing}: give both bounds."]
    faults = []
    received = f"received low={p.low:g}, high={p.high:g}"
    if p.low > p.high:
        faults.append(f"`low` of {p.name} must be below `high`: {received}. Swap them?")
    elif p.low == p.high:
        faults.append(
            f"`low` and `high` of {p.name} are equal ({p.low:g}): nothing to search. "
            "Widen the range, or fix the value under hyperparameters."
        )
    if p.log and p.low <= 0:
        faults.append(
            f"`low` of {p.name} must be above 0 on a log scale: {received}. Raise it, or set log: false."
        )
    if p.kind == "int" and not (p.low.is_integer() and p.high.is_integer()):
        faults.append(
            f"The bounds of {p.name} must be whole numbers: {received}. Round them, or set kind: float."
        )
    if p.step is not None:
        if p.log:
            faults.append(f"{p.name} cannot have both step and log: remove one.")
        if p.step <= 0:
            faults.append(f"`step` of {p.name} must be above 0: received {p.step:g}. Remove it for no grid.")
        elif p.kind == "int" and not p.step.is_integer():
            faults.append(f"`step` of {p.name} must be a whole number: received {p.step:g}.")
        elif p.low < p.high and p.step > p.high - p.low:
            faults.append(f"`step` of {p.name} does not fit its range: received step={p.step:g}, {received}.")
        elif p.high - p.low > p.step * MAX_STEPS:  # Optuna counts them, in decimals
            faults.append(f"`step` of {p.name} is too fine: received step={p.step:g}, {received}. Remove it.")
    return faults


def _transform_faults(p: Parameter) -> list[str]:
    allowed: dict[str, tuple[str, ...]] = {
        "2^x": ("int",),
        "1 - x": ("float",),
        "net_arch": ("categorical",),
        "activation_fn": ("categorical",),
        "off_policy_net_arch": ("categorical",),
        "net_arch_complexity": ("int",),
        "auto_x": ("float",),
    }
    if p.at_most is not None and (p.kind == "categorical" or p.transform not in ("identity", "2^x")):
        return [f"`at_most` of {p.name} caps a number that is stored as it is, or as 2^x. Remove it."]
    if p.transform not in allowed:
        return []
    if p.kind not in allowed[p.transform]:
        return [
            f"The transform {p.transform} of {p.name} needs kind: {allowed[p.transform][0]}, not {p.kind}."
        ]
    if p.transform == "2^x" and p.low is not None and p.high is not None:
        if p.low < 0 or p.high > MAX_POWER:
            return [
                f"The powers of {p.name} must lie in 0 to {MAX_POWER}: received {p.low:g} to {p.high:g}. "
                "They are exponents, 12 means 4096."
            ]
    top = len(NET_ARCH_COMPLEXITY) - 1
    if p.transform == "net_arch_complexity" and p.low is not None and p.high is not None:
        if p.low < 0 or p.high > top:
            return [f"The sizes of {p.name} are numbered 0 to {top}: received {p.low:g} to {p.high:g}."]
    named = {
        "net_arch": tuple(NET_ARCH),
        "off_policy_net_arch": tuple(OFF_POLICY_NET_ARCH),
        "activation_fn": ACTIVATION_FN,
    }.get(p.transform)
    unknown = [c for c in p.choices or () if named and c not in named]
    if named and unknown:
        return [f"`choices` of {p.name} must be among {', '.join(named)}: received {shown(unknown[0])}."]
    return []
