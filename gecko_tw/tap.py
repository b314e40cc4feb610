"""The composition root: the only place where parts are put together, and the only one that imports the reactor."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.logger import ILogObserver, Logger, globalLogBeginner
from twisted.plugin import getPlugins
from twisted.python.usage import Options as UsageOptions

import gecko_tw.plugins
from gecko_tw.callers.authenticate import Authenticator
from gecko_tw.callers.identities import OnePair
from gecko_tw.daemon import Daemon, Plan
from gecko_tw.data_dir import CannotOpen, DataDir
from gecko_tw.interfaces import IOperationFamily
from gecko_tw.jobs.upkeep import jobs
from gecko_tw.listening import listeners_of
from gecko_tw.logs import RequestLog, bridge, observer
from gecko_tw.resources.families import FAMILIES
from gecko_tw.resources.operations import Operation, OperationTable, rows_of
from gecko_tw.resources.service import Service
from gecko_tw.resources.tree import ServiceResource
from gecko_tw.serving import Serving
from gecko_tw.settings import SETTINGS, BadSetting, Settings, plain_arguments, read_settings, texts_of
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.objects import Objects
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads
from gecko_tw.threads import Pool
from gecko_tw.wire.site import Limits, Site
from gecko_tw.worker_protocol import FIRST_SOCKET, READS, WRITES, CannotServe, ParentProcess
from gecko_tw.workers import Recipe, Workers


class Options(UsageOptions):
    """The flags of ``twistd geckos3``, made from the settings.

    :ivar settings: the settings in force, once the command line has been parsed.
    """

    synopsis = "[options]"
    optParameters = [
        [one.flag.removeprefix("--"), None, None, f"{one.help} [default: {one.default}]"]
        for one in SETTINGS
        if not one.several
    ]

    settings: Settings

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, text: str) -> None:
        """Where to listen; may be given more than once. [default: :9000]"""
        self["listen"].append(text)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        super().parseOptions(plain_arguments(sys.argv[1:] if options is None else options))

    def postOptions(self) -> None:
        flags = {one.name: self[one.flag.removeprefix("--")] for one in SETTINGS}
        try:
            self.settings = read_settings(flags, os.environ)
        except BadSetting as bad:
            raise SystemExit(f"geckos3: {bad}") from None

    @property
    def in_background(self) -> bool:
        """Whether twistd leaves the terminal, so that nobody sees standard output and error."""
        return self.parent is not None and not self.parent.get("nodaemon")

    @property
    def observer(self) -> ILogObserver | None:
        """What receives messages, unless twistd was told where its log goes."""
        asked = self.parent is not None and any(self.parent.get(name) for name in ("logfile", "logger", "syslog"))
        return None if asked or self.in_background else observer(self.settings.log_level, self.settings.log_format)


@frozen(kw_only=True)
class Store:
    """The kernel over one open data directory."""

    buckets: Buckets
    objects: Objects
    uploads: Uploads
    upkeep: Upkeep


def store_in(data: DataDir, settings: Settings) -> Store:
    """The verbs of buckets, objects and uploads over an open data directory."""
    driver = data.driver
    objects = Objects(driver.catalog, driver.blobs, settings.metadata)
    uploads = Uploads(objects, settings.min_part_size)
    return Store(buckets=Buckets(driver.catalog), objects=objects, uploads=uploads, upkeep=Upkeep(uploads))


def families() -> Iterator[tuple[str, Iterable[Operation]]]:
    """All operations of this deployment with the names of their owners: ours, then those of dropins."""
    for family in FAMILIES:
        yield family.__name__, rows_of(family)
    for dropin in getPlugins(IOperationFamily, gecko_tw.plugins):
        yield dropin.name, dropin.load()


def operation_table() -> OperationTable:
    """The table of all operations of this deployment. Raises BadSetting when two owners claim the same request."""
    try:
        return OperationTable(families())
    except ValueError as twice:
        raise BadSetting(f"a dropin cannot be used: {twice}") from twice


def pools_for(reactor: Any, settings: Settings) -> tuple[Pool, Pool, Pool]:
    """The pools of a process: ``catalog`` for records, ``bytes`` for bodies, ``commits`` for small commits.

    Small commits wait for nothing but each other, so one thread does them best (docs/decisions/0006); with fsync they wait for the
    disk together, which takes many.
    """
    return (
        Pool(reactor, "catalog", max(2, settings.threads // 4)),
        Pool(reactor, "bytes", settings.threads),
        Pool(reactor, "commits", settings.threads if settings.fsync else 1),
    )


def site_for(reactor: Any, settings: Settings, store: Store, pools: tuple[Pool, Pool, Pool], write: Any = None) -> Site:
    """What answers requests.

    :param write: receives the lines of the request log; None for standard output.
    """
    identities = OnePair(settings.access_key, settings.secret_key)
    service = Service(
        buckets=store.buckets,
        objects=store.objects,
        uploads=store.uploads,
        table=operation_table(),
        authenticator=Authenticator(
            identities, reactor.seconds, settings.region or None, settings.auth, settings.signature_v2
        ),
        catalog_pool=pools[0],
        bytes_pool=pools[1],
        commit_pool=pools[2],
        clock=reactor,
        quick=store.objects.catalog.quick,
        region=settings.region or "us-east-1",
        domains=(settings.domain,) if settings.domain else (),
        cors=settings.cors,
        max_in_flight=settings.max_in_flight,
        access_log=RequestLog(settings.log_format, write) if settings.request_log else None,
    )
    return Site(ServiceResource(service), reactor, Limits())


def makeService(options: Options) -> MultiService:
    """The daemon that the options describe."""
    from twisted.internet import reactor

    bridge()
    settings, log = options.settings, Logger(namespace="gecko_tw.workers")
    # A daemon in the background has no standard output: requests and the messages of workers go to the log it has.
    told = (lambda line: log.info("{line}", line=line)) if options.in_background else None
    data, pools = DataDir(settings), pools_for(reactor, settings)
    listeners = listeners_of(settings)
    try:
        operation_table()
    except BadSetting as bad:
        raise SystemExit(f"geckos3: {bad}") from None

    def front(ports: list[Any]) -> Any:
        if settings.workers > 1:
            return workers_for(reactor, settings, ports, told)
        sockets = [socket.socket(fileno=os.dup(port.fileno())) for port in ports]
        site = site_for(reactor, settings, store_in(data, settings), pools, told)
        return Serving(reactor, site, listeners, sockets, settings.shutdown_timeout)

    def upkeep(scan: Any) -> MultiService:
        return jobs(reactor, pools[1], store_in(data, settings).upkeep, settings, scan)

    return Daemon(
        reactor,
        Plan(
            settings=settings,
            listeners=listeners,
            data=data,
            pools=pools,
            pool=pools[1],
            front=front,
            jobs=upkeep,
            observer=options.observer,
        ),
    )


def workers_for(reactor: Any, settings: Settings, ports: list[Any], told: Any) -> Workers:
    """The worker processes that serve on held ports."""
    recipe = Recipe(
        settings=json.dumps(texts_of(settings)),
        sockets=tuple(port.fileno() for port in ports),
        drain_limit=settings.shutdown_timeout,
        lines=None if told is None else lambda line: told(line.decode("utf-8", "replace")),
    )
    return Workers(reactor, settings.workers, recipe)


def serve(settings: Settings) -> int:
    """Runs the daemon in the foreground until a signal ends it; returns the exit code."""
    from twisted.internet import reactor

    options = Options()
    options.settings = settings
    globalLogBeginner.beginLoggingTo([observer(settings.log_level, settings.log_format)], redirectStandardIO=False)
    daemon = makeService(options)
    daemon.privilegedStartService()
    daemon.startService()
    reactor.addSystemEventTrigger("before", "shutdown", daemon.stopService)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    return int(daemon.failed)  # type: ignore[attr-defined]


def work() -> None:
    """The main program of a worker process: what to serve comes through a pipe from its parent."""
    from twisted.internet import reactor

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(reactor)
    # Whoever signals the whole group signals workers that their parent tells as well: to leave once is enough.
    reactor.callWhenRunning(  # type: ignore[attr-defined]
        signal.signal,
        signal.SIGTERM,
        lambda *_: reactor.callFromThread(worker.leave),  # type: ignore[attr-defined]
    )
    StandardIO(ParentProcess(worker.serve, worker.leave), READS, WRITES, reactor)
    reactor.addSystemEventTrigger("before", "shutdown", worker.stop)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    sys.exit(worker.failed)


class Worker:
    """One worker process: the parts of a daemon that answer requests."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._serving: Serving | None = None
        self._data: DataDir | None = None
        self._pools: tuple[Pool, ...] = ()
        self._leaving = self.failed = False

    def serve(self, number: int, settings: str) -> "Deferred[None]":
        return Deferred.fromCoroutine(self._serve(number, read_settings(json.loads(settings), {})))

    async def _serve(self, number: int, settings: Settings) -> None:
        bridge()
        globalLogBeginner.beginLoggingTo([observer(settings.log_level, settings.log_format)], redirectStandardIO=False)
        self._data, pools = DataDir(settings), pools_for(self._reactor, settings)
        self._pools = pools
        for pool in pools:
            pool.startService()
        try:
            await pools[1].run(self._data.open)
            site = site_for(self._reactor, settings, store_in(self._data, settings), pools)
            listeners = listeners_of(settings)
            sockets = [socket.socket(fileno=FIRST_SOCKET + index) for index in range(len(listeners))]
            self._serving = Serving(self._reactor, site, listeners, sockets, settings.shutdown_timeout)
            await self._serving.open()
        except (CannotOpen, BadSetting) as problem:
            raise CannotServe(str(problem)) from problem

    def leave(self) -> None:
        """The parent says so, or is gone."""
        if not self._leaving:
            self._leaving = True
            self._reactor.stop()

    def stop(self) -> "Deferred[None]":
        """Drains and closes."""
        self._leaving = True
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._serving is not None:
            await self._serving.stopService()
            self.failed = self._serving.cut
        if self._data is not None:
            self._data.close()
        for pool in self._pools:
            pool.stopService()
