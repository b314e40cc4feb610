"""The Resource tree: it names what is addressed, and looks nothing up.

Keys are opaque: they come from the raw path, are decoded once and never normalised. How twisted.web splits a path is of no concern.
"""

from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gecko_tw.callers.signatures.proxies import Front, bucket_in
from gecko_tw.resources.answers.refusals import InvalidURI, NotImplemented_
from gecko_tw.resources.dispatch.health import PLACES, HealthResource, asks_health
from gecko_tw.resources.dispatch.keys import decode
from gecko_tw.resources.dispatch.operations import BUCKET, OBJECT, SERVICE, WEBSITE
from gecko_tw.resources.pipeline import Address, serve
from gecko_tw.resources.service import Service
from gecko_tw.store.refusals import InvalidBucketName
from gecko_tw.wire.head import Head

_MOST_REMEMBERED, _LONGEST_REMEMBERED = 2048, 1024
"""Paths whose resources are kept, as they are the same for every request, and bytes of a path that is."""

MINIO = b"/minio/"
"""Where MinIO's own APIs are: whoever asks for them must not be told of objects."""


class Endpoint(Protocol):
    """What answers below a path that is no bucket's. It authenticates whoever asks by itself."""

    # Any: as to all resources.
    def serve(self, request: Any) -> None:
        """Answers an IWireRequest, and drains its body when it is not read."""


class ServiceResource(Resource):
    """The root: all buckets, and the way to each of them.

    Other resources may be put beside the buckets with ``putChild``, under names that no bucket can have.

    Requests are Any to all resources: they must be twisted.web's IRequest and an IWireRequest, and a head is put in place of theirs.

    :param service: what answers.
    :param minio: answers what is below ``/minio/``; None where that is refused.
    """

    renders_at_head = True

    def __init__(self, service: Service, minio: Endpoint | None = None) -> None:
        super().__init__()
        self._service, self._minio = service, minio
        self._domains = tuple(domain.lower() for domain in service.domains)
        self._websites = tuple(domain.lower() for domain in service.website_domains)
        self._front = service.front if service.front.rewrites else None
        self._leaf_cached = lru_cache(_MOST_REMEMBERED)(self._leaf)

    def getChildWithDefault(self, path: bytes, request: Any) -> Resource:
        if self._front is not None:
            path = _arrived(self._front, path, request)
        head = request.head
        virtual = self._virtual(head) if self._websites or self._domains else None
        if virtual is not None:
            return virtual
        return self.children[path] if path in self.children else self._addressed(head)

    def named(self, head: Head) -> Resource | None:
        """The resource that a head names; None when a path must be split to tell."""
        if self._front is not None or self.children:
            return None
        virtual = self._virtual(head) if self._websites or self._domains else None
        return self._addressed(head) if virtual is None else virtual

    def _virtual(self, head: Head) -> Resource | None:
        """What the Host header names, if it names a bucket."""
        website = _virtual_bucket(head, self._websites) if self._websites else None
        if website is not None:
            return _Leaf(self._service, Address(WEBSITE, website, decode(head.path[1:]) or b""))
        bucket = _virtual_bucket(head, self._domains) if self._domains else None
        return None if bucket is None else _named(self._service, bucket.encode("latin-1"), head.path[1:])

    def render(self, request: Any) -> int:
        if self._front is not None:
            request.head = self._front.arrived(request.head)
        status: int = self._addressed(request.head).render(request)
        return status

    def _addressed(self, head: Head) -> Resource:
        path = head.path
        if path in PLACES and asks_health(head):
            return HealthResource(self._service, path)
        return self.by_path(path)

    def by_path(self, path: bytes) -> Resource:
        """The resource that a path names, whatever the Host header says."""
        return self._leaf_cached(path) if len(path) <= _LONGEST_REMEMBERED else self._leaf(path)

    def _leaf(self, path: bytes) -> Resource:
        if path in (b"/", b"*"):
            return _Leaf(self._service, Address(SERVICE))
        if path[:1] != b"/":
            return _Leaf(self._service, Address(OBJECT, refusal=InvalidURI()))
        if path.startswith(MINIO) and path != MINIO and self._minio is not None:
            return _Own(self._minio)
        if path.startswith(MINIO) and path != MINIO:
            return _Leaf(self._service, Address(OBJECT, refusal=NotImplemented_(Resource=path.decode("latin-1"))))
        bucket, _, key = path[1:].partition(b"/")
        if not bucket:
            return _Leaf(self._service, Address(OBJECT, refusal=InvalidBucketName(BucketName="")))
        return _named(self._service, bucket, key)


class _Leaf(Resource):
    """Hands whatever comes to the pipeline, with what it addresses."""

    isLeaf = True
    renders_at_head = True

    def __init__(self, service: Service, address: Address) -> None:
        self.children = {}
        self._service = service
        self._address = address

    def render(self, request: Any) -> int:
        serve(self._service, request, self._address)
        return NOT_DONE_YET


class _Own(Resource):
    """Hands whatever comes to whatever has the place."""

    isLeaf = True
    renders_at_head = True

    def __init__(self, place: Endpoint) -> None:
        self.children = {}
        self._place = place

    def render(self, request: Any) -> int:
        self._place.serve(request)
        return NOT_DONE_YET


class BucketResource(_Leaf):
    """One bucket."""

    def __init__(self, service: Service, bucket: str) -> None:
        super().__init__(service, Address(BUCKET, bucket))


class ObjectResource(_Leaf):
    """One key of a bucket, whether there is an object or not."""

    def __init__(self, service: Service, bucket: str, key: bytes) -> None:
        super().__init__(service, Address(OBJECT, bucket, key))


def _virtual_bucket(head: Head, domains: tuple[str, ...]) -> str | None:
    """The bucket that the Host header names below one of some domains, or None."""
    host = head.headers.get(b"host", b"")
    return next((name for domain in domains if (name := bucket_in(host, domain)) is not None), None)


def _arrived(front: Front, segment: bytes, request: Any) -> bytes:
    """Makes a request what its client sent to the proxies in front; returns the first segment of its path."""
    head = request.head
    request.head = arrived = front.arrived(head)
    if arrived.path == head.path:
        return segment
    first, *rest = (unquote_to_bytes(one) for one in arrived.path[1:].split(b"/"))
    request.prepath, request.postpath = [first], rest
    return first


def _named(service: Service, bucket: bytes, key: bytes) -> Resource:
    """The resource of a bucket or of a key in it, from their still encoded names."""
    bucket_name, key_name = decode(bucket), decode(key)
    if bucket_name is None or key_name is None:
        return _Leaf(service, Address(OBJECT, refusal=InvalidURI()))
    name = bucket_name.decode("utf-8", "replace")
    return ObjectResource(service, name, key_name) if key_name else BucketResource(service, name)
