"""What is said about an environment before anybody trains in it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from gymnasium import spaces

from tuning import env_description
from tuning.algorithms import algorithm
from tuning.env_description import EnvDescription, describe, training_faults
from tuning.environments import EnvironmentsError
from tuning.spec_parts import EnvSpec

ROOT = Path(__file__).resolve().parents[2]


def test_descriptions_of_sound_environments():
    pendulum = describe(EnvSpec(id="Pendulum-v1"))
    assert (pendulum.observation_kind, pendulum.action_kind) == ("continuous", "continuous")
    assert pendulum.action_space == "Box(-2.0, 2.0, (1,), float32)"
    assert (pendulum.policy, pendulum.fault, pendulum.caution) == ("MlpPolicy", None, None)
    lake = describe(EnvSpec(id="FrozenLake-v1", kwargs={"is_slippery": False, "max_episode_steps": 30}))
    assert (lake.observation_kind, lake.action_kind, lake.max_episode_steps) == ("discrete", "discrete", 30)


def test_descriptions_say_what_does_not_work(packages):
    assert "No algorithm here can act in Tuple" in describe(EnvSpec(id="edgewise/Boxes-v0")).fault
    sensors = describe(EnvSpec(id="edgewise/Sensors-v0"))
    assert sensors.policy == "MultiInputPolicy"
    assert "start at 1" in sensors.fault
    assert "No algorithm here can read observations of Tuple" in describe(EnvSpec(id="Blackjack-v1")).fault
    assert "max_episode_steps" in describe(EnvSpec(id="CliffWalking-v1")).caution
    with pytest.raises(EnvironmentsError, match=r"Broken-v0 cannot be made: RuntimeError: the simulator"):
        describe(EnvSpec(id="edgewise/Broken-v0"))
    with pytest.raises(EnvironmentsError, match=r"cannot be made: it has no argument gravity\. Remove it\.$"):
        describe(EnvSpec(id="Pendulum-v1", kwargs={"gravity": 3}))
    with pytest.raises(EnvironmentsError, match=r"with \{'g': 'x', 'render_mode': 0\}: \w+: ") as refused:
        describe(EnvSpec(id="Pendulum-v1", kwargs={"g": "x", "render_mode": 0}))
    assert "was raised from" not in str(refused.value)


@pytest.mark.parametrize(
    ("observed", "acted", "name", "policy", "said"),
    [
        ("continuous", "continuous", "PPO", "MlpPolicy", []),
        ("image", "discrete", "PPO", "CnnPolicy", []),
        ("continuous", "discrete", "SAC", "MlpPolicy", ["SAC acts in continuous actions only"]),
        ("dict", "discrete", "PPO", "MlpPolicy", ["`policy` must be MultiInputPolicy for X-v0"]),
        ("continuous", "discrete", "SAC", "CnnPolicy", ["SAC acts in", "`policy` must be MlpPolicy"]),
    ],
)
def test_an_algorithm_and_its_policy_must_fit(observed, acted, name, policy, said):
    seen = EnvDescription("X-v0", "", observed, "", acted, 9, None, "MlpPolicy", None, None)
    faults = training_faults(seen, algorithm(name), policy)
    assert len(faults) == len(said)
    assert all(part in fault for part, fault in zip(said, faults, strict=True))
    assert training_faults(replace(seen, fault="It is broken."), algorithm(name), policy) == ["It is broken."]


def test_images_and_bounds():
    image = spaces.Box(0, 255, (96, 96, 3), "uint8")
    assert env_description._is_image(image)
    assert env_description._is_image(spaces.Box(0, 255, (4, 84, 84), "uint8"))
    assert not env_description._is_image(spaces.Box(0, 255, (8, 8, 3), "uint8"))
    assert not env_description._is_image(spaces.Box(0, 1, (96, 96, 3)))
    assert "finite bounds" in env_description._action_fault(spaces.Box(-float("inf"), 1, (1,)))
    nested = spaces.Dict({"a": spaces.Dict({"b": spaces.Discrete(2)})})
    assert "flat dict" in env_description._observation_fault(nested)


def test_torch_is_not_imported():
    code = (
        "import sys; from tuning.env_description import describe; from tuning.spec_parts import EnvSpec;"
        "describe(EnvSpec(id='Pendulum-v1'));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
