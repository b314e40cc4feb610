"""Data keys for tests: a key ring in memory, sealed by nothing but a mark."""

from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.drivers.memory_documents import MemoryDocuments
from gecko_tw.store.encryption.data_keys import DataKeys
from gecko_tw.store.encryption.keyring import KMS_ROOM, S3_ROOM, KeyRing


class MarkedSealing:
    """Seals by saying so."""

    def seal(self, plaintext: str, context: str) -> str:
        return f"sealed {context}: {plaintext}"

    def open(self, sealed: str, context: str) -> str:
        return sealed.removeprefix(f"sealed {context}: ")


class DictDocuments(MemoryDocuments):
    """Documents of a deployment without buckets."""

    def __init__(self) -> None:
        super().__init__(lambda: 0)


def ring(documents: IDocuments | None = None, room: str = KMS_ROOM) -> KeyRing:
    """A ring over documents."""
    return KeyRing(documents or DictDocuments(), MarkedSealing(), room, lambda: 1_700_000_000.0)


def data_keys(documents: IDocuments | None = None) -> DataKeys:
    """What opens and makes data keys, with a key ``mine`` for SSE-KMS."""
    documents = documents or DictDocuments()
    management = ring(documents)
    management.add("mine")
    return DataKeys(ring(documents, S3_ROOM), management)
