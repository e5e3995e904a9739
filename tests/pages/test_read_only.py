"""A link for colleagues: every view is there, nothing on it changes anything, and viewing writes nothing."""

import shutil

import pytest

from storage.artifacts import kept_trials
from storage.paths import RunFolder
from tests.shipped import BEST, SECOND
from tuning import examples
from tuning.access import VARIABLE
from tuning.rollout import KeptTrial

PAGES = [
    f"pages/{page}.py"
    for page in ("launch", "live", "history", "slices", "saturation", "reevaluation", "rollouts")
]
WIDGETS = (
    *("button", "download_button", "link_button", "toggle", "checkbox", "radio", "button_group", "selectbox"),
    *("multiselect", "number_input", "text_input", "text_area", "slider", "select_slider", "data_editor"),
    *("date_input", "time_input", "color_picker", "file_uploader", "chat_input", "feedback"),
)
# All that a page may offer where nothing may be changed: ways to look, and to take a copy home.
LOOKING = {
    "history": {
        *("Trial", "Pruned trials", "Clip outliers", "Log scale", "Format", "To share"),
        *("Build the report", "Download YAML", "Download CSV"),
    },
    "saturation": {"Download CSV"},
    "slices": {"Across", "Upward", "Pruned trials", "Clip outliers"},
    "reevaluation": {"Re-evaluation", "Show everything to scale", "Download CSV"},
    "rollouts": {"Present", "Shown", "Open", "Download", "Download CSV", "MP4"},
}


@pytest.fixture
def recorded(runs):
    runs.mkdir()
    return examples.copy_recorded(examples.recorded_pairs()[0][0], runs)


def everything_below(folder):
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
        for p in sorted([folder, *folder.rglob("*")])
    }


def offered(app):
    """Labels of all that can be pressed, picked or filled in, wherever it stands."""
    return {widget.proto.label for kind in WIDGETS for widget in app.get(kind)}


def allowed(file):
    """Labels that a page may offer; the picker of the sidebar stands on every page."""
    return {"Study"} | LOOKING.get(file.split("/")[1].removesuffix(".py") if file else "", set())


@pytest.mark.parametrize("file", [None, *PAGES])
def test_pages_offer_nothing_that_changes_something(open_page, shown, recorded, runs, monkeypatch, file):
    monkeypatch.setenv(VARIABLE, "1")
    before = everything_below(runs)
    app = open_page(file, study=recorded.id)
    shown(app)
    assert offered(app) - allowed(file) == set()
    assert everything_below(runs) == before


@pytest.mark.parametrize("file", ["pages/history.py", "pages/reevaluation.py", "pages/rollouts.py"])
def test_what_was_found_is_all_there(
    open_page, shown, runs, add_reevaluation, add_rollout, monkeypatch, file
):
    runs.mkdir()
    study = examples.copy_recorded(examples.recorded()[0], runs)
    shutil.rmtree(study.jobs, ignore_errors=True)
    shutil.rmtree(study.rollouts, ignore_errors=True)
    add_reevaluation(
        study, {f"trial {SECOND}": [-150.0] * 6, f"trial {BEST}": [-180.0] * 6, "defaults": [-1100.0] * 6}
    )
    add_rollout(study, KeptTrial(study=study.id, number=SECOND))
    if "history" not in file:
        assert offered(open_page(file, study=study.id)) - allowed(file), "elsewhere there is more to press"
    monkeypatch.setenv(VARIABLE, "1")
    before = everything_below(runs)
    app = open_page(file, study=study.id)
    text = shown(app)
    assert offered(app) - allowed(file) == set()
    assert {"history": "Build the report", "reevaluation": f"Trial {SECOND}", "rollouts": "Return:"}[
        file.split("/")[1].removesuffix(".py")
    ] in text
    assert everything_below(runs) == before


def test_the_badge_says_so(open_page, shown, recorded, monkeypatch):
    assert "Read-only" not in shown(open_page())
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page()
    assert any("Read-only" in markdown.value for markdown in app.sidebar.markdown)
    assert list(app.dataframe[0].value.columns)[-1] == "age"


def test_launch_says_that_this_server_only_shows(open_page, shown, runs, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    text = shown(open_page("pages/launch.py"))
    assert "This server only shows studies" in text
    assert "Search space" not in text


def test_an_empty_server_says_where_studies_come_from(open_page, shown, runs, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page()
    assert "launched elsewhere" in shown(app)
    assert not app.button
    assert not runs.exists()


def test_a_study_that_runs_elsewhere_is_watched_and_left_alone(open_page, shown, running, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page("pages/live.py", study=running.id)
    assert "Running now" in shown(app)
    assert not app.button
    assert not running.stop.exists()


def test_a_trial_says_that_its_weights_are_kept_without_the_switch(open_page, shown, recorded, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    kept = min(kept_trials(recorded))
    app = open_page("pages/history.py", study=recorded.id, trial=str(kept))
    assert "Its weights are kept" in shown(app)
    assert not [toggle for toggle in app.toggle if toggle.label.startswith("Keep")]


@pytest.mark.parametrize("label", ["Stop after current trials", "Stop now"])
def test_a_tab_from_before_is_told_so(open_page, shown, running, monkeypatch, label):
    app = open_page("pages/live.py", study=running.id)
    monkeypatch.setenv(VARIABLE, "1")
    next(button for button in app.button if button.label == label).click().run()
    assert "so it cannot stop a study" in shown(app)
    assert not running.stop.exists()


def test_a_tab_from_before_cannot_launch_the_story(open_page, shown, runs, monkeypatch):
    app = open_page()
    monkeypatch.setenv(VARIABLE, "1")
    next(button for button in app.button if button.label == "Run the Pendulum story").click().run()
    assert "so it cannot launch a study" in shown(app)
    assert not runs.exists()


def test_a_crafted_session_cannot_delete(open_page, shown, recorded, runs, monkeypatch):
    app = open_page()
    monkeypatch.setenv(VARIABLE, "1")
    app.session_state["pending-deletion"] = RunFolder(runs / recorded.id)
    app.run()
    assert "goes for good" not in shown(app)
    assert recorded.path.is_dir()
    shutil.rmtree(recorded.path)
