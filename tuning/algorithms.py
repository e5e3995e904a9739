"""What Edgewise knows about each algorithm, read from its data file in `tuning/space/`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from tuning.space.parameters import ACTIVATION_FN, Parameter, is_finite, shown

_FOLDER = Path(__file__).parent / "space"

# How an algorithm learns: from its newest rollout, from a buffer of replayed steps, from whole episodes.
Kind = Literal["on-policy", "off-policy", "evolution"]
ActionKind = Literal["continuous", "discrete", "multi-discrete", "multi-binary"]
NOISE_TYPES = ("none", "normal", "ornstein-uhlenbeck")

# Who is suggested where another algorithm cannot act; the first of each kind that can.
_SUGGESTED = ("SAC", "TQC", "DQN", "QR-DQN", "PPO")
_AUTO = re.compile(r"auto(_(?P<start>[0-9.eE+-]+))?")


@dataclass(frozen=True)
class Argument:
    """One argument that a study may set: of the constructor, of the policy, or derived."""

    name: str  # as the spec writes it: policy arguments as policy_kwargs.x
    # float, int, bool, net_arch, activation_fn, noise_type, float_or_auto (a number or "auto"),
    # auto_float (a number, "auto", or "auto_0.1": learned from there)
    kind: str
    default: Any
    about: str
    low: float | None = None  # natural limits: widening past them is never right
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    nets: tuple[str, ...] = ("pi", "vf")  # net_arch: the nets that may have layers of their own
    special: tuple[int, ...] = ()  # whole numbers outside the limits that have a meaning of their own
    policies: tuple[str, ...] = ()  # that take it; empty for all
    derived: bool = False  # no argument of the constructor: others are computed from it, see space/derived.py

    def fault(self, value: Any) -> str | None:
        """Return what is wrong with a resolved value, or None."""
        if value is None and self.default is None:
            return None
        if not self._has_kind(value):
            return f"`{self.name}` must be {self._kind_words()}: received {shown(value)}."
        number = _start_of_auto(value) if self.kind == "auto_float" else value
        if not is_finite(number):
            return f"`{self.name}` must be a finite number: received {shown(value)}."
        if isinstance(number, (int, float)) and self.kind in ("float", "int", "auto_float"):
            below = self.low is not None and (number < self.low or (self.open_low and number == self.low))
            above = self.high is not None and (number > self.high or (self.open_high and number == self.high))
            zero = isinstance(value, str) and number == 0  # SB3 learns its logarithm from there
            if (below or above or zero) and value not in self.special:
                wanted = "above 0 behind auto_" if zero else self.limits()
                return f"`{self.name}` must be {wanted}: received {value if zero else format(number, 'g')}."
        return None

    def limits(self) -> str:
        """Describe the natural limits in words, e.g. "above 0"."""
        parts = []
        if self.low is not None:
            parts.append(f"{'above' if self.open_low else 'at least'} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'below' if self.open_high else 'at most'} {self.high:g}")
        words = " and ".join(parts) or "any number"
        return " or ".join([words, *(str(n) for n in self.special)])

    def _has_kind(self, value: Any) -> bool:
        if isinstance(value, bool):
            return self.kind == "bool"
        match self.kind:
            case "float":
                return isinstance(value, int | float)
            case "int":
                return isinstance(value, int)
            case "auto_float":
                return isinstance(value, int | float) or _start_of_auto(value) is not None
            case "float_or_auto":
                return isinstance(value, int | float) or value == "auto"
            case "net_arch":
                return self._is_net_arch(value)
            case "activation_fn":
                return isinstance(value, str) and value in ACTIVATION_FN
            case "noise_type":
                return isinstance(value, str) and value in NOISE_TYPES
        return False

    def _kind_words(self) -> str:
        match self.kind:
            case "net_arch" if self.nets:
                each = " and ".join(self.nets)
                return f"a list of layer sizes (whole numbers above 0), or one list each under {each}"
            case "activation_fn":
                return f"among {', '.join(ACTIVATION_FN)}"
            case "noise_type":
                return f"among {', '.join(NOISE_TYPES)}"
        return _KIND_WORDS[self.kind]

    def _is_net_arch(self, value: Any) -> bool:
        if isinstance(value, dict):
            # SB3 fills in the missing one of policy and value net, but not of an actor and its critic.
            fits = value.keys() <= set(self.nets) if "vf" in self.nets else value.keys() == set(self.nets)
            nets = list(value.values()) if self.nets and fits else [None]
        else:
            nets = [value]
        return all(isinstance(n, list) and all(type(size) is int and size > 0 for size in n) for n in nets)


_KIND_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "auto_float": 'a number, "auto", or "auto_" and the number to start from',
    "float_or_auto": 'a number or "auto"',
    "net_arch": "a list of layer sizes (whole numbers above 0)",
}


def _start_of_auto(value: Any) -> float | None:
    """Return a number, or the one that a learned coefficient starts from; None for anything else."""
    if isinstance(value, int | float):
        return value
    found = _AUTO.fullmatch(value) if isinstance(value, str) else None
    try:
        return None if found is None else float(found["start"] or 1.0)
    except ValueError:
        return None


@dataclass(frozen=True)
class Preset:
    """A named search space for one algorithm."""

    name: str
    title: str
    about: str
    space: tuple[Parameter, ...]
    n_train_envs: int | None  # that it is made for, if its source says
    source: str = ""  # where it is from, for people: "RL Zoo's hyperparams_opt.py"
    why: dict[str, str] = field(default_factory=dict)  # by stored name: what it does, why this range and form
    fixed: dict[str, Any] = field(default_factory=dict)  # hyperparameters that choosing the preset fills in


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
    wrappers: dict[str, Any] = field(default_factory=dict)  # around it, as `EnvSpec.wrappers` has them


@dataclass(frozen=True)
class Algorithm:
    """One algorithm: where its class is, what it accepts and acts in, and which spaces are ready-made."""

    name: str
    class_path: str
    kind: Kind
    actions: tuple[ActionKind, ...]  # that it can act in
    policies: tuple[str, ...]
    arguments: dict[str, Argument]
    presets: tuple[Preset, ...]
    tuned: tuple[Tuned, ...] = ()

    @property
    def package(self) -> str:
        """The package that has the class: stable_baselines3 or sb3_contrib."""
        return self.class_path.partition(".")[0]

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

    def tuned_for(self, env_id: str, *, policy: str, wrappers: Mapping[str, Any]) -> Tuned | None:
        """Return what is known to work in an environment with these wrappers and a policy, or None."""
        asked = (env_id, policy, dict(wrappers))
        return next((t for t in self.tuned if (t.env, t.policy, t.wrappers) == asked), None)

    def action_fault(self, action_kind: str, env_id: str) -> str | None:
        """Return why it cannot act in an environment's actions, with the remedy; None when it can.

        Args:
            action_kind: as `EnvDescription.action_kind` has it.
            env_id: for the sentence.
        """
        if action_kind in self.actions:
            return None
        able = [known.name for known in _suggested() if action_kind in known.actions]
        remedy = "Flatten them with a wrapper and register that."
        if able:
            remedy = f"Choose {_either(able)}."
        which = _either(self.actions)
        return f"{self.name} acts in {which} actions only; {env_id}'s are {action_kind}. {remedy}"

    def policies_for(self, observation_kind: str) -> tuple[str, ...]:
        """Return the policies that can read observations of a kind, the usual one first; empty for none.

        Args:
            observation_kind: as `EnvDescription.observation_kind` has it.
        """
        dicts = tuple(p for p in self.policies if p.startswith("MultiInput"))
        images = tuple(p for p in self.policies if p.startswith("Cnn"))
        others = tuple(p for p in self.policies if p not in dicts + images)
        match observation_kind:
            case "dict":
                return dicts
            case "image":
                return images + others
            case "tuple" | "other":
                return ()
        return others

    def observation_fault(self, observation_kind: str, env_id: str) -> str | None:
        """Return why it cannot read an environment's observations, with the remedy; None when it can."""
        if self.policies_for(observation_kind):
            return None
        able = [known.name for known in _suggested() if known.policies_for(observation_kind)]
        remedy = "Flatten them with a wrapper and register that."
        if able:
            remedy = f"Choose {_either(able)}, or f{remedy.removeprefix('F')}"
        return f"{self.name} has no policy for {env_id}'s observations, a {observation_kind}. {remedy}"

    def policy_fault(self, policy: str, observation_kind: str, env_id: str) -> str | None:
        """Return why one of its policies cannot read an environment's observations; None when it can."""
        fitting = self.policies_for(observation_kind)
        if policy in fitting:
            return None
        return self.observation_fault(observation_kind, env_id) or (
            f"`policy` must be {_either(fitting)} for {env_id}, whose observations are of kind "
            f"{observation_kind}: received {policy}. Change it."
        )


def _suggested() -> list[Algorithm]:
    return [algorithm(name) for name in _SUGGESTED if name in algorithm_names()]


def _either(names: list[str] | tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


@cache
def _files() -> dict[str, Path]:
    """Return the data file of each algorithm by the name that it states in its first own line."""
    named = {}
    for path in _FOLDER.glob("*.yaml"):
        found = re.search(r"^algorithm: (\S+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert found, f"{path.name} names no algorithm"
        named[found[1]] = path
    return dict(sorted(named.items(), key=lambda item: item[0].lower()))


def algorithm_names() -> tuple[str, ...]:
    """Return the names of all algorithms, sorted."""
    return tuple(_files())


@cache
def algorithm(name: str) -> Algorithm:
    """Return what is known about an algorithm.

    Raises:
        KeyError: there is no data file of that name.
    """
    if name not in algorithm_names():
        raise KeyError(f"There is no algorithm {shown(name)}. There are: {', '.join(algorithm_names())}.")
    data = yaml.safe_load(_files()[name].read_text(encoding="utf-8"))
    rows: dict[str, dict[str, Any]] = dict(data["arguments"])
    rows |= {f"policy_kwargs.{key}": row for key, row in data["policy_arguments"].items()}
    assert data["kind"] in get_args(Kind), data["kind"]
    assert set(data["actions"]) <= set(get_args(ActionKind)), data["actions"]
    return Algorithm(
        name=data["algorithm"],
        class_path=data["class"],
        kind=data["kind"],
        actions=tuple(data["actions"]),
        policies=tuple(data["policies"]),
        arguments={key: _argument(key, row) for key, row in rows.items()},
        presets=tuple(map(_preset, data["presets"])),
        tuned=tuple(Tuned(**entry) for entry in data.get("tuned", ())),
    )


def _argument(name: str, row: dict[str, Any]) -> Argument:
    fields: dict[str, Any] = {"name": name, **row}
    for key in ("nets", "special", "policies"):
        if key in row:
            fields[key] = tuple(row[key])
    return Argument(**fields)


def _preset(data: dict[str, Any]) -> Preset:
    rows = [dict(row) for row in data["space"]]
    why = {row["name"]: row.pop("why") for row in rows if "why" in row}
    return Preset(
        name=data["name"],
        title=data["title"],
        about=data["about"],
        space=tuple(Parameter(**row) for row in rows),
        n_train_envs=data.get("n_train_envs"),
        source=data.get("source", ""),
        why=why,
        fixed=data.get("fixed", {}),
    )
