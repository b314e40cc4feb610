"""A server within the test's own reactor, for Twisted's tests: no second process, and its log is the test's."""

from pathlib import Path
from typing import Self

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.usage import UsageError

from gecko_tw.daemon.main_process import Daemon
from gecko_tw.settings import Settings
from gecko_tw.tap import Options, daemon_for
from gecko_tw.testing.endpoint import CannotStart, Endpoint

_log = Logger()


class InProcessServer(Service, Endpoint):
    """A Service that answers on a free port of 127.0.0.1, and an asynchronous context manager.

    In a TestCase of trial: start it in ``setUp``, return ``whenReady()`` there, and hand ``stopService`` to ``addCleanup``. A client that
    blocks, such as boto3, must run in a thread. Signals and limits of the process stay as they are.

    :param options: flags of ``geckos3 serve``; a ``--workers`` other than 1 is not allowed. Variables of the environment are not read.
    """

    def __init__(
        self,
        *options: str,
        folder: Path | None = None,
        port: int = 0,
        access_key: str = "test",
        secret_key: str = "test",
    ) -> None:
        Endpoint.__init__(self, options, folder=folder, port=port, access_key=access_key, secret_key=secret_key)
        self._daemon: Daemon | None = None
        self._why = ""

    def startService(self) -> None:
        """Listens; requests are answered once ``whenReady()`` has fired.

        :raises CannotStart: an option is not allowed, or the port cannot be had.
        """
        try:
            daemon = daemon_for(self._settings(), told=_tell, ended=self._ended)
            daemon.privilegedStartService()
        except (UsageError, SystemExit) as wrong:
            self._clean()
            raise CannotStart(str(wrong)) from wrong
        super().startService()
        self._daemon, self._why = daemon, ""
        daemon.startService()
        self.url = daemon.places()[0]
        self.port = int(self.url.rpartition(":")[2])

    def whenReady(self) -> "Deferred[Self]":
        """Fires with the server itself when it answers; fails with CannotStart when it has ended instead."""
        assert self._daemon is not None, "startService comes first"
        return self._daemon.when_started().addCallback(self._ready)

    def _ready(self, _: object) -> Self:
        if self._why:
            raise CannotStart(self._why)
        return self

    def stopService(self) -> "Deferred[None]":
        """Fires when requests under way are answered and nothing of it is left in the reactor or a temporary folder."""
        super().stopService()
        daemon, self._daemon, self.url = self._daemon, None, ""
        stopped = succeed(None) if daemon is None else daemon.stopService()
        return stopped.addCallback(lambda _: self._clean())

    async def __aenter__(self) -> Self:
        self.startService()
        try:
            return await self.whenReady()
        except CannotStart:
            await self.stopService()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.stopService()

    def _settings(self) -> Settings:
        """Raises UsageError, SystemExit, CannotStart."""
        options = Options({})
        options.parseOptions([*self._flags, f"--access-key={self.access_key}", f"--secret-key={self.secret_key}"])
        if options.settings.workers != 1:
            raise CannotStart("--workers: more than one is not allowed within a test's process; allowed is 1")
        return options.settings

    def _ended(self, why: str) -> None:
        self._why = why
        _log.critical("the server has ended by itself: {why}", why=why)


def _tell(line: str) -> None:
    _log.info("{line}", line=line)
