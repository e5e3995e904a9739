"""Which environments can be chosen, and what is said about them."""

import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest
from gymnasium import spaces

from tuning import environments
from tuning.environments import EnvironmentsError

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "edgewise_test_envs"


@pytest.fixture
def packages(monkeypatch):
    """Name a person's package for this process and its children, and forget it afterwards."""
    folder = str(ROOT / "tests" / "envs_package")
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", PACKAGE)
    monkeypatch.setenv("PYTHONPATH", folder)
    monkeypatch.syspath_prepend(folder)
    before = dict(gymnasium.registry)
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)
    environments._packages.pop(PACKAGE, None)
    sys.modules.pop(PACKAGE, None)


def ids(infos):
    return [info.id for info in infos]


def test_catalogue_has_the_newest_version_of_what_can_be_made():
    found = ids(environments.catalogue())
    assert "Pendulum-v1" in found
    assert "CartPole-v1" in found
    assert "CartPole-v0" not in found  # replaced by v1
    assert "Reacher-v2" not in found  # only raises
    assert "GymV26Environment-v0" not in found
    assert found == sorted(found)
    for env_id in found:
        environments.make(env_id, {}).close()


@pytest.mark.parametrize(("module", "env_id"), [("mujoco", "Hopper-v5"), ("Box2D", "LunarLander-v3")])
def test_environments_whose_dependency_is_missing_are_hidden(module, env_id, monkeypatch):
    real = environments._is_installed
    monkeypatch.setattr(environments, "_is_installed", lambda m: m != module and real(m))
    assert env_id not in ids(environments.catalogue())
    monkeypatch.setattr(environments, "_is_installed", lambda m: m == module or real(m))
    assert env_id in ids(environments.catalogue())


def test_limits_and_threshold():
    info = next(i for i in environments.catalogue() if i.id == "CartPole-v1")
    assert info == environments.EnvInfo("CartPole-v1", 500, 475.0, "gymnasium")


def test_unknown_ids_suggest_close_ones():
    with pytest.raises(EnvironmentsError, match=r"'Pendulum'.*Did you mean Pendulum-v1"):
        environments.require("Pendulum")
    with pytest.raises(EnvironmentsError, match=r"python -m tuning environments"):
        environments.require("qqqqqqqqqq")


def test_a_module_is_never_imported(tmp_path, monkeypatch):
    (tmp_path / "canary.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EnvironmentsError, match="names a module"):
        environments.make("canary:Pendulum-v1", {})
    assert not (tmp_path / "touched").exists()


def test_make_passes_arguments_and_refuses_an_id():
    env = environments.make("Pendulum-v1", {"g": 5.0, "max_episode_steps": 7})
    assert env.unwrapped.g == 5.0
    assert env.spec.max_episode_steps == 7
    env.close()
    with pytest.raises(EnvironmentsError, match="`id` is no argument"):
        environments.make("Pendulum-v1", {"id": "CartPole-v1"})


@pytest.mark.parametrize("name", ["os;x", "../evil", "a b", "1x", "a..b", "-m"])
def test_malformed_package_names_are_refused(name, monkeypatch):
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", name)
    with pytest.raises(EnvironmentsError, match="must name modules"):
        environments.register_packages()


def test_a_package_that_cannot_be_imported_is_named(tmp_path, monkeypatch):
    (tmp_path / "half_a_package.py").write_text("import sys; sys.exit('no licence')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "half_a_package")
    with pytest.raises(EnvironmentsError, match=r"half_a_package .*SystemExit: no licence"):
        environments.catalogue()
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "not_there_at_all")
    with pytest.raises(EnvironmentsError, match=r"not_there_at_all .*ModuleNotFoundError"):
        environments.require("Pendulum-v1")


def test_environments_of_a_package_come_first(packages):
    infos = [i for i in environments.catalogue() if i.source == PACKAGE]
    assert ids(infos) == [
        "EdgewiseTarget-v1",
        "edgewise/Boxes-v0",
        "edgewise/Broken-v0",
        "edgewise/Sensors-v0",
    ]
    assert environments.catalogue()[0] == infos[0]
    environments.register_packages()
    assert environments.require("EdgewiseTarget-v0").max_episode_steps == 20  # hidden, not refused


def test_descriptions_of_sound_environments():
    pendulum = environments.describe("Pendulum-v1", {})
    assert (pendulum.observation_kind, pendulum.action_kind) == ("continuous", "continuous")
    assert pendulum.action_space == "Box(-2.0, 2.0, (1,), float32)"
    assert (pendulum.policy, pendulum.fault, pendulum.caution) == ("MlpPolicy", None, None)
    lake = environments.describe("FrozenLake-v1", {"is_slippery": False, "max_episode_steps": 30})
    assert (lake.observation_kind, lake.action_kind, lake.max_episode_steps) == ("discrete", "discrete", 30)


def test_descriptions_say_what_does_not_work(packages):
    assert "cannot act in Tuple" in environments.describe("edgewise/Boxes-v0", {}).fault
    sensors = environments.describe("edgewise/Sensors-v0", {})
    assert sensors.policy == "MultiInputPolicy"
    assert "start at 1" in sensors.fault
    assert "cannot read observations of Tuple" in environments.describe("Blackjack-v1", {}).fault
    assert "max_episode_steps" in environments.describe("CliffWalking-v1", {}).caution
    with pytest.raises(EnvironmentsError, match=r"Broken-v0 cannot be made: RuntimeError: the simulator"):
        environments.describe("edgewise/Broken-v0", {})
    with pytest.raises(EnvironmentsError, match=r"with \{'gravity': 3\}: TypeError"):
        environments.describe("Pendulum-v1", {"gravity": 3})


@pytest.mark.parametrize(
    ("kind", "policy", "fits"),
    [
        ("continuous", "MlpPolicy", True),
        ("discrete", "MlpPolicy", True),
        ("image", "MlpPolicy", True),
        ("image", "CnnPolicy", True),
        ("dict", "MultiInputPolicy", True),
        ("continuous", "CnnPolicy", False),
        ("continuous", "MultiInputPolicy", False),
        ("image", "MultiInputPolicy", False),
        ("dict", "MlpPolicy", False),
        ("dict", "CnnPolicy", False),
    ],
)
def test_policies_fit_observations(kind, policy, fits):
    suggested = {"image": "CnnPolicy", "dict": "MultiInputPolicy"}.get(kind, "MlpPolicy")
    description = environments.EnvDescription(
        "X-v0", "", kind, "", "discrete", 9, None, suggested, None, None
    )
    fault = environments.policy_fault(description, policy)
    assert (fault is None) is fits
    assert fits or f"must be {suggested} for X-v0" in fault


def test_images_and_bounds():
    image = spaces.Box(0, 255, (96, 96, 3), "uint8")
    assert environments._is_image(image)
    assert environments._is_image(spaces.Box(0, 255, (4, 84, 84), "uint8"))
    assert not environments._is_image(spaces.Box(0, 255, (8, 8, 3), "uint8"))
    assert not environments._is_image(spaces.Box(0, 1, (96, 96, 3)))
    assert "finite bounds" in environments._action_fault(spaces.Box(-float("inf"), 1, (1,)))
    nested = spaces.Dict({"a": spaces.Dict({"b": spaces.Discrete(2)})})
    assert "flat dict" in environments._observation_fault(nested)


def test_the_child_sees_a_package_that_this_process_does_not_import(packages):
    infos = environments.catalogue_from_child()
    assert infos[0].id == "EdgewiseTarget-v1"
    description = environments.describe_from_child("EdgewiseTarget-v1", {"size": 0.5})
    assert description.max_episode_steps == 20
    with pytest.raises(EnvironmentsError, match="the simulator is not running"):
        environments.describe_from_child("edgewise/Broken-v0", {})
    assert PACKAGE not in sys.modules


def test_the_child_may_hang(tmp_path, monkeypatch):
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "sleeper")
    with pytest.raises(EnvironmentsError, match="longer than 1 s"):
        environments.describe_from_child("Pendulum-v1", {}, timeout_s=1)


def test_torch_is_not_imported():
    code = (
        "import sys; from tuning import environments as e; e.describe('Pendulum-v1', {});"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
