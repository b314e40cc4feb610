"""What a server sends, on its way to whoever wants it."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import BinaryIO

from twisted.internet.interfaces import IConsumer

from gecko_tw.client.errors import WrongEndpoint
from gecko_tw.client.pausing import deferred, wait
from gecko_tw.client.receiving import Pull, Receiver, Writer
from gecko_tw.pools import IPool

MOST_DOCUMENT = 64 << 20
"""Bytes of an answer that is held in memory without being asked for: a page of 1,000 keys has less than 10 MiB."""


class Body:
    """The body of an answer, which is taken once, by one of ``read``, ``to_consumer``, ``to_file`` and ``async for``; or given up by
    ``close``.

    Nothing is read from the network before. Its connection is free when all is read.

    :param receiver: what it comes by.
    :ivar length: in bytes; None when the server did not say.
    """

    def __init__(self, receiver: Receiver, length: int | None) -> None:
        self._receiver, self.length = receiver, length

    def expect(self, algorithm: str, value: str) -> None:
        """What is read will be held against a checksum, named and encoded as in its header."""
        self._receiver.expect(algorithm, value)

    def when_free(self, free: Callable[[], object]) -> None:
        """Has something called when all was read or given up."""
        self._receiver.when_free(free)

    @deferred
    async def read(self) -> bytes:
        """All of it.

        :raises ConnectionCut, TimedOut, ChecksumMismatch: it did not arrive as it is.
        """
        pieces: list[bytes] = []
        await self._receiver.deliver(pieces.append)
        return b"".join(pieces)

    @deferred
    async def document(self) -> bytes:
        """All of an answer that is no object; its end may be the connection's.

        :raises WrongEndpoint: it is longer than any document of S3's.
        """
        self._receiver.lenient = True
        pieces: list[bytes] = []
        room = MOST_DOCUMENT

        def take(piece: bytes) -> None:
            nonlocal room
            room -= len(piece)
            if room < 0:
                raise WrongEndpoint(
                    f"A document of more than {MOST_DOCUMENT >> 20} MiB came, which is none of S3's. Look at the URL."
                )
            pieces.append(piece)

        await self._receiver.deliver(take)
        return b"".join(pieces)

    @deferred
    async def to_consumer(self, consumer: IConsumer) -> None:
        """Gives it to an IConsumer, which may pause it."""
        consumer.registerProducer(self._receiver, True)
        try:
            await self._receiver.deliver(consumer.write)
        finally:
            consumer.unregisterProducer()

    @deferred
    async def to_file(self, file: BinaryIO, pool: IPool) -> None:
        """Writes it to an open file, in threads of a pool."""
        writer = Writer(file, pool, self._receiver)
        await self._receiver.deliver(writer.write)
        await writer.finish()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Piece by piece: the next one is taken from the network when it is asked for."""
        pull = Pull(self._receiver)
        try:
            while piece := await pull.next():
                yield piece
        finally:
            self.close()

    def stream(self) -> Iterator[bytes]:
        """The same for botocore, in a greenlet."""
        pull = Pull(self._receiver)
        while piece := wait(pull.next()):
            yield piece

    def close(self) -> None:
        """Gives up what was not read, and the connection with it."""
        if not self._receiver.begun:
            self._receiver.deliver(len).addErrback(lambda _: None)
        self._receiver.cancel()
