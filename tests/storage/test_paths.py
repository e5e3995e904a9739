"""Names that may become a path, and which folders count as runs."""

import os
from pathlib import Path

import pytest

from storage.paths import RunFolder, UnknownRun, check_name, create_run, find_run, list_runs, runs_root
from storage.records import write_record

HOSTILE = [
    "",
    ".",
    "..",
    "../up",
    "a/b",
    "/etc",
    "a\\b",
    "a\0b",
    "a\n",
    "\na",
    " a",
    "a b",
    "-rf",
    ".hidden",
    "_x",
    "a" * 65,
    "größe",
    "\uff11\uff12",  # wide digits
    "a\u202eb",
    "<script>",
    "a;b",
    "$(id)",
    "~",
    "*",
    "a:b",
]
GOOD = ["a", "0", "A.b_c-d", "a..b", "a" * 64, "pendulum-starter-1f2e"]


def a_run(root: Path, name: str) -> RunFolder:
    folder = RunFolder(root / name)
    write_record(folder.job, {"kind": "study"})
    return folder


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_with_what_was_received(name):
    with pytest.raises(ValueError, match="study name must be 1 to 64 letters") as error:
        check_name(name, "study name")
    assert repr(name[:80]) in str(error.value)


@pytest.mark.parametrize("name", GOOD)
def test_good_names_pass_unchanged(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_id_finds_a_run(tmp_path, name):
    root = tmp_path / "runs"
    a_run(root, "real")
    write_record(tmp_path / "up" / "job.json", {"kind": "study"})
    write_record(tmp_path / "job.json", {"kind": "study"})
    write_record(root / "job.json", {"kind": "study"})
    with pytest.raises(UnknownRun):
        find_run(root, name)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_folder_can_be_created_under_a_hostile_name(tmp_path, name):
    with pytest.raises(ValueError, match="study name must be"):
        create_run(tmp_path / "runs", name)
    assert not list(tmp_path.rglob("*"))


def test_an_error_for_an_endless_name_stays_short(tmp_path):
    with pytest.raises(UnknownRun) as error:
        find_run(tmp_path, "x" * 100_000)
    assert len(str(error.value)) < 400 + len(str(tmp_path))


def test_created_folder_is_private_and_found_again(tmp_path):
    root = tmp_path / "deep" / "runs"
    folder = create_run(root, "pendulum")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.id.startswith("pendulum-")
    with pytest.raises(UnknownRun):  # not before its job is recorded
        find_run(root, folder.id)
    write_record(folder.job, {"kind": "study"})
    assert find_run(root, folder.id) == folder


def test_longest_name_gives_an_id_that_is_found(tmp_path):
    folder = create_run(tmp_path, "x" * 64)
    write_record(folder.job, {"kind": "study"})
    assert find_run(tmp_path, folder.id) == folder


def test_a_taken_suffix_is_skipped(tmp_path, monkeypatch):
    suffixes = iter(["aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("storage.paths.secrets.token_hex", lambda n: next(suffixes))
    assert create_run(tmp_path, "s").id == "s-aaaa"
    assert create_run(tmp_path, "s").id == "s-bbbb"


def test_links_are_not_followed_out_of_the_root(tmp_path):
    a_run(tmp_path / "elsewhere", "secret")
    root = tmp_path / "runs"
    a_run(root, "real")
    (root / "link").symlink_to(tmp_path / "elsewhere" / "secret", target_is_directory=True)
    with pytest.raises(UnknownRun):
        find_run(root, "link")
    assert [folder.id for folder in list_runs(root)] == ["real"]


def test_listing_is_newest_first_and_holds_only_what_can_be_found(tmp_path):
    for age, name in enumerate(["old", "middle", "new"]):
        job = a_run(tmp_path, name).job
        os.utime(job, (1_000 + age, 1_000 + age))
    a_run(tmp_path, ".deleted-old-1234")  # on its way out
    a_run(tmp_path, "name with spaces")
    a_run(tmp_path, "<b>bold")
    (tmp_path / "half-made").mkdir()
    (tmp_path / "a-file").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    listed = list_runs(tmp_path)
    assert [folder.id for folder in listed] == ["new", "middle", "old"]
    assert [find_run(tmp_path, folder.id) for folder in listed] == listed


def test_listing_survives_a_run_that_is_deleted_meanwhile(tmp_path, monkeypatch):
    a_run(tmp_path, "stays")
    a_run(tmp_path, "goes")
    stat = Path.stat

    def deleted(self, **kwargs):
        if "goes" in self.parts:
            raise FileNotFoundError(2, "No such file", str(self))
        return stat(self, **kwargs)

    monkeypatch.setattr(Path, "stat", deleted)
    assert [folder.id for folder in list_runs(tmp_path)] == ["stays"]


def test_no_root_means_no_runs(tmp_path):
    assert list_runs(tmp_path / "absent") == []


def test_root_comes_from_argument_then_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWISE_RUNS_DIR", str(tmp_path / "from-env"))
    assert runs_root() == tmp_path / "from-env"
    assert runs_root(tmp_path / "given") == tmp_path / "given"
    monkeypatch.chdir(tmp_path)
    assert runs_root("relative") == tmp_path / "relative"
    monkeypatch.delenv("EDGEWISE_RUNS_DIR")
    assert runs_root() == tmp_path / "runs"


def test_every_file_of_a_run_lies_in_its_folder(tmp_path):
    folder = RunFolder(tmp_path / "a")
    names = [name for name, value in vars(RunFolder).items() if isinstance(value, property) and name != "id"]
    paths = [getattr(folder, name) for name in names]
    assert len(set(paths)) == len(paths) >= 12
    assert all(path.parent == folder.path for path in paths)
    assert not folder.path.exists()
