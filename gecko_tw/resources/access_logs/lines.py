"""A line of a server access log, in AWS's format. Pure.

Whatever a client can choose is encoded, so that no request can end its line, or a field of it, early. Source: S3 User Guide, "Amazon S3
server access log format".
"""

from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote_from_bytes

from attrs import frozen

from gecko_tw.resources.access_logs.entries import masked

NONE = "-"
"""What a field says that is unknown, or means nothing for the request."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_QUOTED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"\\')
_PHRASE = _QUOTED + " "
_WORD = _QUOTED.replace("[", "").replace("]", "")  # which begin and end a time
_IN_KEY = "/!'()*"


@frozen(kw_only=True)
class Logged:
    """What a line tells of one request, or of one object that a request was about.

    :ivar owner: the account of the bucket.
    :ivar time: when the request came, seconds since 1970.
    :ivar requester: the account, or the ARN of the user; empty when nobody signed.
    :ivar operation: as :func:`operation_name` says.
    :ivar target: the request target as it came; None for a line that is not about the request itself. ``protocol`` comes behind it.
    :ivar error: S3's code, or empty.
    :ivar sent: bytes of the answer's body.
    :ivar size: bytes of the object, or None.
    :ivar total: milliseconds from the request's head to the answer's end, and ``turned`` to its beginning; None when unknown.
    :ivar signature: ``SigV4``, ``SigV2`` or empty; ``authentication`` is ``AuthHeader``, ``QueryString`` or empty.
    """

    owner: str
    bucket: str
    time: float
    address: str
    requester: str
    request_id: str
    operation: str
    key: bytes
    method: str = ""
    target: bytes | None = None
    protocol: str = "HTTP/1.1"
    status: int
    error: str = ""
    sent: int = 0
    size: int | None = None
    total: int | None = None
    turned: int | None = None
    referer: bytes = b""
    agent: bytes = b""
    version_id: str = ""
    host_id: str
    signature: str = ""
    cipher: str = ""
    authentication: str = ""
    host: bytes = b""
    tls: str = ""


def access_line(logged: Logged) -> bytes:
    """The line, with its newline. The access point and whether a list was needed are never known."""
    uri = NONE
    if logged.target is not None:
        uri = f'"{logged.method} {masked(quote_from_bytes(logged.target, _QUOTED).encode())} {logged.protocol}"'
    fields = (
        _word(logged.owner),
        logged.bucket or NONE,
        f"[{_moment(int(logged.time))}]",
        _word(logged.address),
        _word(logged.requester),
        logged.request_id,
        logged.operation,
        logged_key(logged.key),
        uri,
        str(logged.status),
        _word(logged.error),
        _number(logged.sent or None),
        _number(logged.size),
        _number(logged.total),
        _number(logged.turned),
        _phrase(logged.referer, logged.target is not None),
        _phrase(logged.agent, logged.target is not None),
        _word(logged.version_id),
        logged.host_id,
        logged.signature or NONE,
        _word(logged.cipher),
        logged.authentication or NONE,
        quote_from_bytes(logged.host, _WORD) or NONE,
        _word(logged.tls),
        NONE,
        NONE,
    )
    return (" ".join(fields) + "\n").encode("ascii")


def logged_key(key: bytes) -> str:
    """A key as lines have it: encoded twice, so that a space is ``%2520``, as in AWS's own logs."""
    return quote_from_bytes(key, _IN_KEY).replace("%", "%25") or NONE


def _word(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogateescape"), _WORD) or NONE


def _phrase(value: bytes, wanted: bool) -> str:
    """A header in quotation marks, masked since pages name the URL they came by; without them in a line not about a request."""
    return f'"{masked(quote_from_bytes(value, _PHRASE).encode()) or NONE}"' if wanted else NONE


def _number(value: int | None) -> str:
    return NONE if value is None else str(value)


@lru_cache(16)
def _moment(seconds: int) -> str:
    """A time as in ``06/Feb/2019:00:00:38 +0000``; English whatever the locale."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day:02}/{_MONTHS[moment.month - 1]}/{moment.year:04}:{moment:%H:%M:%S} +0000"


_RESOURCES = {
    "AbortMultipartUpload": "DELETE.UPLOAD",
    "CompleteMultipartUpload": "POST.UPLOAD",
    "CopyObject": "COPY.OBJECT",
    "CreateMultipartUpload": "POST.UPLOADS",
    "DeleteObjects": "POST.MULTI_OBJECT_DELETE",
    "GetBucketAccelerateConfiguration": "GET.ACCELERATE",
    "GetBucketPolicy": "GET.BUCKETPOLICY",
    "PutBucketPolicy": "PUT.BUCKETPOLICY",
    "DeleteBucketPolicy": "DELETE.BUCKETPOLICY",
    "GetBucketPolicyStatus": "GET.BUCKETPOLICYSTATUS",
    "GetBucketLogging": "GET.LOGGING_STATUS",
    "PutBucketLogging": "PUT.LOGGING_STATUS",
    "GetBucketRequestPayment": "GET.REQUEST_PAYMENT",
    "PutBucketRequestPayment": "PUT.REQUEST_PAYMENT",
    "GetPublicAccessBlock": "GET.PUBLIC_ACCESS_BLOCK",
    "PutPublicAccessBlock": "PUT.PUBLIC_ACCESS_BLOCK",
    "DeletePublicAccessBlock": "DELETE.PUBLIC_ACCESS_BLOCK",
    "GetBucketOwnershipControls": "GET.OWNERSHIP_CONTROLS",
    "PutBucketOwnershipControls": "PUT.OWNERSHIP_CONTROLS",
    "DeleteBucketOwnershipControls": "DELETE.OWNERSHIP_CONTROLS",
    "GetObjectAttributes": "GET.OBJECT_ATTRIBUTES",
    "GetObjectTagging": "GET.OBJECT_TAGGING",
    "PutObjectTagging": "PUT.OBJECT_TAGGING",
    "DeleteObjectTagging": "DELETE.OBJECT_TAGGING",
    "GetObjectLockConfiguration": "GET.OBJECT_LOCK_CONFIGURATION",
    "PutObjectLockConfiguration": "PUT.OBJECT_LOCK_CONFIGURATION",
    "GetObjectRetention": "GET.OBJECT_LOCK_RETENTION",
    "PutObjectRetention": "PUT.OBJECT_LOCK_RETENTION",
    "GetObjectLegalHold": "GET.OBJECT_LOCK_LEGALHOLD",
    "PutObjectLegalHold": "PUT.OBJECT_LOCK_LEGALHOLD",
    "ListMultipartUploads": "GET.UPLOADS",
    "ListObjectVersions": "GET.BUCKETVERSIONS",
    "ListObjectsV2": "GET.BUCKET",
    "ListParts": "GET.UPLOAD",
    "RenameObject": "PUT.OBJECT_RENAME",
    "UploadPart": "PUT.PART",
    "UploadPartCopy": "COPY.PART",
    "OptionsBucket": "OPTIONS.PREFLIGHT",
    "OptionsObject": "OPTIONS.PREFLIGHT",
}
"""What AWS calls an operation where its selectors do not say it."""


@lru_cache(1024)
def operation_name(name: str, method: str, target: str, selectors: frozenset[str] = frozenset()) -> str:
    """AWS's name of what was asked, e.g. ``REST.GET.OBJECT``.

    :param name: the row's name, or empty when none was found.
    :param target: what is addressed, e.g. ``object``; a page of a website is an object, too.
    """
    if target == "website":
        return f"WEBSITE.{method}.OBJECT"
    known = _RESOURCES.get(name)
    if known is not None:
        return "REST." + known
    what = [one for one in sorted(selectors) if not one.startswith("x-amz-") and one != "id"]
    return f"REST.{method}." + (what[0] if what and name else target).upper().replace("-", "_")
