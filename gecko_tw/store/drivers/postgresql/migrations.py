"""The tables: made and brought up to date by whichever daemon comes first, in numbered steps (``0001.sql`` and so on)."""

import re
from importlib.resources import files

import psycopg
from psycopg import errors

VERSION = 1
"""The schema that this program works with: the number of the newest file."""

PARTITIONS = 8
"""Of each partitioned table. A distributed PostgreSQL places them; on one server they keep indexes shallow."""

_LOCK = 0x6765636B6F5F7477
"""The number of the advisory lock that whoever migrates holds; it ends with the transaction."""

_PARTITIONED = re.compile(r"CREATE TABLE (\w+) [^;]*PARTITION BY HASH")
_COMMENT = re.compile(r"--.*")


class WrongSchema(RuntimeError):
    """The database cannot be used by this program. Its text says why, in one line."""


def prepare(connection: psycopg.Connection) -> None:
    """Makes or upgrades the tables. Blocks until nobody else does.

    :param connection: in autocommit mode.
    :raises WrongSchema: a newer program has changed them; they cannot be made.
    """
    if _found(connection) == VERSION:
        return
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            found = _found(connection)
            for number in range(found + 1, VERSION + 1):
                _apply(connection, number)
    except errors.InsufficientPrivilege as problem:
        raise WrongSchema(
            f"the database has no tables of ours, and its user may not make them: {_line(problem)}"
        ) from problem


def _found(connection: psycopg.Connection) -> int:
    """The version that is there; 0 for none. Raises WrongSchema when it is newer than this program."""
    if connection.execute("SELECT to_regclass('schema_version')").fetchone() == (None,):
        return 0
    try:
        row = connection.execute("SELECT version FROM schema_version").fetchone()
    except errors.InsufficientPrivilege as problem:
        raise WrongSchema(f"its user may not read the tables: {_line(problem)}") from problem
    found = 0 if row is None else int(row[0])
    if found > VERSION:
        raise WrongSchema(
            f"its tables have version {found}, and this program knows up to {VERSION}: start the newer program"
        )
    return found


def _apply(connection: psycopg.Connection, number: int) -> None:
    text = (files(__package__) / f"{number:04}.sql").read_text("utf-8")
    statements = [text, *(_partitions(name) for name in _PARTITIONED.findall(_COMMENT.sub("", text)))]
    for one in statements:
        connection.execute(one.encode())
    connection.execute("DELETE FROM schema_version")
    connection.execute("INSERT INTO schema_version VALUES (%s)", (number,))


def _partitions(table: str) -> str:
    return "".join(
        f"CREATE TABLE {table}_{number} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number});\n"
        for number in range(PARTITIONS)
    )


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split())
