"""Kept policies: whole or absent, never a pickle."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from storage import artifacts
from storage.artifacts import (
    drop_policies_except,
    kept_trials,
    load_policy,
    pinned_trials,
    save_policy,
    set_pin,
)
from storage.paths import RunFolder
from storage.records import write_record

ARRAYS = {"policy.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "log_std": np.zeros(0)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def write_npz(folder, members):
    path = folder.weights / "1"
    path.mkdir(parents=True)
    write_record(path / "request.json", {})
    with zipfile.ZipFile(path / "policy.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy(array, *, allow_pickle=False):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=allow_pickle)
    return file.getvalue()


class Canary:
    """Leaves a file behind when somebody unpickles it."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_round_trip_keeps_names_types_and_request(folder):
    save_policy(folder, 4, ARRAYS, {"seed": 1})
    kept = load_policy(folder, 4)
    assert kept.request == {"seed": 1}
    assert kept.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert kept.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(kept.arrays[name], array)


def test_saving_again_replaces_and_a_half_saved_policy_does_not_count(folder):
    (folder.weights / ".4.part").mkdir(parents=True)
    (folder.weights / ".4.part" / "policy.npz").write_bytes(b"half")
    assert kept_trials(folder) == set()
    save_policy(folder, 4, ARRAYS, {"n": 1})
    save_policy(folder, 4, ARRAYS, {"n": 2})
    assert load_policy(folder, 4).request == {"n": 2}
    assert [path.name for path in folder.weights.iterdir()] == ["4"]


def test_a_failed_save_leaves_the_old_policy(folder, monkeypatch):
    save_policy(folder, 4, ARRAYS, {"n": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        save_policy(folder, 4, ARRAYS, {"n": float("nan")})
    assert load_policy(folder, 4).request == {"n": 1}


def test_python_objects_are_never_written(folder):
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_policy(folder, 4, {"a": np.array([{}], dtype=object)}, {})
    assert kept_trials(folder) == set()


def test_python_objects_are_never_loaded(folder, tmp_path):
    canary = tmp_path / "canary"
    evil = np.array([Canary(canary)], dtype=object)
    write_npz(folder, {"good.npy": npy(np.ones(2)), "evil.npy": npy(evil, allow_pickle=True)})
    with pytest.raises(ValueError, match="weights of trial 1 cannot be read"):
        load_policy(folder, 1)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["policy.npz", "evil.pkl", "data.pkl"])
def test_a_bare_pickle_is_never_loaded(folder, tmp_path, name):
    canary = tmp_path / "canary"
    payload = pickle.dumps(Canary(canary))
    write_npz(folder, {name: payload})
    with pytest.raises(ValueError, match="is not an array"):
        load_policy(folder, 1)
    (folder.weights / "1" / "policy.npz").write_bytes(payload)
    with pytest.raises(ValueError, match="cannot be read"):
        load_policy(folder, 1)
    assert not canary.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not a zip", npy(np.ones(3)), b"\x93NUMPY\x01\x00"],
    ids=repr,
)
def test_damaged_weights_are_a_value_error(folder, content):
    save_policy(folder, 1, ARRAYS, {})
    (folder.weights / "1" / "policy.npz").write_bytes(content)
    with pytest.raises(ValueError, match="weights of trial 1 cannot be read"):
        load_policy(folder, 1)


def test_weights_damaged_at_any_byte_never_raise_anything_else(folder):
    save_policy(folder, 1, ARRAYS, {})
    path = folder.weights / "1" / "policy.npz"
    whole = path.read_bytes()
    n_refused = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            load_policy(folder, 1)
        except ValueError:
            n_refused += 1
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="cannot be read"):
            load_policy(folder, 1)
    assert n_refused > len(whole) / 10


def test_a_small_archive_of_endless_zeros_is_refused_before_it_is_unpacked(folder, monkeypatch):
    monkeypatch.setattr(artifacts, "MAX_WEIGHTS_BYTES", 1_000_000)
    write_npz(folder, {"a.npy": npy(np.zeros(1_000_000))})
    assert (folder.weights / "1" / "policy.npz").stat().st_size < 100_000
    with pytest.raises(ValueError, match="larger than 1000000 bytes"):
        load_policy(folder, 1)


def test_a_header_that_claims_terabytes_is_refused(folder):
    header = npy(np.zeros(3)).replace(b"(3,), }" + b" " * 13, b"(99999999999999,), }")
    assert b"99999999999999" in header
    write_npz(folder, {"a.npy": header})
    with pytest.raises(ValueError, match="cannot be read"):
        load_policy(folder, 1)


def test_an_absent_policy_says_which_are_kept(folder):
    with pytest.raises(FileNotFoundError, match="the best, the defaults and pinned"):
        load_policy(folder, 1)
    (folder.weights / "1").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="Trial 1 kept no weights"):
        load_policy(folder, 1)


def test_dropping_keeps_what_was_named_and_what_is_none_of_its_business(folder):
    drop_policies_except(folder, {1})
    for trial in range(4):
        save_policy(folder, trial, ARRAYS, {})
    for name in (".1.part", ".2.part", "notes", ".x.part"):
        (folder.weights / name).mkdir()
    drop_policies_except(folder, {1, 3, 99})
    assert kept_trials(folder) == {1, 3}
    assert {path.name for path in folder.weights.iterdir()} == {"1", "3", ".1.part", "notes", ".x.part"}


def test_dropping_does_not_follow_links(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    folder.weights.mkdir()
    (folder.weights / "5").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    drop_policies_except(folder, set())
    assert (tmp_path / "elsewhere" / "file").exists()


def test_pins_come_and_go(folder):
    assert pinned_trials(folder) == set()
    set_pin(folder, 3, pinned=False)
    set_pin(folder, 3, pinned=True)
    set_pin(folder, 3, pinned=True)
    set_pin(folder, 12, pinned=True)
    (folder.pins / "notes.txt").touch()
    assert pinned_trials(folder) == {3, 12}
    set_pin(folder, 3, pinned=False)
    assert pinned_trials(folder) == {12}
