"""Requests without a wire: what the resources see of one, and what they answered."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import md5
from types import SimpleNamespace
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, execute, fail, succeed
from twisted.internet.task import Clock
from twisted.web.resource import getChildForRequest
from zope.interface import implementer

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.pools import IPool, Shielded
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.tree import ServiceResource
from gecko_tw.resources.service import Service
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.uploads import Uploads
from gecko_tw.wire.answer_head import lines_of
from gecko_tw.wire.head import Head, head_of
from gecko_tw.wire.interfaces import IUpload, IWireRequest, UploadCut, UploadStalled
from tests.store.encryption.rings import data_keys

NOW = 1_795_230_000.0
VOUCHED = frozenset((b"delete", b"tagging", b"lifecycle", b"object-lock", b"retention", b"legal-hold"))
"""Sub-resources whose documents need Content-MD5 or a checksum."""


@implementer(IPool)
class InlinePool:
    """A pool whose threads are done before anybody can look."""

    def run(self, function: Any, *arguments: Any, **named: Any) -> Deferred:
        return execute(function, *arguments, **named)


@implementer(IPool)
class HeldPool:
    """A pool whose work happens when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred, Any]] = []

    def run(self, function: Any, *arguments: Any, **named: Any) -> Deferred:
        result = Shielded()
        self.waiting.append((result, lambda: execute(function, *arguments, **named)))
        return result

    def work(self) -> None:
        """Does everything that waits."""
        while self.waiting:
            result, do = self.waiting.pop(0)
            do().chainDeferred(result)


@implementer(IUpload)
class FakeUpload:
    """A body that comes in the given pieces as soon as it is asked for; ``cut`` loses the client behind them."""

    def __init__(
        self, pieces: Iterable[bytes], length: int | None, cut: bool | Exception = False, held: bool = False
    ) -> None:
        self.length = length
        self.pieces = list(pieces)
        self.framing = SimpleNamespace(received=sum(map(len, self.pieces)))
        self.cut = cut
        self.held = held
        self.paused = 0
        self.drained = False
        self.patience: float | None = None
        self.consumer: Any = None
        self.result: Deferred | None = None

    def deliver(self, consumer: Any) -> Deferred:
        self.consumer = consumer
        if self.length == 0:
            return succeed(None)
        consumer.registerProducer(self, True)
        if self.held:
            self.result = Deferred()
            return self.result
        for piece in self.pieces:
            consumer.write(piece)
        consumer.unregisterProducer()
        return fail(self._failure()) if self.cut else succeed(None)

    def whole(self) -> bytes | None:
        return None if self.held or self.cut or len(self.pieces) != 1 else self.pieces[0]

    def _failure(self) -> Exception:
        return self.cut if isinstance(self.cut, Exception) else UploadCut("left")

    def release(self) -> None:
        """Lets a held body come."""
        result, self.result = self.result, None
        assert result is not None
        for piece in self.pieces:
            self.consumer.write(piece)
        if self.cut:
            result.errback(self._failure())
        else:
            result.callback(None)

    def within(self, seconds: float | None) -> None:
        self.patience = seconds
        if seconds == 0 and self.result is not None:
            result, self.result = self.result, None
            result.errback(UploadStalled("too long"))

    def drain(self) -> None:
        self.drained = True

    def pauseProducing(self) -> None:
        self.paused += 1

    def resumeProducing(self) -> None:
        self.paused -= 1

    def stopProducing(self) -> None:
        self.drained = True


@implementer(IWireRequest)
class FakeRequest:
    """A request in memory; what was answered is in its attributes."""

    def __init__(self, head: Head, upload: FakeUpload) -> None:
        self.head = head
        self.upload = upload
        self.prepath: list[bytes] = []
        self.postpath = head.path[1:].split(b"/")
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.finished = 0
        self.behind = self.leaving = False
        self.aborted = False
        self._gone: Deferred = Deferred()

    def notifyFinish(self) -> Deferred:
        return self._gone

    def leave(self) -> None:
        """The client closes its connection."""
        self._gone.errback(UploadCut("left"))

    def abort(self) -> None:
        self.aborted = True

    def lines(self, headers: Any) -> bytes:
        return lines_of(headers)

    def answer(self, status: int, headers: Any, body: bytes = b"", lines: bytes = b"", about: Any = None) -> None:
        self.about = about
        self.status, self.headers = status, [*headers, *_pairs(lines)]
        if self.head.method != "HEAD" and status not in (204, 304):
            self.body = body
        self.finished += 1

    def answer_spans(
        self, status: int, headers: Any, reading: Any, offset: int, length: int, pool: Any, *, lines: bytes = b""
    ) -> Deferred:
        self.status, self.headers = status, [*headers, *_pairs(lines)]
        end = offset + length
        while offset < end:
            data = reading.read(offset, end - offset)
            assert data, "the reading ends too early"
            self.body += data
            offset += len(data)
        reading.close()
        self.finished += 1
        return succeed(length)

    def answer_slowly(self, status: int, headers: Any) -> Any:
        self.status, self.headers = status, list(headers)

        def write(data: bytes) -> None:
            self.body += data

        def finish(about: Any) -> None:
            self.about = about
            self.finished += 1

        return write, finish

    def header(self, name: str) -> str | None:
        """The only header of that name."""
        found = [value for key, value in self.headers if key.lower() == name.lower().encode()]
        assert len(found) < 2, f"{name} was sent twice"
        return found[0].decode("latin-1") if found else None


def _pairs(lines: bytes) -> list[tuple[bytes, bytes]]:
    """Rendered headers, read again."""
    return [tuple(line.split(b": ", 1)) for line in lines.split(b"\r\n")[:-1]]


@define
class Shop:
    """A service over a store in memory, and its log."""

    service: Service
    clock: Clock
    log: list[AccessEntry] = field(factory=list)

    def ask(self, method: str, target: str | bytes, body: bytes = b"", **more: Any) -> FakeRequest:
        """One request, driven to its end."""
        request = self.send(method, target, body, **more)
        assert request.finished == 1, "the request was not answered, or twice"
        return request

    def send(
        self,
        method: str,
        target: str | bytes,
        body: bytes = b"",
        headers: dict[str, str | bytes] | None = None,
        upload: FakeUpload | None = None,
    ) -> FakeRequest:
        """One request, handed to the tree. Headers given as None are left out, those that every SDK sends too."""
        raw_target = target if isinstance(target, bytes) else target.encode()
        raw = {b"host": b"s3.test"}
        if body or method in ("PUT", "POST"):
            raw[b"content-length"] = b"%d" % len(body)
        if body and VOUCHED.intersection(raw_target.partition(b"?")[2].split(b"&")):
            raw[b"content-md5"] = b64encode(md5(body).digest())
        for name, value in (headers or {}).items():
            if value is None:
                raw.pop(name.lower().encode(), None)
            else:
                raw[name.lower().encode()] = value if isinstance(value, bytes) else value.encode("latin-1")
        head = head_of(method, raw_target, raw, peer="192.0.2.1:4711")
        request = FakeRequest(head, upload or FakeUpload([body] if body else [], len(body)))
        resource = getChildForRequest(ServiceResource(self.service), request)
        resource.render(request)
        return request


def shop(auth: bool = False, pool: Any = None, **settings: Any) -> Shop:
    """A new service over an empty store in memory; everybody may do everything unless ``auth``."""
    clock = Clock()
    clock.advance(NOW)
    driver = MemoryDriver(clock.seconds)
    objects = Objects(driver.catalog, driver.blobs, keys=data_keys())
    log: list[AccessEntry] = []
    service = Service(
        buckets=Buckets(driver.catalog),
        objects=objects,
        uploads=Uploads(objects, min_part_size=settings.pop("min_part_size", 5 * 1024 * 1024)),
        table=built_in(),
        authenticator=Authenticator(OnePair("key", "secret"), clock.seconds, None, auth),
        catalog_pool=pool or InlinePool(),
        bytes_pool=pool or InlinePool(),
        commit_pool=pool or InlinePool(),
        clock=clock,
        observers=(log.append,),
        notices=driver.notices,
        **settings,
    )
    return Shop(service, clock, log)
