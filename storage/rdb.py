"""Optuna's relational storages, opened without creating a table, stamping a schema or showing a password."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from optuna.storages import BaseStorage, get_storage

from storage.source import SourceUnreadable

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

_TABLES = ("studies", "trials", "version_info", "alembic_version")
# Dialect or driver as SQLAlchemy names it -> the package to install.
_PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "MySQLdb": "mysqlclient",
    "pymysql": "PyMySQL",
    "mysql.connector": "mysql-connector-python",
    "mysql": "mysql-connector-python",
    "oracledb": "oracledb",
    "cx_Oracle": "cx_Oracle",
    "pyodbc": "pyodbc",
}


class Database:
    """An opened database, which reads each finished trial only once."""

    def __init__(self, backend: "RDBStorage") -> None:
        self._backend = backend
        self._first: dict[int, Any] = {}  # by study id: its first trial, as it was when it was read
        self.storage: BaseStorage = get_storage(backend)

    def storage_of(self, study_id: int) -> BaseStorage:
        """Return the storage to read a study from.

        SQLite gives the number of a deleted study to the next one: what was read before is then forgotten.
        """
        import sqlalchemy

        statement = sqlalchemy.text(
            "SELECT s.study_name, t.trial_id, t.datetime_start FROM studies s LEFT JOIN trials t "
            "ON t.study_id = s.study_id AND t.number = 0 WHERE s.study_id = :study"
        )
        with self._backend.engine.connect() as connection:
            first = connection.execute(statement, {"study": study_id}).first()
        if self._first.setdefault(study_id, first) != first:
            self._first = {study_id: first}
            self.storage = get_storage(self._backend)
        return self.storage

    def n_trials(self, study_id: int) -> int:
        """Return how many trials a study has, without reading them."""
        import sqlalchemy

        statement = sqlalchemy.text("SELECT COUNT(*) FROM trials WHERE study_id = :study")
        with self._backend.engine.connect() as connection:
            return int(connection.execute(statement, {"study": study_id}).scalar() or 0)


def without_password(url: str) -> str:
    """Return a database URL that may be shown."""
    from sqlalchemy.engine import make_url

    try:
        return make_url(url).render_as_string(hide_password=True).split("?")[0]
    except Exception:  # SQLAlchemy raises several kinds, and quotes the URL in some
        return f"{url.split('://')[0][:20]}://..."


def password_of(url: str) -> str:
    """Return the password in a database URL, so that it can be kept out of a message; empty without one."""
    from sqlalchemy.engine import make_url

    try:
        return str(make_url(url).password or "")
    except Exception:
        return ""


def open_url(url: str) -> Database:
    """Open any database that SQLAlchemy has a driver for.

    Only for whoever started this process: a URL picks a module to import and a host to contact.

    Raises:
        SourceUnreadable: no driver, no host, no Optuna study, or another schema than this Optuna's.
    """
    read_only = {"postgresql_readonly": True} if url.startswith("postgres") else {}
    return open_database(url, shown=without_password(url), execution_options=read_only)


def open_sqlite(connection: Callable[[], Any], *, shown: str) -> Database:
    """Open a SQLite database through connections that the caller makes, one for each use.

    Raises:
        SourceUnreadable: it holds no Optuna study, or another schema than this Optuna's.
    """
    from sqlalchemy.pool import NullPool

    # Without a pool no connection outlives the thread, nor what its file looked like when it was made.
    return open_database("sqlite://", shown=shown, creator=connection, poolclass=NullPool)


def open_database(url: str, *, shown: str, **engine_kwargs: Any) -> Database:
    """Open a database once its schema is known to be whole and this Optuna's own.

    Optuna would otherwise create the missing tables and stamp its version into them.
    """
    import sqlalchemy
    from optuna.storages import RDBStorage

    try:
        engine = sqlalchemy.create_engine(url, **engine_kwargs)
    except ImportError as error:
        raise SourceUnreadable(_missing_driver(shown, error.name)) from None
    except sqlalchemy.exc.NoSuchModuleError:
        raise SourceUnreadable(
            f"{shown} names a kind of database that SQLAlchemy does not know. Its URLs begin with "
            "postgresql://, mysql:// or sqlite://."
        ) from None
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise SourceUnreadable(
            f"{shown} is no database URL. One looks like postgresql://user@host/name."
        ) from None
    try:
        _check_tables(engine, shown)
    finally:
        engine.dispose()
    storage = RDBStorage(
        url.replace("{", "{{").replace("}", "}}"),  # Optuna fills in a template
        engine_kwargs=engine_kwargs,
        skip_compatibility_check=True,
        skip_table_creation=True,
    )
    if storage.get_current_version() != storage.get_head_version():
        raise SourceUnreadable(_other_schema(shown, newer=_is_newer(storage)))
    return Database(storage)


def _check_tables(engine: Any, shown: str) -> None:
    import sqlalchemy

    with engine.connect() as connection:
        present = set(sqlalchemy.inspect(connection).get_table_names())
        if not {"studies", "trials"} <= present:
            raise SourceUnreadable(
                f"{shown} is a database, but Optuna has stored no study in it. Name the one that the study "
                "was given as its storage."
            )
        stamped = set(_TABLES) <= present and all(
            connection.execute(sqlalchemy.text(f"SELECT COUNT(*) FROM {table}")).scalar()
            for table in ("version_info", "alembic_version")
        )
        if not stamped:
            raise SourceUnreadable(_other_schema(shown, newer=False))


def _is_newer(storage: Any) -> bool:
    return storage.get_current_version() not in storage.get_all_versions()


def _other_schema(shown: str, *, newer: bool) -> str:
    if newer:
        return (
            f"{shown} was written by a newer Optuna than the one installed here. Upgrade Optuna to read it."
        )
    return (
        f"{shown} was written by an older Optuna, and its tables differ. Copy it, upgrade the copy with "
        "`optuna storage upgrade --storage URL`, and open that."
    )


def _missing_driver(shown: str, module: str | None) -> str:
    package = _PACKAGES.get(module or "", module or "")
    install = f"`pip install '{package}'`" if package else "the Python package of that database"
    return f"{shown} needs a driver that is not installed here. Install it: {install}."
