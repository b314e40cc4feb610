"""Which versions were found whole a short while ago: a large object that is copied part by part is compared once, not for each part."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

from gecko_tw.store.records import Span

SECONDS = 600.0
_MOST = 256

_Name = tuple[str, tuple[Span, ...]]


class WholeLately:
    """Versions by ETag and place of their bytes, which no other bytes ever have.

    :param clock: seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._until: dict[_Name, float] = {}

    def has(self, etag: str, spans: tuple[Span, ...]) -> bool:
        """Whether these bytes were found whole not long ago."""
        return self._until.get((etag, spans), 0.0) > self._clock()

    def add(self, etag: str, spans: tuple[Span, ...]) -> None:
        """They were just now."""
        with self._lock:
            self._until.pop((etag, spans), None)
            self._until[etag, spans] = self._clock() + SECONDS
            while len(self._until) > _MOST:
                del self._until[next(iter(self._until))]
