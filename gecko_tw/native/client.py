"""The client of the binary protocol: one method an operation."""

from collections.abc import Callable, Iterable, Mapping
from errno import EAGAIN
from io import RawIOBase
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.interfaces import IConsumer, IReactorTime, IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.web.iweb import IBodyProducer

from gecko_tw.native import frames, values
from gecko_tw.native.connection import Frame, Reply, Sink
from gecko_tw.native.errors import BrokenFrame, refusal
from gecko_tw.native.frames import DEFAULT_PORT, Fields, Malformed, string
from gecko_tw.native.pool import Pool
from gecko_tw.native.values import BucketInfo, Completed, Listing, ObjectInfo, PartInfo, Written

T = TypeVar("T")


class _Collected:
    """Keeps what it is given, or writes it to a file."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self.pieces: list[bytes] = []
        self._file = file

    def write(self, data: bytes) -> None:
        """Raises OSError when the file cannot take it."""
        if self._file is None:
            self.pieces.append(data)
            return
        rest: bytes | memoryview = data
        while rest:  # a file without a buffer takes as much as it likes
            taken: int | None = self._file.write(rest)
            if taken is None and isinstance(self._file, RawIOBase):
                raise BlockingIOError(EAGAIN, "the file takes nothing now: give one that blocks, or an IConsumer")
            rest = memoryview(rest)[len(rest) if taken is None else taken :]

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Takes all there is: nothing needs to be held back."""

    def unregisterProducer(self) -> None:
        """No more comes."""


class Calls:
    """How operations are asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def _ask(
        self, read: Callable[[Fields], T], operation: int, *fields: bytes, body: "bytes | IBodyProducer" = b""
    ) -> T:
        """What is read from the metadata of the reply. Raises NativeError: Refused when the server says no."""
        return _read(read, await self._pool.ask(Frame(operation, b"".join(fields), body)))


def _read(read: Callable[[Fields], T], reply: Reply) -> T:
    found = Fields(reply.meta)
    try:
        if reply.status != frames.OK:
            raise refusal(reply.status, found.text(), found.text())
        return read(found)
    except Malformed:
        what = "an answer" if reply.status == frames.OK else "an error"
        raise BrokenFrame(f"{what} that cannot be read") from None


class BucketCalls(Calls):
    """The operations of buckets."""

    async def create_bucket(self, bucket: str) -> BucketInfo:
        """Makes a bucket. Raises Conflict when it exists."""
        return await self._ask(values.bucket_info, frames.CREATE_BUCKET, string(bucket))

    async def delete_bucket(self, bucket: str) -> None:
        """Removes an empty bucket. Raises NotFound, Conflict."""
        await self._ask(values.nothing, frames.DELETE_BUCKET, string(bucket))

    async def head_bucket(self, bucket: str) -> BucketInfo:
        """A bucket. Raises NotFound."""
        return await self._ask(values.bucket_info, frames.HEAD_BUCKET, string(bucket))

    async def list_buckets(self) -> list[tuple[str, str]]:
        """The caller's buckets, each with when it was created."""
        return await self._ask(values.bucket_list, frames.LIST_BUCKETS)

    async def list(
        self, bucket: str, prefix: str = "", delimiter: str = "", start_after: str = "", max_keys: int = 1000
    ) -> Listing:
        """A page of keys; the server may give fewer than ``max_keys``, and says whether more follow."""
        fields = [string(value) for value in (bucket, prefix, delimiter, start_after)]
        return await self._ask(values.listing, frames.LIST_OBJECTS, *fields, frames.i32(max_keys))


class ObjectCalls(Calls):
    """The operations of objects."""

    async def put(
        self,
        bucket: str,
        key: str,
        body: "bytes | IBodyProducer",
        content_type: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> Written:
        """Stores an object.

        :param body: bytes, or an IBodyProducer that knows its length, such as ``FileBodyProducer(file)``.
        """
        said = string(content_type) + frames.mapping(metadata or {})
        return await self._ask(values.written, frames.PUT_OBJECT, string(bucket), string(key), said, body=body)

    async def get(self, bucket: str, key: str) -> tuple[ObjectInfo, bytes]:
        """An object and all of its bytes. Raises NotFound."""
        taken = _Collected()
        found = await self._get(bucket, key, taken)
        return found, b"".join(taken.pieces)

    async def get_into(self, bucket: str, key: str, taker: "IConsumer | IO[bytes]") -> ObjectInfo:
        """An object, whose bytes are written to an IConsumer, at its pace, or to a file. Raises NotFound.

        When it fails later the bytes that were written are not all: HalfFrame, TimedOut; OSError when the file cannot take them.
        """
        sink: Any = taker if IConsumer.providedBy(taker) else _Collected(taker)
        return await self._get(bucket, key, sink)

    async def _get(self, bucket: str, key: str, sink: Sink) -> ObjectInfo:
        reply = await self._pool.ask(Frame(frames.GET_OBJECT, string(bucket) + string(key)), sink)
        found = _read(values.object_info, reply)
        if found.size != reply.length:
            raise BrokenFrame(f"{reply.length} bytes came of an object that has {found.size}")
        return found

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        """An object without its bytes. Raises NotFound."""
        return await self._ask(values.object_info, frames.HEAD_OBJECT, string(bucket), string(key))

    async def delete(self, bucket: str, key: str) -> None:
        """Removes an object, whether it is there or not. Raises NotFound when the bucket is not."""
        await self._ask(values.nothing, frames.DELETE_OBJECT, string(bucket), string(key))


class UploadCalls(Calls):
    """The operations of multipart uploads."""

    async def create_upload(self, bucket: str, key: str, content_type: str = "") -> str:
        """Begins an upload; its id."""
        return await self._ask(Fields.text, frames.CREATE_UPLOAD, string(bucket), string(key), string(content_type))

    async def upload_part(
        self, bucket: str, key: str, upload_id: str, number: int, body: "bytes | IBodyProducer"
    ) -> Written:
        """Stores a part, from 1 to 10,000. Raises NotFound."""
        fields = string(bucket) + string(key) + string(upload_id) + frames.i32(number)
        return await self._ask(values.written, frames.UPLOAD_PART, fields, body=body)

    async def complete_upload(self, bucket: str, key: str, upload_id: str, numbers: Iterable[int]) -> Completed:
        """Joins parts, in ascending order, to the object. Raises NotFound, BadRequest."""
        fields = string(bucket) + string(key) + string(upload_id) + frames.numbers(numbers)
        return await self._ask(values.completed, frames.COMPLETE_UPLOAD, fields)

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Forgets an upload. Raises NotFound."""
        await self._ask(values.nothing, frames.ABORT_UPLOAD, string(bucket), string(key), string(upload_id))

    async def list_parts(self, bucket: str, key: str, upload_id: str) -> list[PartInfo]:
        """The parts that have come. Raises NotFound."""
        fields = string(bucket) + string(key) + string(upload_id)
        return await self._ask(values.part_list, frames.LIST_PARTS, fields)


class Client(BucketCalls, ObjectCalls, UploadCalls):
    """A client with a pool of connections. Its methods are coroutines; ``Deferred.fromCoroutine`` makes Deferreds of them."""

    async def ping(self) -> None:
        """Asks whether the server is there and the key pair still good."""
        await self._ask(values.nothing, frames.PING)

    def close(self) -> "Deferred[None]":
        """Drops all connections; whatever is under way fails with ClientClosed. Fires when they are gone."""
        return self._pool.close()


async def connect(
    reactor: IReactorTime,
    where: "str | IStreamClientEndpoint",
    access_key: str,
    secret: str,
    *,
    size: int = 4,
    patience: float = 60.0,
) -> Client:
    """A client whose first connection is open, so that wrong keys are told now.

    :param where: ``tcp://host:4444``, ``tls://host:4444`` (certificates as the system trusts them), a Twisted endpoint string, or an
        endpoint.
    :param size: connections at a time.
    :param patience: seconds that nothing may move while something is waited for.
    :raises ValueError: the place is none, or the key pair does not fit into a handshake.
    :raises NativeError: CannotConnect, NotNative, OtherVersion, NotProven, Cut, TimedOut.
    """
    frames.greeting(access_key, secret)  # to be told now what nobody could be told when the connection is made
    endpoint = endpoint_of(reactor, where) if isinstance(where, str) else where
    pool = Pool(reactor, endpoint, (access_key, secret), size, patience)
    try:
        await pool.prove()
    except BaseException:
        pool.close()
        raise
    return Client(pool)


# Any: a reactor, which no one interface describes.
def endpoint_of(reactor: Any, where: str) -> IStreamClientEndpoint:
    """The endpoint that a text names. Raises ValueError when it names none."""
    if "://" not in where:
        named: IStreamClientEndpoint = clientFromString(reactor, where)
        return named
    parts = urlsplit(where)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{where!r} is not tcp://host:port or tls://host:port")
    plain = HostnameEndpoint(reactor, parts.hostname, parts.port or DEFAULT_PORT)
    if parts.scheme == "tcp":
        return plain
    wrapped: IStreamClientEndpoint = wrapClientTLS(optionsForClientTLS(parts.hostname), plain)
    return wrapped
