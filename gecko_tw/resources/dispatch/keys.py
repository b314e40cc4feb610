"""Names in paths and queries: percent-decoded once, never normalised."""

from urllib.parse import unquote_to_bytes

_HEX = frozenset(b"0123456789abcdefABCDEF")


def decode(raw: bytes) -> bytes | None:
    """A part of a path with its ``%XX`` decoded, once; None when a ``%`` begins no such thing."""
    if b"%" not in raw:
        return raw
    if any(len(piece) < 2 or not _HEX.issuperset(piece[:2]) for piece in raw.split(b"%")[1:]):
        return None
    return unquote_to_bytes(raw)


def as_text(value: str) -> str:
    """A parameter of a query that names no key: where its bytes are no UTF-8 it can name nothing that there is."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
