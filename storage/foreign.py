"""Any Optuna study: the studies in somebody else's journal or database, read without a trace."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.study import StudyDirection

from storage import rdb, sqlite_file
from storage.journal import JournalDamaged, JournalMissing, SafeJournalBackend
from storage.source import SourceKind, SourceUnreadable
from storage.trials import StudyData, read_study

_FIRST_LINE = 1_000_000  # bytes; a journal's first line is far shorter
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b")


class NoSuchStudy(LookupError):
    """A file or a database holds no study of that name; the message names those that it holds."""


@dataclass(frozen=True)
class StudyListing:
    """One study of a file, as it is offered to a person."""

    name: str
    directions: tuple[str, ...]  # "maximize" or "minimize" for each objective
    n_trials: int

    @property
    def supported(self) -> bool:
        """Whether it has the one objective that every view here needs."""
        return len(self.directions) == 1


@dataclass(frozen=True)
class StudyStorage:
    """An opened file or database; what goes wrong with it later is explained as well."""

    shown: str  # what a person may be shown of where it is
    storage: BaseStorage
    n_trials: Callable[[int], int]  # of a study, by its id, without reading them
    storage_of: Callable[[int], BaseStorage]  # where to read a study's trials, by its id

    def studies(self) -> tuple[StudyListing, ...]:
        """Return what it holds, by name.

        Raises:
            SourceUnreadable: it is damaged, locked, or gone.
        """
        with _explained(self.shown):
            return tuple(
                StudyListing(
                    study.study_name,
                    tuple(_direction_word(d) for d in study.directions),
                    self.n_trials(study._study_id),
                )
                for study in sorted(self.storage.get_all_studies(), key=lambda s: s.study_name)
            )

    def study(self, name: str) -> StudyData:
        """Return a snapshot of one study; a direction that was never set means minimize, as in Optuna.

        Raises:
            NoSuchStudy: there is none of that name.
            SourceUnreadable: it has several objectives, or the file is damaged, locked, or gone.
        """
        with _explained(self.shown):
            try:
                study_id = self.storage.get_study_id_from_name(name)
            except KeyError:
                self._refuse_name(name)
            n_objectives = len(self.storage.get_study_directions(study_id))
            if n_objectives != 1:
                raise SourceUnreadable(
                    f"The study {name[:80]!r} in {self.shown} has {n_objectives} objectives; Edgewise "
                    "compares one. Open a study with one objective."
                )
            return read_study(self.storage_of(study_id), name)

    def _refuse_name(self, name: str) -> NoReturn:
        names = [study.study_name for study in self.storage.get_all_studies()]
        shown = ", ".join(repr(n[:80]) for n in sorted(names)[:8])
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        there = f"It holds {shown}{more}." if names else "It holds no study yet."
        raise NoSuchStudy(f"There is no study {name[:80]!r} in {self.shown}. {there}")


class ReadOnlyJournal(SafeJournalBackend):
    """A journal of somebody else: no lock file, no repair, no line of ours."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Refuse to write.

        Raises:
            PermissionError: always.
        """
        raise PermissionError(f"{self._file_path} belongs to somebody else: Edgewise only reads it.")


def source_kind(path: Path) -> SourceKind:
    """Return what kind of study file this is, by its first bytes.

    Raises:
        SourceUnreadable: it is missing, or no file that Optuna writes studies to.
    """
    with _explained(str(path)):
        if path.is_dir():
            raise SourceUnreadable(
                f"{path} is a folder. Name the file in it: a journal (often *.log) or a SQLite database."
            )
        if not path.exists():
            raise SourceUnreadable(
                f"There is no file {path}. Check the spelling; relative paths count from {_here()}."
            )
        if not path.is_file():
            raise SourceUnreadable(f"{path} is no regular file. Name a journal or a SQLite database.")
        with path.open("rb") as file:
            start = file.read(_FIRST_LINE)
    if start.startswith(sqlite_file.SQLITE_HEADER):
        return "sqlite"
    if _is_journal(start):
        return "journal"
    raise SourceUnreadable(f"{path} {_what_else(start)}")


def open_source(path: Path) -> StudyStorage:
    """Open a study file for reading. Nothing is written: not to the file, and not beside it.

    Raises:
        SourceUnreadable: see `source_kind`; or it is damaged, locked, or of another Optuna's schema.
    """
    kind = source_kind(path)
    with _explained(str(path)):
        if kind == "sqlite":
            database = rdb.open_sqlite(lambda: sqlite_file.connect(path), shown=str(path))
            return StudyStorage(str(path), database.storage, database.n_trials, database.storage_of)
        journal = JournalStorage(ReadOnlyJournal(path))
        return StudyStorage(str(path), journal, journal.get_n_trials, lambda _: journal)


def open_url(url: str) -> StudyStorage:
    """Open a database by its URL; see `rdb.open_url` for who may name one.

    Raises:
        SourceUnreadable: it cannot be reached or read.
    """
    shown = rdb.without_password(url)
    with _explained(shown):
        database = rdb.open_url(url)
        return StudyStorage(shown, database.storage, database.n_trials, database.storage_of)


def _is_journal(start: bytes) -> bool:
    line, newline, _ = start.partition(b"\n")
    if not newline:
        return line.startswith(b'{"op_code":')  # somebody writes its first line right now
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and "op_code" in record


def _what_else(start: bytes) -> str:
    if not start:
        return "is empty: whoever runs the study has stored nothing in it yet."
    if start.startswith(_PICKLES):
        return (
            "is a Python pickle, which can run code when it is loaded, so Edgewise never does. Load it where "
            "you trust it and store the study with `optuna.copy_study` in a journal or a SQLite file."
        )
    if start.startswith(_ARCHIVES):
        return "is an archive. Unpack it and open the journal or the SQLite file in it."
    return (
        "is neither an Optuna journal nor a SQLite database. Name the file that the study was given as its "
        "storage."
    )


def _direction_word(direction: StudyDirection) -> str:
    return "maximize" if direction == StudyDirection.MAXIMIZE else "minimize"


def _here() -> Path:
    return Path.cwd()


@contextmanager
def _explained(shown: str) -> Iterator[None]:
    """Turn whatever opening or reading raises into a sentence with a remedy."""
    try:
        yield
    except (SourceUnreadable, NoSuchStudy):
        raise
    except (JournalMissing, FileNotFoundError) as error:
        raise SourceUnreadable(
            f"{shown} was moved or deleted. Put it back, or open it where it is now."
        ) from error
    except PermissionError as error:
        raise SourceUnreadable(f"{shown} may not be read by this user. Ask its owner to let you.") from error
    except JournalDamaged as error:
        raise SourceUnreadable(
            f"{error} Restore it from a backup, or cut it off before that line."
        ) from error
    except Exception as error:  # what SQLite, a driver, or Optuna's replay of somebody's bytes trips over
        raise SourceUnreadable(_sentence(shown, error)) from error


def _sentence(shown: str, error: Exception) -> str:
    cause = _cause(error)
    text = str(cause).lower()
    if "locked" in text or "busy" in text:
        return f"{shown} is being written to and stays locked. Try again in a moment, or open a copy of it."
    if isinstance(cause, sqlite3.Error) and "unable to open" in text:
        return (
            f"{shown} cannot be opened without writing beside it: its last writer died in the middle of a "
            "write, or its folder may not be read. Let its own program open it once, or open a copy of it."
        )
    if isinstance(cause, sqlite3.Error) and "readonly" in text:
        return (
            f"{shown} was left in the middle of a write, and only a program that may write can repair it. "
            "Copy it with the files beside it, let `sqlite3 COPY .tables` repair the copy, and open that."
        )
    if isinstance(cause, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text):
        return f"{shown} is damaged: {cause}. Restore it from a backup, or recover it with `sqlite3`."
    reason = " ".join(f"{type(cause).__name__}: {cause}".split())[:300]
    return f"{shown} cannot be read as an Optuna study. {reason}"


def _cause(error: BaseException) -> BaseException:
    """Return what a driver said: SQLAlchemy and Optuna each wrap it once, and quote the statement."""
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException):
        return original
    if isinstance(error, optuna.exceptions.OptunaError) and error.__cause__ is not None:
        return _cause(error.__cause__)
    return error
