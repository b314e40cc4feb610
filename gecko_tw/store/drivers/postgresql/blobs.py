"""IBlobs where the catalog is on PostgreSQL: small bodies wait in memory for the step that writes them, large ones have a row each.

That row is written before the bytes and says what the blob is: on its way in, held, or dropped. The step that makes it a version's changes
it, and the one that drops it, too; so what nothing needs is found without looking through the bytes. Dropped bytes stay as long as somebody
may still read them.
"""

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID

from zope.interface import Attribute, Interface, implementer

from gecko_tw.store.drivers.blob_cache import BlobCache, CachedBlob, MemoryReader
from gecko_tw.store.drivers.interfaces import BlobGone, IBlobReader, IBlobRereading, IBlobs, IBlobWriter, IPurging
from gecko_tw.store.drivers.postgresql.connections import Connections
from gecko_tw.store.drivers.sqlite.blobnames import inline_name, inline_parts, is_inline
from gecko_tw.store.records import BlobNote, Part, Span
from gecko_tw.store.refusals import ServiceUnavailable

SMALL = 64 * 1024
"""Objects of up to this many bytes are written by the step itself."""

BLOCK = 1024 * 1024
"""Bytes that are written at once."""

GRACE = 24 * 3600.0
"""Seconds that dropped bytes stay: no download takes longer."""

CACHE_ROOM = 16 * 1024 * 1024
"""Bytes of small objects that wait to be opened, or were read last."""

_AT_ONCE = 500
_BODY = "SELECT data FROM body WHERE bucket_id = %s AND id = %s"
_BODIES = "SELECT b.bucket_id, b.id FROM unnest(%s::bigint[], %s::bigint[]) AS n(bucket_id, id) JOIN body b USING (bucket_id, id)"
_HELD = "SELECT id FROM blob WHERE id = ANY(%s::uuid[]) AND state = 1"
_DROP = "UPDATE blob SET state = 2, since = now() WHERE id = ANY(%s::uuid[]) AND state = 0"
_OLDER = (
    "SELECT id, since FROM blob WHERE state = 0 AND since < now() - make_interval(secs => %s) AND (since, id) > (%s, %s)"
    " ORDER BY since, id LIMIT %s"
)
_USELESS = "SELECT id FROM blob WHERE state = 2 AND since < now() - make_interval(secs => %s) ORDER BY since LIMIT %s"


class IBytes(Interface):
    """Where the bytes of large blobs are, and the rows that tell of them."""

    away: str = Attribute("why it cannot be used now; empty while it can, or where nothing but the database is needed")

    def check() -> None:
        """Whether it is the right place, and can be used. Raises OSError, ValueError, RuntimeError with a line, ServiceUnavailable."""

    def close() -> None:
        """Harmless when repeated."""

    # Any: those writers have nothing in common but these three methods.
    def begin(blob: str) -> Any:
        """Writes the row of a new blob; returns what takes its bytes: ``write``, ``commit`` and ``close``."""

    def open(blob: str) -> IBlobReader:
        """A reader of a blob that is not dropped. Raises BlobGone."""

    def erase(blobs: list[str]) -> None:
        """Removes bytes for good, and then their rows."""


def new_blob() -> str:
    """A name that grows with time: rows that are written one after the other lie beside each other."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def new_body() -> int:
    """The same as a number."""
    return (time.time_ns() // 1000 - _EPOCH) << 12 | secrets.randbits(12)


_EPOCH = 1_700_000_000_000_000
"""Microseconds."""


@implementer(IBlobWriter)
class Writer:
    """One body: in memory while it is small."""

    def __init__(self, blobs: "PostgresqlBlobs") -> None:
        self._blobs = blobs
        self._pieces: list[bytes] = []
        self._size = 0
        self._name = ""
        self._large: Any = None

    def write(self, data: bytes | memoryview) -> None:
        self._size += len(data)
        if self._large is None and self._size <= SMALL:
            self._pieces.append(bytes(data))
            return
        self._begun().write(data)

    def _begun(self) -> Any:
        """What takes the bytes of a large body."""
        if self._large is None:
            self._name = new_blob()
            self._large = self._blobs.bytes.begin(self._name)
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                self._large.write(piece)
        return self._large

    def commit(self, note: BlobNote) -> str:
        if self._large is None and not isinstance(note.record, Part):
            pieces, self._pieces = self._pieces, []
            return self._blobs.keep(b"".join(pieces))
        self._begun().commit()
        name, self._name = self._name, ""
        return name

    def abort(self) -> None:
        self._pieces = []
        name, self._name = self._name, ""
        if not name:
            return
        if self._large is not None:
            self._large.close()
        with suppress(ServiceUnavailable):  # then the sweeper finds its row
            self._blobs.bytes.erase([name])


@implementer(IBlobs, IBlobRereading, IPurging)
class PostgresqlBlobs:
    """The bytes of a deployment.

    :param bytes: of large blobs: an IBytes.
    """

    # Any: mypy does not know that a class keeps an interface of zope's.
    def __init__(self, connections: Connections, bytes: Any) -> None:
        self._connections = connections
        self.bytes = bytes
        self._held = BlobCache(CACHE_ROOM)
        self._waiting: dict[str, tuple[float, bytes]] = {}
        self._numbers = count(1)

    def create(self) -> Writer:
        return Writer(self)

    def keep(self, data: bytes) -> str:
        """Keeps a small body until a step writes it, or it is removed; its name means something in this process only."""
        name = f"~{next(self._numbers)}"
        self._waiting[name] = time.time(), data
        return name

    def place(self, bucket_id: int, span: Span) -> tuple[Span, bytes | None]:
        """Where a blob lies once a step has written it: the span, and the bytes that the step is to write."""
        waiting = self._waiting.get(span.blob)
        if waiting is None:
            return span, None
        return Span(inline_name(bucket_id, new_body()), span.offset, span.length), waiting[1]

    def placed(self, blobs: Iterable[str]) -> None:
        """A step has written bodies that waited."""
        for blob in blobs:
            self._waiting.pop(blob, None)

    def hold(self, blob: str, data: bytes) -> None:
        """Keeps the bytes of a small blob that was read with its record, for whoever opens it next."""
        self._held.put(blob, CachedBlob(b"", (), MemoryReader(data)))

    def open(self, blob: str) -> IBlobReader:
        if is_inline(blob):
            held = self._held.get(blob)  # a name never means other bytes
            return held.reader if held is not None else self._body(blob)
        waiting = self._waiting.get(blob)
        if waiting is not None:
            return MemoryReader(waiting[1])
        if not is_large(blob):
            raise BlobGone(blob)
        reader: IBlobReader = self.bytes.open(blob)
        return reader

    def reread(self, blob: str) -> IBlobReader:
        return self._body(blob) if is_inline(blob) else self.open(blob)

    def _body(self, blob: str) -> MemoryReader:
        rows = self._connections.read(_BODY, inline_parts(blob))
        if not rows:
            raise BlobGone(blob)
        return MemoryReader(rows[0][0])

    def references(self, blobs: Iterable[str]) -> set[str]:
        """Those that some version or part holds."""
        wanted = set(blobs)
        bodies = [inline_parts(blob) for blob in wanted if is_inline(blob)]
        large = [blob for blob in wanted if is_large(blob)]
        held = {blob.hex for (blob,) in self._connections.read(_HELD, (large,))} if large else set()
        if bodies:
            rows = self._connections.read(_BODIES, ([one for one, _ in bodies], [one for _, one in bodies]))
            held.update(inline_name(*row) for row in rows)
        return held

    def remove(self, blobs: Iterable[str]) -> None:
        """What a step holds, or has dropped, is passed over."""
        large = [blob for blob in blobs if self._waiting.pop(blob, None) is None and is_large(blob)]
        if large:
            self._connections.run(_DROP, (large,))

    def release(self, blobs: Iterable[str]) -> None:
        """The step that let go of them has said so in their rows."""

    def older_than(self, seconds: float) -> Iterator[str]:
        limit = time.time() - seconds
        yield from [name for name, (since, _) in list(self._waiting.items()) if since < limit]
        since, last = "-infinity", str(UUID(int=0))
        while rows := self._connections.read(_OLDER, (seconds, since, last, _AT_ONCE)):
            yield from (blob.hex for blob, _ in rows)
            last, since = str(rows[-1][0]), rows[-1][1]

    def purge(self, seconds: float = GRACE) -> int:
        erased = 0
        while rows := self._connections.read(_USELESS, (seconds, _AT_ONCE)):
            self.bytes.erase([blob.hex for (blob,) in rows])
            erased += len(rows)
        return erased


def is_large(blob: str) -> bool:
    """Whether a name is that of a blob with a row of its own."""
    return len(blob) == 32 and blob.isalnum()
