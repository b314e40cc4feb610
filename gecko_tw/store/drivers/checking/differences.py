"""What can be wrong in a data directory, in words."""

import time
from collections.abc import Callable

from attrs import frozen

LOOKS, PAUSE = 5, 0.02
"""So often, and so many seconds apart, something is looked at before it counts: a daemon may be changing it just now."""


@frozen
class Difference:
    """One thing that is not as it should be.

    :ivar kind: one of KINDS.
    :ivar place: a key of a bucket, a file below the data directory, or what else it is about.
    :ivar text: what is wrong, after the place.
    :ivar subject: the bucket and the key that it is about, if it is about one.
    """

    kind: str
    place: str
    text: str
    subject: tuple[str, bytes] | None = None


KINDS = {
    "catalog": "the catalog itself is damaged",
    "row": "a record in the catalog cannot be read",
    "file": "the file at a key's path is not what the catalog says",
    "description": "what is written beside bytes is not what the catalog says",
    "lost": "bytes are missing or short",
    "rotten": "bytes are not those that were stored",
    "bucket": "a bucket's directory or record is not what the catalog says",
    "upload": "the record of an unfinished upload is not what the catalog says",
    "document": "the file of an identity, a key or a setting is not what the catalog says",
    "orphan": "nothing needs a file in the pool",
    "unreadable": "something cannot be read",
}
MENDED = frozenset({"catalog", "row", "file", "description", "bucket", "upload", "document", "orphan"})
"""Kinds that can be mended with objects as files."""


def lasting(look: Callable[[], str | None]) -> str | None:
    """What a look finds if it finds something every time."""
    found = look()
    for _ in range(LOOKS - 1):
        if found is None:
            return None
        time.sleep(PAUSE)
        found = look()
    return found


def named(bucket: str, key: bytes, version_id: str = "") -> str:
    """A key in words."""
    text = f"{bucket}/{key.decode('utf-8', 'backslashreplace')}"
    return f"{text} (version {version_id})" if version_id else text
