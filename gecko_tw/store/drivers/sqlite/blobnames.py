"""The names of blobs, pure functions.

A blob in the pool or in staging is named by 32 hexadecimal digits. A visible file is named by the time and size it must have and its path,
so that a name never opens bytes that were put there later. Bytes in the catalog's own pages are named by their row and its stamp.
"""

_HEX = frozenset("0123456789abcdef")


def visible_name(mtime: int, size: int, bucket: str, key: bytes) -> str:
    """The blob name of a visible file of ``size`` bytes that was last changed at ``mtime`` (nanoseconds)."""
    return f"/{mtime}/{size}/{bucket}/{key.decode('utf-8', 'surrogateescape')}"


def visible_parts(blob: str) -> tuple[int, int, str, bytes]:
    """The modification time, the size, the bucket and the key that a visible file's blob name was made of."""
    _, mtime, size, bucket, path = blob.split("/", 4)
    return int(mtime), int(size), bucket, path.encode("utf-8", "surrogateescape")


def is_visible(blob: str) -> bool:
    """Whether a blob name is a visible file's."""
    return blob.startswith("/")


def is_pooled(blob: str) -> bool:
    """Whether a blob name is one of the pool's (or of staging)."""
    return len(blob) == 32 and _HEX.issuperset(blob)


def inline_name(row: int, stamp: int) -> str:
    """The blob name of bytes in a row of the table ``blob``."""
    return f"@{row}.{stamp}"


def inline_parts(blob: str) -> tuple[int, int]:
    """The row and the stamp that an inline blob's name was made of."""
    row, _, stamp = blob[1:].partition(".")
    return int(row), int(stamp)


def is_inline(blob: str) -> bool:
    """Whether a blob name is that of bytes in the catalog's pages."""
    return blob.startswith("@")
