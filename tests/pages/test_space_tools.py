"""The editor of the search space on Launch: every button, and the way back from each."""

import pytest

from pages.components.launch_fields import PREFIX
from storage.trials import PROPOSED_BY
from tests.pages.test_launch import PAGE, _known_environments, started  # noqa: F401 - fixtures
from tuning import launch
from tuning.launch import read_run
from tuning.spec import load_spec


def names(app):
    return list(app.dataframe[0].value["name"])


def choice(app, start):
    return next(box for box in app.selectbox if str(box.key).startswith(start))


def said_in(app, popover):
    """What is said inside a popover, which covers what is below it."""
    inside = app.get_by_key(popover)
    return [e.value.replace("\\", "") for kind in ("success", "error") for e in inside.get(kind)]


def edit(app, **change):
    key = max((k for k in app.session_state if k.startswith("space-")), key=lambda k: int(k[6:]))
    app.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **change}
    app.run()


def test_every_change_can_be_undone_and_done_again(open_page):
    app = open_page(PAGE)
    assert app.button(key="tool-undo").disabled
    edit(app, edited_rows={1: {"low": "0.9"}})
    choice(app, "tool-add-name").set_value("vf_coef").run()
    app.button(key="tool-add").click().run()
    assert names(app)[-1] == "vf_coef"
    app.get_by_key(PREFIX + "preset").set_value("learning-rate-only").run()
    assert names(app) == ["learning_rate"]
    app.selectbox(key=PREFIX + "algorithm").set_value("A2C").run()
    app.button(key="tool-undo").click().run()
    assert (names(app), app.session_state[PREFIX + "algorithm"]) == (["learning_rate"], "PPO")
    app.button(key="tool-undo").click().run()
    assert names(app)[-1] == "vf_coef"
    app.button(key="tool-undo").click().run()
    assert app.dataframe[0].value["low"][1] == "0.9"
    app.button(key="tool-undo").click().run()
    assert app.dataframe[0].value["low"][1] == "0.97"
    assert app.session_state[PREFIX + "preset"] == "starter"
    assert app.button(key="tool-undo").disabled
    for _ in range(2):
        app.button(key="tool-redo").click().run()
    assert names(app)[-1] == "vf_coef"


def test_fixing_a_parameter_and_searching_it_again(open_page, started):  # noqa: F811
    app = open_page(PAGE)
    choice(app, "tool-fix-name").set_value("gamma").run()
    assert app.text_input(key="tool-fix-value-PPO-gamma").value == "0.99"
    app.text_input(key="tool-fix-value-PPO-gamma").set_value("1.5").run()
    app.button(key="tool-fix").click().run()
    said = said_in(app, "tool-fix-popover")[0]
    assert "Not fixed: gamma must be at least 0 and below 1: received 1.5" in said
    app.text_input(key="tool-fix-value-PPO-gamma").set_value("9e-1").run()
    app.button(key="tool-fix").click().run()
    assert "gamma" not in names(app)
    assert said_in(app, "tool-fix-popover") == ["gamma is fixed at 0.9."]
    assert app.text_area(key=PREFIX + "hyperparameters").value == "gamma: 0.9"
    app.button(key="tool-search-gamma").click().run()
    assert app.text_area(key=PREFIX + "hyperparameters").value == ""
    app.button(key="launch").click().run()
    spec = load_spec(started[0].spec)
    assert spec.parameter("gamma").low == 0.97  # the range that it had


def test_the_value_to_fix_is_the_chosen_parameters_default(open_page):
    app = open_page(PAGE)
    assert (
        choice(app, "tool-fix-name").value,
        app.text_input(key="tool-fix-value-PPO-n_steps_pow").value,
    ) == (
        "n_steps_pow",
        "2048",
    )
    app.get_by_key(PREFIX + "preset").set_value("rl-zoo").run()
    assert choice(app, "tool-fix-name").value == "batch_size_pow"
    assert app.text_input(key="tool-fix-value-PPO-batch_size_pow").value == "64"


def test_copying_a_study_leaves_out_what_the_algorithm_lacks(open_page, make_study, words):
    folder = make_study("wide", search_space="rl-zoo", n_complete=0, n_pruned=0, n_failed=0)
    app = open_page(PAGE)
    app.selectbox(key=PREFIX + "algorithm").set_value("A2C").run()
    choice(app, "tool-copy-from").set_value(folder.id).run()
    app.button(key="tool-copy").click().run()
    assert "n_steps_pow" in names(app)
    assert "batch_size_pow" not in names(app)
    text = words(app)
    assert "Left out, as A2C does not have it: batch_size_pow, clip_range and n_epochs." in text
    assert "It was made for PPO" in text
    assert not app.button(key="launch").disabled


def test_importing_a_space_and_what_is_wrong_with_one(open_page, words):
    app = open_page(PAGE)
    app.text_area(key="tool-text").set_value("- {name: gamma, kind: float, low: 1, high: 0.5}").run()
    app.button(key="tool-import").click().run()
    assert "Parameter 1: `low` of gamma must be below `high`" in words(app)
    assert len(names(app)) == 4
    good = "search_space: [{name: gamma, kind: float, low: 0.5, high: 0.9}]\nhyperparameters: {vf_coef: 1.0}"
    app.text_area(key="tool-text").set_value(good).run()
    app.button(key="tool-import").click().run()
    assert names(app) == ["gamma"]
    assert app.text_area(key=PREFIX + "hyperparameters").value == "vf_coef: 1.0"


def test_a_natural_limit_is_named_in_its_row(open_page, words):
    app = open_page(PAGE)
    edit(app, edited_rows={1: {"high": "1.5"}})
    assert "Row 2 (gamma): gamma must be at least 0 and below 1: received 1.5." in words(app)
    assert app.button(key="launch").disabled


def test_tuned_values_outside_the_space_are_told_and_the_space_widened(open_page, words, started):  # noqa: F811
    app = open_page(PAGE)
    assert "RL Zoo for what is searched: gamma 0.9 lies outside 0.97 … 0.9999: widen?" in words(app)
    app.button(key="first-widen-0").click().run()
    assert "Tried first: SB3 defaults, then RL Zoo for what is searched." in words(app)
    assert app.dataframe[0].value["low"][1] == "0.9"
    app.button(key="launch").click().run()
    trials = read_run(started[0]).study.trials
    assert trials[1].system_attrs["fixed_params"]["gamma"] == 0.9


def test_a_configuration_of_ones_own_is_queued_first(open_page, words, started):  # noqa: F811
    app = open_page(PAGE)
    app.text_input(key="first-form-gamma").set_value("0.5").run()
    app.button(key="first-queue").click().run()
    assert "gamma 0.5 lies outside 0.97 … 0.9999. Widen its range" in said_in(app, "first-popover")[0]
    assert app.text_input(key="first-form-n_steps_pow").label == "n_steps"
    app.text_input(key="first-form-gamma").set_value("0.98").run()
    app.text_input(key="first-form-n_steps_pow").set_value("512").run()
    app.button(key="first-queue").click().run()
    assert said_in(app, "first-popover") == ["Queued: n_steps 512, gamma 0.98."]
    assert "n_steps 512, gamma 0.98" in words(app)
    app.button(key="launch").click().run()
    mine = read_run(started[0]).study.trials[-1]
    assert mine.system_attrs["fixed_params"] == {"n_steps_pow": 9, "gamma": 0.98}
    assert mine.user_attrs == {PROPOSED_BY: "by hand"}


def test_a_queued_configuration_that_the_space_no_longer_holds(open_page, words):
    app = open_page(PAGE)
    app.text_input(key="first-form-gamma").set_value("0.98").run()
    app.button(key="first-queue").click().run()
    edit(app, edited_rows={1: {"low": "0.99"}})
    assert "Tried first, number 1: gamma 0.98 lies outside 0.99 … 0.9999" in words(app)
    assert app.button(key="launch").disabled
    app.button(key="first-remove-0").click().run()
    assert not app.button(key="launch").disabled


@pytest.mark.parametrize("file", ["pages/live.py", "pages/history.py"])
def test_a_configuration_is_queued_in_a_study_that_exists(open_page, make_study, words, file, monkeypatch):
    folder = make_study("done", n_complete=4, n_pruned=1, n_failed=0)
    resumed = []
    monkeypatch.setattr(launch, "start", resumed.append)
    app = open_page(file, study=folder.id, **({"trial": "3"} if "history" in file else {}))
    key = f"try-{folder.id}-3"
    best = read_run(folder).study.trials[3].params["learning_rate"]
    assert float(app.text_input(key=f"{key}-learning_rate").value) == pytest.approx(best)
    app.text_input(key=f"{key}-learning_rate").set_value("1").run()
    app.button(key=f"{key}-queue").click().run()
    assert "learning_rate 1 lies outside 3e-05 … 0.003" in words(app)
    app.text_input(key=f"{key}-learning_rate").set_value("1e-3").run()
    app.button(key=f"{key}-queue").click().run()
    assert "Trial 5 is queued. The budget was used up, so it is 6 trials now." in words(app)
    assert resumed == [folder]
    assert read_run(folder).study.trials[5].user_attrs == {PROPOSED_BY: "by hand"}


def test_a_server_that_only_shows_offers_no_configuration(open_page, make_study, monkeypatch):
    folder = make_study("done")
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    app = open_page("pages/live.py", study=folder.id)
    assert not [b for b in app.button if b.label == "Queue it"]
