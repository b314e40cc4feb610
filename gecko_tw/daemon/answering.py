"""What answers requests, put together: the part of a deployment that the parent of several workers never needs."""

import errno
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService

import gecko_tw.resources.dispatch.families  # noqa: F401 - what operation_table looks for: here, while nobody waits yet
from gecko_tw.admin.metering import TOLD, Metrics
from gecko_tw.callers.accounts.last_use import EVERY, Uses
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.proxies import neighbourhood
from gecko_tw.daemon.admin_factory import AdminFactory, LazyEndpoint, Observers, Shared
from gecko_tw.daemon.balance import Balance
from gecko_tw.daemon.certificates import Certificates
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.daemon.deployment import Store, identities_of, operation_table, sinks_for, store_in
from gecko_tw.daemon.issuers import Issuers
from gecko_tw.daemon.listening import ADMIN, NATIVE, REDIRECT, S3, Listener, alone, listeners_of
from gecko_tw.daemon.logs import RequestLog
from gecko_tw.daemon.protection import front_of, jay_secret_of, limits_of
from gecko_tw.daemon.serving import Serving
from gecko_tw.jobs.access_log_delivery import AccessLogs
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.pools import InlineFirstPool, IPool, Pool
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.access_logs.objects import LogObjects
from gecko_tw.resources.access_logs.recent import Recent
from gecko_tw.resources.dispatch.readiness import Readiness
from gecko_tw.resources.dispatch.tree import ServiceResource
from gecko_tw.resources.gates.logins import Logins
from gecko_tw.resources.service import Service
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.store.disk_check import check_disk
from gecko_tw.wire.limits import Limits
from gecko_tw.wire.redirection import Redirection
from gecko_tw.wire.site import Site


def service_for(
    reactor: Any,
    settings: Settings,
    store: Store,
    pools: tuple[Pool, Pool, Pool],
    tally: Tally,
    observers: tuple[Callable[[AccessEntry], object], ...] = (),
) -> Service:
    """What answers requests for objects.

    :param tally: what is limited in all processes together.
    :param observers: told of each answered request.
    """
    sinks = sinks_for(reactor, settings)
    identities, front = identities_of(settings, store), front_of(settings)
    catalog = store.objects.catalog
    pools[2].together = catalog.together
    service = Service(
        buckets=store.buckets,
        objects=store.objects,
        uploads=store.uploads,
        table=operation_table(),
        authenticator=Authenticator(
            identities,
            reactor.seconds,
            settings.region or None,
            settings.auth,
            settings.signature_v2,
            front,
            jay_secret=jay_secret_of(settings, store.registry.sealer),
        ),
        catalog_pool=pools[0],
        bytes_pool=pools[1],
        commit_pool=_pool_of_commits(reactor, settings, catalog, pools),
        clock=reactor,
        quick=catalog.quick,
        region=settings.region or "us-east-1",
        domains=(settings.domain,) if settings.domain else (),
        website_domains=(settings.website_domain,) if settings.website_domain else (),
        cors=settings.cors,
        recreate_status=200 if settings.recreate == "accept" else 409,
        max_in_flight=settings.max_in_flight,
        identities=identities,
        sessions=Sessions(store.registry.sealer),
        registry=store.registry,
        issuers=Issuers(reactor),
        acl=settings.acl,
        observers=observers,
        front=front,
        limits=limits_of(settings, tally, reactor.seconds, store.documents),
        logins=Logins(tally, reactor),
        notices=store.notices,
        delivers=lambda target: any(sink.takes(target) for sink in sinks),
    )
    service.readiness = Readiness(partial(_look, Path(settings.data_dir, ".geckos3"), store.damage), pools[0], reactor)
    service.quarantine, service.verify_reads = store.quarantine, settings.verify_reads
    service.notices_damage = store.damage.noticed
    service.uses = Uses()
    service.server_log = AccessLogs(reactor, pools[1], LogObjects(service).write, settings.access_log_interval)
    return service


def _pool_of_commits(reactor: Any, settings: Settings, catalog: Any, pools: tuple[Pool, Pool, Pool]) -> IPool:
    """Where small commits are made: side by side where each waits for a database."""
    if not catalog.quick:
        return pools[1]
    return pools[2] if settings.fsync else InlineFirstPool(reactor, pools[2], catalog.together, catalog.idle)


def _look(inner: Path, damage: Any) -> None:
    """Raises OSError when the disk, or the catalog, cannot be used."""
    check_disk(inner)
    why = damage.text
    if why is not None:
        raise OSError(errno.EIO, f"the catalog cannot be used: {why}")


def _keep_uses(uses: Uses, store: Store, seconds: Callable[[], float]) -> None:
    """Keeps which access keys were used lately. Blocks."""
    uses.keep(store.documents, seconds())


def serving_for(
    reactor: Any,
    settings: Settings,
    data: DataDir,
    pools: tuple[Pool, Pool, Pool],
    sockets: list[socket.socket],
    *,
    shared: Shared,
    write: Any = None,
) -> Serving:
    """The process, or the part of one, that answers requests for an open data directory.

    :param sockets: listening, one for each of the settings' listeners.
    :param write: receives the lines of the request log; None for standard output.
    """
    listeners, store = listeners_of(settings), store_in(data, settings)
    has_operator = any(listener.site == ADMIN for listener in listeners)
    observing = _observers(settings, shared, has_operator)
    log = (RequestLog(settings.log_format, write),) if settings.request_log else ()
    service = service_for(reactor, settings, store, pools, shared.tally, (*log, *observing.observers))
    limits = Limits(connections_per_address=settings.max_connections_per_address)
    certificates = Certificates(shared.certificates) if any(listener.tls for listener in listeners) else None
    factory = AdminFactory(
        service=service,
        settings=settings,
        data=data,
        store=store,
        shared=shared,
        observing=observing,
        listeners=listeners,
        ends=certificates.ends if certificates else tuple,
        write=write,
    )
    minio = LazyEndpoint(factory.minio) if settings.minio_admin or settings.minio_metrics != "off" else None
    sites = {S3: Site(ServiceResource(service, minio), reactor, limits, neighbourhood, hsts=settings.hsts)}
    if any(listener.site == NATIVE for listener in listeners):
        # Most deployments have no such listener, and need none of it.
        from gecko_tw.native.server.site import NativeSite

        sites[NATIVE] = NativeSite(service, reactor, limits, neighbourhood)
    of_clients = [site for name, site in sites.items() if name != ADMIN]
    if settings.redirect_listen != "off":
        way = Redirection(_https_port(settings, listeners, sockets), certificates.answer if certificates else _nothing)
        sites[REDIRECT] = Site(way, reactor, limits, neighbourhood)
    beside = MultiService()
    if service.server_log is not None:
        service.server_log.setServiceParent(beside)
    if service.uses is not None:
        keep = partial(_keep_uses, service.uses, store, reactor.seconds)
        Repeating(reactor, pools[0], "key-uses", EVERY, keep).setServiceParent(beside)
    if observing.metrics is not None:
        sites[ADMIN] = Site(factory.root(), reactor, limits, neighbourhood)
        telling = TimerService(TOLD, observing.metrics.tell, service, of_clients, pools)
        telling.clock = reactor
        telling.setServiceParent(beside)
    ahead = alone
    if shared.balance is not None:
        ahead = Balance(shared.balance, shared.place, lambda: sum(len(site.channels) for site in of_clients)).ahead
    drain = settings.shutdown_timeout
    return Serving(reactor, sites, listeners, sockets, drain, beside, ahead=ahead, certificates=certificates)


def _observers(settings: Settings, shared: Shared, has_operator: bool) -> Observers:
    """What looks at requests: where nobody operates this by a listener, only as long as somebody looks."""
    metrics = Metrics((shared.counters, shared.place), operation_table()) if has_operator else None
    return Observers(metrics, Recent(shared.recent, settings.workers, shared.place, always=has_operator))


def _nothing(token: bytes) -> None:
    """No certificate authority looks for anything."""


def _https_port(settings: Settings, listeners: tuple[Listener, ...], sockets: list[socket.socket]) -> int:
    """The port that redirects name. Raises BadSetting when nothing is served by https at any."""
    if settings.redirect_port:
        return settings.redirect_port
    for listener, place in zip(listeners, sockets, strict=True):
        if listener.site == S3 and listener.secure and place.family != socket.AF_UNIX:
            port: int = place.getsockname()[1]
            return port
    raise BadSetting(
        "--redirect-listen: is not allowed; allowed is a host and port served by https in --listen with it"
    )


__all__ = ["Shared", "service_for", "serving_for"]
