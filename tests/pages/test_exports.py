"""What can be taken home beside a configuration, and what a page says while it is built."""

import time

import pytest

from pages.components import deletion
from storage.roots import VARIABLE as ROOTS
from tests.shipped import BEST_AGAIN
from tuning import launch
from tuning.access import VARIABLE
from tuning.mapping import guess_mapping, save_mapping
from tuning.opening import open_study

HISTORY = "pages/history.py"
WAIT_S = 90


@pytest.fixture
def study(runs):
    from tuning import examples

    return examples.copy_recorded(examples.recorded()[0], runs)


def choice(app):
    return next(control for control in app.segmented_control if control.label == "To share")


def test_what_there_is_to_share(open_page, study, shown, monkeypatch):
    app = open_page(HISTORY, study=study.id)
    assert choice(app).options == ["Report", "Model", "Model card"]
    assert "Build the report" in shown(app)
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page(HISTORY, study=study.id)
    assert choice(app).options == ["Report", "Model"]  # a card would be written among the studies


def test_a_model_card_is_found_again_and_counted_where_the_study_is_deleted(open_page, study, shown):
    assert "model card" not in deletion.losses(study)
    card = study.exports / f"ppo-Pendulum-v1-trial-{BEST_AGAIN}"  # the recommended one
    card.mkdir(parents=True)
    (card / "README.md").write_text("# A <b>card</b>")
    assert ", 1 model card, learning curves" in deletion.losses(study)
    app = open_page(HISTORY, study=study.id)
    choice(app).set_value("Model card").run()
    (listed,) = [m.value for m in app.markdown if m.value.startswith("- ppo")]
    assert card.name in listed.replace("\\", "")
    (button,) = [b for b in app.button if b.label == "Build it again"]
    assert card.name in button.help.replace("\\", "")


def test_a_trial_without_weights_says_so(open_page, study, shown):
    app = open_page(HISTORY, study=study.id, trial="1")
    app.session_state["trial-configuration"] = True
    app.run()
    shared = [control for control in app.segmented_control if control.label == "To share"]
    assert len(shared) == 2  # of the trial that is looked at, and of the best one
    shared[0].set_value("Model").run()
    assert "No weights of trial 1 are kept" in shown(app)


def test_a_study_that_is_not_ours_has_a_report(open_page, shown, tmp_path, runs, write_study, monkeypatch):
    theirs = tmp_path.resolve() / "theirs"
    theirs.mkdir()
    monkeypatch.setenv(ROOTS, str(theirs))
    folder = open_study(write_study(theirs / "study.log"), None, runs)
    app = open_page(HISTORY, study=folder.id)
    assert "Build the report" in shown(app)
    assert not [control for control in app.segmented_control if control.label == "To share"]


def test_a_mapping_gives_a_foreign_study_all_exports_and_a_damaged_one_takes_no_page_along(
    open_page, shown, tmp_path, runs, write_study, monkeypatch
):
    theirs = tmp_path.resolve() / "theirs"
    theirs.mkdir()
    monkeypatch.setenv(ROOTS, str(theirs))
    folder = open_study(write_study(theirs / "study.log"), None, runs)
    save_mapping(folder, guess_mapping(launch.read_run(folder), env_id="Pendulum-v1", n_timesteps=5000).spec)
    app = open_page(HISTORY, study=folder.id)
    assert choice(app).options == ["Report", "Model", "Model card"]
    assert any("n_timesteps: !!float 5e3" in block.value for block in app.code)
    folder.mapping.write_text('{"env": ')
    app = open_page(HISTORY, study=folder.id)
    assert not app.exception
    assert "Build the report" in shown(app)
    assert "say on Re-evaluation what this study trained" in shown(app)


def test_a_report_is_built_beside_the_page_and_downloaded(open_page, study, shown, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")  # building it changes nothing
    before = {p: p.stat().st_mtime_ns for p in study.path.rglob("*")}
    app = open_page(HISTORY, study=study.id)
    next(button for button in app.button if button.label == "Build the report").click().run()
    deadline = time.monotonic() + WAIT_S
    while not any(b.label.startswith("Download the report") for b in app.get("download_button")):
        assert time.monotonic() < deadline, shown(app)
        time.sleep(0.3)
        app.run()
    assert "Build it again" in shown(app)
    assert {p: p.stat().st_mtime_ns for p in study.path.rglob("*")} == before
