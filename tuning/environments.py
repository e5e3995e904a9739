"""Environments of the installed Gymnasium registry and of packages that the server's owner named.

A page or a spec never names a module: `gymnasium.make("module:Env-v0")` would import it.
"""

import difflib
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec as RegistryEntry
from gymnasium.envs.registration import parse_env_id

PACKAGES_VARIABLE = "EDGEWISE_ENV_PACKAGES"
ERROR_PREFIX = "error: "  # how the command line starts each line that says what went wrong

_MODULE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)

# What a family of Gymnasium's own environments needs beside Gymnasium.
_NEEDS = {
    "gymnasium.envs.box2d": "Box2D",
    "gymnasium.envs.mujoco": "mujoco",
    "gymnasium.envs.phys2d": "jax",
    "gymnasium.envs.tabular": "jax",
}

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
                f"The package {name} of {PACKAGES_VARIABLE} cannot be imported: {said(error)}. "
                "Install it where Edgewise runs, or add its folder to PYTHONPATH as an absolute path."
            ) from error
        _packages[name] = frozenset(set(gymnasium.registry) - before)


def require(env_id: str) -> RegistryEntry:
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
        close = " or ".join(close_ids(env_id, known))
        remedy = f"Did you mean {close}?" if close else "`python -m tuning environments` lists them."
        raise EnvironmentsError(f"There is no environment {env_id[:80]!r}. {remedy}")
    return spec


def close_ids(text: str, known: Iterable[str]) -> list[str]:
    """Return up to three known ids that a text may have meant, the closest first; case does not matter."""
    by_lower = {env_id.lower(): env_id for env_id in known}
    return [by_lower[c] for c in difflib.get_close_matches(text.lower(), by_lower, n=3, cutoff=0.5)]


def meant_id(text: str, known: Iterable[str]) -> str | None:
    """Return the one known id that a text names, whatever its case, without its version or by its beginning.

    `cartpole` is CartPole-v1; `mountaincar` is MountainCar-v0 although MountainCarContinuous-v0 begins with
    it. None where several fit equally well, or none does.
    """
    sought, ids = text.strip().lower(), list(known)
    if not sought:
        return None

    def forms(env_id: str) -> tuple[str, str, str]:
        whole = env_id.lower()
        short = whole.rpartition("/")[2]
        return whole, short, short.rpartition("-v")[0]

    for rank in range(3):
        if found := [env_id for env_id in ids if forms(env_id)[rank] == sought]:
            return found[0] if len(found) == 1 else None
    found = [env_id for env_id in ids if any(form.startswith(sought) for form in forms(env_id)[:2])]
    return found[0] if len(found) == 1 else None


def make(env_id: str, kwargs: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    """Return a new environment of the registry, as `gymnasium.make` gives it: without a study's wrappers.

    What trains or plays takes `env_wrappers.make_wrapped`.

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
            newest[namespace, name] = (rank, info_of(spec, source))
    infos = [info for _, info in newest.values()]
    order = {"gymnasium": 1} | dict.fromkeys(_packages, 0)
    return sorted(infos, key=lambda info: (order.get(info.source, 2), info.id))


def _source(spec: RegistryEntry) -> str | None:
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


def info_of(spec: RegistryEntry, source: str) -> EnvInfo:
    """Return what the registry says of an entry; a limit below 1 is none."""
    steps, threshold = spec.max_episode_steps, spec.reward_threshold
    return EnvInfo(
        id=spec.id,
        max_episode_steps=None if steps is None or steps < 1 else int(steps),
        reward_threshold=None if threshold is None else float(threshold),
        source=source,
    )


def said(error: BaseException) -> str:
    """Return an exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}".rstrip(":. ")
