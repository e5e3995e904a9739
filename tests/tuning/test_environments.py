"""Which environments can be chosen, and what is said about them."""

import pytest

from tuning import environments
from tuning.environments import EnvironmentsError

PACKAGE = "edgewise_test_envs"


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


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("cartpole", "CartPole-v1"),
        ("mountaincar", "MountainCar-v0"),
        ("mountaincarc", "MountainCarContinuous-v0"),
        ("boxes", "edgewise/Boxes-v0"),
        ("M", None),
        ("CartPole-v0", None),
        ("pole", None),
        ("", None),
    ],
)
def test_a_text_means_an_id_where_only_one_fits(text, meant):
    known = ["CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "edgewise/Boxes-v0"]
    assert environments.meant_id(text, known) == meant


def test_close_ids_are_found_whatever_their_case():
    assert environments.close_ids("PENDLUM", ["CartPole-v1", "Pendulum-v1"]) == ["Pendulum-v1"]
