"""The life of the main process: bind, open the store, adopt, serve, reload, drain, end."""

import resource
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from gecko_tw import __version__
from gecko_tw.daemon.certificate_files import CertificateFiles
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, make_data_dir
from gecko_tw.daemon.listening import ADMIN, NATIVE, REDIRECT, Listener, hold, shown
from gecko_tw.daemon.noticing import Noticing
from gecko_tw.daemon.scanning import Scan
from gecko_tw.daemon.signals import take_signals
from gecko_tw.daemon.worker_protocol import CannotServe
from gecko_tw.pools import IPool
from gecko_tw.settings import DEFAULT_KEY, BadSetting, Settings

DESCRIPTORS = 65_536
"""Open files and connections that a process may have where the system lets it."""

_WHOM = {ADMIN: " for operators", NATIVE: " for the binary protocol", REDIRECT: " for who is to use https"}

_log = Logger()


class CannotStart(SystemExit, Exception):  # noqa: N818 - named for what it tells
    """Nothing can be served, and the program ends with this one line and exit code 1.

    twistd looks at an Exception only: after any other SystemExit it would leave its pid file behind, and in the background the process
    that was started would wait for ever to be told how the start went.
    """


@frozen(kw_only=True)
class Plan:
    """The parts of a daemon that are made when their time has come.

    :ivar data: opened first and closed last.
    :ivar pools: services that run while anything runs.
    :ivar front: makes what answers requests from the held ports: a Serving or Workers.
    :ivar jobs: makes the service that runs beside it, given the blocking scan of the data directory.
    :ivar bootstrap: makes the deployment have what is declared, at the start and at every reload; blocks. Raises BadSetting.
    :ivar certificates: what https is served with is read from, if anything is.
    :ivar observer: receives messages when nobody else was told to (twistd's own log options).
    :ivar ended: of a daemon within a program of others: told why when it ends by itself, in place of the end of the reactor. What belongs
        to the process, its signals and its limits, is not touched then.
    """

    settings: Settings
    listeners: tuple[Listener, ...]
    data: DataDir
    pools: tuple[Any, ...]
    pool: IPool
    front: Callable[[list[Any]], Any]
    jobs: Callable[[Callable[[], object]], Service]
    bootstrap: Callable[[], object] = lambda: None
    certificates: CertificateFiles | None = None
    observer: ILogObserver | None = None
    ended: Callable[[str], object] | None = None


class Daemon(MultiService):
    """The root service.

    :ivar failed: whether it ended by itself, or had to cut off requests.
    """

    def __init__(self, reactor: Any, plan: Plan) -> None:
        super().__init__()
        self._reactor, self._plan = reactor, plan
        self._ports: list[Any] = []
        self._front: Any = None
        self._jobs: Service | None = None
        self._started: Deferred[None] | None = None
        self._scan = Scan(reactor, plan.data, plan.pool)
        self._noticing = Noticing(reactor, plan.data, plan.pool, self._scan)
        self.failed = False
        for pool in plan.pools:
            pool.setServiceParent(self)

    def setServiceParent(self, parent: Any) -> None:
        """Gives an Application our observer of messages."""
        super().setServiceParent(parent)
        if self._plan.observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._plan.observer)

    def privilegedStartService(self) -> None:
        """Makes the data directory and binds, so that what cannot be had stops the start with one line. Raises CannotStart."""
        if self._plan.ended is None:
            allow_descriptors()
        try:
            make_data_dir(self._plan.settings.data_dir)
            if self._plan.certificates is not None and not self._plan.certificates.made:
                self._plan.certificates.read()
            self._ports = [hold(self._reactor, listener) for listener in self._plan.listeners]
        except (CannotOpen, BadSetting) as problem:
            if self._plan.observer is None:  # nobody sees standard error
                _log.critical("cannot start: {why}", why=str(problem))
            raise CannotStart(f"geckos3: {problem}") from None
        super().privilegedStartService()

    def startService(self) -> None:
        super().startService()
        if self._plan.ended is None:
            self._reactor.callWhenRunning(take_signals, self._reactor, self._reload, self._hurry)
        self._started = Deferred.fromCoroutine(self._start())
        self._started.addErrback(self._not_started)

    async def _start(self) -> None:
        plan = self._plan
        _warn(plan.settings)
        await plan.pool.run(plan.data.open)
        await self._noticing.begin()
        await self._scan.first()
        await plan.pool.run(plan.bootstrap)
        if plan.certificates is not None and plan.certificates.made:
            await plan.pool.run(plan.certificates.read)
        if not self.running:
            return
        self._front = plan.front(self._ports)
        await self._front.open()
        for listener, place in zip(plan.listeners, self.places(), strict=True):
            whom = _WHOM.get(listener.site, "")
            _log.info("listening on {place}{whom}", place=place, whom=whom)
        _log.info(
            "geckos3 {version} serves {data_dir}", version=__version__, data_dir=str(plan.settings.data_dir.resolve())
        )
        if self.running:
            self._jobs = plan.jobs(self._scan)
            self._jobs.setServiceParent(self)

    def _not_started(self, failure: Failure) -> None:
        """Nothing is served: says why in one line, where the reason is the user's, and ends."""
        if not self.running:
            _log.info("stopped while starting: {why}", why=failure.getErrorMessage())
            return
        self.failed = True
        if failure.check(CannotOpen, CannotServe, BadSetting):
            _log.critical("cannot start: {why}", why=failure.getErrorMessage())
        else:
            _log.failure("cannot start", failure)
        self._end(failure.getErrorMessage())

    def give_up(self, why: str) -> None:
        """Ends, so that the next start can mend what is wrong."""
        if self.running and not self.failed:
            self.failed = True
            _log.critical("ends, to be started again: the catalog cannot be used: {why}", why=why)
            self._end(why)

    def _end(self, why: str) -> None:
        if self._plan.ended is None:
            self._reactor.stop()
        else:
            self._plan.ended(why)

    def places(self) -> tuple[str, ...]:
        """Where it listens, as a person would type it; a port 0 is the one that was found."""
        return tuple(shown(one, port) for one, port in zip(self._plan.listeners, self._ports, strict=True))

    def when_started(self) -> "Deferred[None]":
        """Fires when requests are answered, or the start has failed and ``Plan.ended`` was told. After startService only."""
        assert self._started is not None
        told: Deferred[None] = Deferred()

        def tell(_: object) -> None:
            told.callback(None)

        self._started.addCallback(tell)
        return told

    def _reload(self) -> None:
        if self.running and self._front is not None:
            _log.info("reloading")
            declared = self._plan.pool.run(self._declare)
            declared.addCallback(lambda _: self._front.reload())
            declared.addErrback(self._not_reloaded)

    def _declare(self) -> None:
        """What a reload begins with; blocks. Raises BadSetting."""
        self._plan.bootstrap()
        if self._plan.certificates is not None:
            self._plan.certificates.read()

    def renew(self) -> "Deferred[Any]":
        """Other certificates, or proofs, are shared; fires when who connects from now on gets them."""
        if not self.running or self._front is None:
            return succeed(None)
        _log.debug("certificates are served as they are now")
        renewed: Deferred[Any] = self._front.renew()
        return renewed

    def _not_reloaded(self, failure: Failure) -> None:
        """Everything goes on as before."""
        if failure.check(BadSetting):
            _log.error("nothing is reloaded, the old configuration stays: {why}", why=failure.getErrorMessage())
        else:
            _log.failure("reload failed", failure)

    def _hurry(self) -> None:
        if self._front is not None:
            _log.warn("requests under way are cut off")
            self._front.kill()

    def stopService(self) -> "Deferred[Any]":
        """Drains and closes, in this order: connections, jobs, threads, store."""
        self.running = 0
        self._scan.leave()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        _log.info("stopping: requests under way may take {limit} s more", limit=self._plan.settings.shutdown_timeout)
        leaving = self._front.stopService() if self._front is not None else succeed(None)
        for port in self._ports:
            await port.stopListening()
        await leaving
        if self._started is not None:
            await self._started
        self.failed = self.failed or (self._front is not None and self._front.cut)
        await self._noticing.stopService()
        if self._jobs is not None:
            await self._jobs.stopService()  # type: ignore[misc]
        await super().stopService()
        # Only now: no connection to the catalog may be closed under the hands of a thread.
        self._plan.data.close()
        _log.info("stopped")


def allow_descriptors() -> None:
    """Lets this process, and those it makes, have as many connections as they may: the usual limit is there for select()."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, DESCRIPTORS)
    if least != resource.RLIM_INFINITY and least < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _warn(settings: Settings) -> None:
    """What an operator should not overlook."""
    if DEFAULT_KEY in (settings.access_key, settings.secret_key):
        _log.warn("the access key or the secret key is the default one: everybody knows it")
    if not settings.auth:
        _log.warn("authentication is off: everybody may do everything")
    if not settings.metadata:
        _log.warn("metadata is off: types, user metadata and checksums of objects are not kept")
