"""The database of records: SQLite in the home folder, or PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.schema import CreateColumn

from assistant.errors import StorageError


class Base(DeclarativeBase):
    """Base of every table; the tables stand in the module that works on them."""


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def open_database(url: str, home: Path) -> Engine:
    """Opens the database and creates missing tables and columns.

    Args:
        url: SQLAlchemy URL, or empty for `records.sqlite` in the home folder.
        home: existing home folder.

    Raises:
        StorageError: the database cannot be reached or written.
    """
    try:
        engine = create_engine(url or f"sqlite:///{home / 'records.sqlite'}", pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _configure_sqlite)
        with _translated():
            Base.metadata.create_all(engine)
            _add_columns(engine)
    except SQLAlchemyError as problem:
        raise StorageError(f"The database cannot be opened: {_first_line(problem)}") from problem
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One unit of work: committed at the end, rolled back on any error.

    Raises:
        StorageError: the database refuses (disk full, connection lost).
    """
    with _translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def scrub(engine: Engine) -> None:
    """Empties SQLite's write-ahead log, where deleted rows would stay readable until it is written anew."""
    if engine.dialect.name == "sqlite":
        with _translated(), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _add_columns(engine: Engine) -> None:
    """Gives the tables of an older home the columns that came since; all of those have a default."""
    inspector, quoted = inspect(engine), engine.dialect.identifier_preparer.quote
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            held = {column["name"] for column in inspector.get_columns(table.name)}
            for column in (column for column in table.columns if column.name not in held):
                definition = CreateColumn(column).compile(dialect=engine.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {definition}")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as problem:
        todo = "Free some disk space." if "full" in str(problem) else "See whether the database is reachable."
        raise StorageError(f"The database refused: {_first_line(problem)}", todo) from problem


def _first_line(problem: SQLAlchemyError) -> str:
    return str(problem).splitlines()[0]


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # Readers never wait for the writer; a second writer waits up to ten seconds instead of failing.
    # What is deleted is overwritten with zeros, so that a deleted manual leaves nothing to be dug out.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
