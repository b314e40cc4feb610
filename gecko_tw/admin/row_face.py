"""Rows answered over HTTP: a request becomes a question to a row's verb, and its values an answer of JSON.

What one face has of its own is who is let in, and how a refusal is told.
"""

import json
from collections.abc import Mapping
from functools import partial

from attrs import frozen

from gecko_tw.admin.audit import AuditLog, audited, line_of, without_secrets
from gecko_tw.admin.documents import LONGEST, read_json
from gecko_tw.admin.ground import Ground
from gecko_tw.admin.refusals import UnsupportedMediaType
from gecko_tw.admin.rows import ADMIN, NOTHING, Asked, Row, Rows, etag_of
from gecko_tw.admin.schemas import check, members, read_query
from gecko_tw.callers.accounts.sealing import WrongKey
from gecko_tw.resources.answers.answer import STATUS, Answer, Headers, Outcome
from gecko_tw.resources.answers.streaming import EVENTS
from gecko_tw.resources.bodies.streams import read_document
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import GET, Document
from gecko_tw.resources.pipeline import Address, Face, parameters_of, serve
from gecko_tw.resources.service import Service
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, Refusal
from gecko_tw.wire.interfaces import IWireRequest

JSON = (b"Content-Type", b"application/json")

_STATUS = {
    **STATUS,
    "KMS.NotFoundException": 404,
    "MalformedCORSConfiguration": 400,
    "MaxMessageLengthExceeded": 413,
    "NotFound": 404,
    "NotLive": 503,
    "PresignUnavailable": 503,
    "TooManyStreams": 503,
    "UnsupportedMediaType": 415,
}
"""Status number by code, where the operators' faces have further ones, or others."""


def status_of(code: str) -> int:
    """The status number of a refusal on the operators' listener."""
    return _STATUS[code]


@frozen(eq=False)
class RowFace:
    """A face of the operators' listener: see :class:`gecko_tw.admin.tree.AdminResource`.

    :ivar service: slows down who fails to prove who asks, and has the threads.
    :ivar ground: what the verbs work on.
    """

    service: Service
    rows: Rows
    ground: Ground
    audit: AuditLog

    any_type = False
    """Whether bodies are JSON whatever their Content-Type says."""

    @property
    def prefix(self) -> bytes:
        """What its paths begin with, and a slash."""
        raise NotImplementedError

    def admit(self, call: Call, row: Row) -> None:
        """Finds the caller, and refuses whom the row is not for. Raises Refusal."""
        raise NotImplementedError

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """The answer to a refused request."""
        raise NotImplementedError

    def serve(self, request: IWireRequest) -> None:
        """Answers a request whose path begins with the prefix."""
        serve(self.service, request, Address(ADMIN, face=Face(self._operate, self.refuse)))

    async def _operate(self, call: Call) -> Outcome:
        row, path = self.rows.resolve(call.head.method, call.head.path[len(self.prefix) - 1 :])
        call.operation = row.operation
        if not row.changes:
            return await self._perform(call, row, path, [])
        read: list[Json] = [None]
        about = partial(_told, call, row, path, read)
        return await audited(self.service, self.audit, about, self._perform(call, row, path, read))

    async def _perform(self, call: Call, row: Row, path: Mapping[str, str], read: list[Json]) -> Outcome:
        """
        :param read: is given the body, once it is known to be allowed.
        """
        self.admit(call, row)
        query = dict(parameters_of(call.head.query)[0]) if call.head.query else {}
        for values, place in ((path, "path"), (query, "query")):
            _check_text(values, place)
        check(members(**row.places), path, "path")
        asked = Asked(
            ground=self.ground,
            path=path,
            query=read_query(row.query, query),
            body=await _body(call, row, self.any_type),
            call=call,
            if_match=call.header(b"if-match"),
        )
        read.append(asked.body)
        if row.stream is not None:
            if call.head.method == "HEAD":
                return Answer(row.status, [(b"Content-Type", EVENTS)])
            endless: Outcome = await row.stream(call, asked)
            return endless
        try:
            values = await self.service.write(row.verb, asked)
        except WrongKey as damaged:
            raise InvalidRequest(str(damaged)) from None
        return _answer(row, values)


def _told(call: Call, row: Row, path: Mapping[str, str], read: list[Json], outcome: str) -> str:
    body = None if read[-1] is None else without_secrets(row, read[-1])
    return line_of(call, row.name, path, body, outcome)


def _check_text(values: Mapping[str, str], place: str) -> None:
    for name, value in values.items():
        try:
            (name + value).encode()
        except UnicodeEncodeError:
            raise InvalidArgument(f"{place}: it is not UTF-8", Field=place) from None


async def _body(call: Call, row: Row, any_type: bool) -> Json:
    """The JSON that came, in the row's shape; None where the row takes none.

    :raises MaxMessageLengthExceeded, UnsupportedMediaType, InvalidArgument: it is too long, not JSON, not what is allowed.
    """
    document = await read_document(call, Document(LONGEST))
    if row.body is None:
        if document:
            raise InvalidArgument("body: allowed is none", Field="body")
        return None
    if not document and "required" not in row.body:
        return {}
    kind = (call.header(b"content-type") or "application/json").partition(";")[0].strip().lower()
    if document and kind != "application/json" and not any_type:
        raise UnsupportedMediaType
    body = read_json(document)
    check(row.body, body, "body")
    return body


def answered(status: int, values: Json, headers: Headers | None = None, error: str = "") -> Answer:
    """An answer of JSON."""
    return Answer(status, [JSON, *(headers or [])], json.dumps(values).encode() + b"\n", error)


def headers_of(refusal: Refusal) -> Headers:
    """What a refusal says in headers."""
    if refusal.code == "MethodNotAllowed":
        return [(b"Allow", refusal.details.get("Allow", "").encode())]
    if refusal.code == "SlowDown":
        return [(b"Retry-After", refusal.details.get("RetryAfterSeconds", "1").encode())]
    return []


def _answer(row: Row, values: Json) -> Answer:
    if row.answer is None or values is NOTHING:
        return Answer(row.status if row.answer is None else 204)
    headers: Headers = [(b"Cache-Control", b"no-store")]
    if row.document and row.method == GET:
        headers.append((b"ETag", etag_of(values).encode()))
    return answered(row.status, values, headers)
