"""The rows of large blobs whose bytes are not in the database: what a step relies on, and what finds the bytes that nothing needs."""

from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.drivers.postgresql.connections import Connections

_BEGIN = "INSERT INTO blob (id) VALUES (%s)"
_SIZED = "UPDATE blob SET size = %s, since = now() WHERE id = %s"
_SIZE = "SELECT size FROM blob WHERE id = %s AND state < 2"
_SIZES = "SELECT id, size FROM blob WHERE id = ANY(%s::uuid[])"
_ERASE = "DELETE FROM blob WHERE id = ANY(%s::uuid[]) AND state <> 1"
_ANY = "SELECT EXISTS (SELECT FROM blob)"


class BlobRows:
    """Every method is one round trip, and raises ServiceUnavailable."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def begin(self, blob: str) -> None:
        """Says that bytes are on their way, before the first of them is written."""
        self._connections.run(_BEGIN, (blob,))

    def sized(self, blob: str, size: int) -> None:
        """Says that all bytes are there."""
        self._connections.run(_SIZED, (size, blob))

    def size(self, blob: str) -> int:
        """The length in bytes of a blob that is not dropped. Raises BlobGone."""
        rows = self._connections.read(_SIZE, (blob,))
        if not rows:
            raise BlobGone(blob)
        return int(rows[0][0])

    def sizes(self, blobs: list[str]) -> dict[str, int]:
        """Their lengths in bytes, whatever became of them; 0 of those that were begun and never finished, too."""
        return {blob.hex: size for blob, size in self._connections.read(_SIZES, (blobs,))}

    def erase(self, blobs: list[str]) -> None:
        """Forgets blobs whose bytes are gone; what is held is passed over."""
        self._connections.run(_ERASE, (blobs,))

    @property
    def any(self) -> bool:
        """Whether the deployment has a large blob."""
        return bool(self._connections.read(_ANY)[0][0])
