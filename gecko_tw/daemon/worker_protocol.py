"""What a parent and its worker processes say to each other: AMP over two pipes."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import ProcessProtocol
from twisted.protocols import amp
from twisted.python.failure import Failure
from zope.interface import implementer

READS, WRITES, FIRST_SOCKET = 0, 3, 4
"""A worker's file descriptors: it hears its parent on the first, answers on the second, and its sockets begin at the third."""


class CannotServe(Exception):  # noqa: N818 - named for what it tells
    """A worker could not open the store or begin to accept. Its text says why."""


class Serve(amp.Command):
    """Parent to worker: serve with these settings (JSON). Answered when connections are accepted."""

    arguments = [(b"number", amp.Integer()), (b"settings", amp.Unicode())]
    response: list[tuple[bytes, amp.Argument]] = []
    errors = {CannotServe: b"CANNOT_SERVE"}


class Drain(amp.Command):
    """Parent to worker: accept no more, finish what is under way, and exit. Answered at once."""

    arguments: list[tuple[bytes, amp.Argument]] = []
    response: list[tuple[bytes, amp.Argument]] = []


class Renew(amp.Command):
    """Parent to worker: serve the certificates that are shared now. Answered when who connects next gets them."""

    arguments: list[tuple[bytes, amp.Argument]] = []
    response: list[tuple[bytes, amp.Argument]] = []
    errors = {CannotServe: b"CANNOT_SERVE"}


@implementer(ITransport)
class _Pipes:
    """A child's pipes as the transport of an AMP protocol."""

    disconnecting = False

    def __init__(self, process: Any) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        self._process.writeToChild(READS, data)

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        self._process.closeChildFD(READS)

    def getPeer(self) -> str:
        return f"process {self._process.pid}"

    def getHost(self) -> str:
        return "parent"


class WorkerProcess(ProcessProtocol):
    """The parent's side of one worker process.

    :param lines: called with every whole line the worker writes to standard output or error, when those are pipes to us.

    :ivar ended: fires with a text that says how the process ended.
    :ivar leaving: whether it was asked to end.
    :ivar clean: whether it ended with exit code 0.
    """

    def __init__(self, lines: Callable[[bytes], None] | None = None) -> None:
        self.ended: Deferred[str] = Deferred()
        self.leaving = self.clean = False
        self._lines = lines
        self._partial = {1: b"", 2: b""}
        self._amp = amp.AMP()
        self.pid = 0

    def serve(self, number: int, settings: str) -> "Deferred[Any]":
        """Tells it to serve. Fails with CannotServe, or with how it ended when it ends first."""
        return self._amp.callRemote(Serve, number=number, settings=settings)

    def renew(self) -> "Deferred[Any]":
        """Tells it to serve other certificates. Fails with CannotServe, or with how it ended when it ends first."""
        return self._amp.callRemote(Renew)

    def drain(self) -> None:
        """Asks it to finish and exit; ``ended`` tells when it has."""
        self.leaving = True
        # A worker that dies instead of answering is told of by ``ended``.
        self._amp.callRemote(Drain).addErrback(lambda failure: failure.trap(ProcessDone, ProcessTerminated))

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        self.leaving = True
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")

    def connectionMade(self) -> None:
        self.pid = self.transport.pid  # type: ignore[union-attr]
        self._amp.makeConnection(_Pipes(self.transport))

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == WRITES:
            self._amp.dataReceived(data)
            return
        *whole, self._partial[childFD] = (self._partial[childFD] + data).split(b"\n")
        for line in whole:
            if self._lines is not None:
                self._lines(line)

    def processEnded(self, reason: Failure) -> None:
        self.clean = reason.check(ProcessDone) is not None
        self._amp.connectionLost(reason)
        self.ended.callback(reason.getErrorMessage())


class ParentProcess(amp.AMP):
    """The worker's side.

    :param serve: called with (number, settings) and returning a Deferred; CannotServe is told to the parent.
    :param leave: called when the parent says so, or is gone.
    :param renew: called when there are other certificates; CannotServe is told to the parent.
    """

    def __init__(
        self, serve: Callable[[int, str], "Deferred[None]"], leave: Callable[[], object], renew: Callable[[], object]
    ) -> None:
        super().__init__()
        self._serve, self._leave, self._renew = serve, leave, renew

    @Serve.responder
    def serve(self, number: int, settings: str) -> "Deferred[dict[str, Any]]":
        return self._serve(number, settings).addCallback(lambda _: {})

    @Renew.responder
    def renew(self) -> dict[str, Any]:
        self._renew()
        return {}

    @Drain.responder
    def drain(self) -> dict[str, Any]:
        self._leave()
        return {}

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self._leave()
