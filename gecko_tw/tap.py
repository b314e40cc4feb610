"""The composition root, and the only place that imports the reactor.

What only some processes or deployments need is imported where it is put together: modules are most of a start (docs/decisions/0018).
"""

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.internet.threads import blockingCallFromThread
from twisted.logger import ILogObserver, Logger, globalLogBeginner
from twisted.python.modules import getModule
from twisted.python.usage import Options as UsageOptions

import gecko_tw.plugins
from gecko_tw.bootstrap.seeding import seed
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.daemon.balance import balance_file
from gecko_tw.daemon.certificates import certificates_file
from gecko_tw.daemon.data_dir import CannotOpen, DataDir
from gecko_tw.daemon.listening import listeners_of
from gecko_tw.daemon.logs import bridge, observer
from gecko_tw.daemon.main_process import Daemon, Plan
from gecko_tw.daemon.worker_protocol import FIRST_SOCKET, READS, WRITES, CannotServe, ParentProcess
from gecko_tw.daemon.workers import Recipe, Workers
from gecko_tw.jobs.ledger import Ledger
from gecko_tw.metrics.counters import counters_file
from gecko_tw.pools import Pool
from gecko_tw.resources.access_logs.recent import recent_file
from gecko_tw.settings import SETTINGS, BadSetting, Setting, Settings
from gecko_tw.settings.sources import plain_arguments, read_settings, texts_of

SEALING_KEY = "sealing-key"
"""Its name beside the settings that a worker is told."""


SHARED_FILES = 6
"""What a worker is given behind its sockets: the table of limits, the balance, counters, jobs, the last requests, certificates."""

STARTED = "started"
"""When the deployment was, beside the settings that a worker is told."""


class Options(UsageOptions):
    """The flags of ``twistd geckos3``, made from the settings.

    :param environment: variables that may name settings.

    :ivar settings: the settings in force, once the command line has been parsed.
    """

    synopsis = "[options]"
    optParameters = [
        [one.flag.removeprefix("--"), None, None, f"{one.help} [default: {one.default}]"]
        for one in SETTINGS
        if not one.several
    ]

    settings: Settings

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._environment = environment
        for one in SETTINGS:
            if one.several:
                self[one.key] = []

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        super().parseOptions(plain_arguments(sys.argv[1:] if options is None else options))

    def postOptions(self) -> None:
        # What reads YAML is not for `geckos3 serve` to load, which comes with its settings.
        from gecko_tw.settings.reading import configured

        flags = {one.name: self[one.flag.removeprefix("--")] for one in SETTINGS}
        try:
            self.settings = configured(flags, self._environment)
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


def _several(one: Setting) -> Callable[[Options, str], None]:
    """What twistd's parser calls with each of the texts of a setting that may be given more than once."""

    def given(self: Options, text: str) -> None:
        self[one.key].append(text)

    given.__doc__ = f"{one.help} [default: {one.default}]"
    return given


for _setting in SETTINGS:
    if _setting.several:
        setattr(Options, f"opt_{_setting.name}", _several(_setting))

LISTING_WAIT = 0.1
"""Seconds that a listing waits for another one of its process: thirty usual ones fit in."""


def pools_for(reactor: Any, settings: Settings) -> tuple[Pool, Pool, Pool]:
    """The pools of a process: ``catalog`` for records, ``bytes`` for bodies, ``commits`` for small commits.

    Small commits wait for nothing but each other, and for the disk together: one thread does them best (docs/decisions/0006).
    """
    return (
        Pool(reactor, "catalog", max(2, settings.threads // 4), LISTING_WAIT),
        Pool(reactor, "bytes", settings.threads),
        Pool(reactor, "commits", 1),
    )


def makeService(options: Options) -> MultiService:
    """The daemon that the options describe."""
    log = Logger(namespace="gecko_tw.daemon.workers")
    # A daemon in the background has no standard output: requests and the messages of workers go to the log it has.
    told = (lambda line: log.info("{line}", line=line)) if options.in_background else None
    return daemon_for(options.settings, told=told, observer=options.observer)


def daemon_for(
    settings: Settings,
    *,
    told: Callable[[str], object] | None = None,
    observer: ILogObserver | None = None,
    ended: Callable[[str], object] | None = None,
) -> Daemon:
    """The daemon that the settings describe.

    :param told: called with each line that would go to standard output.
    :param observer: as of a Plan, and ``ended``, too.
    """
    from twisted.internet import reactor

    bridge()
    listeners, shared, https = listeners_of(settings), certificates_file(), None
    try:
        data, pools = DataDir(settings), pools_for(reactor, settings)
        if any(one.tls for one in listeners):
            from gecko_tw.daemon.https import https_for

            https = https_for(settings, shared)
    except BadSetting as bad:
        raise SystemExit(f"geckos3: {bad}") from None
    _check_dropins()
    ledger, started = Ledger(), reactor.seconds()  # type: ignore[attr-defined]

    def front(ports: list[Any]) -> Any:
        if settings.workers > 1:
            return workers_for(reactor, settings, data, ports, told, (ledger.fileno, shared))
        # Half of all modules, which a parent of workers never needs.
        from gecko_tw.daemon.answering import Shared, serving_for

        sockets = [socket.socket(fileno=os.dup(port.fileno())) for port in ports]
        ours = Shared(
            tally=Tally(),
            counters=counters_file(1),
            jobs=ledger.fileno,
            recent=recent_file(1),
            certificates=shared,
            started=started,
        )
        return serving_for(reactor, settings, data, pools, sockets, shared=ours, write=told)

    def renewed() -> None:
        blockingCallFromThread(reactor, daemon.renew)

    def upkeep(scan: Any) -> MultiService:
        # By now requests are answered: nobody waits for these.
        from gecko_tw.daemon.upkeep import upkeep_for

        beside = [] if https is None else https.services(reactor, pools[1], settings, renewed)
        if ended is None:  # what is there is ours
            gc.freeze()  # as a worker does
        return upkeep_for(reactor, settings, data, pools, scan, ledger=ledger, give_up=daemon.give_up, beside=beside)

    daemon = Daemon(
        reactor,
        Plan(
            settings=settings,
            listeners=listeners,
            data=data,
            pools=pools,
            pool=pools[1],
            front=front,
            jobs=upkeep,
            certificates=None if https is None else https.files,
            observer=observer,
            bootstrap=bootstrap_for(settings, data),
            ended=ended,
        ),
    )
    return daemon


def _check_dropins() -> None:
    """Ends the program with one line, before anything is opened, when one has a mistake or two claim the same request."""
    if not any(getModule(gecko_tw.plugins.__name__).iterModules()):
        return
    # All operations, which are read here for dropins alone.
    from gecko_tw.daemon.deployment import check_dropins

    try:
        check_dropins()
    except BadSetting as bad:
        raise SystemExit(f"geckos3: {bad}") from None


def bootstrap_for(settings: Settings, data: DataDir) -> Callable[[], object]:
    """What makes an open data directory have what the settings seed and the configuration file declares."""

    declare = declared_by(settings.config, settings, data) if settings.config else lambda: None

    def both() -> None:
        seed(data.registry, settings)
        declare()

    return both


def declared_by(path: Path, settings: Settings, data: DataDir) -> Callable[[], object]:
    """What makes an open data directory have what a configuration file declares."""
    # YAML and all shapes of declarations: most deployments have no such file.
    from gecko_tw.bootstrap.applying import Bootstrap, Deployment
    from gecko_tw.daemon.deployment import store_in

    def deployment() -> Deployment:
        store = store_in(data, settings)
        return Deployment(buckets=store.buckets, registry=store.registry)

    return Bootstrap(path, os.environ, deployment)


def workers_for(
    reactor: Any, settings: Settings, data: DataDir, ports: list[Any], told: Any, shared: tuple[int, int]
) -> Workers:
    """The worker processes that serve on held ports. Behind the ports each gets what processes share, in the order of SHARED_FILES.

    :param shared: the files of what jobs did, and of certificates.
    :param data: open. Its sealing key goes to each with the settings, whose encryption key may have been changed meanwhile.
    """
    recipe = Recipe(
        settings=json.dumps({**texts_of(settings), SEALING_KEY: data.sealing_key.hex(), STARTED: reactor.seconds()}),
        sockets=(
            *(port.fileno() for port in ports),
            Tally().fileno,
            balance_file(settings.workers),
            counters_file(settings.workers),
            shared[0],
            recent_file(settings.workers),
            shared[1],
        ),
        drain_limit=settings.shutdown_timeout,
        lines=None if told is None else lambda line: told(line.decode("utf-8", "replace")),
    )
    return Workers(reactor, settings.workers, recipe)


def serve(settings: Settings) -> int:
    """Runs the daemon in the foreground until a signal ends it; returns the exit code. Switches the garbage collector on."""
    from twisted.internet import reactor

    gc.enable()
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
    """The main program of a worker process: what to serve comes through a pipe from its parent.

    Switches the garbage collector on.
    """
    from twisted.internet import reactor

    import gecko_tw.daemon.answering  # noqa: F401 - while the parent goes on

    gc.enable()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(reactor)
    # Whoever signals the whole group signals workers that their parent tells as well: to leave once is enough.
    reactor.callWhenRunning(  # type: ignore[attr-defined]
        signal.signal,
        signal.SIGTERM,
        lambda *_: reactor.callFromThread(worker.leave),  # type: ignore[attr-defined]
    )
    StandardIO(ParentProcess(worker.serve, worker.leave, worker.renew), READS, WRITES, reactor)
    reactor.addSystemEventTrigger("before", "shutdown", worker.stop)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    sys.exit(worker.failed)


class Worker:
    """One worker process: the parts of a daemon that answer requests."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._serving: Any = None
        self._data: DataDir | None = None
        self._pools: tuple[Pool, ...] = ()
        self._leaving = self.failed = False

    def serve(self, number: int, settings: str) -> "Deferred[None]":
        texts = json.loads(settings)
        sealing_key = bytes.fromhex(texts.pop(SEALING_KEY, ""))
        started = float(texts.pop(STARTED))
        return Deferred.fromCoroutine(self._serve(number, read_settings(texts, {}), sealing_key, started))

    async def _serve(self, number: int, settings: Settings, sealing_key: bytes, started: float) -> None:
        bridge()
        globalLogBeginner.beginLoggingTo([observer(settings.log_level, settings.log_format)], redirectStandardIO=False)
        self._data, pools = DataDir(settings, sealing_key), pools_for(self._reactor, settings)
        self._pools = pools
        for pool in pools:
            pool.startService()
        # As in the parent, where this is imported only when it is the one who answers.
        from gecko_tw.daemon.answering import Shared, serving_for

        try:
            await pools[1].run(self._data.open)
            *places, limits, balance, counters, jobs, recent, certificates = range(
                FIRST_SOCKET, FIRST_SOCKET + len(listeners_of(settings)) + SHARED_FILES
            )
            sockets = [socket.socket(fileno=place) for place in places]
            self._serving = serving_for(
                self._reactor,
                settings,
                self._data,
                pools,
                sockets,
                shared=Shared(
                    tally=Tally(limits),
                    counters=counters,
                    jobs=jobs,
                    recent=recent,
                    certificates=certificates,
                    started=started,
                    place=number - 1,
                    balance=balance,
                ),
            )
            await self._serving.open()
            gc.freeze()  # what was made by now stays: to look through it again takes 30 ms, and everybody waits
        except (CannotOpen, BadSetting) as problem:
            raise CannotServe(str(problem)) from problem

    def renew(self) -> None:
        """Serves the certificates that are shared now. Raises CannotServe, and goes on with those that it has."""
        try:
            if self._serving is not None:
                self._serving.renew()
        except BadSetting as problem:
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
