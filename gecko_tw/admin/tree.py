"""The Resource tree of the operator's listener: health, metrics, and the faces that have paths of their own."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gecko_tw.admin.console import Console
from gecko_tw.resources.service import Service

METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format (Prometheus, "Exposition formats")."""

_JSON = b"application/json"
_log = Logger()


class AdminFace(Protocol):
    """A family of operations on this listener: the admin API, and whatever speaks as the administration of another server does.

    It authenticates whoever asks by itself, and answers all that is below its prefix.
    """

    @property
    def prefix(self) -> bytes:
        """What its paths begin with, e.g. ``/api/v1/``."""

    # Any: as to all resources.
    def serve(self, request: Any) -> None:
        """Answers an IWireRequest, and drains its body when it is not read."""


class AdminResource(Resource):
    """The root.

    Requests are Any, as to all resources.

    :param service: whose health is told, and whose threads make documents.
    :param metrics: makes the metrics' document; blocks.
    :param faces: asked in this order.
    :param console: answers for the paths that nothing else has.
    """

    isLeaf = True
    renders_at_head = True

    def __init__(
        self,
        service: Service,
        metrics: Callable[[], bytes],
        faces: Sequence[AdminFace] = (),
        console: Console | None = None,
    ) -> None:
        super().__init__()
        self._console = console
        self._service, self._metrics, self._faces = service, metrics, tuple(faces)
        self._places: dict[bytes, Callable[[Any], Any]] = {
            b"/metrics": self._tell_metrics,
            b"/health": self._tell_ready,
            b"/health/ready": self._tell_ready,
            b"/health/live": lambda request: _answer(request, 200, {"status": "alive"}),
        }

    def render(self, request: Any) -> int:
        head = request.head
        for face in self._faces:
            if head.path.startswith(face.prefix):
                face.serve(request)
                return NOT_DONE_YET
        place: Callable[[Any], Any] | None = self._places.get(head.path)
        if place is None and self._console is not None:
            place = self._console.place(head.path)
        if place is None:
            self._refuse(request, 404, "NotFound", "There is nothing here.")
        elif head.method not in ("GET", "HEAD"):
            self._refuse(
                request, 405, "MethodNotAllowed", "Only GET and HEAD are allowed here.", [(b"Allow", b"GET, HEAD")]
            )
        else:
            answered = place(request)
            if isinstance(answered, Deferred):
                answered.addErrback(self._failed, request)
        if request.upload.length != 0:
            request.upload.drain()
        return NOT_DONE_YET

    def _tell_ready(self, request: Any) -> None:
        """Jay's document of its ``/health/ready``."""

        def tell(ready: bool) -> None:
            reason = {} if ready else {"reason": "the data directory cannot be used"}
            _answer(request, 200 if ready else 503, {"status": "ready" if ready else "not_ready", **reason})

        readiness = self._service.readiness
        if readiness is None:
            tell(True)
        else:
            readiness.ask().addCallback(tell)

    def _tell_metrics(self, request: Any) -> Deferred[Any]:
        made: Deferred[Any] = self._service.bytes_pool.run(self._metrics)
        made.addCallback(lambda document: request.answer(200, [(b"Content-Type", METRICS_TYPE)], document))
        return made

    def _failed(self, failure: Failure, request: Any) -> None:
        _log.failure("{path} cannot be told", failure, path=request.head.path)
        self._refuse(request, 500, "InternalError", "See the daemon's log.")

    def _refuse(
        self, request: Any, status: int, code: str, message: str, headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        told = {"code": code, "message": message, "requestId": self._service.new_request_id()}
        _answer(request, status, told, headers)


def _answer(request: Any, status: int, told: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = json.dumps(told).encode() + b"\n"
    request.answer(status, [(b"Content-Type", _JSON), *(headers or [])], body)
