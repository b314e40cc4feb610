"""The jobs of a deployment put together: what its main process does by itself."""

from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import MultiService, Service

from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.daemon.deployment import sinks_for, store_in
from gecko_tw.jobs.leading import LeaderNotices, LeaderPool
from gecko_tw.jobs.ledger import Ledger
from gecko_tw.jobs.lifecycle import Lifecycle
from gecko_tw.jobs.notifications import Delivery
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.jobs.scrubbing import Scrubbing
from gecko_tw.jobs.snapshots import Snapshots
from gecko_tw.jobs.upkeep import jobs
from gecko_tw.jobs.wanted import Wanted
from gecko_tw.pools import Lane, Pool
from gecko_tw.settings import Settings
from gecko_tw.store.drivers.interfaces import ISnapshots
from gecko_tw.store.expiry import Expiry
from gecko_tw.store.integrity.scrub import Scrub
from gecko_tw.store.records import now_of

CHECKED = 1.0
"""Seconds between two looks whether anybody has found the catalog damaged."""


def upkeep_for(
    reactor: Any,
    settings: Settings,
    data: DataDir,
    pools: tuple[Pool, ...],
    scan: Callable[[], object],
    *,
    ledger: Ledger,
    give_up: Callable[[str], object],
    beside: Iterable[Service] = (),
) -> MultiService:
    """All jobs over an open data directory.

    :param pools: of this process: jobs run in the second, and the work of all of them goes before scrubs.
    :param scan: as of gecko_tw.jobs.upkeep.jobs.
    :param ledger: told what is done.
    :param beside: further services.
    :param give_up: called, with the reason, when the next start can mend what this process cannot.
    """
    store, pool = store_in(data, settings), pools[1]
    noticed = store.damage.noticed

    def check() -> None:
        why = data.lost()
        if why is not None:
            reactor.callFromThread(give_up, why)

    leading = LeaderPool(pool, data.leads)
    services = jobs(reactor, leading, store.upkeep, settings, scan, noticed, ledger=ledger)
    flush = Repeating(reactor, pool, "flush", settings.flush_interval, data.flush, ledger=ledger)
    flush.setServiceParent(services)
    Repeating(reactor, pool, "catalog", CHECKED, check).setServiceParent(services)
    expiry = Expiry(store.uploads, settings.lifecycle_day, settings.transition_minimum_size)
    Lifecycle(reactor, leading, expiry, settings, ledger).setServiceParent(services)
    sinks = sinks_for(reactor, settings)
    Delivery(reactor, pool, LeaderNotices(store.notices, data.leads), sinks, noticed, store.documents).setServiceParent(
        services
    )
    if settings.scrub_interval:
        lane = Lane(reactor, "scrubbing", pools)
        lane.setServiceParent(services)  # before what runs there: so it is stopped after that was told to stop
        scrub = Scrub(store.quarantine, store.uploads, lambda: now_of(reactor.seconds()), lane.rest)
        Scrubbing(reactor, lane, scrub, settings, noticed).setServiceParent(services)
    keeps = ISnapshots(data.driver, None)
    if settings.snapshot_interval and keeps is not None:
        aside = Lane(reactor, "taking snapshots", pools)
        aside.setServiceParent(services)
        Snapshots(reactor, aside, keeps, settings.snapshot_interval, noticed).setServiceParent(services)
    for service in beside:
        service.setServiceParent(services)
    Wanted(reactor, ledger, services).setServiceParent(services)
    return services
