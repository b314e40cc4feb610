"""What happens to every request, once and in this order: resolve, authenticate, permit, read body, perform, answer, log."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionClosed
from twisted.logger import Logger

from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.access_logs.server_log import Course, find_record, has_log, tell
from gecko_tw.resources.answers.answer import Headers, Outcome, answer_for
from gecko_tw.resources.answers.refusals import InternalError, RequestTimeout
from gecko_tw.resources.bodies.streams import read_document, read_unauthenticated
from gecko_tw.resources.call import UNKNOWN, Call
from gecko_tw.resources.dispatch.operations import ACTION, POST, S3, WEBSITE, Document, Operation, names_of
from gecko_tw.resources.gates.admission import admit_caller, wait_after
from gecko_tw.resources.gates.permits import check_bucket_owner, is_permitted, permit_row
from gecko_tw.resources.headers.cors import cors_at_hand, cors_headers
from gecko_tw.resources.headers.objects import refuse_lacking
from gecko_tw.resources.service import Service
from gecko_tw.store.disk_check import is_full
from gecko_tw.store.refusals import IncompleteBody, InsufficientStorage, ObjectDamaged, Refusal, SlowDown
from gecko_tw.wire.interfaces import IWireRequest, UploadCut, UploadStalled

LEFT = 499
"""What is logged as the status when the client did not wait for its answer."""

_log = Logger()
_LONGEST_REMEMBERED = 1024
_NO_NAMES: frozenset[str] = frozenset()
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


@frozen
class Face:
    """How the requests of another site than S3 are understood and answered: after the same gates, and told in the same logs.

    :ivar operate: authenticates, permits and performs.
    :ivar refuse: the answer to a refused request.
    """

    operate: Callable[[Call], Awaitable[Outcome]]
    refuse: Callable[[Refusal, Call], Outcome]


@frozen
class Address:
    """What a request addresses. ``refusal`` when its path cannot be understood; ``face`` None for S3."""

    target: str
    bucket: str = ""
    key: bytes = b""
    refusal: Refusal | None = None
    face: Face | None = None

    def refuse(self, refusal: Refusal, call: Call) -> Outcome:
        """The answer to a refused request."""
        return answer_for(refusal, call) if self.face is None else self.face.refuse(refusal, call)


def serve(service: Service, request: IWireRequest, address: Address) -> None:
    """Answers a request.

    A client that leaves cancels the waiting for its body; what a thread has begun is finished.
    """
    head = request.head
    call = Call(request, head, _NO_QUERY, address.bucket, address.key, None, service, UNKNOWN, head.headers)
    call.request_id = service.new_request_id()
    service.in_flight += 1
    serving = _serve(call, address)
    try:
        awaited = serving.send(None)
    except StopIteration:
        return  # nothing was to be waited for: most requests are answered without a Deferred of their own
    running = Deferred.fromCoroutine(_Begun(serving, awaited))
    if not running.called:
        request.notifyFinish().addErrback(lambda _: running.cancel())


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that was begun, and what it waits for, as one that was not.

    What goes through it is between the operation and Twisted: of any type.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._coroutine, self._awaited = coroutine, awaited

    def __await__(self) -> Any:
        return self

    def send(self, value: Any) -> Any:
        awaited, self._awaited = self._awaited, None
        return self._coroutine.send(value) if awaited is None else awaited

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()


async def _serve(call: Call, address: Address) -> None:
    service = call.service
    started = service.clock.seconds()
    status, sent, error = LEFT, 0, ""
    turned, answering = started, False
    outcome: Outcome | None = None
    try:
        outcome = await _outcome(call, address)
        plain = getattr(outcome, "lines", b"") or address.face is not None
        more = _request_id(call) if plain else await _every_answer(call)
        answering = True
        turned = service.clock.seconds()
        status = outcome.status
        sent = await outcome.send(call, more)
        error = outcome.error
    except (CancelledError, ConnectionClosed):
        status = LEFT
    except ObjectDamaged as damaged:  # an answer that was begun must not look whole
        status, error = 500, f"{damaged.code}: {damaged.message}"
        call.request.abort()
    except Exception as problem:
        if service.notices_damage is None or not service.notices_damage(problem):
            _log.failure(
                "{method} {path} failed, request {id}", method=call.head.method, path=call.head.path, id=call.request_id
            )
        status, error = 500, "InternalError: see the daemon's log"
        if answering:
            call.request.abort()
        else:
            await address.refuse(InternalError(), call).send(call, _identity(call))
    finally:
        service.in_flight -= 1
    _report(call, started, status, sent, error)
    if service.server_log is not None and (call.touched is not None or has_log(call.record)):
        tell(service.server_log, call, Course(started, turned, service.clock.seconds(), status, sent, error, outcome))


async def _outcome(call: Call, address: Address) -> Outcome:
    """The answer to send: the operation's own, or that of whatever refused the request."""
    head, upload, limits = call.head, call.request.upload, call.service.limits
    try:
        if limits is not None:
            if limits.is_due():
                await call.service.read(limits.look)
            limits.admit_address(head)
        if address.refusal is not None:
            # Addresses are remembered: a refusal must not keep the frames of all requests that it refused.
            raise address.refusal.with_traceback(None)
        if address.face is not None:
            return await address.face.operate(call)
        if call.service.in_flight > call.service.max_in_flight:
            raise SlowDown
        return await operate(call, address.target)
    except Refusal as refusal:
        await wait_after(call, refusal)
        await find_record(call)
        return address.refuse(refusal, call)
    except OSError as problem:
        if not is_full(problem):
            raise
        return address.refuse(InsufficientStorage(), call)
    except UploadStalled:
        return address.refuse(RequestTimeout(), call)
    except UploadCut:
        return address.refuse(IncompleteBody(), call)
    finally:
        if upload.length != 0:
            upload.drain()


async def operate(call: Call, target: str) -> Outcome:
    """The answer of the operation of S3 that a call asks for, after all gates. Raises Refusal."""
    service, head = call.service, call.head
    named = _NO_NAMES
    if head.query:
        call.query, named = parameters_of(head.query)
    # No name in a browser's query means anything to a website.
    present = _NO_NAMES if target == WEBSITE else service.table.present(named, head.headers)
    row = service.table.resolve(head.method, target, present)
    call.operation = row
    if row.unsigned:
        await find_record(call)
        preflight: Outcome = await row.perform(call)
        return preflight
    if row.service != S3:
        return await _operate_beyond_s3(call, row)
    call.caller = caller = service.authenticator.authenticate(head)
    if caller.identity is not None:
        admit_caller(call)
    if caller.hoisted:
        call.headers = {**caller.hoisted, **head.headers}
    await permit_row(call)
    refuse_lacking(call.headers)
    if b"x-amz-expected-bucket-owner" in call.headers:
        await check_bucket_owner(call)
    if isinstance(row.body, Document):
        read = read_document if is_permitted(call) else read_unauthenticated
        answer: Outcome = await row.perform(call, await read(call, row.body))
    else:
        answer = await row.perform(call)
    if call.undecided is not None:
        raise AccessDenied
    return answer


async def _operate_beyond_s3(call: Call, row: Operation) -> Outcome:
    assert isinstance(row.body, Document)
    call.caller = Caller()
    document = await read_unauthenticated(call, row.body)
    if _asks_iam(call.head.headers.get(b"authorization"), document):
        call.operation = row = call.service.table.resolve(POST, ACTION, frozenset())
    call.caller = call.service.authenticator.authenticate_document(call.head, document, row.service)
    if call.caller.identity is not None:
        admit_caller(call)
    answer: Outcome = await row.perform(call, document)
    return answer


def _asks_iam(authorization: bytes | None, document: bytes) -> bool:
    """Whether a form is for IAM: its signature says so, or, where nobody has signed, its version."""
    return b"Version=2010-05-08" in document if authorization is None else b"/iam/aws4_request" in authorization


async def _every_answer(call: Call) -> Headers:
    """The headers that every answer has."""
    found = cors_at_hand(call)
    return _identity(call) + (await cors_headers(call) if found is None else found)


def _identity(call: Call) -> Headers:
    return [*_request_id(call), (b"x-amz-id-2", call.service.host_id.encode())]


def _request_id(call: Call) -> Headers:
    return [(b"x-amz-request-id", call.request_id.encode())]


def _report(call: Call, started: float, status: int, sent: int, error: str) -> None:
    head, service, caller = call.head, call.service, call.caller
    if not service.observers:
        return
    identity = caller.identity
    framing = call.request.upload.framing
    entry = AccessEntry(
        started,
        service.clock.seconds() - started,
        call.request_id,
        head.method,
        head.target,
        status,
        sent,
        head.peer,
        call.operation.name if call.operation is not None else "",
        error,
        call.bucket,
        "" if identity is None else identity.access_key,
        caller.kind,
        0 if framing is None else framing.received,
        call.why,
    )
    for observe in service.observers:
        observe(entry)


def parameters_of(query: bytes) -> tuple[Mapping[str, str], frozenset[str]]:
    """The parameters of a query, and what they name to select an operation."""
    return _parameters_cached(query) if len(query) <= _LONGEST_REMEMBERED else _parameters(query)


def _parameters(query: bytes) -> tuple[Mapping[str, str], frozenset[str]]:
    parsed = parse_query(query)
    return MappingProxyType(parsed), names_of(parsed)


_parameters_cached = lru_cache(1024)(_parameters)


def parse_query(query: bytes) -> dict[str, str]:
    """Decoded parameters, the first value of each name; bytes that are no UTF-8 survive as surrogates."""
    found: dict[str, str] = {}
    text = query.decode("latin-1")
    ascii_only = text.isascii()
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            if not ascii_only or "%" in name or "+" in name:
                name = _decode(name)
            if name not in found:
                found[name] = value if ascii_only and "%" not in value and "+" not in value else _decode(value)
    return found


def _decode(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "surrogateescape")


def serve_health(service: Service, request: IWireRequest, healthy: bool, body: bytes) -> None:
    """Answers a health check: nobody need be authenticated, and no limit applies."""
    head = request.head
    call = Call(request, head, _NO_QUERY, "", b"", None, service, UNKNOWN, head.headers, service.new_request_id())
    started = service.clock.seconds()
    status, body = (200, body) if healthy else (503, b"")
    request.answer(status, [*_identity(call), (b"Content-Type", b"text/plain")], body)
    _report(call, started, status, 0 if head.method == "HEAD" else len(body), "")
