"""AWS Signature Version 4 as S3 uses it: canonical request, string to sign, signing key, chunk signatures. Pure.

Source: S3 API Reference, "Signature Calculations for the Authorization Header" and "Transferring Payload in Multiple Chunks".
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import sha256
from hmac import digest as hmac_digest
from operator import itemgetter
from urllib.parse import quote_from_bytes, unquote_to_bytes

from attrs import field, frozen

from gecko_tw.wire.head import Head

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
EMPTY_SHA256 = sha256(b"").hexdigest()

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"  # RFC 3986, 2.3
_UNRESERVED_AND_SLASH = _UNRESERVED + b"/"

# Whatever strangers send, the caches below stay small.
_LONGEST_CREDENTIAL = 1024
_LONGEST_REMEMBERED = 256


@frozen
class Scope:
    """A credential and the scope its signature is good for: ``access-key/YYYYMMDD/region/service/terminator``.

    :ivar text: the scope as it is signed.
    """

    access_key: str
    day: str
    region: str
    service: str
    terminator: str
    text: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "text", f"{self.day}/{self.region}/{self.service}/{self.terminator}")


def scope_of(credential: str) -> Scope | None:
    """Reads a credential; None when it is malformed. The access key itself may contain slashes."""
    return _scope_of(credential) if len(credential) <= _LONGEST_CREDENTIAL else None


@lru_cache(maxsize=1024)
def _scope_of(credential: str) -> Scope | None:
    parts = credential.rsplit("/", 4)
    return Scope(*parts) if len(parts) == 5 and parts[0] else None


@lru_cache(maxsize=1024)
def signing_key(secret: str, day: str, region: str, service: str = "s3") -> bytes:
    """The key that signs the requests of one day to one service in one region."""
    key = b"AWS4" + secret.encode("utf-8")
    for part in (day, region, service, TERMINATOR):
        key = hmac_digest(key, part.encode("utf-8"), "sha256")
    return key


def sign(key: bytes, text: bytes) -> str:
    """The signature of a string to sign, in hex."""
    return hmac_digest(key, text, "sha256").hex()


def canonical_path(path: bytes) -> bytes:
    """The raw path with every byte but unreserved ones and ``/`` percent-encoded exactly once; never normalised.

    Clients differ in which bytes they escape on the wire. An escaped slash stays escaped: it is a byte of the key, no separator.
    """
    if not path.translate(None, _UNRESERVED_AND_SLASH):
        return path or b"/"
    pieces = path.replace(b"%2f", b"%2F").split(b"%2F")
    return b"%2F".join([quote_from_bytes(unquote_to_bytes(piece), safe="/").encode("ascii") for piece in pieces])


def canonical_query(query: bytes, without: bytes | None = None, as_sent: bool = False) -> bytes:
    """The raw query, every name and value encoded alike, sorted; ``+`` means a space, a valueless name gets an ``=``.

    :param without: a name to leave out.
    :param as_sent: whether values of the same name stay in their order, as minio-go signs them.
    """
    if not query:
        return b""
    pairs = []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if part and name != without:
            pairs.append(
                (
                    _encoded(name) if name.translate(None, _UNRESERVED) else name,
                    _encoded(value) if value.translate(None, _UNRESERVED) else value,
                )
            )
    pairs.sort(key=itemgetter(0) if as_sent else None)
    return b"&".join([name + b"=" + value for name, value in pairs])


def _encoded(component: bytes) -> bytes:
    return _encoded_again(component) if len(component) <= _LONGEST_REMEMBERED else _encoded_anew(component)


@lru_cache(maxsize=1024)
def _encoded_again(component: bytes) -> bytes:
    return _encoded_anew(component)


def _encoded_anew(component: bytes) -> bytes:
    return quote_from_bytes(unquote_to_bytes(component.replace(b"+", b" ")), safe="").encode("ascii")


def canonical_headers(headers: dict[bytes, bytes], names: Iterable[bytes]) -> bytes:
    """One line for each signed header: inner white space collapsed, an absent header empty."""
    lines = []
    for name in names:
        value = headers.get(name, b"")
        if b"  " in value or b"\t" in value:
            value = b" ".join(value.split())
        lines.append(name + b":" + value + b"\n")
    return b"".join(lines)


def canonical_request(head: Head, query: bytes, signed: bytes, payload: bytes) -> bytes:
    """The canonical request.

    :param query: the canonical query.
    :param signed: the SignedHeaders as they were given.
    :param payload: the effective ``x-amz-content-sha256``.
    """
    headers = canonical_headers(head.headers, signed.split(b";"))
    return b"\n".join((head.method.encode("ascii"), canonical_path(head.path), query, headers, signed, payload))


def string_to_sign(date: str, scope: Scope, request: bytes) -> str:
    """What the signature of a canonical request signs. ``date`` is ``YYYYMMDDTHHMMSSZ``."""
    return f"{ALGORITHM}\n{date}\n{scope.text}\n{sha256(request).hexdigest()}"


def seconds_of(date: str) -> int | None:
    """Seconds since 1970 of a ``YYYYMMDDTHHMMSSZ``; None when it is not one."""
    return _seconds_of(date) if len(date) == 16 else None


@lru_cache(maxsize=1024)
def _seconds_of(date: str) -> int | None:
    digits = date[:8] + date[9:15]
    if date[8] != "T" or date[15] != "Z" or not (digits.isascii() and digits.isdecimal()):
        return None
    try:
        moment = datetime(
            int(date[:4]),
            int(date[4:6]),
            int(date[6:8]),
            int(date[9:11]),
            int(date[11:13]),
            int(date[13:15]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(moment.timestamp())


def iso_date(seconds: float) -> str:
    """A moment as SigV4 writes it, ``YYYYMMDDTHHMMSSZ``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def iso_date_of(text: str) -> str | None:
    """The same from an HTTP ``Date`` header (RFC 9110, 5.6.7), or from a date that is written so already; None for neither."""
    if seconds_of(text) is not None:
        return text
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone, or with "-0000", is in UTC.
        return iso_date((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


class ChunkSigner:
    """The rolling signature of the chunks and the trailer of one aws-chunked body.

    :param key: the signing key.
    :param date: the request's date, ``YYYYMMDDTHHMMSSZ``.
    :param scope: the credential scope, ``YYYYMMDD/region/s3/aws4_request``.
    :param seed: the signature of the request itself, hex.
    """

    __slots__ = ("_key", "_place", "_previous")

    def __init__(self, key: bytes, date: str, scope: str, seed: str) -> None:
        self._key = key
        self._place = f"{date}\n{scope}"
        self._previous = seed

    def chunk(self, digest: str) -> str:
        """The signature that the next chunk must carry; later ones build upon it.

        :param digest: hex SHA-256 of the chunk's bytes.
        """
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{self._place}\n{self._previous}\n{EMPTY_SHA256}\n{digest}"
        self._previous = sign(self._key, text.encode("utf-8"))
        return self._previous

    def trailer(self, digest: str) -> str:
        """The signature that the trailer must carry.

        :param digest: hex SHA-256 of the trailer's lines, each ``name:value\\n``.
        """
        text = f"AWS4-HMAC-SHA256-TRAILER\n{self._place}\n{self._previous}\n{digest}"
        return sign(self._key, text.encode("utf-8"))
