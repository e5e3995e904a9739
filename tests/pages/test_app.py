import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pages.components.study_table import UNREADABLE, StudyRow, study_frame
from storage.records import write_record
from storage.trials import failure_kind
from tuning import examples, launch


def test_an_empty_runs_folder_offers_the_story(open_page, shown):
    app = open_page()
    text = shown(app)
    assert "No study yet" in text
    assert "Run the Pendulum story" in text
    assert not app.dataframe


def test_every_study_has_a_row_with_its_state_and_best_value(open_page, make_study):
    finished = make_study("first")
    waiting = make_study("second", n_complete=0, n_pruned=0, n_failed=0, state=None)
    app = open_page()
    assert not app.exception
    table = app.dataframe[0].value.set_index("study")
    assert table.loc[finished.id, ["state", "trials", "best", "open"]].tolist() == [
        "finished",
        "5 of 5",
        "-700",
        "Open",
    ]
    assert table.loc[finished.id, "progress"] == 1.0
    assert list(table.loc[finished.id, "best_so_far"]) == [-1000, -900, -800, -700]
    assert table.loc[waiting.id, ["state", "trials", "best"]].tolist() == ["created", "0 of 5", ""]


def test_a_running_study_can_be_watched_but_not_deleted(open_page, running):
    table = open_page().dataframe[0].value.set_index("study")
    assert table.loc[running.id, ["state", "open"]].tolist() == ["running", "Watch"]
    assert table.loc[running.id, "delete"] is None


def test_one_broken_study_does_not_hide_the_others(open_page, make_study):
    good, damaged, gone, odd = (make_study(name) for name in ("good", "damaged", "gone", "odd"))
    lines = damaged.journal.read_text().splitlines(keepends=True)
    damaged.journal.write_text("".join([*lines[:3], "{not json}\n", *lines[3:]]))
    gone.journal.unlink()
    write_record(odd.exit, {"state": "elsewhere"})
    app = open_page()
    assert not app.exception
    states = app.dataframe[0].value.set_index("study")["state"].to_dict()
    assert states == {good.id: "finished", damaged.id: UNREADABLE, gone.id: UNREADABLE, odd.id: "failed"}


def test_opening_the_page_recovers_what_a_dead_runner_left(open_page, make_study):
    folder = make_study("left", state="interrupted")
    study = launch.read_run(folder).study
    storage = launch.open_journal(folder.journal)
    storage.create_new_trial(storage.get_study_id_from_name(study.name))
    app = open_page()
    assert app.dataframe[0].value["state"].tolist() == ["interrupted"]
    assert failure_kind(launch.read_run(folder).study.trials[-1]) == "interrupted"


def test_a_wrong_study_in_the_address_does_not_matter_here(open_page, make_study):
    make_study()
    app = open_page(study="../../etc/passwd")
    assert not app.exception
    assert app.sidebar.selectbox[0].value is None


def test_the_dashboard_process_imports_no_torch(open_page, make_study):
    make_study()
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        "app = AppTest.from_file('app.py').run(timeout=30);"
        "pages = ('launch', 'live');"
        "[app.switch_page(f'pages/{p}.py').run(timeout=30) for p in pages];"
        "assert not app.exception, app.exception;"
        "print([m for m in ('torch', 'stable_baselines3') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert out.stdout.strip() == "[]", out.stderr


def test_rows_of_unreadable_studies_are_empty():
    frame = study_frame([StudyRow("x", UNREADABLE)], now=time.time())
    assert frame.iloc[0][["state", "trials", "best", "age"]].tolist() == [UNREADABLE, "", "", ""]


@pytest.fixture
def shipped(make_study, tmp_path, monkeypatch):
    folder = make_study("recorded")
    shutil.move(folder.path, tmp_path / "examples" / "recorded")
    monkeypatch.setattr(examples, "FOLDER", tmp_path / "examples")
    return tmp_path / "examples" / "recorded"


def test_the_recorded_example_is_copied_once(open_page, shipped, runs):
    app = open_page()
    button = next(b for b in app.button if b.label == "Open the recorded example")
    before = sorted((p.name, p.stat().st_mtime_ns) for p in shipped.iterdir())
    button.click().run()
    assert (runs / "recorded" / "journal.log").is_file()
    assert examples.copy_recorded(shipped, runs).path == runs / "recorded"
    assert sorted((p.name, p.stat().st_mtime_ns) for p in shipped.iterdir()) == before
    assert len(launch.read_run(examples.copy_recorded(shipped, runs)).study.trials) == 6


def test_the_widened_example_opens_both_studies_and_shows_what_was_found(open_page, runs, shown):
    app = open_page()
    next(b for b in app.button if b.label == "Open the widened example").click().run()
    assert {path.name for path in runs.iterdir()} == {path.name for path in examples.recorded_pairs()[0]}
    assert "Open the widened example" not in shown(open_page())
