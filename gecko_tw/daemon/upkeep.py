"""What runs by itself in the main process, put together."""

from collections.abc import Iterable
from typing import Any

from twisted.application.service import MultiService, Service

from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.daemon.deployment import sinks_for, store_in
from gecko_tw.jobs.lifecycle import Lifecycle
from gecko_tw.jobs.notifications import Delivery
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.jobs.upkeep import jobs
from gecko_tw.pools import Pool
from gecko_tw.settings import Settings
from gecko_tw.store.expiry import Expiry


def upkeep_for(
    reactor: Any, settings: Settings, data: DataDir, pool: Pool, scan: Any, beside: Iterable[Service]
) -> MultiService:
    """All of it over an open data directory.

    :param beside: further services.
    """
    store = store_in(data, settings)
    noticed = store.damage.noticed
    services = jobs(reactor, pool, store.upkeep, settings, scan, noticed)
    Repeating(reactor, pool, "flush", settings.flush_interval, data.flush).setServiceParent(services)
    expiry = Expiry(store.uploads, settings.lifecycle_day, settings.transition_minimum_size)
    Lifecycle(reactor, pool, expiry, settings).setServiceParent(services)
    Delivery(reactor, pool, store.notices, sinks_for(reactor, settings), noticed).setServiceParent(services)
    for service in beside:
        service.setServiceParent(services)
    return services
