"""Files of other people: read whole, left alone, and explained where they cannot be read."""

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import optuna
import pytest

from storage import sqlite_file
from storage.foreign import NoSuchStudy, StudyListing, open_source, source_kind
from storage.source import SourceUnreadable

FILES = ("study.log", "study.db")


@pytest.mark.parametrize("file", FILES)
def test_a_study_is_read_as_optuna_wrote_it(tmp_path, write_study, file):
    path = write_study(tmp_path / file, "ppo", n_trials=4)
    study = open_source(path).study("ppo")
    assert (study.name, study.maximize) == ("ppo", False)
    assert [t.value for t in study.trials] == [0.0, 1.0, 2.0, 3.0]
    assert study.trials[1].params["a b/<b>"] == "b"
    assert study.trials[0].distributions["learning_rate"].high == 1e-2


@pytest.mark.parametrize("file", FILES)
def test_reading_leaves_the_file_and_its_folder_as_they_were(tmp_path, write_study, everything_in, file):
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = write_study(folder / file)
    before = everything_in(folder)
    folder.chmod(0o500)
    storage = open_source(path)
    storage.studies()
    storage.study("ppo")
    del storage
    folder.chmod(0o700)
    assert everything_in(folder) == before


@pytest.mark.parametrize("file", FILES)
def test_several_studies_are_listed_by_name(tmp_path, write_study, file):
    path = write_study(tmp_path / file, "b", directions=("maximize",), n_trials=2)
    write_study(path, "a", n_trials=0)
    write_study(path, "two goals", directions=("minimize", "maximize"), n_trials=1)
    assert open_source(path).studies() == (
        StudyListing("a", ("minimize",), 0),
        StudyListing("b", ("maximize",), 2),
        StudyListing("two goals", ("minimize", "maximize"), 1),
    )
    assert open_source(path).study("a").trials == ()
    assert open_source(path).study("b").maximize
    with pytest.raises(SourceUnreadable, match="2 objectives"):
        open_source(path).study("two goals")
    with pytest.raises(NoSuchStudy, match="It holds 'a', 'b', 'two goals'"):
        open_source(path).study("c")


@pytest.mark.parametrize("file", FILES)
def test_an_opened_file_shows_what_was_added_since(tmp_path, write_study, file):
    path = write_study(tmp_path / file, "ppo", n_trials=1)
    storage = open_source(path)
    assert len(storage.study("ppo").trials) == 1
    write_study(path, "sac", n_trials=2)
    url = f"sqlite:///{path}"
    journal = optuna.storages.journal.JournalFileBackend(str(path)) if path.suffix == ".log" else None
    study = optuna.load_study(
        study_name="ppo", storage=optuna.storages.JournalStorage(journal) if journal else url
    )
    running = study.ask()
    assert [t.state.name for t in storage.study("ppo").trials] == ["COMPLETE", "RUNNING"]
    study.tell(running, 5.0)
    assert [t.value for t in storage.study("ppo").trials] == [0.0, 5.0]
    assert len(storage.study("sac").trials) == 2


def test_a_study_that_takes_the_place_of_a_deleted_one_is_not_mixed_with_it(tmp_path, write_study):
    path = write_study(tmp_path / "study.db", "ppo", n_trials=5)
    storage = open_source(path)
    assert len(storage.study("ppo").trials) == 5
    optuna.delete_study(study_name="ppo", storage=f"sqlite:///{path}")
    write_study(path, "ppo", n_trials=2)  # with the number that SQLite has freed
    assert [t.value for t in storage.study("ppo").trials] == [0.0, 1.0]


def test_odd_characters_in_a_path_stay_in_the_path(tmp_path, write_study, everything_in):
    folder = tmp_path / "a b?{SCHEMA_VERSION}#%41"
    folder.mkdir()
    path = folder / "st&udy?mode=rwc.db"
    shutil.copy(write_study(tmp_path / "plain.db"), path)
    before = everything_in(folder)
    assert len(open_source(path).study("ppo").trials) == 3
    assert everything_in(folder) == before


def test_threads_may_share_what_is_open(tmp_path, write_study):
    storage = open_source(write_study(tmp_path / "study.db"))
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(len(storage.study("ppo").trials))) for _ in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [3, 3]


@pytest.fixture
def wal(tmp_path, write_study):
    """A database in WAL mode whose writer lives, with values that are only in its `-wal` file.

    The writer is another process: within one, SQLite gives all connections the same index.
    """
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = write_study(folder / "study.db", n_trials=2)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout.readline() == b"written\n"
    yield path
    writer.communicate()


WRITER = """
import sqlite3, sys

writer = sqlite3.connect(sys.argv[1])
writer.execute("PRAGMA journal_mode = WAL")
writer.execute("PRAGMA wal_autocheckpoint = 0")
writer.execute("UPDATE trial_values SET value = value + 100")
writer.commit()
print("written", flush=True)
sys.stdin.read()
"""


def values(path: Path) -> list[float | None]:
    return [t.value for t in open_source(path).study("ppo").trials]


def test_a_live_database_in_wal_mode_is_read_up_to_its_last_commit(wal, everything_in):
    before = everything_in(wal.parent)
    assert sorted(p.name for p in wal.parent.iterdir()) == ["study.db", "study.db-shm", "study.db-wal"]
    assert values(wal) == [100.0, 101.0]
    assert everything_in(wal.parent) == before


@pytest.mark.parametrize("left", [("-wal", "-shm"), ("-wal",)])
def test_a_database_whose_writer_died_in_wal_mode_is_read_and_left(wal, tmp_path, everything_in, left):
    folder = tmp_path / "after the crash"
    folder.mkdir()
    for ending in ("", *left):
        shutil.copy(f"{wal}{ending}", folder / f"study.db{ending}")
    folder.chmod(0o500)
    before = everything_in(folder)
    assert values(folder / "study.db") == [100.0, 101.0]
    assert everything_in(folder) == before
    folder.chmod(0o700)


def test_a_closed_database_in_wal_mode_makes_no_files_beside_it(tmp_path, write_study, everything_in):
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = write_study(folder / "study.db", n_trials=2)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.close()
    before = everything_in(folder)
    assert values(path) == [0.0, 1.0]
    assert everything_in(folder) == before
    assert list(before) == [".", "study.db"]


@pytest.fixture
def lone(wal, tmp_path, monkeypatch):
    """The same database as it lies without the index of its writer: it is only readable as a copy."""
    monkeypatch.setattr(sqlite_file.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sqlite_file, "_copies", {})
    (tmp_path / "lone").mkdir()
    for ending in ("", "-wal"):
        shutil.copy(f"{wal}{ending}", tmp_path / "lone" / f"study.db{ending}")
    return tmp_path / "lone" / "study.db"


def copies(path: Path) -> list[Path]:
    return sorted(path.parents[1].glob("edgewise-*"))


def test_one_private_copy_serves_until_the_file_changes(lone):
    storage = open_source(lone)
    assert len(storage.studies()) == 1
    (first,) = copies(lone)
    made = first.stat().st_ino
    assert [t.value for t in storage.study("ppo").trials] == [100.0, 101.0]
    assert values(lone) == [100.0, 101.0]
    assert [(c, c.stat().st_ino) for c in copies(lone)] == [(first, made)]
    os.utime(f"{lone}-wal", ns=(0, 0))
    assert values(lone) == [100.0, 101.0]
    (second,) = copies(lone)
    assert second != first
    shutil.rmtree(second)  # as some systems do with what is old
    assert values(lone) == [100.0, 101.0]
    Path(f"{lone}-wal").unlink()
    assert values(lone) == [0.0, 1.0]
    assert copies(lone) == []


def test_a_connection_keeps_the_copy_that_it_reads(lone):
    connection = sqlite_file.connect(lone)
    os.utime(lone, ns=(0, 0))
    sqlite_file.connect(lone).close()
    assert len(copies(lone)) == 2
    assert connection.execute("SELECT MAX(value) FROM trial_values").fetchone() == (101.0,)
    connection.close()
    assert len(copies(lone)) == 1


def test_the_copies_of_few_files_are_kept_and_none_after_exit(lone):
    code = (
        "import sys; from pathlib import Path; from storage import sqlite_file\n"
        "sqlite_file.tempfile.tempdir = sys.argv[1]; sqlite_file.KEPT_COPIES = 2\n"
        "for path in sys.argv[2:]: sqlite_file.connect(Path(path)).close()\n"
        "print(len(list(Path(sys.argv[1]).glob('edgewise-*'))))"
    )
    others = [lone.with_name(f"study{n}.db") for n in range(3)]
    for other in others:
        for ending in ("", "-wal"):
            shutil.copy(f"{lone}{ending}", f"{other}{ending}")
    root = Path(sqlite_file.__file__).parents[1]
    command = [sys.executable, "-c", code, str(lone.parents[1]), *map(str, others)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "2\n"
    assert copies(lone) == []


def test_what_is_too_large_to_be_copied_says_what_to_do(lone, monkeypatch):
    monkeypatch.setattr(sqlite_file, "MOST_COPIED", 1000)
    with pytest.raises(SourceUnreadable, match="Let its own program open and close it once"):
        open_source(lone)
    assert copies(lone) == []


def test_a_locked_database_is_named_so(tmp_path, write_study, monkeypatch):
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.05)
    path = write_study(tmp_path / "study.db")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceUnreadable, match="stays locked"):
        open_source(path)
    writer.close()


def test_a_database_that_was_left_in_the_middle_of_a_write_is_not_repaired(
    tmp_path, write_study, everything_in
):
    path = write_study(tmp_path / "study.db", n_trials=60)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 2")
    writer.execute("BEGIN")
    writer.execute("UPDATE trial_params SET distribution_json = distribution_json || '  '")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for ending in ("", "-journal"):
        shutil.copy(f"{path}{ending}", crashed / f"study.db{ending}")
    writer.close()
    before = everything_in(crashed)
    with pytest.raises(SourceUnreadable, match="middle of a write"):
        open_source(crashed / "study.db")
    assert everything_in(crashed) == before


@pytest.mark.parametrize(
    ("statement", "remedy"),
    [
        ("UPDATE alembic_version SET version_num = 'v2.4.0.a'", "optuna storage upgrade"),
        ("UPDATE alembic_version SET version_num = 'v99.0.0.a'", "Upgrade Optuna"),
        ("DELETE FROM alembic_version", "optuna storage upgrade"),
        ("DROP TABLE alembic_version", "optuna storage upgrade"),
        ("DELETE FROM version_info", "optuna storage upgrade"),
        ("DROP TABLE trials", "no study"),
    ],
)
def test_another_schema_is_refused_and_not_upgraded(tmp_path, write_study, everything_in, statement, remedy):
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = write_study(folder / "study.db")
    with sqlite3.connect(path) as writer:
        writer.execute(statement)
    writer.close()
    before = everything_in(folder)
    with pytest.raises(SourceUnreadable, match=remedy):
        open_source(path)
    assert everything_in(folder) == before


def test_a_torn_last_line_is_left_out_and_left_there(tmp_path, write_study, everything_in):
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = write_study(folder / "study.log", n_trials=2)
    with path.open("ab") as journal:
        journal.write(b'{"op_code":4,"worker')
    before = everything_in(folder)
    assert len(open_source(path).study("ppo").trials) == 2
    assert everything_in(folder) == before


def test_a_journal_that_is_damaged_inside_names_the_line(tmp_path, write_study):
    path = write_study(tmp_path / "study.log")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"{torn\n", *lines[1:]]))
    with pytest.raises(SourceUnreadable, match="Line 2 of the journal"):
        open_source(path)


@pytest.mark.parametrize(
    "operation",
    [
        {"op_code": 99, "worker_id": "x"},
        {"op_code": 0, "worker_id": "x"},
        {"op_code": "<b>", "worker_id": "x"},
        {"op_code": 4, "worker_id": "x", "study_id": 0, "distributions": {"a": "{}"}, "params": {"a": 1}},
        [],
    ],
)
def test_an_operation_that_cannot_be_replayed_is_a_sentence(tmp_path, write_study, operation):
    path = write_study(tmp_path / "study.log")
    with path.open("a") as journal:
        journal.write(json.dumps(operation) + "\n")
    with pytest.raises(SourceUnreadable):
        open_source(path).study("ppo")


def test_a_direction_that_was_never_set_means_minimize(tmp_path, write_study):
    path = write_study(tmp_path / "study.log", n_trials=1)
    lines = path.read_text().splitlines()
    first = json.loads(lines[0])
    first["directions"] = [0]
    path.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    storage = open_source(path)
    assert storage.studies()[0].directions == ("minimize",)
    assert not storage.study("ppo").maximize


def test_a_journal_takes_no_line_from_here(tmp_path, write_study, everything_in):
    path = write_study(tmp_path / "study.log")
    before = everything_in(tmp_path)
    with pytest.raises(PermissionError, match="only reads it"):
        optuna.load_study(study_name="ppo", storage=open_source(path).storage).ask()
    assert everything_in(tmp_path) == before


def test_a_database_takes_no_row_from_here(tmp_path, write_study, everything_in):
    path = write_study(tmp_path / "study.db")
    before = everything_in(tmp_path)
    storage = open_source(path).storage
    with pytest.raises(optuna.exceptions.StorageInternalError):
        storage.set_study_user_attr(storage.get_study_id_from_name("ppo"), "ours", 1)
    assert everything_in(tmp_path) == before


def make_text(path: Path) -> None:
    path.write_text("10:00:00  study started\n")


def make_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"study": 1}))


def make_plain_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


def make_damaged_database(path: Path) -> None:
    path.write_bytes(sqlite_file.SQLITE_HEADER + os.urandom(5000))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "There is no file"),
        (Path.mkdir, "is a folder. Name the file in it"),
        (Path.touch, "is empty"),
        (os.mkfifo, "no regular file"),
        (make_text, "neither an Optuna journal nor a SQLite database"),
        (make_pickle, "pickle, which can run code"),
        (lambda path: path.write_bytes(b"PK\x03\x04rest"), "Unpack it"),
        (lambda path: path.write_bytes(b'{"a": 1}\n'), "neither an Optuna journal"),
        (lambda path: path.write_bytes(b"[" * 100_000 + b"\n"), "neither an Optuna journal"),
        (make_plain_database, "Optuna has stored no study in it"),
        (make_damaged_database, "damaged|cannot be"),
    ],
)
def test_what_is_no_study_is_said_plainly_and_nothing_is_made(tmp_path, everything_in, make, said):
    path = tmp_path / "theirs" / "thing"
    path.parent.mkdir()
    make(path)
    names = os.listdir(path.parent)
    with pytest.raises(SourceUnreadable, match=said) as caught:
        open_source(path)
    assert str(path) in str(caught.value)
    assert os.listdir(path.parent) == names


def test_a_name_that_no_file_can_have_is_a_sentence(tmp_path):
    with pytest.raises(SourceUnreadable):
        open_source(tmp_path / ("x" * 5000))


def test_a_file_that_goes_while_it_is_open_is_missed(tmp_path, write_study):
    for file in FILES:
        path = write_study(tmp_path / file)
        storage = open_source(path)
        path.unlink()
        with pytest.raises(SourceUnreadable, match="moved or deleted"):
            storage.study("ppo")


def test_a_journal_whose_first_line_is_being_written_is_one(tmp_path):
    path = tmp_path / "study.log"
    path.write_bytes(b'{"op_code":0,"wor')
    assert source_kind(path) == "journal"
    assert open_source(path).studies() == ()
