"""What this process counts and tells of itself, and the document that shows it together with all others."""

import os
import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gecko_tw import __version__
from gecko_tw.metrics.counters import RequestCounters
from gecko_tw.pools import Pool
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.answers.answer import STATUS
from gecko_tw.resources.dispatch.operations import ACTION, BUCKET, OBJECT, SERVICE, WEBSITE, OperationTable
from gecko_tw.resources.service import Service
from gecko_tw.wire.site import Site

TOLD = 1.0
"""Seconds after which a process tells its state anew."""

TEMPLATES = {SERVICE: "/", ACTION: "/", BUCKET: "/:bucket", OBJECT: "/:bucket/*objectKey", WEBSITE: "/*path"}
"""What requests address, as ByteBucket's label ``path`` names it: never a key."""

Sizes = Mapping[str, tuple[str, float]]
Ends = Sequence[tuple[str, str, float]]


class Metrics:
    """The metrics of one process.

    :ivar counters: those of all processes, as this one sees them.
    :param counted: the counters' file, and this process's place in it.
    """

    def __init__(self, counted: tuple[int, int], table: OperationTable) -> None:
        rows = [row for rows in table.rows.values() for row in rows]
        self._places = {row.name: (row.method, TEMPLATES[row.target]) for row in rows}
        self.counters = RequestCounters(*counted, self._places, STATUS)

    def count(self, entry: AccessEntry) -> None:
        """Counts an answered request."""
        code = entry.error.partition(":")[0]
        self.counters.count(
            entry.operation, entry.status, code, seconds=entry.seconds, received=entry.received, sent=entry.sent
        )

    def tell(self, service: Service, sites: Sequence[Site], pools: Sequence[Pool]) -> None:
        """Tells the state of this process.

        :param sites: whose connections are counted.
        :param pools: those for records and for bodies, and others.
        """
        used = resource.getrusage(resource.RUSAGE_SELF)
        catalog, bodies = pools[0].outstanding, pools[1].outstanding
        process = (used.ru_utime + used.ru_stime, _resident(), _descriptors())
        connections = sum(len(site.channels) for site in sites)
        self.counters.tell((connections, service.in_flight, service.flushing, catalog, bodies, *process))

    def gauges(self) -> dict[str, float]:
        """The state of all processes together."""
        return self.counters.gauges()

    def document(self, sizes: Callable[[], Sizes], ends: Callable[[], Ends] = tuple) -> bytes:
        """What a scrape is answered with. Blocks.

        :param sizes: asked for what is on the disk.
        :param ends: asked for certificates, as :class:`gecko_tw.metrics.exposition.Told` has them.
        """
        # The library takes a fifth of a second to load, which only those pay who scrape.
        from gecko_tw.metrics.exposition import Told, exposition

        return exposition(self.counters, Told(__version__, self._places, sizes(), ends()))


def _resident() -> int:
    """Bytes of memory that this process has; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
