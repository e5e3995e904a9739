"""Children say what environments are like and draw them; none of them can hold up the dashboard."""

import io
import os
import subprocess
import sys
import time

import psutil
import pytest
from PIL import Image

from tuning import env_survey
from tuning.env_survey import Survey, Surveyed, picture_from_child, survey_from_children
from tuning.environments import EnvironmentsError
from tuning.spec_parts import EnvSpec

AWKWARD = """
import os, time
import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Fine(gym.Env):
    metadata = {"render_modes": ["rgb_array"]}
    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode=None, size=900):
        self.render_mode, self.size = render_mode, size

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}

    def render(self):
        return np.full((self.size, 2 * self.size, 3), 200, np.uint8)


class Hangs(Fine):
    def __init__(self, **kwargs):
        time.sleep(60)


class Dies(Fine):
    def __init__(self, **kwargs):
        os._exit(9)


class Blind(Fine):
    metadata = {"render_modes": []}


print("hello on stdout")
for name, cls in (("A", Fine), ("B", Hangs), ("C", Dies), ("D", Blind)):
    gym.register(f"awkward/{name}-v0", entry_point=cls, max_episode_steps=9)
"""


@pytest.fixture
def awkward(tmp_path, monkeypatch):
    (tmp_path / "awkward_envs.py").write_text(AWKWARD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("EDGEWISE_ENV_PACKAGES", "awkward_envs")


def test_what_hangs_or_dies_is_named_and_the_others_are_described(awkward, monkeypatch):
    monkeypatch.setattr(env_survey, "START_TIMEOUT_S", 3.0)
    started = time.monotonic()
    found = dict(survey_from_children([f"awkward/{c}-v0" for c in "ABCD"], timeout_s=1.0))
    assert list(found) == [f"awkward/{c}-v0" for c in "ABCD"]
    assert found["awkward/A-v0"].description.action_kind == "discrete"
    assert found["awkward/B-v0"] == Surveyed(None, "awkward/B-v0 took longer than 1 s to be made.")
    assert found["awkward/C-v0"] == Surveyed(None, "awkward/C-v0 ended the process that looked at it.")
    assert found["awkward/D-v0"].description.max_episode_steps == 9
    assert time.monotonic() - started < 30


def test_a_hanging_environment_does_not_outlive_whoever_asks(awkward):
    asker = "from tuning.env_survey import *; print(next(survey_from_children(['awkward/B-v0'])), flush=True)"
    process = subprocess.Popen([sys.executable, "-c", asker], cwd=env_survey._PROJECT_ROOT)
    asking = psutil.Process(process.pid)
    deadline = time.monotonic() + 30
    while not (children := asking.children()) or children[0].num_threads() < 2:  # until it watches stdin
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)  # it has begun to hang
    process.kill()
    process.wait()
    assert not psutil.wait_procs(children, timeout=5)[1]


def test_a_survey_fills_in_beside_its_reader(monkeypatch):
    told = {"A-v0": Surveyed(None, "broken"), "B-v0": Surveyed(None, "too")}
    monkeypatch.setattr(env_survey, "survey_from_children", lambda ids: iter(told.items()))
    survey = Survey(["A-v0", "B-v0"])
    assert survey.wait(5)
    assert survey.found == told


def test_a_picture_is_small_and_what_cannot_be_drawn_says_why(awkward, tmp_path):
    before = set(os.listdir("/tmp"))
    drawn = picture_from_child(EnvSpec(id="awkward/A-v0", kwargs={"size": 700}))
    with Image.open(io.BytesIO(drawn)) as picture:
        assert (picture.format, picture.size) == ("PNG", (480, 240))
    with pytest.raises(EnvironmentsError, match="no way to draw itself"):
        picture_from_child(EnvSpec(id="awkward/D-v0"))
    with pytest.raises(EnvironmentsError, match="There is no environment 'awkward/E-v0'"):
        picture_from_child(EnvSpec(id="awkward/E-v0"))
    assert not [n for n in set(os.listdir("/tmp")) - before if n.startswith("edgewise-picture-")]


def test_drawing_that_hangs_is_ended(awkward, monkeypatch):
    monkeypatch.setattr(env_survey, "START_TIMEOUT_S", 0.1)
    with pytest.raises(EnvironmentsError, match="Drawing took longer than 1 s"):
        picture_from_child(EnvSpec(id="awkward/B-v0"), timeout_s=1.0)
