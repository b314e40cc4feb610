"""What is told of each request: one entry, as GeckoS3's JSON line or as a line for people. Formats only; writing is elsewhere."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from gecko_tw.callers.signatures.showing import SECRETS

_SECRET = frozenset(
    ("x-amz-signature", "x-amz-credential", "signature", "awsaccesskeyid", *(name.decode() for name in SECRETS))
)
_MASK = "***"
_LONGEST_REMEMBERED = 1024
_LONGEST_BUCKET = 63


def _quoted(text: str) -> str:
    """A text as JSON, in one line for whoever ends lines at more characters than JSON escapes (U+0085, U+2028)."""
    return json.encoder.encode_basestring(text) if text.isprintable() else json.encoder.encode_basestring_ascii(text)


_quoted_cached = lru_cache(4096)(_quoted)
"""For what is short and the same in many requests."""


class AccessEntry(NamedTuple):
    """One answered request.

    :ivar started: seconds since 1970.
    :ivar seconds: how long it took.
    :ivar target: the request target as it came, secrets included: print :func:`masked` only.
    :ivar status: 499 when the client left before its answer.
    :ivar sent: bytes of the answer's body.
    :ivar operation: its name, or empty when none was found.
    :ivar error: ``"Code: message"``, or empty.
    :ivar bucket: the addressed one, or empty.
    :ivar access_key: whose signature was good, or empty.
    :ivar auth: how the caller proved who it is, as ``Caller.kind``; empty when it was refused before.
    :ivar received: bytes of the request's body.
    :ivar why: what differed when a caller failed to prove who asks, or empty.
    """

    started: float
    seconds: float
    request_id: str
    method: str
    target: bytes
    status: int
    sent: int
    peer: str
    operation: str
    error: str = ""
    bucket: str = ""
    access_key: str = ""
    auth: str = ""
    received: int = 0
    why: str = ""

    @property
    def level(self) -> str:
        """How much it is to be minded: ``error`` when we failed, ``warn`` when the request was refused, else ``info``."""
        return "error" if self.status >= 500 else "warn" if self.status >= 400 else "info"


def masked(target: bytes) -> str:
    """A request target without the parameters that would let a reader of the log act as the caller."""
    return _masked_cached(target) if len(target) <= _LONGEST_REMEMBERED else _masked(target)


def _quoted_uri(target: bytes) -> str:
    return _quoted_uri_cached(target) if len(target) <= _LONGEST_REMEMBERED else _quoted(_masked(target))


def _masked(target: bytes) -> str:
    uri = target.decode("utf-8", "backslashreplace")
    if "?" not in uri:
        return uri
    path, _, query = uri.partition("?")
    return path + "?" + "&".join(_masked_pair(pair) for pair in query.split("&"))


_masked_cached = lru_cache(1024)(_masked)
_quoted_uri_cached = lru_cache(1024)(lambda target: _quoted(_masked(target)))


def _masked_pair(pair: str) -> str:
    name, _, _ = pair.partition("=")
    plain = unquote(name) if "%" in name else name
    return f"{name}={_MASK}" if plain.lower() in _SECRET else pair


def _asked(operation: str, bucket: str, access_key: str, auth: str) -> str:
    """What was asked for, and by whom, in the middle of a line."""
    told = {"operation": operation, "bucket": bucket, "access_key": access_key, "auth": auth}
    return "".join(f',"{name}":{_quoted(value)}' for name, value in told.items() if value)


_asked_cached = lru_cache(4096)(_asked)


def json_line(entry: AccessEntry) -> str:
    """GeckoS3's line with more at its end: one JSON object with its names, without a newline. What is empty is left out."""
    sent = f'"bytes":{entry.sent},' if entry.sent else ""
    received = f',"bytes_in":{entry.received}' if entry.received else ""
    asked = _asked_cached if len(entry.bucket) <= _LONGEST_BUCKET else _asked
    level = entry.level if entry.status >= 400 else "info"
    error = f',"error":{_quoted(entry.error)}' if entry.error else ""
    # Made by hand: an encoder for the whole object takes four times as long, for every request.
    return (
        f'{{"timestamp":"{_timestamp(int(entry.started))}","request_id":"{entry.request_id}",'
        f'"method":{_quoted_cached(entry.method)},"uri":{_quoted_uri(entry.target)},"status":{entry.status},'
        f'"duration_ms":{int(entry.seconds * 1000)},{sent}"client_ip":{_quoted_cached(entry.peer)}{error}'
        f'{asked(entry.operation, entry.bucket, entry.access_key, entry.auth)}{received},"level":"{level}"}}'
    )


def text_line(entry: AccessEntry) -> str:
    """The same for people, without a newline; control characters are escaped, so one request is one line."""
    line = (
        f"{_timestamp(int(entry.started))} {entry.peer} {entry.method} {masked(entry.target)} {entry.status}"
        f" {entry.sent} {int(entry.seconds * 1000)}ms {entry.operation or '-'} {entry.request_id}"
    )
    if entry.error:
        line += f" {entry.error}"
    return line if line.isprintable() else line.encode("unicode_escape").decode("ascii")


@lru_cache(16)
def _timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
