"""Bodies on their way from the wire into memory or into the store: decoded, bounded, and never faster than they are written."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from attrs import define, evolve
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.callers.signatures.aws_chunked import AwsChunkedDecoder
from gecko_tw.pools import Shielded
from gecko_tw.resources.answers.refusals import MaxMessageLengthExceeded
from gecko_tw.resources.bodies.buffers import Basin
from gecko_tw.resources.bodies.claims import Claims, announced_length, framed, read_claims
from gecko_tw.resources.bodies.unauthenticated import BODY_TIMEOUT, LONGEST, Waiting
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import Document
from gecko_tw.resources.service import Service
from gecko_tw.store.checksums import Digests
from gecko_tw.store.encryption.data_keys import Seal
from gecko_tw.store.interfaces import IIncoming
from gecko_tw.store.refusals import BadDigest, EntityTooLarge, InvalidRequest, Refusal
from gecko_tw.store.requests import Claim
from gecko_tw.wire.interfaces import IRoomyConsumer, IUpload

MAX_OBJECT = 5 * 1024**3
"""Bytes of one PutObject, UploadPart or copy (S3 User Guide, "Uploading objects")."""

TOLD_CHECKSUM = "SHA256"
"""What clients are told whose protocol has a place for no other checksum."""

_LARGE = 1024 * 1024
"""Bytes from which on a body is received into buffers."""

DOCUMENT_SECONDS = 60.0
"""For all of a document."""

_FLUSH = 1024 * 1024
_PAUSE = 2 * 1024 * 1024


class Decoder(Protocol):
    """What takes framing off: the aws-chunked decoder, or that of a form."""

    def feed(self, data: bytes | memoryview) -> Iterable[bytes | memoryview]: ...

    def finish(self) -> None: ...

    @property
    def trailers(self) -> Mapping[str, str]: ...


@define(eq=False)
class Plan:
    """How a body will come, decided from the head alone.

    :ivar length: bytes without framing, or None when unknown.
    :ivar decoder: takes the framing off; None when there is none.
    """

    claims: Claims
    length: int | None
    decoder: Decoder | None = None
    limit: int = MAX_OBJECT

    @property
    def claimed(self) -> tuple[Claim, ...]:
        """The claims once the body is in, trailers included. Raises InvalidRequest when a trailer is malformed."""
        return self.claims.claims if self.decoder is None else self.claims.with_trailers(self.decoder.trailers)


def plan(call: Call, limit: int = MAX_OBJECT, described: bool = True) -> Plan:
    """The plan for a call's body. Raises as ``claims.announced_length`` and ``claims.read_claims``."""
    headers, caller = call.headers, call.caller
    length = announced_length(headers, caller, limit)
    claims = read_claims(headers, caller, described)
    if call.head.proven is not None and described and claims.checksum is None:
        claims = evolve(claims, checksum=TOLD_CHECKSUM)
    decoder = None
    if framed(headers, caller):
        decoder = AwsChunkedDecoder(length, caller.chunks, claims.trailer)
    return Plan(claims, length, decoder, limit)


@implementer(IConsumer)
class Intake:
    """Takes a body off the wire and hands what is in it to ``take``; stops listening at the first refusal.

    :ivar done: fires once the body is in and checked by the decoder, and fails with what was wrong.
    """

    def __init__(self, take: Callable[["bytes | memoryview"], None], decoder: Decoder | None) -> None:
        self._take = take
        self._decoder = decoder
        self._producer: IPushProducer | None = None
        self.done: Deferred[None] = Deferred()

    def start(self, upload: IUpload) -> "Deferred[None]":
        """Begins; returns ``done``. Cancelling it stops listening."""
        upload.deliver(self).addCallbacks(self._end, self.fail)
        return self.done

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # Any: the IPushProducer that an IUpload is
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def write(self, data: "bytes | memoryview") -> None:
        if self.done.called:
            return
        try:
            if self._decoder is None:
                self._take(data)
            else:
                for piece in self._decoder.feed(data):
                    self._take(piece)
        except Refusal:
            self.fail(Failure())

    def pause(self) -> None:
        if self._producer is not None:
            self._producer.pauseProducing()

    def resume(self) -> None:
        if self._producer is not None:
            self._producer.resumeProducing()

    def fail(self, failure: Failure) -> None:
        """The body is not wanted any more."""
        if not self.done.called:
            self.done.errback(failure)

    def _end(self, _: object) -> None:
        if self.done.called:
            return
        try:
            if self._decoder is not None:
                self._decoder.finish()
        except Refusal:
            self.fail(Failure())
        else:
            self.done.callback(None)


@implementer(IRoomyConsumer)
class RoomyIntake(Intake):
    """An Intake with memory to read into.

    :param taken: tells how many bytes of what is in the body have been handed on so far.
    """

    def __init__(
        self,
        take: Callable[["bytes | memoryview"], None],
        decoder: Decoder | None,
        basin: Basin,
        taken: Callable[[], int],
    ):
        super().__init__(take, decoder)
        self._basin = basin
        self._taken = taken

    def space(self) -> memoryview | None:
        return None if self.done.called else self._basin.space(self._taken())

    def filled(self, size: int) -> None:
        self.write(self._basin.filled(size))


class Stream:
    """A body going into an IIncoming: small ones stay in memory, larger ones are written by a thread while more comes.

    :ivar incoming: where the bytes go; may be set as late as the first of them.
    """

    def __init__(self, service: Service, incoming: IIncoming | None, how: Plan) -> None:
        self._service = service
        self._how = how
        self._basin = Basin(service.buffers)
        large = how.length is not None and how.length > _LARGE
        self._intake = (
            RoomyIntake(self._push, how.decoder, self._basin, self._size) if large else Intake(self._push, how.decoder)
        )
        self._flushing: Deferred[Any] | None = None
        self._paused = False
        self._failure: Failure | None = None
        self.incoming = incoming

    async def receive(self, upload: IUpload) -> IIncoming:
        """The incoming body once all of it is there. When that fails the body is forgotten.

        :raises UploadCut: the body did not end as it should.
        :raises EntityTooLarge, InsufficientStorage: and what the decoder refuses.
        """
        try:
            await self._intake.start(upload)
            await self._quiet()
            if self._failure is not None:
                self._failure.raiseException()
            self._how.claimed  # noqa: B018 - a malformed trailer is refused while the body can still be forgotten
        except BaseException:
            await self._forget()
            raise
        finally:
            self._basin.close()
            del self._intake  # the two hold each other: they would stay until the garbage collector comes
        assert self.incoming is not None
        return self.incoming

    def _push(self, data: "bytes | memoryview") -> None:
        incoming = self.incoming
        assert incoming is not None
        incoming.push(data)
        if incoming.size > self._how.limit:
            raise EntityTooLarge(ProposedSize=incoming.size, MaxSizeAllowed=self._how.limit)
        if incoming.pending >= _FLUSH:
            if self._flushing is None:
                self._flush()
            elif incoming.pending >= _PAUSE and not self._paused:
                self._paused = True
                self._intake.pause()

    def _size(self) -> int:
        assert self.incoming is not None
        return self.incoming.size

    def _flush(self) -> None:
        incoming = self.incoming
        assert incoming is not None
        service = self._service
        # A second thread shortens the way of a body that is alone. With several it would only be one more to wake.
        tasks = incoming.tasks(2 if service.flushing == 0 else 1)
        service.flushing += 1
        self._flushing = DeferredList([service.bytes_pool.run(task) for task in tasks], consumeErrors=True)
        self._flushing.addCallback(self._flushed)

    def _flushed(self, outcomes: list[tuple[bool, Any]]) -> None:
        self._flushing = None
        self._service.flushing -= 1
        for success, failure in outcomes:
            if not success:
                self._not_flushed(failure)
                return
        incoming = self.incoming
        assert incoming is not None
        self._basin.written(incoming.size - incoming.pending)
        if incoming.pending >= _FLUSH and not self._intake.done.called:
            self._flush()
        if self._paused and incoming.pending < _PAUSE:
            self._paused = False
            self._intake.resume()

    def _not_flushed(self, failure: Failure) -> None:
        self._failure = failure  # the body may have ended already: nobody else would hear of it
        self._intake.fail(failure)

    async def _quiet(self) -> None:
        """Waits until no thread writes."""
        if self._flushing is not None:
            idle: Shielded[None] = Shielded()
            self._flushing.addBoth(lambda _: idle.callback(None))
            await idle

    async def _forget(self) -> None:
        await self._quiet()
        if self.incoming is not None:
            await self._service.write(self.incoming.abort)


async def receive(
    call: Call, how: Plan, algorithm: str | None = None, sealing: Callable[[], Seal] | None = None
) -> IIncoming:
    """The body of PutObject and UploadPart, pushed into the store as it comes.

    :param algorithm: a checksum to compute beside those that were claimed.
    :param sealing: as IObjects.receive.
    :raises: as :meth:`Stream.receive`; InvalidRequest when the trailer is malformed.
    """
    wanted = how.claims.algorithms
    incoming = call.service.objects.receive(wanted if algorithm is None else [*wanted, algorithm], sealing)
    upload = call.request.upload
    body = upload.whole() if how.decoder is None else None
    if body is not None:
        incoming.push(body)
        return incoming
    return await Stream(call.service, incoming, how).receive(upload)


def begin_unauthenticated(call: Call) -> Waiting:
    """The body of a call is about to be read, and it is not known yet whether the caller may ask for anything."""
    return call.service.unauthenticated.begin(call.address, call.request.upload, call.service)


async def read_unauthenticated(call: Call, kind: Document) -> bytes:
    """As :func:`read_document`, while it is not known yet whether the caller may ask for what the document tells."""
    waiting = begin_unauthenticated(call)
    try:
        return await read_document(call, evolve(kind, limit=min(kind.limit, LONGEST)), BODY_TIMEOUT)
    finally:
        waiting.end()


async def read_document(call: Call, kind: Document, patience: float = DOCUMENT_SECONDS) -> bytes:
    """A whole document, verified against everything that was claimed of it. Empty when there is no body.

    :param patience: seconds that it may take.
    :raises UploadStalled: it takes longer.
    :raises MaxMessageLengthExceeded: it is longer than its kind may be.
    :raises InvalidRequest: nothing vouches for a document of a kind that needs it.
    :raises BadDigest, XAmzContentSHA256Mismatch: it is not what was claimed.
    """
    if b"content-length" not in call.headers and b"transfer-encoding" not in call.headers:
        return b""
    try:
        how = plan(call, kind.limit, kind.described)
    except EntityTooLarge:
        raise MaxMessageLengthExceeded(MaxMessageLengthBytes=kind.limit) from None
    claims = how.claims
    if kind.vouched and how.length != 0 and not (claims.vouched or (kind.signed and claims.claims)):
        raise InvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
    pieces = _Pieces(kind.limit)
    if how.length != 0 or how.decoder is not None:
        call.request.upload.within(patience)
        await Intake(pieces.take, how.decoder).start(call.request.upload)
    document = b"".join(pieces.pieces)
    check(document, how.claimed)
    return document


class _Pieces:
    """A document being collected."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self.pieces: list[bytes | memoryview] = []

    def take(self, data: "bytes | memoryview") -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise MaxMessageLengthExceeded(MaxMessageLengthBytes=self._limit)
        self.pieces.append(data)


def check(document: bytes, claims: Iterable[Claim]) -> None:
    """Compares a document with its claims. Raises what the claim says when it differs."""
    for claim in claims:
        digests = Digests((claim.algorithm,))
        digests.update(document)
        if digests.raw(claim.algorithm) != claim.digest:
            if claim.refusal is BadDigest:
                raise BadDigest(f"The {claim.algorithm} you specified did not match the calculated checksum.")
            raise claim.refusal
