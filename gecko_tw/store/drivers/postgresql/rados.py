"""Bytes of large blobs in a pool of Ceph, each striped over RADOS objects of 4 MiB: their rows are in the catalog.

librados is Debian's (python3-rados). What is written has been acknowledged by as many copies as the pool wants; what is read has been
compared with the checksums that Ceph keeps beside it.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import rados
from zope.interface import implementer

from gecko_tw.store.drivers.ahead import Ahead, AheadReader
from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.drivers.postgresql.blob_rows import BlobRows
from gecko_tw.store.drivers.postgresql.blobs import IBytes
from gecko_tw.store.drivers.postgresql.files import MARK
from gecko_tw.store.drivers.postgresql.outage import Outage
from gecko_tw.store.refusals import InsufficientStorage, Refusal

STRIPE = 4 * 1024 * 1024
"""Bytes of a RADOS object, but of a blob's last."""

CHUNK = 1024 * 1024
"""Bytes that are written at once."""

IN_FLIGHT = 4
"""Chunks that a writer has on their way, at most: the memory of an upload."""

_REMOVED_AT_ONCE = 32
_HOLES = 4
"""So many objects may be missing within a blob that was not finished: what a writer had on its way."""

_TIMEOUTS = {"client_mount_timeout": "5", "rados_mon_op_timeout": "5", "rados_osd_op_timeout": "30"}
"""Seconds. Without these librados waits for its cluster for ever; an OSD that does not answer is noticed after 20 and waited for."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNREACHABLE = (errno.ETIMEDOUT, errno.ENOTCONN, errno.ESHUTDOWN)
_MARK_TEXT = b"Bytes of GeckoS3's objects. Nothing in this namespace may be changed by others.\n"

T = TypeVar("T")


class StripeWriter:
    """The bytes of one blob on their way in."""

    def __init__(self, objects: "RadosObjects", blob: str) -> None:
        self._objects, self._blob = objects, blob
        self._buffer = bytearray()
        self._size = 0
        # Any: completions of librados.
        self._sent: deque[Any] = deque()
        objects.rows.begin(blob)

    def write(self, data: bytes | memoryview) -> None:
        """Appends. Raises InsufficientStorage, ServiceUnavailable."""
        self._buffer += data
        while len(self._buffer) >= CHUNK:
            self._send(bytes(self._buffer[:CHUNK]))
            del self._buffer[:CHUNK]

    def _send(self, data: bytes) -> None:
        while len(self._sent) >= IN_FLIGHT:
            self._objects.acknowledged(self._sent.popleft(), self._blob)
        number, inside = divmod(self._size, STRIPE)
        self._sent.append(self._objects.send(self._blob, number, inside, data))
        self._size += len(data)

    def commit(self) -> None:
        """Waits until everything is durable."""
        if self._buffer or not self._size:
            self._send(bytes(self._buffer))
            self._buffer = bytearray()
        while self._sent:
            self._objects.acknowledged(self._sent.popleft(), self._blob)
        self._objects.rows.sized(self._blob, self._size)

    def close(self) -> None:
        """Waits for what is on its way, so that it comes before its removal. Harmless when repeated."""
        self._buffer = bytearray()
        while self._sent:
            with suppress(Refusal):
                self._objects.acknowledged(self._sent.popleft(), self._blob)


@implementer(IBytes)
class RadosObjects:
    """See IBytes.

    :param conf: the path of Ceph's configuration file; None for its usual places.
    :param user: without ``client.`` before it.
    :param namespace: of the pool; one for each deployment.
    :ivar rows: of the blobs.
    """

    def __init__(
        self, rows: BlobRows, pool: str, conf: str | None = None, user: str = "admin", namespace: str = "geckos3"
    ) -> None:
        self.rows, self._pool, self._namespace = rows, pool, namespace
        self._conf, self._user = conf, user
        self._ahead = Ahead()
        self.outage = Outage(f"pool {pool} of Ceph")
        # Any: librados has no types.
        self._cluster: Any = None
        self._pool_context: Any = None

    def check(self) -> None:
        """Connects. Raises ValueError and RuntimeError with a line for the user, InsufficientStorage, ServiceUnavailable."""
        try:
            self._connect()
        except rados.Error as problem:
            raise RuntimeError(f"--blobs: pool {self._pool} of Ceph cannot be used: {_line(problem)}") from problem
        is_marked = self._asked(lambda: self._is_there(MARK))
        if not is_marked and (self._asked(self._has_objects) or self.rows.any):
            raise ValueError(
                f"--blobs: namespace {self._namespace} of pool {self._pool} has no object {MARK}, so it is not where this deployment"
                " keeps its bytes"
            )
        try:
            self._asked(lambda: self._pool_context.write_full(MARK, _MARK_TEXT))
        except InsufficientStorage:
            if not is_marked:
                raise ValueError(f"--blobs: pool {self._pool} of Ceph is full") from None

    def _connect(self) -> None:
        """Raises rados.Error, ValueError."""
        self._cluster = rados.Rados(conffile=self._conf or "", rados_id=self._user, conf=_TIMEOUTS)
        self._cluster.connect()
        try:
            self._pool_context = self._cluster.open_ioctx(self._pool)
        except rados.ObjectNotFound:
            raise ValueError(f"--blobs: Ceph has no pool {self._pool!r}: `ceph osd pool create` makes one") from None
        self._pool_context.set_namespace(self._namespace)
        self._pool_context.set_osdmap_full_try()  # a full pool refuses at once instead of keeping us waiting

    def _has_objects(self) -> bool:
        return next(iter(self._pool_context.list_objects()), None) is not None

    def _is_there(self, name: str) -> bool:
        try:
            self._pool_context.stat(name)
        except rados.ObjectNotFound:
            return False
        return True

    def _asked(self, call: Callable[[], T]) -> T:
        """Raises InsufficientStorage, ServiceUnavailable."""
        self.outage.admit()
        try:
            found = call()
        except rados.Error as problem:
            raise self._refusal(getattr(problem, "errno", None) or 0, _line(problem)) from problem
        self.outage.over()
        return found

    def _refusal(self, number: int, why: str) -> Refusal:
        if number in _FULL:
            return InsufficientStorage()
        return self.outage.begun(why, number in _UNREACHABLE)

    # Any: a completion of librados.
    def send(self, blob: str, number: int, offset: int, data: bytes) -> Any:
        """Begins to write a part of a RADOS object. Raises ServiceUnavailable."""
        return self._asked(lambda: self._pool_context.aio_write(_name(blob, number), data, offset))

    # Any: as above.
    def acknowledged(self, completion: Any, blob: str) -> int:
        """Waits for an operation, and returns what it has. Raises BlobGone, InsufficientStorage, ServiceUnavailable."""
        completion.wait_for_complete_and_cb()
        result = int(completion.get_return_value())
        if result == -errno.ENOENT:
            raise BlobGone(blob)
        if result < 0:
            raise self._refusal(-result, errno.errorcode.get(-result, str(result)))
        self.outage.over()
        return result

    @property
    def away(self) -> str:
        """Why it cannot be used, as a question of now tells; empty while it can."""
        if self.outage.text:
            with suppress(Refusal):
                self._asked(lambda: self._is_there(MARK))
        return self.outage.text

    def begin(self, blob: str) -> StripeWriter:
        return StripeWriter(self, blob)

    def open(self, blob: str) -> AheadReader:
        return AheadReader(lambda offset, length: self._fetch(blob, offset, length), self.rows.size(blob), self._ahead)

    def _fetch(self, blob: str, offset: int, length: int) -> bytes:
        pieces = list(_pieces(offset, length))
        found: list[bytes] = [b""] * len(pieces)

        sent = []
        for place, (number, inside, size) in enumerate(pieces):
            came = partial(_came, found, place)
            sent.append(self._asked(partial(self._pool_context.aio_read, _name(blob, number), size, inside, came)))
        for completion in sent:
            self.acknowledged(completion, blob)
        data = found[0] if len(found) == 1 else b"".join(found)
        if len(data) != length:  # somebody has cut it
            raise BlobGone(blob)
        return data

    def erase(self, blobs: list[str]) -> None:
        for blob, size in self.rows.sizes(blobs).items():
            count = -(-size // STRIPE) if size else self._begun(blob)
            # The last one first: where this is cut short, what is left is found from the beginning.
            self._remove(blob, (_name(blob, number) for number in reversed(range(count))))
        self.rows.erase(blobs)

    def _begun(self, blob: str) -> int:
        """How many objects a blob has at most that nobody has finished."""
        count = number = 0
        while number < count + _HOLES:
            number += 1
            if self._asked(partial(self._is_there, _name(blob, number - 1))):
                count = number
        return count

    def _remove(self, blob: str, names: Iterable[str]) -> None:
        sent: deque[Any] = deque()
        for name in names:
            if len(sent) >= _REMOVED_AT_ONCE:
                self._removed(sent.popleft(), blob)
            sent.append(self._asked(partial(self._pool_context.aio_remove, name)))
        while sent:
            self._removed(sent.popleft(), blob)

    def _removed(self, completion: Any, blob: str) -> None:
        with suppress(BlobGone):
            self.acknowledged(completion, blob)

    def close(self) -> None:
        """Harmless when repeated."""
        self._ahead.close()
        context, self._pool_context = self._pool_context, None
        if context is not None:
            context.close()
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.shutdown()


# Any: a completion of librados.
def _came(found: list[bytes], place: int, _: Any, data: bytes | None) -> None:
    found[place] = data or b""


def _name(blob: str, number: int) -> str:
    return f"{blob}.{number:08x}" if blob != MARK else MARK


def _pieces(offset: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Number, offset and length of the parts of RADOS objects that have these bytes."""
    end = offset + length
    while offset < end:
        number, inside = divmod(offset, STRIPE)
        size = min(STRIPE - inside, end - offset)
        yield number, inside, size
        offset += size


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split())
