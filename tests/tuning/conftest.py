"""Tiny real studies: real runners, real workers, real training, on environments that misbehave on request."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from storage.paths import RunFolder
from tuning import environments, launch
from tuning.jobs import JobStatus, job_status, log_tail
from tuning.spec import StudySpec, build_spec

FAULT_ENVS = Path(__file__).resolve().parents[1] / "fault_envs"
ENVS_PACKAGE = FAULT_ENVS.with_name("envs_package")


@pytest.fixture
def fault_envs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runners started from here know `Edgewise/Fault-v0`, as a server started with its package would."""
    monkeypatch.setenv("PYTHONPATH", str(FAULT_ENVS))
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "edgewise_fault_envs")
    monkeypatch.setattr(environments, "_packages", {})
    before = dict(gymnasium.registry)
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)
    sys.modules.pop("edgewise_fault_envs", None)


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Name a person's package for this process and its children, and forget it afterwards."""
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "edgewise_test_envs")
    monkeypatch.setenv("PYTHONPATH", str(ENVS_PACKAGE))
    monkeypatch.syspath_prepend(str(ENVS_PACKAGE))
    monkeypatch.setattr(environments, "_packages", {})
    before = dict(gymnasium.registry)
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)
    sys.modules.pop("edgewise_test_envs", None)


@pytest.fixture
def fault_spec() -> Callable[..., StudySpec]:
    """Build the spec of a study whose trials take a fraction of a second; `over` replaces fields."""

    def build(**over: Any) -> StudySpec:
        budget = {"n_trials": 4, "n_timesteps": 512, "n_evaluations": 2, "n_eval_episodes": 2}
        spec = {
            "name": "tiny",
            "env": {"id": "Edgewise/Fault-v0"},
            "hyperparameters": {"n_steps": 64, "n_epochs": 1, "policy_kwargs.net_arch": [8]},
            "search_space": [
                {"name": "learning_rate", "kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
                {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.999},
            ],
            "n_train_envs": 2,
            "n_eval_envs": 2,
            "n_workers": 2,
            **over,
        }
        spec["budget"] = {**budget, **over.get("budget", {})}
        return build_spec(spec)

    return build


@pytest.fixture
def launched(
    runs_dir: Path, fault_envs: None, end_processes_under: Callable[[Path], None]
) -> Iterator[Callable[[StudySpec], RunFolder]]:
    """Launch studies that do not outlive the test."""
    yield lambda spec: launch.launch(spec, runs_dir)
    end_processes_under(runs_dir)


@pytest.fixture
def wait_until_ended() -> Callable[..., JobStatus]:
    """Wait until no runner holds the study's lock, and return its status."""

    def wait(folder: RunFolder, timeout_s: float = 90.0) -> JobStatus:
        deadline = time.monotonic() + timeout_s
        while (status := job_status(folder)).state.alive:
            assert time.monotonic() < deadline, f"still running:\n{log_tail(folder, 30)}"
            time.sleep(0.05)
        return status

    return wait
