"""Bytes straight into a socket: for who can make again what the socket does not take, so that nobody has to keep it."""

from twisted.internet.interfaces import IPushProducer
from twisted.internet.tcp import Connection


class Direct:
    """The way past a transport's buffers, over plain TCP.

    :param socket: of Twisted's, without TLS; None for every other transport.
    """

    __slots__ = ("_transport",)

    def __init__(self, socket: Connection | None) -> None:
        self._transport = socket

    @property
    def possible(self) -> bool:
        """Whether :meth:`offer` may be used now: nothing waits in the transport, and a producer can be told to wait."""
        transport = self._transport
        # The last attribute is not a public one: without it everything is simply written.
        return bool(
            transport is not None
            and transport.connected
            and transport.producer is not None
            and not transport.dataBuffer
            and not getattr(transport, "_tempDataLen", 1)
        )

    def offer(self, data: memoryview) -> int:
        """Gives the socket what it takes of ``data`` now and returns how many bytes that were; keeps nothing of the rest."""
        transport = self._transport
        assert transport is not None, "asked for while it is possible"
        try:
            return transport.socket.send(data)
        except OSError:  # full, or broken: then the reactor learns it while we wait
            return 0

    def wait(self) -> bool:
        """Pauses the producer until the socket takes more. Nothing happens, and False is returned, where ``offer`` is not possible."""
        transport = self._transport
        if transport is None or not self.possible or not IPushProducer.providedBy(transport.producer):
            return False
        transport.producerPaused = True
        transport.producer.pauseProducing()
        transport.startWriting()
        return True
