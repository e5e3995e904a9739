"""Which versions and which machine produced a study: recorded once a run, without anything private."""

import os
import platform
from importlib.metadata import version
from typing import Any

import psutil

_PACKAGES = ("optuna", "stable-baselines3", "sb3-contrib", "gymnasium", "torch", "numpy", "joblib")


def machine_record() -> dict[str, Any]:
    """Return versions and hardware as plain JSON; no host name, no user, no path."""
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }
