"""A client's connections: few, used again while they are fresh, and shared out in the order they are asked for."""

from collections import deque

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory

from gecko_tw.native.connection import Connection, Frame, Reply, Sink, closed
from gecko_tw.native.errors import CannotConnect, Cut, HalfFrame, NativeError
from gecko_tw.native.frames import COMPLETE_UPLOAD, CREATE_BUCKET, CREATE_UPLOAD, DELETE_BUCKET

FRESH = 45.0
"""Seconds that a connection may be idle: servers close it after 60."""

_ONCE = frozenset((CREATE_BUCKET, DELETE_BUCKET, CREATE_UPLOAD, COMPLETE_UPLOAD))
"""Operations that would answer something else the second time."""


class Pool:
    """Connections to one server with one key pair.

    :param size: connections at a time; further requests wait.
    :param patience: as in Connection; for the way to the server, too.
    """

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        pair: tuple[str, str],
        size: int = 4,
        patience: float = 60.0,
    ) -> None:
        self._clock, self._endpoint, self._pair = clock, endpoint, pair
        self._size, self._patience = max(1, size), patience
        self._idle: deque[tuple[float, Connection]] = deque()
        self._open: set[Connection] = set()
        self._taken = 0
        self._waiting: deque[Deferred[None]] = deque()
        self._closed = False

    async def ask(self, frame: Frame, sink: Sink | None = None) -> Reply:
        """The reply to a request. One that went to a connection which the server had closed is made again, if that is harmless.

        :raises NativeError: whatever goes wrong but refusals, which are replies.
        """
        await self._take_turn()
        try:
            connection = self._fresh() or await self._dial()
            try:
                return await self._ask_on(connection, frame, sink)
            except Cut as cut:
                again = connection.used and not isinstance(cut, HalfFrame) and isinstance(frame.body, bytes)
                if not again or frame.operation in _ONCE or self._closed:
                    raise
            self._forget_idle()
            return await self._ask_on(await self._dial(), frame, sink)
        finally:
            self._end_turn()

    async def prove(self) -> None:
        """Opens a connection, so that a wrong key pair is told now. Raises NativeError."""
        await self._take_turn()
        try:
            self._keep(self._fresh() or await self._dial())
        finally:
            self._end_turn()

    def close(self) -> "Deferred[None]":
        """Drops all connections, with what is under way on them; fires when they are gone. Harmless when repeated."""
        self._closed = True
        self._idle.clear()
        waiting, self._waiting = self._waiting, deque()
        for turn in waiting:
            turn.errback(closed())
        gone = [connection.gone for connection in self._open]
        for connection in list(self._open):
            connection.fail(closed())
        return DeferredList(gone).addCallback(lambda _: None)

    async def _ask_on(self, connection: Connection, frame: Frame, sink: Sink | None) -> Reply:
        reply = await connection.ask(frame, sink)
        self._keep(connection)
        return reply

    # ---- whose turn it is

    async def _take_turn(self) -> None:
        if self._closed:
            raise closed()
        if self._taken < self._size:
            self._taken += 1
            return
        turn: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(turn)
        await turn

    def _end_turn(self) -> None:
        if self._waiting:
            self._waiting.popleft().callback(None)
        else:
            self._taken -= 1

    # ---- connections

    def _fresh(self) -> Connection | None:
        """The connection used last, while it is fresh."""
        now = self._clock.seconds()
        while self._idle:
            since, connection = self._idle.pop()
            if connection.connected_now and now - since <= FRESH:
                return connection
            connection.drop()
        return None

    def _keep(self, connection: Connection) -> None:
        if self._closed or not connection.connected_now:
            connection.drop()
        else:
            self._idle.append((self._clock.seconds(), connection))

    def _forget_idle(self) -> None:
        """One of them was closed: so are the others, most likely."""
        while self._idle:
            self._idle.pop()[1].drop()

    async def _dial(self) -> Connection:
        """A new connection, its handshake done. Raises NativeError."""
        connection = Connection(self._clock, self._pair, self._patience)
        ready = connection.ready
        assert ready is not None, "no byte has come yet"
        dialling = self._endpoint.connect(Factory.forProtocol(lambda: connection))
        try:
            await dialling.addTimeout(self._patience, self._clock)
        except (ConnectError, DNSLookupError, TimeoutError, OSError) as nobody:
            raise CannotConnect(f"nobody can be reached: {nobody}") from nobody
        self._open.add(connection)
        connection.gone.addCallback(lambda _: self._open.discard(connection))
        try:
            await ready
        except (NativeError, CancelledError):
            connection.drop()
            raise
        if self._closed:
            connection.drop()
            raise closed()
        return connection
