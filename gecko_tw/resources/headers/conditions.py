"""Ranges and the If-* headers of reads and copies, and the conditions of writes. Pure.

Sources: RFC 9110 sections 13 and 14; S3 API Reference, GetObject and CopyObject; S3 User Guide, "Conditional requests".
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from gecko_tw.resources.answers.refusals import InvalidRange, NotImplemented_
from gecko_tw.store.refusals import InvalidArgument, PreconditionFailed
from gecko_tw.store.requests import UNCONDITIONAL, WriteConditions

_SECOND = 1_000_000_000
_UNITS = b"bytes="


def http_seconds(value: bytes | str | None) -> int | None:
    """Seconds since 1970 of an HTTP date, or None when it is absent or no date."""
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value if isinstance(value, str) else value.decode("latin-1"))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def bare_etag(value: str) -> str:
    """An ETag without quotes; S3 takes it either way."""
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def matches(listed: bytes, etag: str, weak: bool = False) -> bool:
    """Whether an If-Match or If-None-Match list names this ETag. ``*`` names every one.

    :param weak: also ``W/"…"`` matches, as If-None-Match compares (RFC 9110, 8.8.3.2).
    """
    for entry in listed.decode("latin-1").split(","):
        entry = entry.strip()
        if weak:
            entry = entry.removeprefix("W/")
        if entry == "*" or bare_etag(entry) == etag:
            return True
    return False


def check_read(headers: Mapping[bytes, bytes], etag: str, modified: int, now: int, prefix: bytes = b"") -> bool:
    """Whether a conditional read has something to say. False means: not modified, nothing to send.

    If-Match decides before If-Unmodified-Since, If-None-Match before If-Modified-Since, which is ignored when it is in the future:
    it was told by a clock that is wrong.

    :param modified: nanoseconds, as ``now`` is; compared in whole seconds, as HTTP dates are.
    :param prefix: ``x-amz-copy-source-`` for the conditions of a copy's source.
    :raises PreconditionFailed: naming the condition that failed.
    """
    seconds = modified // _SECOND
    if_match = headers.get(prefix + b"if-match")
    if if_match is not None:
        if not matches(if_match, etag):
            raise PreconditionFailed(Condition=_named(prefix, "If-Match"))
    else:
        unmodified_since = http_seconds(headers.get(prefix + b"if-unmodified-since"))
        if unmodified_since is not None and seconds > unmodified_since:
            raise PreconditionFailed(Condition=_named(prefix, "If-Unmodified-Since"))
    if_none_match = headers.get(prefix + b"if-none-match")
    if if_none_match is not None:
        return not matches(if_none_match, etag, weak=True)
    modified_since = http_seconds(headers.get(prefix + b"if-modified-since"))
    return modified_since is None or seconds > modified_since or modified_since > now // _SECOND


def check_copy_source(headers: Mapping[bytes, bytes], etag: str, modified: int, now: int) -> None:
    """The conditions of a copy on its source.

    :raises PreconditionFailed: also where a read would answer "not modified".
    """
    prefix = b"x-amz-copy-source-"
    if not check_read(headers, etag, modified, now, prefix):
        named = "If-None-Match" if prefix + b"if-none-match" in headers else "If-Modified-Since"
        raise PreconditionFailed(Condition=_named(prefix, named))


def _named(prefix: bytes, name: str) -> str:
    return prefix.decode() + name if prefix else name


def wanted_range(headers: Mapping[bytes, bytes], size: int, etag: str, modified: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for, or None for the whole object.

    Several ranges, other units, malformed ranges, and an If-Range that names another state of the object mean the whole.

    :raises InvalidRange: no byte of the range exists.
    """
    value = headers.get(b"range")
    if value is None:
        return None
    if_range = headers.get(b"if-range")
    if if_range is not None and not _same_state(if_range, etag, modified):
        return None
    return parse_range(value, size)


def _same_state(if_range: bytes, etag: str, modified: int) -> bool:
    seconds = http_seconds(if_range)
    if seconds is not None:
        return modified // _SECOND == seconds
    return bare_etag(if_range.decode("latin-1")) == etag


def parse_range(value: bytes, size: int) -> tuple[int, int] | None:
    """First and last byte of one range of an object of ``size`` bytes; None when the header is to be ignored.

    :raises InvalidRange: no byte of it exists.
    """
    if value[:6].lower() != _UNITS:
        return None
    start, dash, end = value[6:].decode("latin-1").strip().partition("-")
    if not dash or not (start or end) or not (start + end).isdecimal():
        return None
    if not start:
        suffix = _number(end)
        if suffix and not size:
            return None  # the last bytes of an empty object are all that it has
        first, last = max(size - suffix, 0), size - 1
        satisfiable = suffix > 0
    else:
        first, last = _number(start), _number(end) if end else size - 1
        if end and last < first:
            return None
        last = min(last, size - 1)
        satisfiable = first < size
    if not satisfiable:
        raise InvalidRange(RangeRequested=value.decode("latin-1"), ActualObjectSize=size)
    return first, last


def _number(digits: str) -> int:
    """A number of any length. Beyond the size of any object it is not exact."""
    digits = digits.lstrip("0")
    return int(digits or 0) if len(digits) <= 100 else 10**100


def copy_range(value: str) -> tuple[int, int]:
    """First and last byte of an ``x-amz-copy-source-range``, which must be ``bytes=first-last``.

    :raises InvalidArgument: it has another form.
    """
    start, _, end = value.removeprefix("bytes=").partition("-")
    if not (value.startswith("bytes=") and start.isdecimal() and end.isdecimal() and _number(start) <= _number(end)):
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
            " zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=value,
        )
    return _number(start), _number(end)


def write_conditions(headers: Mapping[bytes, bytes]) -> WriteConditions:
    """What PutObject, CompleteMultipartUpload and CopyObject demand of the current version.

    :raises NotImplemented_: If-None-Match with anything but ``*``, both headers together, or a date condition, as S3 answers.
    """
    for name in (b"if-modified-since", b"if-unmodified-since"):
        if name in headers:
            raise NotImplemented_(Header=name.decode().title())
    if_match, if_none_match = headers.get(b"if-match"), headers.get(b"if-none-match")
    if if_none_match is not None and (if_none_match.strip() != b"*" or if_match is not None):
        raise NotImplemented_(Header="If-None-Match")
    if if_match is not None:
        return WriteConditions(if_match=bare_etag(if_match.decode("latin-1")))
    return UNCONDITIONAL if if_none_match is None else WriteConditions(if_none_match="*")


def remove_conditions(headers: Mapping[bytes, bytes]) -> WriteConditions:
    """What DeleteObject demands of the current version.

    :raises NotImplemented_: If-None-Match or a date condition.
    :raises InvalidArgument: a malformed size or time.
    """
    if b"if-none-match" in headers:
        raise NotImplemented_(Header="If-None-Match")
    size, modified = headers.get(b"x-amz-if-match-size"), headers.get(b"x-amz-if-match-last-modified-time")
    asked = write_conditions(headers)
    if size is None and modified is None:
        return asked
    seconds = http_seconds(modified)
    if size is not None and not size.isdigit():
        raise InvalidArgument(ArgumentName="x-amz-if-match-size", ArgumentValue=size.decode("latin-1"))
    if modified is not None and seconds is None:
        raise InvalidArgument(
            ArgumentName="x-amz-if-match-last-modified-time", ArgumentValue=modified.decode("latin-1")
        )
    return WriteConditions(if_match=asked.if_match, if_size=None if size is None else int(size), if_modified=seconds)
