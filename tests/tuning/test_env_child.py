"""Environments as a child process sees them."""

import sys

import pytest

from tuning.env_child import catalogue_from_child, describe_from_child
from tuning.environments import EnvironmentsError
from tuning.spec_parts import EnvSpec

PACKAGE = "edgewise_test_envs"


def test_the_child_sees_a_package_that_this_process_does_not_import(packages):
    infos = catalogue_from_child()
    assert infos[0].id == "EdgewiseTarget-v1"
    description = describe_from_child(EnvSpec(id="EdgewiseTarget-v1", kwargs={"size": 0.5}))
    assert description.max_episode_steps == 20
    with pytest.raises(EnvironmentsError, match="the simulator is not running"):
        describe_from_child(EnvSpec(id="edgewise/Broken-v0"))
    assert PACKAGE not in sys.modules


def test_the_child_may_hang(tmp_path, monkeypatch):
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "sleeper")
    with pytest.raises(EnvironmentsError, match="longer than 1 s"):
        describe_from_child(EnvSpec(id="Pendulum-v1"), timeout_s=1)
