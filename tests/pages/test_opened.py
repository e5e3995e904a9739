"""Studies that are not ours, from the form on Home to every page that shows them."""

import shutil
import sqlite3
import threading

import optuna
import pytest

from pages.components import cached
from storage.paths import list_runs
from storage.records import read_record, write_record
from storage.roots import VARIABLE
from tuning.opening import open_study

FILES = ("study.log", "study.db")
HISTORY, SLICES, LIVE = "pages/history.py", "pages/slices.py", "pages/live.py"
PAGES = (LIVE, HISTORY, SLICES, "pages/saturation.py", "pages/launch.py")


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """A folder that pages may open studies from."""
    folder = tmp_path.resolve() / "theirs"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def opened(theirs, runs, write_study):
    """Open a study that was made by plain Optuna."""
    return lambda file, name="ppo", **kinds: open_study(write_study(theirs / file, name, **kinds), name, runs)


@pytest.fixture
def choose_file(monkeypatch, open_page):
    """Open Home and type a file in the form; AppTest can only pick what is in the list."""

    def choose(text):
        monkeypatch.setattr(cached, "candidates", lambda roots, runs: [text])
        return open_page().selectbox(key="open-file").set_value(text).run()

    return choose


def press_open(app):
    return next(b for b in app.button if b.label == "Open").click().run()


@pytest.mark.parametrize("file", FILES)
def test_from_an_empty_home_to_the_history_of_a_study(
    theirs, runs, open_page, write_study, shown, everything_in, file
):
    write_study(theirs / file, "ppo <b>", n_trials=4)
    before = everything_in(theirs)
    app = open_page()
    assert "No study yet" in shown(app)
    assert app.selectbox(key="open-file").options == [file]
    app.selectbox(key="open-file").set_value(str(theirs / file)).run()
    assert [box.options for box in app.main.selectbox if box.label == "Study"] == [
        ["ppo <b> · minimize · 4 trials"]
    ]
    press_open(app)
    assert not app.exception
    (folder,) = list_runs(runs)
    assert folder.id in app.query_params["study"]
    text = shown(app)
    assert r"Best so far\: 0 \(trial 0\) after 4 trials" in text
    assert f"Read from {file}".replace(".", r"\.") in text
    assert everything_in(theirs) == before


def test_a_path_may_be_typed_and_one_study_of_several_picked(theirs, runs, choose_file, write_study, shown):
    path = write_study(theirs / "deep.db", "a", n_trials=1)
    write_study(path, "b", n_trials=2)
    write_study(path, "two <i>goals", directions=("minimize", "maximize"))
    app = choose_file("deep.db")
    picker = next(box for box in app.main.selectbox if box.label == "Study")
    assert picker.options == ["a · minimize · 1 trial", "b · minimize · 2 trials"]
    assert r"several objectives and every view here compares one: two \<i\>goals" in shown(app)
    picker.select("b").run()
    press_open(app)
    assert read_record(list_runs(runs)[0].source)["study"] == "b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/etc/passwd", "outside the folders"),
        ("../runs/x/journal.log", "outside the folders"),
        ("missing.db", "There is no file"),
        ("link.db", "outside the folders"),
        ("notes.txt", "neither an Optuna journal nor a SQLite database"),
        ("sqlite:///study.db", "Pages open files only"),
        ("postgresql://me@127.0.0.1/db", "Pages open files only"),
    ],
)
def test_a_page_opens_no_file_outside_and_no_url(theirs, runs, choose_file, write_study, shown, text, said):
    write_study(theirs.parent / "outside.db")
    (theirs / "link.db").symlink_to(theirs.parent / "outside.db")
    (theirs / "notes.txt").write_text("hello")
    app = choose_file(text)
    assert said in shown(app)
    assert not [b for b in app.button if b.label == "Open"]
    assert list_runs(runs) == []


def test_a_file_that_changes_hands_before_the_press_is_refused(theirs, runs, choose_file, write_study, shown):
    write_study(theirs.parent / "outside.db")
    path = write_study(theirs / "study.db")
    app = choose_file("study.db")
    path.unlink()
    path.symlink_to(theirs.parent / "outside.db")
    press_open(app)
    assert list_runs(runs) == []
    assert "outside the folders" in shown(app)


def test_the_list_marks_it_and_removing_it_leaves_the_file(opened, theirs, open_page, shown, everything_in):
    folder = opened("study.db")
    before = everything_in(theirs)
    app = open_page()
    row = app.dataframe[0].value.iloc[0]
    assert row[["study", "state", "trials", "task", "open"]].tolist() == [
        folder.id,
        "opened",
        "3",
        "from study.db",
        "Open",
    ]
    app.session_state["pending-deletion"] = folder
    text = shown(app.run())
    assert "Remove from the list" in text
    assert "stays as it is" in text
    assert everything_in(theirs) == before


@pytest.mark.parametrize("file", FILES)
def test_every_page_shows_it(opened, open_page, shown, file):
    folder = opened(file, "a b/<b>", n_trials=40)
    texts = {page: shown(open_page(page, study=folder.id)) for page in PAGES}
    assert "This study runs elsewhere" in texts[LIVE]
    assert r"a b\/\<b\>" in texts[LIVE]
    assert "Resume" not in texts[LIVE]
    assert "40 trials" in texts[HISTORY]
    assert '"study": "a b/<b>"' in texts[HISTORY]
    assert r"learning\_rate matters most" in texts[SLICES]


def test_one_of_its_trials_shows_its_values_and_what_was_recorded(
    opened, open_page, shown, theirs, write_study
):
    folder = opened("study.log")
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(theirs / "study.log"))
    )
    study = optuna.load_study(study_name="ppo", storage=storage)
    trial = study.ask()
    trial.set_user_attr("note", "<b>bold</b>")
    trial.set_user_attr("resolved", {"gamma": "evil"})
    study.tell(trial, 1.0)
    app = open_page(HISTORY, study=folder.id, trial="1")
    table = next(d.value for d in app.dataframe if "Parameter" in d.value.columns)
    assert dict(zip(table["Parameter"], table["Value"], strict=True)) == {
        "a b/<b>": "b",
        "learning_rate": "1e-4",
    }
    assert "Value: 1" in shown(app)
    assert not app.toggle or "Keep this trial's weights" not in [t.label for t in app.toggle]
    assert '"note": "<b>bold</b>"' in shown(open_page(HISTORY, study=folder.id, trial="3"))


@pytest.mark.parametrize("page", [HISTORY, SLICES])
def test_without_trials_the_page_says_who_brings_them(opened, open_page, shown, page):
    folder = opened("study.db", n_trials=0)
    assert "once whoever runs the study stores the first one" in shown(open_page(page, study=folder.id))


@pytest.mark.parametrize(
    ("state", "word", "said"),
    [
        ("FAIL", "failed", "The only trial failed"),
        ("RUNNING", "running", "No trial is complete yet"),
        ("PRUNED", "pruned", "No trial is complete"),
    ],
)
def test_without_a_complete_trial_the_pages_say_why(opened, open_page, shown, theirs, state, word, said):
    folder = opened("study.log", n_trials=0)
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(theirs / "study.log"))
    )
    study = optuna.load_study(study_name="ppo", storage=storage)
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState[state]))
    assert said in shown(open_page(SLICES, study=folder.id))
    listed = open_page(HISTORY, study=folder.id).main.selectbox[0].options[0]
    assert listed == f"Trial 0 · {word}"


@pytest.mark.parametrize("file", FILES)
def test_new_trials_show_and_an_unchanged_file_is_not_read_again(
    opened, open_page, shown, theirs, file, monkeypatch
):
    folder = opened(file, n_trials=2)
    app = open_page(HISTORY, study=folder.id)
    reads = []
    read = optuna.storages.RDBStorage._get_trials
    monkeypatch.setattr(
        optuna.storages.RDBStorage, "_get_trials", lambda *a, **k: reads.append(1) or read(*a, **k)
    )
    app.run()
    assert reads == []
    storage = f"sqlite:///{theirs / file}"
    if file.endswith(".log"):
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(theirs / file))
        )
    study = optuna.load_study(study_name="ppo", storage=storage)
    study.add_trial(optuna.trial.create_trial(value=-7.0))
    assert r"Best so far\: \-7 \(trial 2\) after 3 trials" in shown(app.run())


def test_a_journal_that_its_owner_starts_again_is_read_again(opened, open_page, shown, theirs, write_study):
    folder = opened("study.log", n_trials=5)
    app = open_page(HISTORY, study=folder.id)
    (theirs / "study.log").write_bytes(b"")
    write_study(theirs / "study.log", n_trials=1)
    assert "after 1 trial;" in shown(app.run())


def test_other_threads_read_it_too(opened, open_page, shown):
    folder = opened("study.db", n_trials=12)
    texts = []
    shown(open_page(HISTORY, study=folder.id))
    thread = threading.Thread(target=lambda: texts.append(shown(open_page(SLICES, study=folder.id))))
    thread.start()
    thread.join()
    assert "matters most" in texts[0]


def test_a_record_that_was_edited_to_lead_outside_is_refused_on_every_page(
    opened, open_page, shown, theirs, write_study
):
    folder = opened("study.db")
    outside = write_study(theirs.parent / "outside.db", n_trials=9)
    write_record(folder.source, {"path": str(outside), "study": "ppo", "kind": "sqlite"})
    for page in (HISTORY, SLICES, LIVE):
        text = shown(open_page(page, study=folder.id))
        assert "cannot be read" in text
        assert "outside the folders" in text
    assert open_page().dataframe[0].value["state"].tolist() == ["unreadable"]


@pytest.mark.parametrize("damage", ["gone", "text", "record", "renamed", "schema"])
def test_what_became_of_the_file_is_explained_and_the_way_out_named(opened, open_page, shown, theirs, damage):
    folder = opened("study.db")
    path = theirs / "study.db"
    match damage:
        case "gone":
            path.unlink()
        case "text":
            path.write_text("text")
        case "record":
            folder.source.write_text("{")
        case "renamed":
            shutil.move(path, theirs / "other.db")
        case "schema":
            with sqlite3.connect(path) as writer:
                writer.execute("UPDATE alembic_version SET version_num = 'v2.4.0.a'")
            writer.close()
    text = shown(open_page(HISTORY, study=folder.id))
    assert "cannot be read" in text
    assert "on the first page" in text
    assert open_page().dataframe[0].value["state"].tolist() == ["unreadable"]


def test_looking_never_writes_beside_it(opened, open_page, theirs, everything_in):
    folder = opened("study.db")
    before = everything_in(theirs), everything_in(folder.path)
    theirs.chmod(0o500)
    for page in (*PAGES, None):
        assert not open_page(page, study=folder.id).exception
    theirs.chmod(0o700)
    assert (everything_in(theirs), everything_in(folder.path)) == before
