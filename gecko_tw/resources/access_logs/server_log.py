"""What a bucket's server access log tells of a call: asked only where the bucket has such a log."""

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve, frozen

from gecko_tw.jobs.access_log_delivery import SETTING, AccessLogs
from gecko_tw.resources.access_logs.lines import Logged, access_line, operation_name
from gecko_tw.resources.answers.answer import STATUS, Answer, Outcome, Spans
from gecko_tw.resources.call import Call, Touched
from gecko_tw.resources.dispatch.operations import BUCKET, HEAD, OBJECT, PUT, STREAM
from gecko_tw.resources.gates.access_settings import bucket_owner
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import Refusal

_WAYS = {"header": "AuthHeader", "bearer": "AuthHeader", "presigned": "QueryString", "jay": "QueryString"}
_LENGTHS = (b"x-amz-decoded-content-length", b"content-length")


@frozen
class Course:
    """How a call went.

    :ivar started: seconds since 1970; ``turned`` is when the answer began, ``ended`` when all was over.
    :ivar sent: bytes of the answer's body.
    :ivar error: ``"Code: message"``, or empty.
    :ivar outcome: what was sent, or None.
    """

    started: float
    turned: float
    ended: float
    status: int
    sent: int
    error: str
    outcome: Outcome | None


def has_log(record: BucketRecord | None) -> bool:
    """Whether requests to a bucket are to be logged."""
    return record is not None and SETTING in record.settings


async def find_record(call: Call) -> None:
    """Loads the bucket of a call that did not come so far, since its owner wants to know of it all the same."""
    if call.record is None and call.bucket and call.service.server_log is not None:
        try:
            call.record = await call.service.read(call.service.buckets.get, call.bucket)
        except Refusal:
            return  # it is none, or nothing can be read of it now: the call was answered without


def touch(call: Call, touched: Touched) -> None:
    """Remembers an object that the call is about."""
    if call.touched is None:
        call.touched = []
    call.touched.append(touched)


def touch_source(call: Call, record: BucketRecord, key: bytes, version_id: str | None) -> None:
    """Remembers the source of a copy, whose bucket has a log."""
    part = call.operation is not None and "uploadId" in call.operation.selectors
    what = "REST.COPY.PART_GET" if part else "REST.COPY.OBJECT_GET"
    touch(call, Touched(record=record, operation=what, key=key, version_id=version_id or ""))


def touch_deleted(call: Call, keys: Iterable[tuple[str, str | None, str]]) -> None:
    """Remembers what DeleteObjects did.

    :param keys: each with the version that was named, and the code of its error or nothing.
    """
    assert call.record is not None
    for key, version_id, code in keys:
        touched = Touched(
            record=call.record,
            operation="BATCH.DELETE.OBJECT",
            key=key.encode("utf-8", "surrogateescape"),
            version_id=version_id or "",
            status=STATUS[code] if code else 204,
            error=code,
        )
        touch(call, touched)


def tell(logs: AccessLogs, call: Call, course: Course) -> None:
    """Hands the lines of a call to who delivers them."""
    logged = None
    if has_log(call.record):
        assert call.record is not None
        logged = _logged(call, call.record, course)
        logs.add(call.record, course.started, access_line(logged))
    for one in call.touched or ():
        if logged is None:
            logged = _logged(call, one.record, course)
        logs.add(one.record, course.started, access_line(_of_object(call, logged, one)))


def _logged(call: Call, record: BucketRecord, course: Course) -> Logged:
    head, row = call.head, call.operation
    target = OBJECT if call.key else BUCKET
    kind = call.caller.kind
    cipher, tls = _encryption(call)
    return Logged(
        owner=bucket_owner(call.service, record),
        bucket=record.name,
        time=course.started,
        address=call.address,
        requester=_requester(call),
        request_id=call.request_id,
        operation=operation_name("", head.method, target)
        if row is None
        else operation_name(row.name, head.method, row.target, row.selectors),
        key=call.key,
        method=head.method,
        target=head.target,
        protocol=getattr(call.request, "clientproto", b"HTTP/1.1").decode(),
        status=course.status,
        error=course.error.partition(":")[0],
        sent=course.sent,
        size=_size(call, course),
        total=_milliseconds(course.ended - course.started),
        # Nobody notes when the last byte of a body came.
        turned=_milliseconds(course.turned - course.started) if call.request.upload.length == 0 else None,
        referer=head.headers.get(b"referer", b""),
        agent=head.headers.get(b"user-agent", b""),
        version_id=call.query.get("versionId", ""),
        host_id=call.service.host_id,
        signature=_signature(call, kind),
        cipher=cipher,
        authentication=_WAYS.get(kind, ""),
        host=head.headers.get(b"host", b""),
        tls=tls,
    )


def _of_object(call: Call, logged: Logged, one: Touched) -> Logged:
    """The line of a further object: it tells nothing of the request but who sent it and how that went."""
    return evolve(
        logged,
        owner=bucket_owner(call.service, one.record),
        bucket=one.record.name,
        operation=one.operation,
        key=one.key,
        version_id=one.version_id,
        status=logged.status if one.status is None else one.status,
        error=logged.error if one.status is None else one.error,
        target=None,
        sent=0,
        size=None,
        total=None,
        turned=None,
    )


def _milliseconds(seconds: float) -> int:
    return max(0, int(seconds * 1000))


def _requester(call: Call) -> str:
    if call.caller.identity is None:
        return ""
    principal = call.caller.principal
    return principal.account if principal.root else principal.arn


def _signature(call: Call, kind: str) -> str:
    """What signed; forms carry it in a field, which nobody has kept."""
    if kind not in ("header", "presigned"):
        return ""
    return "SigV2" if "AWSAccessKeyId" in call.query else "SigV4"


def _size(call: Call, course: Course) -> int | None:
    """How large the object is, where that is known without asking anybody."""
    outcome, row = course.outcome, call.operation
    if outcome is None or row is None or course.status >= 300:
        return None
    if isinstance(outcome, Spans):
        return outcome.reading.version.size
    if row.method == PUT and row.body == STREAM:
        return next((int(size) for size in _given(call) if size.isdigit()), None)
    if row.method != HEAD or row.target != OBJECT or not isinstance(outcome, Answer):
        return None
    headers = dict(outcome.headers)
    whole = headers.get(b"Content-Range", b"").rpartition(b"/")[2] or headers.get(b"Content-Length", b"")
    return int(whole) if whole.isdigit() else None


def _given(call: Call) -> Iterator[bytes]:
    return (call.head.headers[name] for name in _LENGTHS if name in call.head.headers)


def _encryption(call: Call) -> tuple[str, str]:
    """Cipher and version of TLS, e.g. ``TLSv1.3``; both empty where there is none, or a proxy had it."""
    transport = getattr(call.request, "transport", None)
    handle = getattr(transport, "getHandle", None)
    connection: Any = handle() if handle is not None and call.head.secure else None
    if not hasattr(connection, "get_cipher_name"):
        return "", ""
    return connection.get_cipher_name() or "", (connection.get_protocol_version_name() or "").replace("v", "V")
