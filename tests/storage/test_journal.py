"""The journal cannot be bricked: torn, full, killed, replaced, hostile. And it stays Optuna's own format."""

import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from storage.journal import STUDY_NAME, JournalDamaged, JournalMissing, append_trials, open_journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.log"


@pytest.fixture
def no_fsync(monkeypatch):
    """Spare the disk where thousands of cases are about bytes, not about power."""
    monkeypatch.setattr("storage.journal.os.fsync", lambda descriptor: None)


def write_study(path):
    """Write one line of each kind of operation, and return the storage."""
    storage = open_journal(path, create=True)
    study = optuna.create_study(storage=storage, study_name=STUDY_NAME, direction="maximize")
    study.set_user_attr("note", "größe \u2028")
    trial = study.ask()
    trial.suggest_float("rate", 1e-5, 1e-2, log=True)
    trial.suggest_int("pow", 5, 12)
    trial.suggest_categorical("act", ["tanh", "relu", None, True, 0.5])
    trial.report(float("-inf"), step=1)
    trial.report(-1234.5, step=20_000)
    trial.set_user_attr("failure", {"kind": "error", "message": "line\nbreak", "list": [1, None]})
    study.enqueue_trial({"rate": 1e-3, "pow": 7}, user_attrs={"baseline": "SB3 defaults"})
    study.tell(trial, -200.25)
    study.tell(study.ask(), state=TrialState.FAIL)
    return storage


def snapshot(storage):
    return [
        (study.study_name, study.user_attrs, storage.get_all_trials(study._study_id, deepcopy=False))
        for study in storage.get_all_studies()
    ]


def append_one(storage):
    studies = storage.get_all_studies()
    if studies:
        storage.set_study_user_attr(studies[0]._study_id, "after", 1)
    else:
        storage.create_new_study([StudyDirection.MINIMIZE], "after")


def check_repaired(path, before, fragment):
    """A damaged log takes one append; nothing that was there before is lost, the fragment is kept."""
    storage = open_journal(path)
    assert snapshot(storage) == before
    append_one(storage)
    fresh = snapshot(open_journal(path))
    assert fresh == snapshot(storage)
    assert [trials for _, _, trials in fresh][: len(before)] == [trials for _, _, trials in before]
    assert fresh[0][0] == "after" or fresh[0][1]["after"] == 1
    torn = Path(f"{path}.torn")
    assert torn.read_bytes() == fragment + b"\n"
    torn.unlink()


# -- torn lines


def test_an_append_torn_at_any_byte_loses_nothing(path, no_fsync):
    write_study(path)
    lines = path.read_bytes().splitlines(keepends=True)
    assert {json.loads(line)["op_code"] for line in lines} == {0, 2, 4, 5, 6, 7, 8}
    n_cases = 0
    for number, line in enumerate(lines):
        whole = b"".join(lines[:number])
        path.write_bytes(whole)
        before = snapshot(open_journal(path))
        for cut in range(1, len(line)):
            path.write_bytes(whole + line[:cut])
            check_repaired(path, before, line[:cut])
            n_cases += 1
    assert n_cases > 1_800


@pytest.mark.parametrize("n_zeros", [1, 2, 3, 4, 100, 70_000])
def test_a_tail_of_zeros_loses_nothing(path, no_fsync, n_zeros):
    write_study(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        whole = b"".join(lines[:number])
        path.write_bytes(whole)
        before = snapshot(open_journal(path))
        for fragment in (b"\0" * n_zeros, line[:30] + b"\0" * n_zeros):
            path.write_bytes(whole + fragment)
            check_repaired(path, before, fragment)


def test_a_last_line_whose_beginning_never_reached_the_disk_loses_nothing(path, no_fsync):
    write_study(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        whole = b"".join(lines[:number])
        path.write_bytes(whole)
        before = snapshot(open_journal(path))
        for n_zeros in (1, 2, 3, 4, 50, len(line) - 1):
            fragment = b"\0" * n_zeros + line[n_zeros:]
            path.write_bytes(whole + fragment)
            check_repaired(path, before, fragment)


def test_a_torn_line_longer_than_one_read_is_kept_whole(path):
    write_study(path)
    before = snapshot(open_journal(path))
    fragment = b'{"op_code": 8, "x": "' + b"y" * 200_000
    with path.open("ab") as file:
        file.write(fragment)
    check_repaired(path, before, fragment)


def test_fragments_pile_up_in_the_torn_file(path):
    storage = write_study(path)
    for fragment in (b'{"a', b'{"b'):
        with path.open("ab") as file:
            file.write(fragment)
        append_one(storage)
    assert Path(f"{path}.torn").read_bytes() == b'{"a\n{"b\n'
    assert snapshot(open_journal(path)) == snapshot(storage)


def test_a_reader_ignores_a_line_that_is_being_written(path):
    storage = write_study(path)
    reader = open_journal(path)
    before = snapshot(reader)
    line = path.read_bytes().splitlines(keepends=True)[1]
    with path.open("ab") as file:
        file.write(line[:40])
        file.flush()
        assert snapshot(reader) == before
        file.write(line[40:])
    assert snapshot(reader) == snapshot(storage)


# -- damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: b"x" + line[1:],
        lambda line: line[:20] + line[25:-2] + b"\n",
        lambda line: line[:20] + b"\xff" + line[21:],
        lambda line: b"\n",
        lambda line: b"garbage\n",
        lambda line: b"[" * 100_000 + b"\n",
        lambda line: b"9" * 5_000 + b"\n",
        lambda line: line[:-1] + line,
    ],
)
def test_damage_to_a_whole_line_is_refused_and_changes_nothing(path, damage):
    storage = write_study(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(len(lines)):
        content = b"".join([*lines[:number], damage(lines[number]), *lines[number + 1 :]])
        path.write_bytes(content)
        with pytest.raises(JournalDamaged, match=r"journal\.log"):
            open_journal(path)
        assert path.read_bytes() == content
    assert storage


def test_zeros_in_the_middle_are_refused(path):
    write_study(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0" * len(lines[1]) + b"".join(lines[2:]))
    with pytest.raises(JournalDamaged, match=r"Line 2 of the journal .*journal\.log is damaged"):
        open_journal(path)


@pytest.mark.parametrize(
    "operation",
    [
        5,
        "text",
        None,
        [],
        {},
        {"op_code": 99, "worker_id": "w"},
        {"op_code": 0, "worker_id": "w"},
        {"op_code": 0, "worker_id": "w", "study_name": "s", "directions": [7]},
        {"op_code": 0, "worker_id": "w", "study_name": "s", "directions": 1},
        {"op_code": 2, "worker_id": "w", "study_id": 0, "user_attr": {}},
        {"op_code": 2, "worker_id": "w", "study_id": [], "user_attr": {"a": 1}},
        {"op_code": 4, "worker_id": "w", "study_id": 0},
        {"op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": "yesterday"},
        {"op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": None, "distributions": 5},
        {"op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": None, "state": 17},
        {"op_code": 5, "worker_id": "w", "trial_id": 0, "param_name": "x", "param_value_internal": 1},
        {"op_code": 6, "worker_id": "w", "trial_id": 0, "state": 1, "values": None},
    ],
    ids=lambda operation: json.dumps(operation)[:60],
)
def test_operations_that_cannot_be_replayed_are_refused(path, operation):
    storage = open_journal(path, create=True)
    optuna.create_study(storage=storage, study_name=STUDY_NAME).ask()
    with path.open("a") as file:
        file.write(json.dumps(operation) + "\n")
    with pytest.raises(JournalDamaged, match="cannot replay"):
        open_journal(path)


# -- missing, deleted, replaced, shortened


def test_a_missing_log_is_an_error_and_stays_missing(path):
    with pytest.raises(JournalMissing, match="moved or deleted"):
        open_journal(path)
    path.mkdir()
    with pytest.raises(JournalMissing):
        open_journal(path)
    path.rmdir()
    assert not path.exists()


@pytest.mark.parametrize("create", [True, False])
def test_a_relative_path_is_refused(tmp_path, monkeypatch, create):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="must be absolute"):
        open_journal(Path("journal.log"), create=create)
    assert not list(tmp_path.iterdir())


def test_creating_is_private_and_never_empties_an_existing_log(path):
    before = snapshot(write_study(path))
    assert path.stat().st_mode & 0o077 == 0
    assert snapshot(open_journal(path, create=True)) == before


def test_deleted_while_open(path):
    storage = write_study(path)
    path.unlink()
    with pytest.raises(JournalMissing, match="moved or deleted"):
        storage.get_all_studies()
    with pytest.raises(JournalMissing, match="moved or deleted"):
        storage.set_study_user_attr(0, "a", 1)
    assert not path.exists()


@pytest.mark.parametrize("n_bytes", [1, 10, 500])
def test_shortened_while_open(path, n_bytes):
    storage = write_study(path)
    os.truncate(path, path.stat().st_size - n_bytes)
    content = path.read_bytes()
    for _ in range(2):
        with pytest.raises(JournalDamaged, match="shorter"):
            storage.set_study_user_attr(0, "a", 1)
        with pytest.raises(JournalDamaged, match="shorter"):
            storage.get_all_studies()
    assert path.read_bytes() == content


def test_emptied_while_open_is_never_an_empty_study(path):
    storage = write_study(path)
    os.truncate(path, 0)
    with pytest.raises(JournalDamaged, match="shorter"):
        storage.get_all_trials(0)


def test_replaced_while_open(path, tmp_path):
    storage = write_study(path)
    other = tmp_path / "other.log"
    write_study(other)
    append_one(open_journal(other))
    os.replace(other, path)
    content = path.read_bytes()
    with pytest.raises(JournalDamaged, match="replaced"):
        storage.get_all_trials(0)
    with pytest.raises(JournalDamaged, match="replaced"):
        storage.set_study_user_attr(0, "a", 1)
    assert path.read_bytes() == content
    assert len(open_journal(path).get_all_trials(0)) == 2


def test_rewritten_in_place_while_open(path):
    storage = write_study(path)
    path.write_bytes(b'{"op_code": 0}' * 1_000)
    with pytest.raises(JournalDamaged, match="rewritten"):
        storage.get_all_trials(0)


def test_a_copied_storage_reads_everything_again(path):
    storage = write_study(path)
    append_one(storage)
    copied = pickle.loads(pickle.dumps(storage))
    assert snapshot(copied) == snapshot(storage)


# -- the disk is full

FULL_DISK = """
import json, os, resource, signal, sys
from pathlib import Path
import optuna
from storage.journal import open_journal
optuna.logging.set_verbosity(optuna.logging.WARNING)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
result = {}
for n in map(int, sys.argv[2:]):
    path = Path(sys.argv[1]) / f"{n}.log"
    storage = open_journal(path, create=True)
    study = optuna.create_study(storage=storage, study_name="s")
    start = path.stat().st_size
    study.set_user_attr("k000", "v" * 50)
    line = path.stat().st_size - start
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = path.stat().st_size + line * (n - 1) + line * n % 97 + 1  # in the middle of the n-th append
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    acknowledged, errors = 1, []
    for i in range(1, 80):
        try:
            study.set_user_attr(f"k{i:03}", "v" * 50)
        except OSError as error:
            errors.append(error.strerror)
            if len(errors) == 3:
                break
        else:
            acknowledged += 1
    full = path.read_bytes()
    on_full_disk = len(optuna.load_study(study_name="s", storage=open_journal(path)).user_attrs)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    study.set_user_attr("later", 1)
    fresh = optuna.load_study(study_name="s", storage=open_journal(path)).user_attrs
    result[n] = [acknowledged, errors, full.endswith(b"\\n"), on_full_disk, len(fresh), fresh["later"]]
print(json.dumps(result))
"""


def test_a_full_disk_fails_the_append_and_breaks_nothing(tmp_path):
    assert resource.RLIM_INFINITY == resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    numbers = [1, 2, 3, 5, 8, 13, 21, 34, 55, 64]
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), *map(str, numbers)], capture_output=True, check=True
    )
    result = json.loads(ran.stdout)
    for n in numbers:
        too_large = ["File too large"] * 3
        assert result[str(n)] == [n, too_large, True, n, n + 1, 1], f"append {n} was to fail"


def test_a_failed_sync_takes_the_line_back(path, monkeypatch):
    storage = write_study(path)
    content = path.read_bytes()
    with monkeypatch.context() as patch:

        def fail(descriptor):
            raise OSError(5, "Input/output error")

        patch.setattr("storage.journal.os.fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            storage.set_study_user_attr(0, "a", 1)
    assert path.read_bytes() == content
    storage.set_study_user_attr(0, "b", 2)
    assert open_journal(path).get_study_user_attrs(0).keys() == {"note", "b"}


def test_a_torn_tail_that_cannot_be_kept_stays_where_it_is(path, monkeypatch):
    storage = write_study(path)
    with path.open("ab") as file:
        file.write(b'{"torn')
    content = path.read_bytes()
    Path(f"{path}.torn").mkdir()
    with pytest.raises(IsADirectoryError):
        append_one(storage)
    assert path.read_bytes() == content


def test_what_json_cannot_hold_is_refused_before_anything_is_written(path):
    storage = write_study(path)
    content = path.read_bytes()
    with pytest.raises(TypeError):
        storage.set_study_user_attr(0, "a", {1, 2})
    assert path.read_bytes() == content


# -- several processes

CRITICAL_SECTION = """
import os, sys
from pathlib import Path
from storage import journal
write = os.write
def slow(descriptor, data):
    written = write(descriptor, data[:len(data) // 2])
    print("inside", flush=True)
    sys.stdin.readline()
    journal.os.write = write
    return written
storage = journal.open_journal(Path(sys.argv[1]))
journal.os.write = slow
storage.set_study_user_attr(0, "slow", "x" * 100)
print("done", flush=True)
"""


def writer_inside(path):
    """Start a process that pauses with half a line written, its lock held."""
    process = subprocess.Popen(
        [sys.executable, "-c", CRITICAL_SECTION, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"inside\n"
    return process


def test_a_writer_killed_inside_delays_nobody(path):
    storage = write_study(path)
    process = writer_inside(path)
    thread = threading.Thread(target=storage.set_study_user_attr, args=(0, "next", 1))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()  # it waits for the lock
    process.kill()
    killed = time.monotonic()
    thread.join(30)
    assert time.monotonic() - killed < 5
    process.communicate()
    attributes = open_journal(path).get_study_user_attrs(0)
    assert attributes["next"] == 1
    assert "slow" not in attributes
    assert Path(f"{path}.torn").read_bytes().startswith(b'{"op_code":2,')


def test_a_paused_writer_is_waited_for_and_no_lines_interleave(path):
    storage = write_study(path)
    process = writer_inside(path)
    try:
        process.send_signal(signal.SIGSTOP)
        thread = threading.Thread(target=storage.set_study_user_attr, args=(0, "next", 1))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        process.send_signal(signal.SIGCONT)
        assert process.communicate(b"\n", timeout=30)[0] == b"done\n"
        thread.join(30)
    finally:
        process.kill()
        process.wait()
    attributes = open_journal(path).get_study_user_attrs(0)
    assert (attributes["slow"], attributes["next"]) == ("x" * 100, 1)
    assert not Path(f"{path}.torn").exists()


APPEND = """
import sys
from pathlib import Path
import optuna
from storage.journal import open_journal
storage = open_journal(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for i in range(200):
    storage.set_study_user_attr(0, f"{sys.argv[2]}-{i}", sys.argv[2] * (i * 37 % 500))
"""


def test_two_processes_append_at_once_and_a_reader_follows(path):
    reader = write_study(path)
    n_lines = path.read_bytes().count(b"\n")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND, str(path), who], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for who in "ab"
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    seen = [0]
    while any(process.poll() is None for process in processes):
        seen.append(len(reader.get_study_user_attrs(0)))
    assert [process.wait() for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    assert seen == sorted(seen)
    lines = path.read_bytes().splitlines()
    assert len(lines) == n_lines + 400
    assert all(json.loads(line) for line in lines)
    expected = {f"{who}-{i}": who * (i * 37 % 500) for who in "ab" for i in range(200)}
    for attributes in (reader.get_study_user_attrs(0), open_journal(path).get_study_user_attrs(0)):
        assert {k: v for k, v in attributes.items() if k != "note"} == expected
    assert not Path(f"{path}.torn").exists()


# -- the format is Optuna's


def test_plain_optuna_reads_and_continues_the_log(path):
    ours = write_study(path)
    plain = JournalStorage(JournalFileBackend(str(path)))
    assert snapshot(plain) == snapshot(ours)
    study = optuna.load_study(study_name=STUDY_NAME, storage=plain)
    study.optimize(lambda trial: trial.suggest_float("rate", 1e-5, 1e-2, log=True), n_trials=2)
    assert snapshot(plain) == snapshot(ours)
    assert len(study.trials) == 4


def test_we_read_and_continue_a_log_of_plain_optuna(path):
    plain = JournalStorage(JournalFileBackend(str(path)))
    optuna.create_study(storage=plain, study_name="theirs").optimize(lambda trial: 1.0, n_trials=2)
    ours = open_journal(path)
    assert snapshot(ours) == snapshot(plain)
    append_one(ours)
    assert snapshot(ours) == snapshot(plain)


def test_optuna_dashboard_shows_the_same_study_and_trials(path):
    from optuna_dashboard import wsgi

    storage = write_study(path)
    app = wsgi(JournalStorage(JournalFileBackend(str(path))))

    def get(url):
        answered = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": url,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        body = b"".join(app(environ, lambda status, *_: answered.append(status)))
        assert answered[0].startswith("200"), body
        return json.loads(body)

    (summary,) = get("/api/studies")["study_summaries"]
    assert (summary["study_name"], summary["directions"]) == (STUDY_NAME, ["maximize"])
    detail = get(f"/api/studies/{summary['study_id']}")
    expected = storage.get_all_trials(0)
    assert [(t["number"], t["state"]) for t in detail["trials"]] == [(0, "Complete"), (1, "Fail")]
    assert detail["trials"][0]["values"] == expected[0].values
    shown = {p["name"]: p["param_external_value"] for p in detail["trials"][0]["params"]}
    assert shown == {name: str(value) for name, value in expected[0].params.items()}


def ended_trials(n):
    distributions = {"rate": optuna.distributions.FloatDistribution(1e-5, 1e-2, log=True)}
    return [
        create_trial(params={"rate": 1e-3}, distributions=distributions, value=float(i), user_attrs={"i": i})
        for i in range(n)
    ]


def test_many_trials_are_appended_with_one_sync(path, monkeypatch):
    write_study(path)
    before = len(open_journal(path).get_all_trials(0))
    syncs = []
    monkeypatch.setattr("storage.journal.os.fsync", syncs.append)
    append_trials(path, ended_trials(300))
    assert len(syncs) == 1
    trials = open_journal(path).get_all_trials(0)[before:]
    assert [t.value for t in trials] == [float(i) for i in range(300)]
    assert [t.number for t in trials] == list(range(before, before + 300))
    assert trials[7].user_attrs == {"i": 7}
    assert snapshot(JournalStorage(JournalFileBackend(str(path)))) == snapshot(open_journal(path))


def test_of_many_trials_all_are_appended_or_none(path, monkeypatch):
    write_study(path)
    content = path.read_bytes()

    def full(descriptor, view):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("storage.journal.os.write", full)
        with pytest.raises(OSError, match="No space left"):
            append_trials(path, ended_trials(3))
    assert path.read_bytes() == content
    broken = [*ended_trials(2), create_trial(value=1.0, user_attrs={"x": object()})]
    with pytest.raises(TypeError):
        append_trials(path, broken)
    assert path.read_bytes() == content
    append_trials(path, ended_trials(1))
    append_trials(path, [])
    assert len(open_journal(path).get_all_trials(0)) == 3


def test_no_trial_is_appended_to_a_log_without_the_study(path):
    open_journal(path, create=True)
    with pytest.raises(KeyError):
        append_trials(path, ended_trials(1))
