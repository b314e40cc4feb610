"""Reading blobs that are far away: ahead of whoever reads on, in threads of their own, within a window that is bounded twice.

A reader begins with what it is asked for. Once it is read on from where it was, the next piece is fetched meanwhile; while that
is not there in time, more pieces are. So ranges fetch little, slow clients hold two pieces, and quick ones wait seldom.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IBlobReader

PIECE = 1024 * 1024
"""Bytes that are fetched at once."""

FIRST = 256 * 1024
"""Bytes that are fetched at least where nobody read before."""

WINDOW = 4
"""Pieces that one reader fetches ahead, at most."""

_THREADS = 8
_ROOM = 48
"""Pieces that a process has fetched ahead, at most, for all readers together."""

Fetch = Callable[[int, int], bytes]
"""Exactly ``length`` bytes from ``offset``. Raises BlobGone, ServiceUnavailable."""


class Ahead:
    """The threads and the room of one process."""

    def __init__(self, threads: int = _THREADS, room: int = _ROOM) -> None:
        self._threads = ThreadPoolExecutor(threads, "geckos3-ahead")
        self._room = BoundedSemaphore(room)

    def begin(self, fetch: Fetch, offset: int, length: int) -> "Piece | None":
        """Begins to fetch; None while there is no room. The piece must be taken or dropped."""
        if not self._room.acquire(blocking=False):
            return None
        try:
            return Piece(offset, length, self._threads.submit(fetch, offset, length), self._room)
        except RuntimeError:  # the process ends
            self._room.release()
            return None

    def close(self) -> None:
        """Ends the threads; what nobody has begun to fetch is left."""
        self._threads.shutdown(cancel_futures=True)


class Piece:
    """Bytes on their way."""

    def __init__(self, offset: int, length: int, future: "Future[bytes]", room: BoundedSemaphore) -> None:
        self.offset, self.length = offset, length
        self._future, self._room = future, room

    @property
    def is_there(self) -> bool:
        """Whether taking it does not wait, and does not raise."""
        return self._future.done() and not self._future.cancelled() and self._future.exception() is None

    def take(self) -> bytes:
        """Waits for it. Raises what fetching raised."""
        try:
            return self._future.result()
        finally:
            self._room.release()

    def drop(self) -> None:
        """Nobody needs it: the room is free once its thread is."""
        self._future.cancel()
        self._future.add_done_callback(lambda _: self._room.release())


@implementer(IBlobReader)
class AheadReader:
    """See IBlobReader. For one thread at a time.

    :param fetch: asks whatever keeps the bytes.
    """

    def __init__(self, fetch: Fetch, size: int, ahead: Ahead) -> None:
        self.size = size
        self._fetch, self._ahead = fetch, ahead
        self._start, self._data = 0, b""
        self._pieces: deque[Piece] = deque()
        self._window = 1

    def fileno(self) -> None:
        return None

    def read(self, offset: int, length: int) -> bytes:
        found = []
        end = min(offset + length, self.size)
        while offset < end:
            if not self._has(offset):
                self._go_to(offset, end - offset)
            piece = self._data[offset - self._start : end - self._start]
            found.append(piece)
            offset += len(piece)
        return found[0] if len(found) == 1 else b"".join(found)

    def at_hand(self, offset: int, length: int) -> bytes | None:
        """As read, perhaps fewer, of what has come already; None where that is nothing. Never waits."""
        if not self._has(offset) and self._follows(offset) and self._pieces[0].is_there:
            self._go_to(offset, length)
        return self._data[offset - self._start :][:length] if self._has(offset) else None

    def _has(self, offset: int) -> bool:
        return self._start <= offset < self._start + len(self._data)

    def _follows(self, offset: int) -> bool:
        return bool(self._pieces) and self._pieces[0].offset == offset

    def _go_to(self, offset: int, wanted: int) -> None:
        """Has the bytes from ``offset`` on, or some of them."""
        reads_on = bool(self._data) and offset == self._start + len(self._data)
        if self._follows(offset):
            piece = self._pieces.popleft()
            if not piece.is_there:
                self._window = min(2 * self._window, WINDOW)
            data = piece.take()
        else:
            self._drop()
            least = PIECE if reads_on else max(wanted, FIRST)
            data = self._fetch(offset, min(least, self.size - offset))
        self._start, self._data = offset, data
        if reads_on:
            self._fill()

    def _fill(self) -> None:
        last = self._pieces[-1] if self._pieces else None
        at = last.offset + last.length if last is not None else self._start + len(self._data)
        while len(self._pieces) < self._window and at < self.size:
            piece = self._ahead.begin(self._fetch, at, min(PIECE, self.size - at))
            if piece is None:
                return
            self._pieces.append(piece)
            at += piece.length

    def _drop(self) -> None:
        while self._pieces:
            self._pieces.popleft().drop()

    def close(self) -> None:
        self._drop()
        self._data = b""
