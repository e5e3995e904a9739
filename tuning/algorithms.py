"""What Edgewise knows about each algorithm, read from its data file in `tuning/space/`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tuning.space.parameters import ACTIVATION_FN, Parameter, is_finite, shown

_FOLDER = Path(__file__).parent / "space"


@dataclass(frozen=True)
class Argument:
    """One constructor argument of an algorithm (or of its policy) that a study may set."""

    name: str  # as the spec writes it: policy arguments as policy_kwargs.x
    kind: str  # float, int, bool, net_arch, activation_fn
    default: Any
    about: str
    low: float | None = None  # natural limits: widening past them is never right
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def fault(self, value: Any) -> str | None:
        """Return what is wrong with a resolved value, or None."""
        expected: dict[str, tuple[type, ...]] = {
            "float": (int, float),
            "int": (int,),
            "bool": (bool,),
            "net_arch": (list, dict),
            "activation_fn": (str,),
        }
        if value is None and self.default is None:
            return None
        wrong_bool = isinstance(value, bool) and self.kind != "bool"
        if wrong_bool or not isinstance(value, expected[self.kind]):
            return f"`{self.name}` must be {_KIND_WORDS[self.kind]}: received {shown(value)}."
        if self.kind == "net_arch" and not _is_net_arch(value):
            return f"`{self.name}` must be {_KIND_WORDS[self.kind]}: received {shown(value)}."
        if self.kind == "activation_fn" and value not in ACTIVATION_FN:
            return f"`{self.name}` must be among {', '.join(ACTIVATION_FN)}: received {shown(value)}."
        if not is_finite(value):
            return f"`{self.name}` must be a finite number: received {shown(value)}."
        if isinstance(value, (int, float)) and self.kind in ("float", "int"):
            below = self.low is not None and (value < self.low or (self.open_low and value == self.low))
            above = self.high is not None and (value > self.high or (self.open_high and value == self.high))
            if below or above:
                return f"`{self.name}` must be {self.limits()}: received {value:g}."
        return None

    def limits(self) -> str:
        """Describe the natural limits in words, e.g. "above 0"."""
        parts = []
        if self.low is not None:
            parts.append(f"{'above' if self.open_low else 'at least'} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'below' if self.open_high else 'at most'} {self.high:g}")
        return " and ".join(parts) or "any number"


def _is_net_arch(value: Any) -> bool:
    nets = list(value.values()) if isinstance(value, dict) and value.keys() <= {"pi", "vf"} else [value]
    return all(isinstance(net, list) and all(type(size) is int and size > 0 for size in net) for net in nets)


_KIND_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "net_arch": "a list of layer sizes (whole numbers above 0), or one list each under pi and vf",
    "activation_fn": "the name of an activation function",
}


@dataclass(frozen=True)
class Preset:
    """A named search space for one algorithm."""

    name: str
    title: str
    about: str
    space: tuple[Parameter, ...]
    n_train_envs: int | None  # how many training envs its source used, if it says


@dataclass(frozen=True)
class Tuned:
    """What somebody else tuned for one environment."""

    env: str  # id; with its own default arguments
    name: str  # who tuned it, for people
    source: str  # address
    policy: str
    n_train_envs: int
    n_timesteps: int  # that it was tuned for
    arguments: dict[str, Any]  # by the names of `Algorithm.arguments`; the others stay at their defaults


@dataclass(frozen=True)
class Algorithm:
    """One algorithm: where its class is, what it accepts, and which spaces are ready-made."""

    name: str
    class_path: str
    policies: tuple[str, ...]
    arguments: dict[str, Argument]
    presets: tuple[Preset, ...]
    tuned: tuple[Tuned, ...] = ()

    def preset(self, name: str) -> Preset:
        """Return the preset of this name.

        Raises:
            KeyError: there is none; the message lists what there is.
        """
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = ", ".join(p.name for p in self.presets)
        raise KeyError(f"{self.name} has no preset {shown(name)}. There are: {known}.")

    def tuned_for(self, env_id: str, *, policy: str) -> Tuned | None:
        """Return what is known to work in an environment with a policy, or None."""
        return next((t for t in self.tuned if (t.env, t.policy) == (env_id, policy)), None)


def algorithm_names() -> tuple[str, ...]:
    """Return the names of all algorithms, sorted."""
    return tuple(sorted(path.stem.upper() for path in _FOLDER.glob("*.yaml")))


@cache
def algorithm(name: str) -> Algorithm:
    """Return what is known about an algorithm.

    Raises:
        KeyError: there is no data file of that name.
    """
    if name not in algorithm_names():
        raise KeyError(f"There is no algorithm {shown(name)}. There are: {', '.join(algorithm_names())}.")
    data = yaml.safe_load((_FOLDER / f"{name.lower()}.yaml").read_text(encoding="utf-8"))
    arguments = {key: Argument(name=key, **value) for key, value in data["arguments"].items()}
    for key, value in data["policy_arguments"].items():
        arguments[f"policy_kwargs.{key}"] = Argument(name=f"policy_kwargs.{key}", **value)
    presets = tuple(
        Preset(
            name=preset["name"],
            title=preset["title"],
            about=preset["about"],
            space=tuple(Parameter(**row) for row in preset["space"]),
            n_train_envs=preset.get("n_train_envs"),
        )
        for preset in data["presets"]
    )
    tuned = tuple(Tuned(**entry) for entry in data.get("tuned", ()))
    return Algorithm(data["algorithm"], data["class"], tuple(data["policies"]), arguments, presets, tuned)
