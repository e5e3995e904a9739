"""Widen and continue: from a verdict to Launch, from Launch to a study that remembers its parent."""

from types import SimpleNamespace

import pytest

from pages.components import weighing, widen_button
from pages.components.launch_fields import PREFIX
from storage.trials import counted, imported, own
from tuning import env_child, launch
from tuning.analysis.verdicts import Verdict
from tuning.env_description import EnvDescription
from tuning.environments import EnvInfo
from tuning.lineage import parent_of

PAGE = "pages/launch.py"
PENDULUM = EnvDescription(
    "Pendulum-v1", "Box(3)", "continuous", "Box(1)", "continuous", 200, None, "MlpPolicy", None, None
)


def verdicts(**suggested):
    """Edge verdicts with these suggested ranges, as the analysis would return them."""
    parameters = [
        SimpleNamespace(name=name, verdict=Verdict.EDGE, suggested=bounds, low=0.0, high=1.0)
        for name, bounds in suggested.items()
    ]
    return SimpleNamespace(parameters=tuple(parameters))


@pytest.fixture(autouse=True)
def _known_environments(monkeypatch):
    infos = [EnvInfo("CartPole-v1", 500, 475.0, "gymnasium"), EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: infos)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: PENDULUM)


@pytest.fixture
def info(monkeypatch):
    found = verdicts(learning_rate=(3e-5, 3e-2))
    monkeypatch.setattr(weighing, "saturation", lambda run: found)
    return found


@pytest.fixture
def started(monkeypatch):
    folders = []
    monkeypatch.setattr(launch, "start", folders.append)
    return folders


def plain(text):
    return text.replace("\\", "")


def test_a_link_fills_launch_with_the_parent_and_the_wider_range(open_page, make_study, shown, info):
    parent = make_study("pendulum", n_trials=7)
    app = open_page(PAGE, **{"from": parent.id})
    text = plain(shown(app))
    assert f"Continues {parent.id}: 6 trials are imported, the best 3 run again." in text
    changes = app.dataframe[0].value
    assert changes.to_numpy().tolist() == [["learning_rate", "3e-5 … 0.003", "3e-5 … 0.03"]]
    assert app.text_input(key=PREFIX + "name").value == "pendulum-wide"
    assert app.number_input(key=PREFIX + "trials").value == 7
    assert not app.toggle(key=PREFIX + "defaults-first").value


def test_launch_starts_a_study_that_remembers_its_parent(open_page, make_study, shown, info, started):
    parent = make_study("pendulum")
    app = open_page(PAGE, **{"from": parent.id})
    app.button(key="launch").click().run()
    assert app.title[0].value == "Live"
    (folder,) = started
    run = launch.read_run(folder)
    assert run.spec.parameter("learning_rate").high == 3e-2
    assert (len(imported(run.study.trials)), len(own(run.study.trials))) == (6, 3)
    assert counted(run.study.trials) == []
    remembered = parent_of(folder)
    assert (remembered.id, remembered.changed) == (parent.id, "learning_rate up to 0.03")
    app.switch_page(PAGE).run()  # the next study is one from scratch
    assert "Continues" not in shown(app)


def test_an_edit_of_the_table_changes_what_is_shown_and_imported(open_page, make_study, shown, info):
    parent = make_study("pendulum", n_complete=6)
    app = open_page(PAGE, **{"from": parent.id})
    key = next(k for k in app.session_state if k.startswith("space-"))
    app.session_state[key] = {
        "edited_rows": {0: {"low": "2.9e-3", "high": "5"}},
        "added_rows": [],
        "deleted_rows": [],
    }
    app.run()
    assert app.dataframe[0].value["After"].tolist() == ["0.0029 … 5"]
    text = plain(shown(app))
    assert "no trial can be imported" in text
    assert "8 trials: learning_rate outside 0.0029 … 5" in text


def test_a_request_that_trains_something_else_is_refused(open_page, make_study, shown, info):
    parent = make_study("pendulum")
    app = open_page(PAGE, **{"from": parent.id})
    app.number_input(key=PREFIX + "timesteps").set_value(5000).run()
    assert "must keep its steps a trial, 1000" in plain(shown(app))
    assert app.button(key="launch").disabled
    app.button(key="from-scratch").click().run()
    assert "Continues" not in shown(app)
    assert not app.button(key="launch").disabled
    assert app.number_input(key=PREFIX + "timesteps").value == 5000
    assert app.toggle(key=PREFIX + "defaults-first").value
    assert "from" not in app.query_params


def test_a_request_that_measures_otherwise_is_told_so(open_page, make_study, shown, info):
    parent = make_study("pendulum")
    app = open_page(PAGE, **{"from": parent.id})
    assert "Imported values are means" not in plain(shown(app))
    episodes = app.number_input(key=PREFIX + "episodes")
    episodes.set_value(episodes.value + 30).run()
    assert "the imported ones are noisier" in plain(shown(app))
    assert not app.button(key="launch").disabled


def test_the_continuation_is_kept_while_another_page_is_open(open_page, make_study, shown, info):
    parent = make_study("pendulum")
    app = open_page(PAGE, **{"from": parent.id})
    app.number_input(key=PREFIX + "trials").set_value(9).run()
    app.switch_page("app.py").run()
    app.switch_page(PAGE).run()
    assert f"Continues {parent.id}" in plain(shown(app))
    assert app.number_input(key=PREFIX + "trials").value == 9


@pytest.mark.parametrize("wrong", ["nobody-0000", "../../etc", "<b>x</b>"])
def test_a_parent_that_is_not_there_is_said(open_page, runs, shown, wrong):
    app = open_page(PAGE, **{"from": wrong})
    text = shown(app)
    assert "There is no study named" in text
    assert "<b>" not in text.replace("\\<", "")
    assert not app.button(key="launch").disabled
    assert "Continues" not in text


def test_while_the_evidence_is_weighed_the_page_says_so(open_page, make_study, monkeypatch, shown):
    parent = make_study("pendulum")
    monkeypatch.setattr(weighing, "saturation", lambda run: None)
    app = open_page(PAGE, **{"from": parent.id})
    assert not app.exception
    assert [s.label for s in app.status] == ["Weighing which ranges are too narrow"]
    monkeypatch.setattr(weighing, "saturation", lambda run: verdicts())
    app.run()
    assert "The search space is the same." in shown(app)


def test_a_suggestion_that_is_not_allowed_leaves_the_range(open_page, make_study, monkeypatch, shown):
    parent = make_study("pendulum")
    monkeypatch.setattr(weighing, "saturation", lambda run: verdicts(learning_rate=(3e-5, -1.0)))
    app = open_page(PAGE, **{"from": parent.id})
    assert "The suggested ranges cannot be used" in shown(app)
    assert "The search space is the same." in shown(app)


def test_a_running_parent_keeps_what_it_has_not_ended(open_page, running, info, shown):
    app = open_page(PAGE, **{"from": running.id})
    text = plain(shown(app))
    assert "6 trials are imported" in text
    assert f"{running.id} is still running: 1 trial not ended yet will not be imported." in text


def test_the_button_says_what_it_does_or_why_it_does_nothing(make_study):
    run = launch.read_run(make_study("pendulum"))
    words, ready = widen_button.explain(run, verdicts(learning_rate=(3e-5, 3e-2)))
    assert ready
    assert words.startswith("Opens Launch with learning_rate 3e-5 … 0.003 → 3e-5 … 0.03.")
    words, ready = widen_button.explain(run, verdicts())
    assert not ready
    assert "nothing to widen" in words
    words, ready = widen_button.explain(run, verdicts(learning_rate=(3e-5, -1.0)))
    assert not ready
    assert "must be below" in words
    foreign = launch.Run(run.folder, None, run.status, run.study)
    words, ready = widen_button.explain(foreign, verdicts(learning_rate=(3e-5, 3e-2)))
    assert not ready
    assert "was not launched from here" in words
