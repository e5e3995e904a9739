"""Choosing an environment on Launch: what the algorithm can act in, its wrappers, and a picture of it."""

import io

import pytest
from PIL import Image

from pages.components.environment_table import environment_rows
from pages.components.launch_fields import PREFIX
from tuning import env_child, env_survey, launch
from tuning.env_description import EnvDescription
from tuning.env_survey import Surveyed
from tuning.environments import EnvInfo, EnvironmentsError
from tuning.spec import load_spec

PAGE = "pages/launch.py"
INFOS = [EnvInfo("CartPole-v1", 500, 475.0, "gymnasium"), EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
SEEN = {
    "CartPole-v1": EnvDescription(
        "CartPole-v1", "Box(4)", "continuous", "Discrete(2)", "discrete", 500, 475.0, "MlpPolicy", None, None
    ),
    "Pendulum-v1": EnvDescription(
        "Pendulum-v1", "Box(3)", "continuous", "Box(1)", "continuous", 200, None, "MlpPolicy", None, None
    ),
}
FOUND = {env_id: Surveyed(seen) for env_id, seen in SEEN.items()}


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Known environments; returns which ones were described."""
    asked = []
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: INFOS)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: (asked.append(env), SEEN[env.id])[1])
    monkeypatch.setattr(env_survey, "survey_from_children", lambda ids: iter(FOUND.items()))
    return asked


def plain(text):
    return text.replace("\\", "")


def type_environment(app, text):
    box = app.selectbox(key=PREFIX + "env")
    box.options.append(text)  # as the browser does with what is typed and not listed
    box.set_value(text).run()


def test_the_list_has_what_the_algorithm_can_act_in(open_page, shown):
    app = open_page(PAGE)
    assert app.selectbox(key=PREFIX + "env").options == ["CartPole-v1", "Pendulum-v1"]
    app.selectbox(key=PREFIX + "algorithm").set_value("SAC").run()
    assert not app.exception
    assert app.selectbox(key=PREFIX + "env").options == ["Pendulum-v1"]
    assert "1 hidden: SAC acts in continuous actions only." in plain(shown(app))
    app.checkbox(key=PREFIX + "all-envs").check().run()
    assert app.selectbox(key=PREFIX + "env").options == ["CartPole-v1", "Pendulum-v1"]
    app.selectbox(key=PREFIX + "env").set_value("CartPole-v1").run()
    assert "CartPole-v1's are discrete. Choose DQN" in plain(shown(app))
    assert app.button(key="launch").disabled


def test_wrappers_reach_the_request_and_the_description(open_page, shown, asked, monkeypatch):
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    app = open_page(PAGE)
    app.toggle(key=PREFIX + "normalize-observations").set_value(True)
    app.number_input(key=PREFIX + "frame-stack").set_value(3).run()
    assert "With observations normalised, 3 frames stacked" in shown(app)
    assert (asked[-1].normalize_observations, asked[-1].frame_stack) == (True, 3)
    app.number_input(key=PREFIX + "frame-stack").set_value(40).run()
    assert "Frame stack: it should be less than or equal to 16: received 40." in plain(shown(app))
    app.number_input(key=PREFIX + "frame-stack").set_value(3).run()
    app.button(key="launch").click().run()
    spec = load_spec(started[0].spec)
    assert spec.env.wrappers == {"normalize_observations": True, "frame_stack": 3}


def test_the_policy_is_one_that_the_algorithm_has(open_page):
    app = open_page(PAGE)
    app.selectbox(key=PREFIX + "algorithm").set_value("ARS").run()
    assert not app.exception
    assert set(app.selectbox(key=PREFIX + "policy").options) == {"LinearPolicy", "MlpPolicy"}
    app.selectbox(key=PREFIX + "policy").set_value("LinearPolicy").run()
    app.selectbox(key=PREFIX + "algorithm").set_value("RecurrentPPO").run()
    assert not app.exception
    assert app.session_state[PREFIX + "policy"] == "MlpLstmPolicy"


def test_a_picture_or_why_there_is_none(open_page, shown, monkeypatch):
    assert "No picture. Nothing draws in this test." in plain(shown(open_page(PAGE)))
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(file, "PNG")
    monkeypatch.setattr(env_survey, "picture_from_child", lambda env: file.getvalue())
    app = open_page(PAGE)
    app.selectbox(key=PREFIX + "env").set_value("CartPole-v1").run()
    assert len(app.get("image")) == 1


def test_what_was_picked_in_the_table_is_chosen(open_page):
    app = open_page(PAGE)
    app.session_state["launch-env-picked"] = "CartPole-v1"
    app.run()
    assert app.selectbox(key=PREFIX + "env").value == "CartPole-v1"
    assert app.text_input(key=PREFIX + "name").value == "cartpole"


@pytest.mark.parametrize(
    ("sought", "ids"),
    [
        ("", ["CartPole-v1", "Pendulum-v1"]),
        ("POLE", ["CartPole-v1"]),
        ("continuous, 200", ["Pendulum-v1"]),
        ("no-such", []),
    ],
)
def test_the_table_is_searched_in_all_its_columns(sought, ids):
    rows = environment_rows(INFOS, FOUND, {"CartPole-v1": "SAC acts elsewhere."}, sought)
    assert list(rows.get("Environment", [])) == ids
    if not sought:
        assert list(rows["Solved at"].isna()) == [False, True]


def test_rows_are_there_before_anything_is_known():
    assert list(environment_rows(INFOS, {}, {}, "")["Acts"]) == ["", ""]


@pytest.mark.parametrize("typed", ["cartpole", "CARTPOLE-V1", "Cart"])
def test_a_name_that_can_mean_only_one_environment_is_that_one(open_page, typed):
    app = open_page(PAGE)
    type_environment(app, typed)
    assert app.selectbox(key=PREFIX + "env").value == "CartPole-v1"
    assert app.text_input(key=PREFIX + "name").value == "cartpole"


def test_an_id_that_does_not_exist_is_mended_at_a_press(open_page, monkeypatch):
    def describe(env):
        if env.id not in SEEN:
            raise EnvironmentsError(f"There is no environment {env.id}.")
        return SEEN[env.id]

    monkeypatch.setattr(env_child, "describe_from_child", describe)
    app = open_page(PAGE)
    type_environment(app, "cardpole-v2")
    assert app.button(key="launch").disabled
    app.button(key="env-meant-CartPole-v1").click().run()
    assert app.selectbox(key=PREFIX + "env").value == "CartPole-v1"
    assert not app.button(key="launch").disabled
