"""The memory that large bodies are received into: used again and again, because memory that the kernel has to clear first costs as
much as filling it."""

from collections import deque

BUFFER_BYTES = 1024 * 1024
_LEAST_BYTES = 64 * 1024


class BodyBuffers:
    """The buffers of a process that nobody uses now.

    :param kept: so many are kept at most.
    """

    def __init__(self, kept: int = 8) -> None:
        self._kept = kept
        self._free: list[bytearray] = []

    def take(self) -> bytearray:
        """A buffer of BUFFER_BYTES with anything in it."""
        return self._free.pop() if self._free else bytearray(BUFFER_BYTES)

    def give(self, buffer: bytearray) -> None:
        """Nobody looks at this one any more."""
        if len(self._free) < self._kept:
            self._free.append(buffer)


class Basin:
    """The buffers of one body: filled one after the other, given back once what is in them was written.

    Those that are not given back in time are left to whoever still looks at them: a body's end is written when it is committed.
    """

    def __init__(self, buffers: BodyBuffers) -> None:
        self._buffers = buffers
        self._buffer = bytearray()
        self._at = 0
        self._full: deque[tuple[int, bytearray]] = deque()

    def space(self, size: int) -> memoryview:
        """Room for the next bytes.

        :param size: how many bytes of the body have been handed on so far.
        """
        if len(self._buffer) - self._at < _LEAST_BYTES:
            if self._buffer:
                self._full.append((size, self._buffer))
            self._buffer, self._at = self._buffers.take(), 0
        return memoryview(self._buffer)[self._at :]

    def filled(self, size: int) -> memoryview:
        """The ``size`` bytes that were put into the room."""
        begin = self._at
        self._at += size
        return memoryview(self._buffer)[begin : self._at]

    def written(self, size: int) -> None:
        """The first ``size`` bytes of the body are needed no more."""
        while self._full and self._full[0][0] <= size:
            self._buffers.give(self._full.popleft()[1])

    def close(self) -> None:
        """No more of the body comes. Whoever waits for the garbage collector with this must not keep a buffer waiting as well."""
        self._buffer, self._at = bytearray(), 0
        self._full.clear()
