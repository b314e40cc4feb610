"""Whether this process answers, and whether it can do its work: to anybody, however busy it is."""

from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gecko_tw.resources.pipeline import serve_health
from gecko_tw.resources.service import Service
from gecko_tw.wire.head import Head

LIVE = {b"/health": b"OK", b"/minio/health/live": b""}
"""Places that tell whether the process answers at all, and with what body."""

READY = {
    b"/health/ready": b"OK",
    b"/minio/health/ready": b"",
    b"/minio/health/cluster": b"",
    b"/minio/health/cluster/read": b"",
}
"""Places that tell whether it can read and write, too."""

PLACES = LIVE | READY


def asks_health(head: Head) -> bool:
    """Whether a request is one for health: whatever is signed, or has a query, means a bucket or an object."""
    return (
        head.path in PLACES
        and head.method in ("GET", "HEAD")
        and not head.query
        and b"authorization" not in head.headers
    )


class HealthResource(Resource):
    """One of those places. Requests are Any, as to all resources."""

    isLeaf = True
    renders_at_head = True

    def __init__(self, service: Service, path: bytes) -> None:
        super().__init__()
        self._service, self._path = service, path

    def render(self, request: Any) -> int:
        readiness = self._service.readiness if self._path in READY else None
        body = PLACES[self._path]
        if readiness is None:
            serve_health(self._service, request, True, body)
        else:
            readiness.ask().addCallback(lambda ready: serve_health(self._service, request, ready, body))
        return NOT_DONE_YET
