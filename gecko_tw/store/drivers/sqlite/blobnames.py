"""The names of blobs, pure functions.

A blob in the pool or in staging is named by 32 hexadecimal digits. A visible file is named by the time it must have and its path,
so that a name never opens bytes that were put there later.
"""

_HEX = frozenset("0123456789abcdef")


def visible_name(mtime: int, bucket: str, key: bytes) -> str:
    """The blob name of a visible file that was last changed at ``mtime`` (nanoseconds)."""
    return f"/{mtime}/{bucket}/{key.decode('utf-8', 'surrogateescape')}"


def visible_parts(blob: str) -> tuple[int, str, bytes]:
    """The modification time, the bucket and the key that a visible file's blob name was made of."""
    _, mtime, bucket, path = blob.split("/", 3)
    return int(mtime), bucket, path.encode("utf-8", "surrogateescape")


def is_visible(blob: str) -> bool:
    """Whether a blob name is a visible file's."""
    return blob.startswith("/")


def is_pooled(blob: str) -> bool:
    """Whether a blob name is one of the pool's (or of staging)."""
    return len(blob) == 32 and _HEX.issuperset(blob)
