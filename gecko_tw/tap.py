"""The composition root: the only place where parts are put together, and the only one that imports the reactor."""

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.logger import ILogObserver, Logger, globalLogBeginner
from twisted.python.usage import Options as UsageOptions

from gecko_tw.callers.authenticate import Authenticator
from gecko_tw.callers.sessions import Sessions
from gecko_tw.callers.tally import Tally
from gecko_tw.configuration.applying import Bootstrap, Deployment
from gecko_tw.configuration.reading import configured
from gecko_tw.daemon import Daemon, Plan
from gecko_tw.data_dir import CannotOpen, DataDir
from gecko_tw.deployment import Store, identities_of, operation_table, sinks_for, store_in
from gecko_tw.jobs.access_log_delivery import AccessLogs
from gecko_tw.jobs.lifecycle import Lifecycle
from gecko_tw.jobs.notifications import Delivery
from gecko_tw.jobs.upkeep import jobs
from gecko_tw.listening import listeners_of
from gecko_tw.logs import RequestLog, bridge, observer
from gecko_tw.protection import front_of, limits_of
from gecko_tw.resources.log_objects import LogObjects
from gecko_tw.resources.logins import Logins
from gecko_tw.resources.service import Service
from gecko_tw.resources.tree import ServiceResource
from gecko_tw.seeding import seed
from gecko_tw.serving import Serving
from gecko_tw.settings import SETTINGS, BadSetting, Settings, plain_arguments, read_settings, texts_of
from gecko_tw.store.expiry import Expiry
from gecko_tw.threads import Pool, Prompt
from gecko_tw.wire.site import Limits, Site
from gecko_tw.worker_protocol import FIRST_SOCKET, READS, WRITES, CannotServe, ParentProcess
from gecko_tw.workers import Recipe, Workers

SEALING_KEY = "sealing-key"
"""Its name beside the settings that a worker is told."""


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
        self["listen"], self["host-alias"], self["webhook"] = [], [], []

    def opt_listen(self, text: str) -> None:
        """Where to listen; may be given more than once. [default: :9000]"""
        self["listen"].append(text)

    def opt_webhook(self, text: str) -> None:
        """Where events go, as NAME=URL; may be given more than once."""
        self["webhook"].append(text)

    def opt_host_alias(self, text: str) -> None:
        """A name under which clients reach this server; may be given more than once."""
        self["host-alias"].append(text)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        super().parseOptions(plain_arguments(sys.argv[1:] if options is None else options))

    def postOptions(self) -> None:
        flags = {one.name: self[one.flag.removeprefix("--")] for one in SETTINGS}
        try:
            self.settings = configured(flags, os.environ)
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


def site_for(
    reactor: Any, settings: Settings, store: Store, pools: tuple[Pool, Pool, Pool], tally: Tally, write: Any = None
) -> tuple[Site, AccessLogs]:
    """What answers requests, and what writes the access logs of buckets.

    :param tally: what is counted in all processes together.
    :param write: receives the lines of the request log; None for standard output.
    """
    sinks = sinks_for(reactor, settings)
    identities, front = identities_of(settings, store), front_of(settings)
    service = Service(
        buckets=store.buckets,
        objects=store.objects,
        uploads=store.uploads,
        table=operation_table(),
        authenticator=Authenticator(
            identities, reactor.seconds, settings.region or None, settings.auth, settings.signature_v2, front
        ),
        catalog_pool=pools[0],
        bytes_pool=pools[1],
        commit_pool=pools[2] if settings.fsync else Prompt(pools[2], store.objects.catalog.idle),
        clock=reactor,
        quick=store.objects.catalog.quick,
        region=settings.region or "us-east-1",
        domains=(settings.domain,) if settings.domain else (),
        website_domains=(settings.website_domain,) if settings.website_domain else (),
        cors=settings.cors,
        recreate_status=200 if settings.recreate == "accept" else 409,
        max_in_flight=settings.max_in_flight,
        identities=identities,
        sessions=Sessions(store.registry.sealer),
        acl=settings.acl,
        access_log=RequestLog(settings.log_format, write) if settings.request_log else None,
        front=front,
        limits=limits_of(settings, tally, reactor.seconds, store.documents),
        logins=Logins(tally, reactor),
        notices=store.notices,
        delivers=lambda target: any(sink.takes(target) for sink in sinks),
    )
    service.server_log = AccessLogs(reactor, pools[1], LogObjects(service).write, settings.access_log_interval)
    return Site(ServiceResource(service), reactor, Limits()), service.server_log


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
            return workers_for(reactor, settings, data, ports, told)
        sockets = [socket.socket(fileno=os.dup(port.fileno())) for port in ports]
        site, logs = site_for(reactor, settings, store_in(data, settings), pools, Tally(), told)
        return Serving(reactor, site, listeners, sockets, settings.shutdown_timeout, logs)

    def upkeep(scan: Any) -> MultiService:
        store = store_in(data, settings)
        services = jobs(reactor, pools[1], store.upkeep, settings, scan)
        expiry = Expiry(store.uploads, settings.lifecycle_day)
        Lifecycle(reactor, pools[1], expiry, settings).setServiceParent(services)
        Delivery(reactor, pools[1], store.notices, sinks_for(reactor, settings)).setServiceParent(services)
        return services

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
            bootstrap=bootstrap_for(settings, data),
        ),
    )


def bootstrap_for(settings: Settings, data: DataDir) -> Callable[[], object]:
    """What makes an open data directory have what the settings seed and the configuration file declares."""

    def deployment() -> Deployment:
        store = store_in(data, settings)
        return Deployment(buckets=store.buckets, registry=store.registry)

    declare = Bootstrap(settings.config, os.environ, deployment) if settings.config else lambda: None

    def both() -> None:
        seed(data.registry, settings)
        declare()

    return both


def workers_for(reactor: Any, settings: Settings, data: DataDir, ports: list[Any], told: Any) -> Workers:
    """The worker processes that serve on held ports. Behind the ports each gets the table of what is counted.

    :param data: open. Its sealing key goes to each with the settings, whose encryption key may have been changed meanwhile.
    """
    recipe = Recipe(
        settings=json.dumps({**texts_of(settings), SEALING_KEY: data.sealing_key.hex()}),
        sockets=(*(port.fileno() for port in ports), Tally().fileno),
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
    reactor.callWhenRunning(gc.freeze)  # type: ignore[attr-defined]  # as a worker does
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
        texts = json.loads(settings)
        sealing_key = bytes.fromhex(texts.pop(SEALING_KEY, ""))
        return Deferred.fromCoroutine(self._serve(read_settings(texts, {}), sealing_key))

    async def _serve(self, settings: Settings, sealing_key: bytes) -> None:
        bridge()
        globalLogBeginner.beginLoggingTo([observer(settings.log_level, settings.log_format)], redirectStandardIO=False)
        self._data, pools = DataDir(settings, sealing_key), pools_for(self._reactor, settings)
        self._pools = pools
        for pool in pools:
            pool.startService()
        try:
            await pools[1].run(self._data.open)
            listeners = listeners_of(settings)
            tally = Tally(FIRST_SOCKET + len(listeners))
            site, logs = site_for(self._reactor, settings, store_in(self._data, settings), pools, tally)
            sockets = [socket.socket(fileno=FIRST_SOCKET + index) for index in range(len(listeners))]
            self._serving = Serving(self._reactor, site, listeners, sockets, settings.shutdown_timeout, logs)
            await self._serving.open()
            gc.freeze()  # what was made by now stays: to look through it again takes 30 ms, and everybody waits
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
        # Somebody may have left before a thread was done: no connection to the catalog may be closed under its hands.
        for pool in self._pools:
            pool.stopService()
        if self._data is not None:
            self._data.close()
