"""S3 below ``/s3/`` of the operator's listener: the console's page speaks with nobody but the origin that it came from."""

from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from gecko_tw.pools import IPool
from gecko_tw.resources.dispatch.tree import ServiceResource
from gecko_tw.resources.service import Service
from gecko_tw.wire.interfaces import Headers, IWireRequest, Source

SANDBOX: Headers = [
    (
        b"Content-Security-Policy",
        b"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    ),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
]
"""What an object that is a page may do on the console's origin: nothing. No link to one may get at what a browser keeps there."""


class Storefront:
    """A face of the operator's listener: see :class:`gecko_tw.admin.tree.AdminFace`.

    Requests are those of S3 with paths that begin with ``/s3``, which is not signed: no proxy that moves the console below another
    path can make a signature wrong. Buckets are named by paths alone.
    """

    prefix = b"/s3/"

    def __init__(self, service: Service) -> None:
        self._resource = ServiceResource(service)

    def serve(self, request: IWireRequest) -> None:
        """Answers a request whose path begins with the prefix."""
        head, cut = request.head, len(self.prefix) - 1
        confined = _Confined(request)
        confined.head = evolve(head, target=head.target[cut:], path=head.path[cut:])
        self._resource.by_path(confined.head.path).render(confined)


class _Confined:
    """A request whose every answer has :data:`SANDBOX`."""

    def __init__(self, request: IWireRequest) -> None:
        self._request, self.head = request, request.head

    # Any: whatever the request has.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def answer(
        self, status: int, headers: Headers, body: bytes = b"", lines: bytes = b"", about: object | None = None
    ) -> None:
        """As that of the request."""
        self._request.answer(status, [*SANDBOX, *headers], body, lines, about)

    def answer_spans(
        self,
        status: int,
        headers: Headers,
        reading: Source,
        offset: int,
        length: int,
        pool: IPool,
        *,
        lines: bytes = b"",
    ) -> Deferred[int]:
        """As that of the request."""
        return self._request.answer_spans(status, [*SANDBOX, *headers], reading, offset, length, pool, lines=lines)

    def answer_slowly(
        self, status: int, headers: Headers
    ) -> tuple[Callable[[bytes], None], Callable[[object | None], None]]:
        """As that of the request."""
        return self._request.answer_slowly(status, [*SANDBOX, *headers])
