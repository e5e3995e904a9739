import importlib.util

import pytest

from storage.foreign import open_url
from storage.rdb import password_of, without_password
from storage.source import SourceUnreadable

URLS = [
    "postgresql://me:s3cret@127.0.0.1:1/studies",
    "mysql://me:s3cret@127.0.0.1:1/studies?ssl_key=s3cret",
    "mysql+pymysql://me:s3cret@127.0.0.1:1/studies",
    "nonsense://me:s3cret@somewhere",
    "postgresql://me:s3cret@host:port/{x}",
    "postgresql://me:s3cret@[/x",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_never_shown(url):
    assert "s3cret" not in without_password(url)
    with pytest.raises(SourceUnreadable) as caught:
        open_url(url)
    assert "s3cret" not in str(caught.value)


def test_the_password_is_known_so_that_it_can_be_kept_out():
    assert password_of(URLS[0]) == "s3cret"
    assert password_of("postgresql://host/x") == ""
    assert password_of("no url at all") == ""


@pytest.mark.skipif(importlib.util.find_spec("pymysql") is not None, reason="the driver is installed")
def test_a_missing_driver_names_its_package():
    with pytest.raises(SourceUnreadable, match="pip install 'PyMySQL'"):
        open_url(URLS[2])


def test_a_kind_of_database_that_nobody_knows_is_said_so():
    with pytest.raises(SourceUnreadable, match="SQLAlchemy does not know"):
        open_url(URLS[3])


def test_any_database_is_read_by_its_url(tmp_path, write_study):
    path = write_study(tmp_path / "study.db", "ppo", n_trials=2)
    storage = open_url(f"sqlite:///{path}")
    assert [(s.name, s.n_trials) for s in storage.studies()] == [("ppo", 2)]
    assert [t.value for t in storage.study("ppo").trials] == [0.0, 1.0]


def test_a_database_without_tables_gets_none(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(SourceUnreadable, match="stored no study"):
        open_url(f"sqlite:///{path}")
    assert path.read_bytes() == b""
