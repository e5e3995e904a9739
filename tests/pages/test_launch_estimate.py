"""The time on Launch: guessed, measured, being measured."""

import time

import pytest

from pages.components.launch_fields import PREFIX
from tuning import calibrating, calibration_child, env_child
from tuning.calibration import Calibration, Cost
from tuning.env_description import EnvDescription
from tuning.environments import EnvInfo
from tuning.spec import parse_spec

PAGE = "pages/launch.py"
PENDULUM = EnvDescription(
    "Pendulum-v1", "Box(3)", "continuous", "Box(1)", "continuous", 200, None, "MlpPolicy", None, None
)


@pytest.fixture(autouse=True)
def _known_environment(monkeypatch):
    infos = [EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: infos)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: PENDULUM)


def spec_of(app):
    return parse_spec(next(code.value for code in app.code if "n_workers" in code.value))


def test_what_was_measured_takes_the_place_of_the_guess(open_page, runs, words):
    app = open_page(PAGE)
    assert "60 trials on" in words(app)
    assert ": roughly " in words(app)
    cost = Cost(
        configuration=0,
        trainer="fast",
        build_s=0.0,
        random_step_s=None,
        collect_step_s=1e-4,
        update_step_s=1e-4,
        eval_step_s=1e-4,
        episode_steps=200.0,
    )
    found = Calibration(
        measured_at=time.time() - 125,
        n_cores=2,
        busy_cores=0.0,
        start_s=2.0,
        time_limit=200,
        alone=(cost,),
        n_together=1,
        failures=("ValueError: <b>boom</b>",),
    )
    calibrating.keep(runs, spec_of(app), found)
    text = words(app.run())
    assert "measured on this machine 2 min ago" in text
    assert ": roughly " not in text
    assert "A trial that is not pruned takes about" in text
    assert r"<b>boom</b>" in text
    assert app.button(key="measure").label == "Measure again"
    assert app.dataframe[0].value["Workers"].tolist()[0] == 1
    app.number_input(key=PREFIX + "train-envs").set_value(3).run()
    assert ": roughly " in words(app)  # of this request nothing was measured


def test_a_measurement_runs_in_the_background_and_ends_when_the_request_changes(open_page, runs):
    app = open_page(PAGE)
    app.button(key="measure").click().run()
    assert not app.exception
    (child,) = [child for child in calibration_child._made if child.is_running]
    assert app.status[0].label.startswith("Measuring")
    assert "measure" not in [button.key for button in app.button]
    app.number_input(key=PREFIX + "train-envs").set_value(3).run()
    assert not child.is_running
    assert app.button(key="measure").label == "Measure"


def test_a_second_session_waits_for_the_first(open_page, runs, words):
    first, second = open_page(PAGE), open_page(PAGE)
    first.button(key="measure").click().run()
    second.button(key="measure").click().run()
    assert "Another measurement runs" in words(second)
    for child in list(calibration_child._made):
        child.end()
