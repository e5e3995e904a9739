"""Launch's budget, objective, sampler and pruner: what can be chosen, and why not what cannot."""

import pytest

from pages.components.launch_fields import PREFIX
from pages.components.launch_form import data_from_fields, fields_from_spec
from tuning import env_child
from tuning.env_description import EnvDescription
from tuning.environments import EnvInfo
from tuning.spec import build_spec

PAGE = "pages/launch.py"
PENDULUM = EnvDescription(
    "Pendulum-v1", "Box(3)", "continuous", "Box(1)", "continuous", 200, None, "MlpPolicy", None, None
)
NUMBERS = [{"name": "gamma", "kind": "float", "low": 0.9, "high": 0.99}]


@pytest.fixture(autouse=True)
def _known_environments(monkeypatch):
    infos = [EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: infos)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: PENDULUM)


def test_what_cannot_be_chosen_is_left_out_with_the_reason(open_page, shown):
    app = open_page(PAGE)
    sampler, text = app.selectbox(key=PREFIX + "sampler"), shown(app).replace("\\", "")
    assert sampler.options == ["Auto", "TPE", "Gaussian process", "Quasi-random", "Random", "Grid"]
    assert "CMA-ES takes numbers only, and activation_fn has choices" in text
    assert "Train 5 seeds a trial or more" in text
    assert "10 episodes here mean a standard error of about 32" in text

    app.selectbox(key=PREFIX + "second").select("training_time")
    app.number_input(key=PREFIX + "n-seeds").set_value(3).run()
    assert not app.exception
    text = shown(app).replace("\\", "")
    assert "NSGA-II" in app.selectbox(key=PREFIX + "sampler").options
    assert app.selectbox(key="pruner-is-off").disabled
    assert "Nothing can be pruned with two objectives" in text
    assert "3 trainings a trial: 180 trainings in all" in text
    assert not app.button(key="launch").disabled

    app.selectbox(key=PREFIX + "second").select("none").run()
    assert app.selectbox(key=PREFIX + "pruner").value == "median"
    app.selectbox(key=PREFIX + "measure").select("seconds")
    app.selectbox(key=PREFIX + "sampler").select("grid")
    app.selectbox(key=PREFIX + "pruner").select("threshold").run()
    assert not app.exception
    text = shown(app).replace("\\", "")
    assert "128 combinations" in text
    assert "is missing: the return below which" in text
    app.number_input(key=PREFIX + "worst").set_value(-1500.0).run()
    assert "a seed no longer repeats" in shown(app)
    assert not app.button(key="launch").disabled


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"sampler": {"name": "gp", "random_share": 0.3, "n_startup_trials": 7}},
        {"sampler": {"name": "tpe", "group": True}, "pruner": {"name": "hyperband", "reduction_factor": 2}},
        {"sampler": {"name": "grid", "grid_levels": 3}, "pruner": {"name": "threshold", "threshold": -5.0}},
        {"pruner": {"name": "wilcoxon", "p_threshold": 0.2}, "objective": {"n_seeds": 4, "last_k": 2}},
        {"pruner": {"name": "none"}, "objective": {"second": "steps_to_threshold", "threshold": 3.0}},
        {"budget": {"trial_seconds": 12.5}, "pruner": {"name": "patient", "patience": 2}},
        {"pruner": {"name": "percentile", "percentile": 60.0, "warmup_fraction": 0.125}},
    ],
)
def test_a_request_comes_back_from_the_form_as_it_was(parts):
    spec = build_spec({"env": {"id": "Pendulum-v1"}, "search_space": NUMBERS, **parts})
    data, faults = data_from_fields(fields_from_spec(spec))
    assert not faults
    assert build_spec({**data, "search_space": NUMBERS}) == spec
