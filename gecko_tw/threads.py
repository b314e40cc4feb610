"""Named pools of threads as services: the Deferred face of blocking code."""

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from gecko_tw.interfaces import IPool


@implementer(IPool)
class Pool(Service):
    """A pool of threads with a name.

    :param reactor: where the Deferreds fire.
    :param name: shown in thread names.
    :param threads: how many at most; they are started when needed.
    """

    def __init__(self, reactor: object, name: str, threads: int) -> None:
        self.setName(name)
        self._reactor = reactor
        self._threads = ThreadPool(0, threads, name)

    def startService(self) -> None:
        super().startService()
        self._threads.start()

    def stopService(self) -> None:
        super().stopService()
        self._threads.stop()

    def run(self, function, *arguments, **named) -> Deferred:  # type: ignore[no-untyped-def]
        return deferToThreadPool(self._reactor, self._threads, function, *arguments, **named)
