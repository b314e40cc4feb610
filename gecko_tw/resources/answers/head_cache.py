"""The cache of heads of answers; :mod:`gecko_tw.resources.answers.cached_heads` says when one of them is given again."""

from attrs import frozen

from gecko_tw.store.records import BucketRecord, Version

MOST = 2048
"""Heads that are kept."""


@frozen(eq=False)
class CachedHead:
    """The head of an answer with all of an object.

    :ivar mode: the checksum mode of the request.
    :ivar length: of the body, in bytes.
    :ivar lines: all headers but ``x-amz-request-id``, as IWireRequest.lines renders them.
    """

    version: Version
    record: BucketRecord
    mode: bytes | None
    length: int
    lines: bytes


class HeadCache:
    """What was answered last, by method and target."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], CachedHead] = {}

    def get(self, method: str, target: bytes) -> CachedHead | None:
        """The head of the last such answer, or None."""
        return self._known.get((method, target))

    def keep(self, method: str, target: bytes, repeated: CachedHead) -> None:
        """Keeps a head instead of what was kept there; when there are too many, all others are forgotten."""
        if len(self._known) >= MOST:
            self._known = {}
        self._known[method, target] = repeated
