"""Environments as a child process sees them.

The dashboard asks one, so that nobody's package (which may bring torch, or hang) is imported into it.
"""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium

from tuning.env_description import EnvDescription
from tuning.environments import (
    ERROR_PREFIX,
    PACKAGES_VARIABLE,
    EnvInfo,
    EnvironmentsError,
    package_names,
)
from tuning.spec_parts import EnvSpec

CATALOGUE_TIMEOUT_S = 60.0
_PROJECT_ROOT = Path(__file__).resolve().parent.parent


def catalogue_from_child() -> list[EnvInfo]:
    """Return the catalogue as a child process sees it; nothing is imported here.

    Raises:
        EnvironmentsError: see `register_packages`; or the child hangs or dies.
    """
    rows = _ask_child([], timeout_s=CATALOGUE_TIMEOUT_S)
    return [EnvInfo(**row) for row in rows]


def describe_from_child(env: EnvSpec, *, timeout_s: float = 20.0) -> EnvDescription:
    """Return the description of an environment that a child process makes; nothing is imported here.

    Raises:
        EnvironmentsError: see `describe`; or the child hangs or dies.
    """
    row = _ask_child(env_arguments(env), timeout_s=timeout_s)
    return EnvDescription(**row)


def env_arguments(env: EnvSpec) -> list[str]:
    """Return the command line's options that stand for an environment with its wrappers."""
    flags = {
        "--normalize-observations": env.normalize_observations,
        "--normalize-rewards": env.normalize_rewards,
        "--time-feature": env.time_feature,
    }
    return [
        f"--id={env.id}",
        f"--kwargs={json.dumps(dict(env.kwargs))}",
        f"--frame-stack={env.frame_stack}",
        *[flag for flag, on in flags.items() if on],
    ]


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
