import os
from pathlib import Path

import pytest

from storage.roots import VARIABLE, NotAllowed, check_allowed, find_under_roots, study_roots


@pytest.fixture
def roots(tmp_path, monkeypatch):
    """Two folders that pages may open studies from, beside one that they may not."""
    folders = [tmp_path.resolve() / name for name in ("one", "two", "secret")]
    for folder in folders:
        folder.mkdir()
        (folder / f"{folder.name}.db").touch()
    monkeypatch.setenv(VARIABLE, os.pathsep.join(map(str, folders[:2])))
    return tmp_path.resolve()


def test_without_roots_it_is_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert study_roots() == (tmp_path.resolve(),)
    monkeypatch.setenv(VARIABLE, os.pathsep)
    assert study_roots() == (tmp_path.resolve(),)


def test_files_under_any_root_are_allowed_by_their_real_path(roots):
    assert check_allowed(roots / "two" / ".." / "one" / "one.db") == roots / "one" / "one.db"
    (roots / "one" / "link.db").symlink_to(roots / "two" / "two.db")
    assert check_allowed(roots / "one" / "link.db") == roots / "two" / "two.db"


@pytest.mark.parametrize(
    "path",
    [
        "secret/secret.db",
        "one/../secret/secret.db",
        "one/link.db",
        "one/folder/secret.db",
        "onerous.db",
        "loop",
    ],
)
def test_what_lies_or_leads_outside_is_refused_with_the_remedy(roots, path):
    (roots / "one" / "link.db").symlink_to(roots / "secret" / "secret.db")
    (roots / "one" / "folder").symlink_to(roots / "secret")
    (roots / "loop").symlink_to(roots / "loop")
    with pytest.raises(NotAllowed, match=f"{VARIABLE}") as caught:
        check_allowed(roots / path)
    assert str(roots / "two") in str(caught.value)


def test_a_relative_path_is_looked_for_under_every_root(roots):
    assert find_under_roots("two.db") == roots / "two" / "two.db"
    assert find_under_roots(f" {roots}/one/one.db ") == roots / "one" / "one.db"
    assert find_under_roots("missing.db") == roots / "one" / "missing.db"


@pytest.mark.parametrize("text", ["../secret/secret.db", "/etc/passwd", "~", "a\0b"])
def test_text_that_leads_outside_is_refused(roots, text, monkeypatch):
    monkeypatch.setenv("HOME", str(roots / "secret"))
    with pytest.raises(NotAllowed):
        find_under_roots(text)


@pytest.mark.parametrize("text", ["", "x" * 5000, "~nobody-of-this-name/x.db"])
def test_text_that_names_no_file_is_no_fault_here(roots, text):
    assert find_under_roots(text).is_relative_to(roots / "one")


def test_a_root_that_is_a_link_is_the_folder_it_leads_to(roots, monkeypatch):
    (roots / "alias").symlink_to(roots / "one")
    monkeypatch.setenv(VARIABLE, str(roots / "alias"))
    assert check_allowed(Path(roots / "alias" / "one.db")) == roots / "one" / "one.db"
