"""Bytes of large blobs in PostgreSQL: rows of 1 MiB, not compressed."""

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import BlobGone, IBlobReader
from gecko_tw.store.drivers.postgresql.blobs import BLOCK, IBytes
from gecko_tw.store.drivers.postgresql.connections import Connections

_BEGIN = "WITH made AS (INSERT INTO blob (id) VALUES (%(blob)s)) INSERT INTO block VALUES (%(blob)s, 0, %(data)s)"
_BEGIN_WHOLE = "WITH made AS (INSERT INTO blob (id, size) VALUES (%(blob)s, %(size)s)) INSERT INTO block VALUES (%(blob)s, 0, %(data)s)"
_ADD = "INSERT INTO block VALUES (%(blob)s, %(number)s, %(data)s)"
_ADD_LAST = (
    "WITH sized AS (UPDATE blob SET size = %(size)s, since = now() WHERE id = %(blob)s)"
    " INSERT INTO block SELECT %(blob)s, %(number)s, %(data)s"
)
_SIZE = "SELECT size FROM blob WHERE id = %s AND state < 2"
_READ = "SELECT substring(data FROM %s FOR %s) FROM block WHERE blob = %s AND number = %s"
_ERASE = "DELETE FROM block WHERE blob = ANY(%s::uuid[])"
_ERASE_ROWS = "DELETE FROM blob WHERE id = ANY(%s::uuid[]) AND state <> 1"


class BlockWriter:
    """The bytes of one blob on their way in, a block at a time."""

    def __init__(self, connections: Connections, blob: str) -> None:
        self._connections, self._blob = connections, blob
        self._buffer = bytearray()
        self._number = 0

    def write(self, data: bytes | memoryview) -> None:
        """Appends."""
        self._buffer += data
        while len(self._buffer) > BLOCK:  # the last block is written with the size
            self._put(bytes(self._buffer[:BLOCK]), _ADD if self._number else _BEGIN)
            del self._buffer[:BLOCK]

    def _put(self, data: bytes, statement: str) -> None:
        size = self._number * BLOCK + len(data)
        values = {"blob": self._blob, "number": self._number, "data": data, "size": size}
        self._connections.run(statement, values)
        self._number += 1

    def commit(self) -> None:
        """Writes what is left."""
        self._put(bytes(self._buffer), _ADD_LAST if self._number else _BEGIN_WHOLE)
        self._buffer = bytearray()

    def close(self) -> None:
        """Forgets what is in memory."""
        self._buffer = bytearray()


@implementer(IBlobReader)
class BlockReader:
    """Reads blocks as they are needed, and keeps the last one: memory for each download is bounded.

    It reads on after the blob was dropped, as long as its bytes stay.
    """

    def __init__(self, connections: Connections, blob: str, size: int) -> None:
        self._connections, self._blob, self.size = connections, blob, size
        self._start, self._data = 0, b""

    def fileno(self) -> None:
        return None

    def read(self, offset: int, length: int) -> bytes:
        pieces = []
        end = min(offset + length, self.size)
        while offset < end:
            if not self._start <= offset < self._start + len(self._data):
                self._fetch(offset)
            piece = self._data[offset - self._start : end - self._start]
            pieces.append(piece)
            offset += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _fetch(self, offset: int) -> None:
        """The rest of a block. Raises BlobGone."""
        number, inside = divmod(offset, BLOCK)
        rows = self._connections.read(_READ, (inside + 1, BLOCK - inside, self._blob, number))
        if not rows or not rows[0][0]:
            raise BlobGone(self._blob)
        self._start, self._data = offset, rows[0][0]

    def close(self) -> None:
        self._data = b""


@implementer(IBytes)
class Blocks:
    """See IBytes."""

    away = ""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def begin(self, blob: str) -> BlockWriter:
        return BlockWriter(self._connections, blob)

    def open(self, blob: str) -> BlockReader:
        rows = self._connections.read(_SIZE, (blob,))
        if not rows:
            raise BlobGone(blob)
        return BlockReader(self._connections, blob, rows[0][0])

    def erase(self, blobs: list[str]) -> None:
        self._connections.run(_ERASE, (blobs,))
        self._connections.run(_ERASE_ROWS, (blobs,))

    def check(self) -> None:
        """The tables are there: they were made."""

    def close(self) -> None:
        """Connections are closed by whoever has made them."""
