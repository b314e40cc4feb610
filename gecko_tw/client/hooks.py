"""What is hooked into a botocore client so that it never blocks: where it would, its greenlet pauses.

Events, their arguments and a request's context are botocore's, which have no types: Any.
https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from attrs import frozen
from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.retries.standard import register_retry_handler
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from gecko_tw.client.checksums import known
from gecko_tw.client.downloads import Body
from gecko_tw.client.errors import WrongEndpoint
from gecko_tw.client.events import Events
from gecko_tw.client.exchange import OUTGOING, Exchange
from gecko_tw.client.pausing import leaving, wait
from gecko_tw.client.sources import Outgoing, digests
from gecko_tw.pools import IPool

_PAYLOAD = "gecko_tw.payload"
"""Where a request's context has what its signature says of its body."""

_ELSEWHERE = (301, 302, 307)
_SIGNER = "gecko_tw-s3v4"
_RETRIES = "retry-config-s3"


class _HashedBody(S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signs a request whose body was hashed in a thread."""

    def payload(self, request: AWSRequest) -> str:
        """The hexadecimal SHA-256 of the body, or what stands for it."""
        return str(request.context[_PAYLOAD])


AUTH_TYPE_MAPS[_SIGNER] = _HashedBody


@frozen
class Hooks:
    """What pauses in which a botocore client would block.

    :ivar reactor: turns the clock while a retry waits.
    :ivar pool: threads for hashing, and for fetching credentials.
    :ivar exchange: sends requests.
    :ivar credentials: botocore's.
    """

    reactor: IReactorTime
    pool: IPool
    exchange: Exchange
    credentials: Credentials | None

    def install(self, client: Any, attempts: int | None) -> None:
        """Hooks into a client.

        :param client: of botocore, for S3.
        :param attempts: how often a request is tried, at most; None for botocore's default.
        """
        events = client.meta.events
        events.unregister("needs-retry.s3", unique_id=_RETRIES)
        retries = register_retry_handler(client, attempts)
        events.unregister("needs-retry.s3", unique_id=_RETRIES)
        events.register("needs-retry.s3", self._retry(retries.needs_retry))
        events.register_last("before-call.s3", self._hash)
        events.register_first("choose-signer.s3", _choose)
        events.register("before-sign.s3", self._refresh)
        events.register("before-send.s3", self._send)
        events.register("after-call.s3", _take)

    def _hash(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Hashes a body that is not hashed while it is sent, before it is signed."""
        body = params["body"]
        if not isinstance(body, Outgoing):
            return
        context[OUTGOING] = body
        algorithm = context.get("checksum", {}).get("request_algorithm")
        if body.source is None:
            if algorithm is None:
                context[_PAYLOAD] = "UNSIGNED-PAYLOAD"
            else:
                algorithm["in"] = "trailer"
        elif algorithm is None or algorithm["in"] == "header":
            wanted = {"sha256"} | ({algorithm["algorithm"]} if algorithm else set())
            found = wait(leaving(self.pool.run(digests, body.source, *wanted)))
            context[_PAYLOAD] = found["sha256"].hex()
            if algorithm:
                params["headers"][algorithm["name"]] = b64encode(found[algorithm["algorithm"]]).decode("ascii")

    def _refresh(self, request: AWSRequest, **_: Any) -> None:
        """Fetches new credentials, in a thread, before a signature asks for them."""
        credentials = self.credentials
        if isinstance(credentials, RefreshableCredentials) and credentials.refresh_needed():
            frozen_ones = wait(leaving(self.pool.run(credentials.get_frozen_credentials)))
            signing = request.context.setdefault("signing", {})
            signing["request_credentials"] = Credentials(
                frozen_ones.access_key, frozen_ones.secret_key, frozen_ones.token
            )

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        answer = wait(self.exchange.send(request))
        # botocore asks HeadBucket for the region, and would ask it again and again where that is redirected, too.
        lost = answer.status_code in _ELSEWHERE and "x-amz-bucket-region" not in answer.headers
        if lost and event_name.endswith(".HeadBucket"):
            where = answer.headers.get("location", "an unknown place")
            raise WrongEndpoint(
                f"{request.url} was answered with status {answer.status_code}, which leads to {where}, and with no region of the bucket. "
                "Nobody is followed there: look at the URL, and whether it needs https."
            )
        return answer

    def _retry(self, needs_retry: Callable[..., float | None]) -> Callable[..., int | None]:
        """botocore's decision on a retry, and the wait before it."""

        def decided(**event: Any) -> int | None:
            outgoing: Outgoing | None = event["request_dict"]["context"].get(OUTGOING)
            if outgoing is not None and outgoing.used:
                return None  # there is nothing left to send
            delay = needs_retry(**event)
            if delay is None:
                return None
            wait(deferLater(self.reactor, delay))
            return 0

        return decided


def _choose(signature_version: str, context: dict[str, Any], **_: Any) -> str | None:
    return _SIGNER if _PAYLOAD in context and signature_version in ("s3v4", "v4", "v4-unsigned-body") else None


def _take(http_response: AWSResponse, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """An answer with a body that is not read yet gets ours in place of botocore's, which blocks."""
    body = http_response.raw
    if not isinstance(body, Body):
        return
    name = model.output_shape.serialization.get("payload")
    if model.has_event_stream_output:
        parsed[name] = Events(parsed[name], body)
        return
    parsed[name] = body
    if http_response.status_code != 200:
        return  # a checksum is the whole object's
    for algorithm in context.get("checksum", {}).get("response_algorithms") or ():
        value = http_response.headers.get(f"x-amz-checksum-{algorithm}")
        if value and "-" not in value and known(algorithm):
            body.expect(algorithm, value)
            return
