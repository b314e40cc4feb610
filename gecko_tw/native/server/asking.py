"""Frames as requests: which operation of S3 each asks for, with what headers. Pure; the verbs themselves are the families'."""

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote_from_bytes

from attrs import field, frozen

from gecko_tw.native.frames import (
    ABORT_UPLOAD,
    COMPLETE_UPLOAD,
    CREATE_BUCKET,
    CREATE_UPLOAD,
    DELETE_BUCKET,
    DELETE_OBJECT,
    GET_OBJECT,
    HEAD_BUCKET,
    HEAD_OBJECT,
    LIST_BUCKETS,
    LIST_OBJECTS,
    LIST_PARTS,
    PUT_OBJECT,
    UPLOAD_PART,
    Fields,
    Malformed,
)
from gecko_tw.resources.bodies.streams import TOLD_CHECKSUM
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, HEAD, OBJECT, POST, PUT, SERVICE
from gecko_tw.resources.headers.encoded_words import decoded
from gecko_tw.resources.pipeline import Address
from gecko_tw.store.refusals import InvalidArgument, InvalidBucketName

DEFAULT_TYPE = b"application/octet-stream"
"""What an object is whose client did not say."""

MAX_KEYS, MOST_KEYS = 1000, 10_000
MAX_PARTS = 10_000

_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 2048, 1024
_BREAKS = frozenset("\r\n\x00")


@frozen(eq=False)
class Asked:
    """What a frame asks for.

    :ivar path: as in Head, of the same request over HTTP: what is logged.
    :ivar headers: those that the same request would have over HTTP.
    :ivar carries: whether the frame's data is the request's body.
    :ivar document: the body that the metadata tells.
    """

    method: str
    address: Address
    path: bytes
    query: bytes = b""
    headers: dict[bytes, bytes] = field(factory=dict)
    carries: bool = False
    document: bytes = b""

    @property
    def target(self) -> bytes:
        return self.path + b"?" + self.query if self.query else self.path


def asked(operation: int, meta: bytes) -> Asked | None:
    """What a frame asks for; None when there is no such operation.

    What cannot be understood, or addresses nothing, is an Asked whose address has a refusal.
    """
    if operation in _SIMPLE and len(meta) <= _LONGEST_REMEMBERED:
        return _asked_again(operation, meta)
    read = _READ.get(operation)
    return None if read is None else _asked(read, operation, meta)


def _asked(read: "Callable[[Fields], Asked]", operation: int, meta: bytes) -> Asked:
    try:
        return read(Fields(meta))
    except Malformed:
        method, target = _MEANT[operation]
        return Asked(
            method, Address(target, refusal=InvalidArgument("invalid request")), b"/", carries=_carries(operation)
        )


def _carries(operation: int) -> bool:
    return operation in (PUT_OBJECT, UPLOAD_PART)


@lru_cache(_MOST_REMEMBERED)
def _asked_again(operation: int, meta: bytes) -> Asked:
    """Without any header, so that one value can serve all requests like it."""
    return _asked(_READ[operation], operation, meta)


def _quoted(raw: bytes) -> bytes:
    return raw if not raw.translate(None, _PLAIN) else quote_from_bytes(raw).encode("ascii")


def _parameters(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"&".join([name + b"=" + quote_from_bytes(value, safe="").encode("ascii") for name, value in pairs])


def _of_bucket(fields: Fields) -> tuple[Address, bytes]:
    """The addressed bucket, and its path."""
    bucket = fields.raw()
    return _bucket_again(bucket) if len(bucket) <= _LONGEST_REMEMBERED else _bucket(bucket)


def _bucket(bucket: bytes) -> tuple[Address, bytes]:
    if not bucket or b"/" in bucket:
        refusal = InvalidBucketName(BucketName=bucket.decode("utf-8", "replace"))
        return Address(BUCKET, refusal=refusal), b"/" + _quoted(bucket).replace(b"/", b"%2F")
    return Address(BUCKET, bucket.decode("utf-8", "replace")), b"/" + _quoted(bucket)


_bucket_again = lru_cache(_MOST_REMEMBERED)(_bucket)


def _of_object(fields: Fields) -> tuple[Address, bytes]:
    """The addressed key, and its path."""
    of_bucket, path = _of_bucket(fields)
    key = fields.raw()
    path = path + b"/" + _quoted(key)
    if of_bucket.refusal is not None:
        return Address(OBJECT, refusal=of_bucket.refusal), path
    if not key:
        return Address(OBJECT, of_bucket.bucket, refusal=InvalidArgument("A key has at least one byte.")), path
    return Address(OBJECT, of_bucket.bucket, key), path


def _on_bucket(method: str) -> Callable[[Fields], Asked]:
    return lambda fields: Asked(method, *_of_bucket(fields))


def _on_object(method: str) -> Callable[[Fields], Asked]:
    return lambda fields: Asked(method, *_of_object(fields))


def _list_buckets(_fields: Fields) -> Asked:
    return Asked(GET, Address(SERVICE), b"/")


def _list_objects(fields: Fields) -> Asked:
    address, path = _of_bucket(fields)
    prefix, delimiter, after, most = fields.raw(), fields.raw(), fields.raw(), fields.i32()
    most = MAX_KEYS if most <= 0 else min(most, MOST_KEYS)
    pairs = [(b"list-type", b"2"), (b"max-keys", b"%d" % most)]
    pairs += [(b"prefix", prefix)] if prefix else []
    pairs += [(b"delimiter", delimiter)] if delimiter else []
    pairs += [(b"start-after", after)] if after else []
    return Asked(GET, address, path, _parameters(*pairs))


def _put_object(fields: Fields) -> Asked:
    address, path = _of_object(fields)
    headers = {b"content-type": _kind_of(fields)}
    taken: set[bytes] = set()
    for _ in range(fields.count()):
        name, value = fields.text(), fields.text()
        header = b"x-amz-meta-" + name.encode("utf-8", "surrogateescape")
        folded = header.lower()
        if not name or folded in taken:
            raise Malformed("a name is empty, or there is another one that no header could be told from")
        taken.add(folded)
        headers[header] = _value(value)
    return Asked(PUT, address, path, headers=headers, carries=True)


def _value(text: str) -> bytes:
    """As a header's value. Raises Malformed where it would come back as something else."""
    if not _BREAKS.isdisjoint(text) or text.strip() != text or decoded(text) != text:
        raise Malformed("a value has line breaks or blanks at its ends, or is an encoded word")
    return text.encode("utf-8", "surrogateescape")


def _kind_of(fields: Fields) -> bytes:
    """The content type that a frame tells, as a header's value. Raises Malformed as :func:`_value`."""
    kind = fields.raw()
    return _kind_again(kind) if len(kind) <= _LONGEST_REMEMBERED else _kind(kind)


def _kind(raw: bytes) -> bytes:
    return _value(raw.decode("utf-8", "surrogateescape")) or DEFAULT_TYPE


_kind_again = lru_cache(256)(_kind)


def _create_upload(fields: Fields) -> Asked:
    address, path = _of_object(fields)
    headers = {
        b"content-type": _kind_of(fields),
        b"x-amz-checksum-algorithm": TOLD_CHECKSUM.encode("ascii"),
    }
    return Asked(POST, address, path, b"uploads=", headers)


def _upload_part(fields: Fields) -> Asked:
    address, path = _of_object(fields)
    upload, number = fields.raw(), fields.i32()
    query = _parameters((b"partNumber", b"%d" % number), (b"uploadId", upload))
    return Asked(PUT, address, path, query, carries=True)


def _complete_upload(fields: Fields) -> Asked:
    address, path = _of_object(fields)
    query, wanted = _parameters((b"uploadId", fields.raw())), fields.numbers()
    parts = b"".join([b"<Part><PartNumber>%d</PartNumber></Part>" % number for number in wanted])
    document = b"<CompleteMultipartUpload>" + parts + b"</CompleteMultipartUpload>"
    headers = {b"content-length": b"%d" % len(document)}
    return Asked(POST, address, path, query, headers, document=document)


def _on_upload(method: str, *more: tuple[bytes, bytes]) -> Callable[[Fields], Asked]:
    def read(fields: Fields) -> Asked:
        address, path = _of_object(fields)
        return Asked(method, address, path, _parameters((b"uploadId", fields.raw()), *more))

    return read


_READ: dict[int, Callable[[Fields], Asked]] = {
    CREATE_BUCKET: _on_bucket(PUT),
    DELETE_BUCKET: _on_bucket(DELETE),
    HEAD_BUCKET: _on_bucket(HEAD),
    LIST_BUCKETS: _list_buckets,
    PUT_OBJECT: _put_object,
    GET_OBJECT: _on_object(GET),
    HEAD_OBJECT: _on_object(HEAD),
    DELETE_OBJECT: _on_object(DELETE),
    LIST_OBJECTS: _list_objects,
    CREATE_UPLOAD: _create_upload,
    UPLOAD_PART: _upload_part,
    COMPLETE_UPLOAD: _complete_upload,
    ABORT_UPLOAD: _on_upload(DELETE),
    LIST_PARTS: _on_upload(GET, (b"max-parts", b"%d" % MAX_PARTS)),
}

_SIMPLE = frozenset((GET_OBJECT, HEAD_OBJECT, DELETE_OBJECT, HEAD_BUCKET, DELETE_BUCKET))
"""Operations about which there is nothing more to say than what they address."""

_MEANT = {
    CREATE_BUCKET: (PUT, BUCKET),
    DELETE_BUCKET: (DELETE, BUCKET),
    HEAD_BUCKET: (HEAD, BUCKET),
    LIST_BUCKETS: (GET, SERVICE),
    PUT_OBJECT: (PUT, OBJECT),
    GET_OBJECT: (GET, OBJECT),
    HEAD_OBJECT: (HEAD, OBJECT),
    DELETE_OBJECT: (DELETE, OBJECT),
    LIST_OBJECTS: (GET, BUCKET),
    CREATE_UPLOAD: (POST, OBJECT),
    UPLOAD_PART: (PUT, OBJECT),
    COMPLETE_UPLOAD: (POST, OBJECT),
    ABORT_UPLOAD: (DELETE, OBJECT),
    LIST_PARTS: (GET, OBJECT),
}
"""What a frame is about that cannot be understood."""
