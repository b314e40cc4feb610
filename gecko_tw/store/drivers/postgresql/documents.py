"""IDocuments and INotices on PostgreSQL. Documents are read from memory, which the watch keeps true."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IDocuments, INotices
from gecko_tw.store.drivers.postgresql.buckets import until_done
from gecko_tw.store.drivers.postgresql.connections import Connections
from gecko_tw.store.drivers.postgresql.rows import name_bytes
from gecko_tw.store.drivers.postgresql.watch import TELL, Watch
from gecko_tw.store.drivers.sqlite.documents import event_text
from gecko_tw.store.records import Json, Notice

_ONE = "SELECT revision, value FROM document WHERE kind = %s AND name = %s"
_TURN = "turn AS (SELECT value FROM revision FOR UPDATE)"
_NEXT = "(SELECT value + 1 FROM turn)"
_COUNTED = "counted AS (UPDATE revision SET value = value + 1 WHERE (SELECT count(*) FROM done) > 0)"
_TOLD = f"SELECT count(*), {TELL} FROM done HAVING count(*) > 0"
_ADD = (
    f"WITH {_TURN}, done AS (INSERT INTO document (kind, name, revision, value) SELECT %(kind)s, %(name)s, {_NEXT}, %(value)s"
    f" ON CONFLICT DO NOTHING RETURNING 1), {_COUNTED} {_TOLD}"
)
_CHANGE = (
    f"WITH {_TURN}, done AS (UPDATE document SET revision = {_NEXT}, value = %(value)s"
    f" WHERE kind = %(kind)s AND name = %(name)s AND revision = %(revision)s RETURNING 1), {_COUNTED} {_TOLD}"
)
_REPLACE = (
    "WITH turn AS (SELECT value FROM revision WHERE value = %(revision)s FOR UPDATE),"
    " done AS (INSERT INTO document (kind, name, revision, value)"
    f" SELECT kind, name, {_NEXT}, value FROM unnest(%(kinds)s::text[], %(names)s::bytea[], %(values)s::text[]) AS d(kind, name, value)"
    " WHERE EXISTS (SELECT FROM turn)"
    f" ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, value = excluded.value RETURNING 1), {_COUNTED} {_TOLD}"
)
_IS_REVISION = "SELECT 1 FROM revision WHERE value = %(revision)s"


def _text(value: Json) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _value(text: str | None) -> Json:
    return json.loads(text) if text else None


@implementer(IDocuments)
class PostgresqlDocuments:
    """Rows of the table ``document``."""

    def __init__(self, connections: Connections, watch: Watch) -> None:
        self._connections, self._watch = connections, watch

    def revision(self) -> int:
        return self._watch.revision

    def get(self, kind: str, name: str) -> Json:
        return _value(self._watch.document(kind, name_bytes(name)))

    def all(self, kind: str) -> list[tuple[str, Json]]:
        return [(name.decode("utf-8", "surrogatepass"), _value(text)) for name, text in self._watch.documents(kind)]

    def kinds(self) -> list[str]:
        rows = self._connections.read("SELECT DISTINCT kind FROM document WHERE value IS NOT NULL")
        return sorted(kind for (kind,) in rows)

    def change(self, kind: str, name: str, rule: Callable[[Json], Json]) -> Json:
        where = (kind, name_bytes(name))

        def step() -> tuple[Json, bool] | None:
            rows = self._connections.read(_ONE, where)
            revision, text = rows[0] if rows else (None, None)
            try:
                after = rule(_value(text))
            except BaseException:
                self._watch.pull()  # who is refused because of what is new here looks at it next
                raise
            if after == _value(text):
                return after, False
            values = {"kind": kind, "name": where[1], "revision": revision, "value": _text(after)}
            return (after, True) if self._connections.run(_CHANGE if rows else _ADD, values) else None

        after, changed = until_done(step)
        if changed:
            self._watch.pull()
        return after

    def replace(self, values: Mapping[tuple[str, str], Json], revision: int) -> bool:
        names = [(kind, name_bytes(name)) for kind, name in values]
        parameters = {
            "revision": revision,
            "kinds": [kind for kind, _ in names],
            "names": [name for _, name in names],
            "values": [_text(value) for value in values.values()],
        }
        statement = _REPLACE if values else _IS_REVISION
        replaced: bool = until_done(lambda: bool(self._connections.run(statement, parameters)))
        self._watch.pull()
        return replaced


@implementer(INotices)
class PostgresqlNotices:
    """Rows of the table ``notice``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, notices: Iterable[Notice]) -> None:
        told = list(notices)
        self._connections.run(
            "INSERT INTO notice (target, event) SELECT target, event FROM unnest(%s::text[], %s::text[])"
            " WITH ORDINALITY AS n(target, event, place) ORDER BY place",
            ([one.target for one in told], [event_text(one) for one in told]),
        )

    def targets(self) -> list[str]:
        return [target for (target,) in self._connections.read("SELECT DISTINCT target FROM notice ORDER BY target")]

    def waiting(self, target: str, limit: int) -> list[tuple[int, Json]]:
        rows = self._connections.read(
            "SELECT number, event FROM notice WHERE target = %s ORDER BY number LIMIT %s", (target, max(limit, 0))
        )
        return [(number, json.loads(event)) for number, event in rows]

    def drop(self, numbers: Sequence[int]) -> None:
        self._connections.run("DELETE FROM notice WHERE number = ANY(%s::bigint[])", (list(numbers),))
