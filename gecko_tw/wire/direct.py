"""Bytes straight into a socket: for who can make again what the socket does not take, so that nobody has to keep it."""

from typing import Any


class Direct:
    """The way past a transport's buffers, over plain TCP.

    :param transport: of the connection.
    :param plain: it is a socket of Twisted's, without TLS.
    """

    __slots__ = ("_plain", "_transport")

    def __init__(self, transport: Any, plain: bool) -> None:
        self._transport = transport
        self._plain = plain

    @property
    def possible(self) -> bool:
        """Whether :meth:`offer` may be used now: nothing waits in the transport, and a producer can be told to wait."""
        transport = self._transport
        # The last attribute is not a public one: without it everything is simply written.
        return bool(
            self._plain
            and transport.connected
            and transport.producer is not None
            and not transport.dataBuffer
            and not getattr(transport, "_tempDataLen", 1)
        )

    def offer(self, data: memoryview) -> int:
        """Gives the socket what it takes of ``data`` now and returns how many bytes that were; keeps nothing of the rest."""
        try:
            return self._transport.socket.send(data)  # type: ignore[no-any-return]
        except OSError:  # full, or broken: then the reactor learns it while we wait
            return 0

    def wait(self) -> bool:
        """Pauses the producer until the socket takes more. Nothing happens, and False is returned, where ``offer`` is not possible."""
        transport = self._transport
        if not self.possible:
            return False
        transport.producerPaused = True
        transport.producer.pauseProducing()
        transport.startWriting()
        return True
