"""A Twisted service that keeps what it is told: ``twistd --nodaemon --python examples/service.py``.

Each POST becomes an object, each GET reads one: ``curl -d hello localhost:8088/note``, ``curl localhost:8088/note``.
"""

import os
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from gecko_tw.client import NoSuchKey, connect

URL = os.environ.get("S3_URL", "http://localhost:9000")
BUCKET = os.environ.get("S3_BUCKET", "example-service")


class Notes(Resource):
    """Everything below the root is a key."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self._s3: Any = None

    def render(self, request: Any) -> int:
        Deferred.fromCoroutine(self._answer(request)).addErrback(request.processingFailed)
        return NOT_DONE_YET

    async def _answer(self, request: Any) -> None:
        if self._s3 is None:
            self._s3 = await connect(URL)
            await self._s3.create_bucket(BUCKET)
        key = request.path.decode()[1:]
        try:
            if request.method == b"POST":
                await self._s3.put(BUCKET, key, request.content.read())
            else:
                request.write(await self._s3.get(BUCKET, key))
        except NoSuchKey as missing:
            request.setResponseCode(404)
            request.write(str(missing).encode())
        request.finish()


application = Application("notes")
endpoint = serverFromString(reactor, os.environ.get("NOTES", "tcp:8088:interface=127.0.0.1"))
StreamServerEndpointService(endpoint, Site(Notes())).setServiceParent(application)
