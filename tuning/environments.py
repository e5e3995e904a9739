"""Environments of the installed Gymnasium registry and of packages that the server's owner named.

A page or a spec never names a module: `gymnasium.make("module:Env-v0")` would import it. The dashboard asks a
child process, so that nobody's package (which may bring torch, or hang) is imported into it.
"""

import difflib
import functools
import importlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, parse_env_id

PACKAGES_VARIABLE = "EDGEWISE_ENV_PACKAGES"
CATALOGUE_TIMEOUT_S = 60.0
ERROR_PREFIX = "error: "  # how the command line starts each line that says what went wrong

_MODULE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_PROJECT_ROOT = Path(__file__).resolve().parent.parent

# What a family of Gymnasium's own environments needs beside Gymnasium.
_NEEDS = {
    "gymnasium.envs.box2d": "Box2D",
    "gymnasium.envs.mujoco": "mujoco",
    "gymnasium.envs.phys2d": "jax",
    "gymnasium.envs.tabular": "jax",
}
_SPACE_KINDS: tuple[tuple[type[spaces.Space[Any]], str], ...] = (
    (spaces.Box, "continuous"),
    (spaces.Discrete, "discrete"),
    (spaces.MultiDiscrete, "multi-discrete"),
    (spaces.MultiBinary, "multi-binary"),
    (spaces.Dict, "dict"),
    (spaces.Tuple, "tuple"),
)
# What PPO and A2C can act in, and read.
_FLAT_KINDS = ("continuous", "discrete", "multi-discrete", "multi-binary")
_SMALLEST_IMAGE = 36  # pixels a side that the filters of SB3's CnnPolicy need
_MAX_SPACE_CHARS = 240

_packages: dict[str, frozenset[str]] = {}  # package -> the ids that its import registered


class EnvironmentsError(ValueError):
    """An environment, or a package of them, cannot be used; says which, why and what to do."""


@dataclass(frozen=True)
class EnvInfo:
    """One environment that can be chosen."""

    id: str
    max_episode_steps: int | None  # None: an episode ends only by itself
    reward_threshold: float | None  # undiscounted return from which it counts as solved
    source: str  # "gymnasium", or the package that registered it


@dataclass(frozen=True)
class EnvDescription:
    """What an agent sees and does in one environment."""

    id: str
    observation_space: str
    observation_kind: str  # image, continuous, discrete, multi-discrete, multi-binary, dict, tuple, other
    action_space: str
    action_kind: str
    max_episode_steps: int | None
    reward_threshold: float | None
    policy: str  # MlpPolicy, CnnPolicy or MultiInputPolicy
    fault: str | None  # why no algorithm here can be trained in it
    caution: str | None  # what may go wrong all the same


def package_names() -> tuple[str, ...]:
    """Return the packages of environments that the server's owner named.

    Raises:
        EnvironmentsError: a name is not that of a module.
    """
    names = tuple(n.strip() for n in os.environ.get(PACKAGES_VARIABLE, "").split(",") if n.strip())
    for name in names:
        if not _MODULE_PATTERN.fullmatch(name):
            raise EnvironmentsError(
                f"{PACKAGES_VARIABLE} must name modules, separated by commas: received {name[:80]!r}. "
                "Write it as in `import my_envs`."
            )
    return names


def register_packages() -> None:
    """Import the named packages, which adds their environments to Gymnasium's registry.

    Raises:
        EnvironmentsError: a name is no module's, or its import fails.
    """
    for name in package_names():
        if name in _packages:
            continue
        before = set(gymnasium.registry)
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # somebody's module may raise anything
            raise EnvironmentsError(
                f"The package {name} of {PACKAGES_VARIABLE} cannot be imported: {_said(error)}. "
                "Install it where Edgewise runs, or add its folder to PYTHONPATH as an absolute path."
            ) from error
        _packages[name] = frozenset(set(gymnasium.registry) - before)


def require(env_id: str) -> EnvSpec:
    """Return the registry's entry of an environment, named by its exact id.

    Raises:
        EnvironmentsError: there is none; the message suggests ids that are close.
    """
    register_packages()
    if ":" in env_id:
        raise EnvironmentsError(
            f"The environment {env_id[:80]!r} names a module. Only ids of the registry can be used: "
            f"start Edgewise with {PACKAGES_VARIABLE}=<module> and give the id alone."
        )
    spec = gymnasium.registry.get(env_id)
    if spec is None:
        known = [info.id for info in catalogue()]
        close = " or ".join(difflib.get_close_matches(env_id, known, n=3, cutoff=0.5))
        remedy = f"Did you mean {close}?" if close else "`python -m tuning environments` lists them."
        raise EnvironmentsError(f"There is no environment {env_id[:80]!r}. {remedy}")
    return spec


def make(env_id: str, kwargs: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    """Return a new environment of the registry, as `gymnasium.make` gives it.

    Raises:
        EnvironmentsError: there is no such id, or `kwargs` hold one of the names that Gymnasium uses itself.
        Exception: whatever the environment raises.
    """
    require(env_id)
    if "id" in kwargs:
        raise EnvironmentsError(f"`id` is no argument of {env_id}: it names the environment. Remove it.")
    return gymnasium.make(env_id, **kwargs)


def catalogue() -> list[EnvInfo]:
    """Return the environments that can be made with what is installed, the newest version of each, by id.

    Those of named packages come first, then Gymnasium's own, then those of other installed packages.

    Raises:
        EnvironmentsError: see `register_packages`.
    """
    register_packages()
    newest: dict[tuple[str | None, str], tuple[int, EnvInfo]] = {}
    for spec in gymnasium.registry.values():
        source = _source(spec)
        if source is None:
            continue
        namespace, name, version = parse_env_id(spec.id)
        rank = -1 if version is None else version
        if (namespace, name) not in newest or newest[namespace, name][0] < rank:
            newest[namespace, name] = (rank, _info(spec, source))
    infos = [info for _, info in newest.values()]
    order = {"gymnasium": 1} | dict.fromkeys(_packages, 0)
    return sorted(infos, key=lambda info: (order.get(info.source, 2), info.id))


def describe(env_id: str, kwargs: Mapping[str, Any]) -> EnvDescription:
    """Make an environment once and return what an agent sees and does in it.

    Raises:
        EnvironmentsError: there is no such id, or it cannot be made with these arguments.
    """
    try:
        env = make(env_id, kwargs)
    except EnvironmentsError:
        raise
    except (Exception, SystemExit) as error:  # somebody's constructor may raise anything
        with_kwargs = f" with {dict(kwargs)!r}" if kwargs else ""
        raise EnvironmentsError(f"{env_id} cannot be made{with_kwargs}: {_said(error)}.") from error
    try:
        observed, action, spec = env.observation_space, env.action_space, env.spec
    finally:
        env.close()
    observation_kind = "image" if _is_image(observed) else _kind(observed)
    policy = {"dict": "MultiInputPolicy", "image": "CnnPolicy"}.get(observation_kind, "MlpPolicy")
    info = _info(spec or require(env_id), "")
    return EnvDescription(
        id=env_id,
        observation_space=_text(observed),
        observation_kind=observation_kind,
        action_space=_text(action),
        action_kind=_kind(action),
        max_episode_steps=info.max_episode_steps,
        reward_threshold=info.reward_threshold,
        policy=policy,
        fault=_action_fault(action) or _observation_fault(observed),
        caution=_endless(env_id) if info.max_episode_steps is None else None,
    )


@functools.cache
def reward_threshold(env_id: str) -> float | None:
    """Return the undiscounted return from which an environment counts as solved, or None.

    Those of named packages are looked up in a child process, once; nothing is imported here.
    """
    if env_id in gymnasium.registry:
        return gymnasium.registry[env_id].reward_threshold
    try:
        known = catalogue_from_child() if package_names() else []
    except EnvironmentsError:
        return None  # training in it will say what is the matter
    return next((info.reward_threshold for info in known if info.id == env_id), None)


def policy_fault(description: EnvDescription, policy: str) -> str | None:
    """Return why a policy cannot read an environment's observations, or None when it can."""
    kind = description.observation_kind
    fits = (kind == "dict") == (policy == "MultiInputPolicy") and (kind == "image" or policy != "CnnPolicy")
    if fits:
        return None
    return (
        f"`policy` must be {description.policy} for {description.id}, whose observations are of kind {kind}: "
        f"received {policy}. Change it."
    )


def catalogue_from_child() -> list[EnvInfo]:
    """Return the catalogue as a child process sees it; nothing is imported here.

    Raises:
        EnvironmentsError: see `register_packages`; or the child hangs or dies.
    """
    rows = _ask_child([], timeout_s=CATALOGUE_TIMEOUT_S)
    return [EnvInfo(**row) for row in rows]


def describe_from_child(env_id: str, kwargs: Mapping[str, Any], *, timeout_s: float = 20.0) -> EnvDescription:
    """Return the description of an environment that a child process makes; nothing is imported here.

    Raises:
        EnvironmentsError: see `describe`; or the child hangs or dies.
    """
    row = _ask_child([f"--id={env_id}", f"--kwargs={json.dumps(dict(kwargs))}"], timeout_s=timeout_s)
    return EnvDescription(**row)


def _ask_child(arguments: list[str], *, timeout_s: float) -> Any:
    process = subprocess.Popen(
        [sys.executable, "-m", "tuning", "environments", "--json", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_PROJECT_ROOT,
        start_new_session=True,  # so that what it starts itself can be ended with it
    )
    try:
        out, said = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise EnvironmentsError(
            f"Looking at the environments took longer than {timeout_s:.0f} s. "
            f"Does a package of {PACKAGES_VARIABLE}, or the environment itself, wait for something?"
        ) from None
    lines = said.decode("utf-8", "replace").splitlines()
    if process.returncode:
        faults = [line.removeprefix(ERROR_PREFIX) for line in lines if line.startswith(ERROR_PREFIX)]
        raise EnvironmentsError(
            "\n".join(faults)
            or f"The process that looks at environments ended with code {process.returncode}: "
            f"{lines[-1] if lines else 'it said nothing'}"
        )
    try:
        return json.loads(out)
    except ValueError:
        raise EnvironmentsError("The process that looks at environments gave no readable answer.") from None


def _source(spec: EnvSpec) -> str | None:
    """Return where an entry comes from, or None when it cannot be made with what is installed."""
    named = next((package for package, ids in _packages.items() if spec.id in ids), None)
    entry = spec.entry_point
    if not isinstance(entry, str):  # Gymnasium's own callables only say that a version has moved away
        root = _root(entry.__module__) if entry else "gymnasium"
        return named or (None if root == "gymnasium" else root)
    module = entry.partition(":")[0]
    needs = next((need for family, need in _NEEDS.items() if module.startswith(family)), _root(module))
    if not _is_installed(needs):
        return None
    return named or _root(module)


def _is_installed(module: str) -> bool:
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _root(module: str) -> str:
    return module.partition(".")[0]


def _info(spec: EnvSpec, source: str) -> EnvInfo:
    steps, threshold = spec.max_episode_steps, spec.reward_threshold
    return EnvInfo(
        id=spec.id,
        max_episode_steps=None if steps is None or steps < 1 else int(steps),
        reward_threshold=None if threshold is None else float(threshold),
        source=source,
    )


def _endless(env_id: str) -> str:
    return (
        f"{env_id} has no limit of steps: an agent that never ends an episode keeps its evaluation going for "
        "ever. Add max_episode_steps to the environment's arguments."
    )


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}".rstrip(":. ")


def _kind(space: spaces.Space[Any]) -> str:
    return next((kind for cls, kind in _SPACE_KINDS if isinstance(space, cls)), "other")


def _is_image(space: spaces.Space[Any]) -> bool:
    """Say whether SB3's CnnPolicy takes the space: bytes from 0 to 255, 1, 3 or 4 channels, large enough."""
    if not isinstance(space, spaces.Box) or len(space.shape) != 3 or space.dtype != np.uint8:
        return False
    if np.any(space.low != 0) or np.any(space.high != 255):
        return False
    first, last = space.shape[0], space.shape[-1]
    channels, sides = (first, space.shape[1:]) if first < last else (last, space.shape[:2])
    return channels in (1, 3, 4) and min(sides) >= _SMALLEST_IMAGE


def _text(space: spaces.Space[Any]) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in str(space)).split())
    return text if len(text) <= _MAX_SPACE_CHARS else text[: _MAX_SPACE_CHARS - 1] + "…"


def _action_fault(space: spaces.Space[Any]) -> str | None:
    if _kind(space) not in _FLAT_KINDS:
        return (
            f"PPO and A2C cannot act in {_text(space)}: they need {', '.join(_FLAT_KINDS)} actions. "
            "Flatten the action space with a wrapper and register that."
        )
    if isinstance(space, spaces.Box) and not np.all(np.isfinite([space.low, space.high])):
        return "PPO and A2C need finite bounds on continuous actions. Give the action space some."
    return _start_fault(space, "actions")


def _observation_fault(space: spaces.Space[Any]) -> str | None:
    parts = list(space.spaces.values()) if isinstance(space, spaces.Dict) else [space]
    for part in parts:
        if _kind(part) not in _FLAT_KINDS:
            return (
                f"PPO and A2C cannot read observations of {_text(part)}: they need arrays, numbers, or one "
                "flat dict of them. Flatten the observation with a wrapper and register that."
            )
        if fault := _start_fault(part, "observations"):
            return fault
    return None


def _start_fault(space: spaces.Space[Any], what: str) -> str | None:
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) and np.any(np.asarray(space.start) != 0):
        return f"PPO and A2C count {what} from 0, but these start at {space.start}. Shift them in a wrapper."
    return None
