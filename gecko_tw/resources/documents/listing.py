"""What the pages of all listings have in common: parameters, tokens, how keys are written, owners, common prefixes."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote_from_bytes
from zlib import crc32

from gecko_tw.resources.call import Call
from gecko_tw.resources.documents.markup import element, escape, texts
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.requests import ListRequest, Page

MAX_KEYS = 1000
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.~%\n"
"""Bytes that need not be percent-encoded in lines whose own percent signs already are."""
_TOKEN = b"1"
"""The first byte of a continuation token: its format. A token of another format is not ours."""


def asked(call: Call, after: bytes, limit: int) -> ListRequest:
    """The store's request for a page, from the parameters that all listings share."""
    query = call.query
    return ListRequest(
        prefix=raw(query.get("prefix", "")), delimiter=raw(query.get("delimiter", "")), after=after, limit=limit
    )


def raw(value: str) -> bytes:
    """The bytes of a query parameter."""
    return value.encode("utf-8", "surrogateescape")


def limited(value: str | None, name: str, most: int = MAX_KEYS) -> int:
    """How many entries a page has: the number asked for, at most ``most``.

    :raises InvalidArgument: not a number from 0 to 2147483647.
    """
    if not value:
        return most
    if not (value.isascii() and value.isdecimal() and len(value) <= 10 and int(value) <= 2147483647):
        raise InvalidArgument(
            f"Provided {name} not an integer or within integer range", ArgumentName=name, ArgumentValue=value
        )
    return min(int(value), most)


class Spelling:
    """How keys are written in a document: as they are, or percent-encoded where ``encoding-type=url`` asks so.

    Only the latter can carry every key: XML 1.0 has no control characters.
    """

    def __init__(self, encoded: bool) -> None:
        self._encoded = encoded

    def __call__(self, key: bytes) -> str:
        return quote_from_bytes(key, safe="/") if self._encoded else key.decode("utf-8", "replace")

    def contents(self, keys: Sequence[bytes]) -> list[str]:
        """Keys as contents of elements: a page of them at once, unless one of them has what they are put together with."""
        together = b"\n".join(keys)
        if together.count(b"\n") != len(keys) - 1:
            return [escape(self(key)) for key in keys]
        if self._encoded:
            return _quote_lines(together).split("\n")
        return escape(together.decode("utf-8", "replace")).split("\n")


def _quote_lines(lines: bytes) -> str:
    """Percent-encodes everything but line feeds: a page is searched for each byte that it has, not byte by byte."""
    if b"%" in lines:
        lines = lines.replace(b"%", b"%25")
    for byte in set(lines.translate(None, _PLAIN)):
        lines = lines.replace(b"%c" % byte, b"%%%02X" % byte)
    return lines.decode("ascii")


def spelling(encoding_type: str | None) -> Spelling:
    """The spelling that a request asks for. Raises InvalidArgument when S3 has no such ``encoding-type``."""
    if encoding_type not in (None, "url"):
        raise InvalidArgument(
            "Invalid Encoding Method specified in Request", ArgumentName="encoding-type", ArgumentValue=encoding_type
        )
    return Spelling(encoding_type is not None)


@lru_cache(64)
def checksum_elements(checksum: str | None) -> str:
    """What a listing tells of a checksum: not its value."""
    if checksum is None:
        return ""
    algorithm, _, kind = checksum.split(" ")
    return f"<ChecksumAlgorithm>{algorithm}</ChecksumAlgorithm><ChecksumType>{kind}</ChecksumType>"


def owner_elements(call: Call, page: Page) -> dict[str, str]:
    """Whose the entries of a page are."""
    return {owner: owner_element(call, owner) for owner in {entry.owner for entry in page.entries}}


def common_prefixes(page: Page, spell: Spelling) -> str:
    """The common prefixes of a page."""
    prefixes = spell.contents(page.prefixes)
    return "".join([f"<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>" for prefix in prefixes])


def owner_element(call: Call, owner: str, name: str = "Owner") -> str:
    """Whose it is; what nobody owns belongs to the service."""
    return element(name, texts({"ID": owner or call.service.owner, "DisplayName": owner or call.service.owner}))


def write_token(key: bytes) -> str:
    """The opaque token that continues behind a key or common prefix."""
    return urlsafe_b64encode(_TOKEN + crc32(key).to_bytes(4, "big") + key).decode()


def read_token(token: str) -> bytes:
    """The key in a token. Raises InvalidArgument when the token is not one of ours."""
    try:
        data = urlsafe_b64decode(token.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        data = b""
    key = data[5:]
    if data[:1] != _TOKEN or data[1:5] != crc32(key).to_bytes(4, "big") or write_token(key) != token:
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token", ArgumentValue=token
        )
    return key
