"""IDocuments and INotices over the catalog's file."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IDocuments, INotices
from gecko_tw.store.drivers.sqlite.commits import Commits, Transaction
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.records import Json, Notice

Note = Callable[[Transaction, str, str, Json], None]
"""Writes a document down where a rebuild finds it: transaction, kind, name and value, which is None when it goes."""

_REVISION = b"revision"
"""Its name among what is remembered: no bucket has one of bytes."""

_NUMBER = "SELECT value FROM revision"
_ONE = "SELECT value FROM document WHERE kind = ? AND name = ?"


@implementer(IDocuments)
class SqliteDocuments:
    """Rows of the table ``document``. The table ``revision`` is kept by triggers, so that no change can forget it.

    :param note: writes each change down beside the catalog.
    """

    def __init__(self, connections: Connections, commits: Commits, note: Note) -> None:
        self._connections, self._commits, self._note = connections, commits, note

    def revision(self) -> int:
        remembered = self._commits.remembered
        known: int | None = remembered.get(_REVISION)
        if known is None:
            stamp = remembered.stamp()
            now: int = self._connections.mine().execute(_NUMBER).fetchone()[0]
            remembered.keep(stamp, _REVISION, now)
            return now
        return known

    def get(self, kind: str, name: str) -> Json:
        found = self._connections.mine().execute(_ONE, (kind, name)).fetchone()
        return None if found is None else json.loads(found[0])

    def all(self, kind: str) -> list[tuple[str, Json]]:
        rows = self._connections.mine().execute(
            "SELECT name, value FROM document WHERE kind = ? ORDER BY name", (kind,)
        )
        return [(name, json.loads(value)) for name, value in rows.fetchall()]

    def kinds(self) -> list[str]:
        rows = self._connections.mine().execute("SELECT DISTINCT kind FROM document ORDER BY kind")
        return [kind for (kind,) in rows.fetchall()]

    def change(self, kind: str, name: str, rule: Callable[[Json], Json]) -> Json:
        return self._commits.run(_ChangeDocument(kind, name, rule, self._note))

    def replace(self, values: Mapping[tuple[str, str], Json], revision: int) -> bool:
        return self._commits.run(_ReplaceDocuments(values, revision, self._note))


@frozen
class _ChangeDocument:
    """The step that changes one document by a rule."""

    kind: str
    name: str
    rule: Callable[[Json], Json]
    note: Note

    def __call__(self, transaction: Transaction) -> Json:
        """Raises what the rule raises."""
        where = (self.kind, self.name)
        found = transaction.execute(_ONE, where).fetchone()
        before = None if found is None else json.loads(found[0])
        after = self.rule(before)
        if after != before:
            _put(transaction, where, after, self.note)
        return after


@frozen
class _ReplaceDocuments:
    """The step that replaces several documents."""

    values: Mapping[tuple[str, str], Json]
    revision: int
    note: Note

    def __call__(self, transaction: Transaction) -> bool:
        if transaction.execute(_NUMBER).fetchone()[0] != self.revision:
            return False
        for where, value in self.values.items():
            found = transaction.execute(_ONE, where).fetchone()
            if value != (None if found is None else json.loads(found[0])):
                _put(transaction, where, value, self.note)
        return True


def _put(transaction: Transaction, where: tuple[str, str], value: Json, note: Note) -> None:
    """Writes one that has changed."""
    note(transaction, *where, value)
    if value is None:
        transaction.execute("DELETE FROM document WHERE kind = ? AND name = ?", where)
    else:
        text = json.dumps(value, separators=(",", ":"))
        transaction.execute("INSERT OR REPLACE INTO document (kind, name, value) VALUES (?, ?, ?)", (*where, text))


@implementer(INotices)
class SqliteNotices:
    """Rows of the table ``notice``."""

    def __init__(self, connections: Connections, commits: Commits) -> None:
        self._connections, self._commits = connections, commits

    def add(self, notices: Iterable[Notice]) -> None:
        told = tuple(notices)
        self._commits.run(lambda transaction: add_notices(transaction, told))

    def targets(self) -> list[str]:
        rows = self._connections.mine().execute("SELECT DISTINCT target FROM notice ORDER BY target")
        return [target for (target,) in rows.fetchall()]

    def waiting(self, target: str, limit: int) -> list[tuple[int, Json]]:
        rows = self._connections.mine().execute(
            "SELECT number, event FROM notice WHERE target = ? ORDER BY number LIMIT ?", (target, limit)
        )
        return [(number, json.loads(event)) for number, event in rows.fetchall()]

    def drop(self, numbers: Sequence[int]) -> None:
        def step(transaction: Transaction) -> None:
            for number in numbers:
                transaction.execute("DELETE FROM notice WHERE number = ?", (number,))

        self._commits.run(step)


def add_notices(transaction: Transaction, notices: Iterable[Notice]) -> None:
    """Adds events to the end of the queue, in the transaction of what they tell."""
    for notice in notices:
        transaction.execute("INSERT INTO notice (target, event) VALUES (?, ?)", (notice.target, event_text(notice)))


def event_text(notice: Notice) -> str:
    """An event as it is kept."""
    return json.dumps(notice.event, separators=(",", ":"))
