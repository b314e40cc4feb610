"""The jobs of a deployment: one process does them for all."""

from collections.abc import Callable

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime

from gecko_tw.jobs.ledger import Ledger
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.pools import IPool
from gecko_tw.settings import Settings
from gecko_tw.store.records import now_of
from gecko_tw.store.upkeep import Upkeep

JOINING = 2.0
"""Seconds between looks for completed uploads whose bytes are not yet one file."""
SWEEPING = 3600.0
ORPHANED = 24 * 3600.0
"""Seconds after which bytes that nothing refers to are dropped; a slow upload of them may take that long."""


def jobs(
    clock: IReactorTime,
    pool: IPool,
    upkeep: Upkeep,
    settings: Settings,
    scan: Callable[[], object],
    noticed: Callable[[BaseException], bool] = lambda problem: False,
    *,
    ledger: Ledger | None = None,
) -> MultiService:
    """All jobs that the settings ask for.

    :param scan: called to adopt files that others put into the data directory; returns how many.
    :param noticed: as of Repeating, and ``ledger``.
    """
    services = MultiService()
    services.setName("jobs")

    def abandoned() -> object:
        return upkeep.abort_older_than(now_of(clock.seconds() - settings.multipart_max_age))

    def orphans() -> object:
        return upkeep.sweep(ORPHANED)

    chores = [
        ("join", JOINING, upkeep.join, ""),
        ("sweep", SWEEPING, orphans, "{count} orphaned blobs are dropped"),
    ]
    if settings.multipart_max_age:
        interval = settings.multipart_sweep_interval
        chores.append(("abandoned uploads", interval, abandoned, "{count} abandoned multipart uploads are aborted"))
    if settings.scan_interval:
        chores.append(("scan", settings.scan_interval, scan, "{count} files put there by others are adopted"))
    for name, interval, chore, told in chores:
        Repeating(clock, pool, name, interval, chore, told, noticed=noticed, ledger=ledger).setServiceParent(services)
    return services
