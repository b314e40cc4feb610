"""What operators ask, put together: the admin API and what it works on, and MinIO's face of it, made when somebody asks first."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from gecko_tw.admin.metering import Metrics
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.daemon.deployment import Store
from gecko_tw.daemon.listening import Listener
from gecko_tw.resources.access_logs.entries import AccessEntry
from gecko_tw.resources.access_logs.recent import Recent
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.dispatch.tree import Endpoint
from gecko_tw.resources.service import Service
from gecko_tw.settings import Settings
from gecko_tw.store.integrity.figures import figures

if TYPE_CHECKING:
    from gecko_tw.admin.ground import Ground
    from gecko_tw.admin.tree import AdminResource


@frozen(kw_only=True)
class Shared:
    """What the processes of a deployment share.

    :ivar tally: what is limited in all of them together.
    :ivar counters: the file of the counters of requests, ``jobs`` that of what jobs did, ``recent`` that of the last requests.
    :ivar started: when the deployment was, in seconds since 1970.
    :ivar place: this process's, from 0.
    :ivar balance: the balance file, when others accept from the same sockets.
    :ivar certificates: the file of the certificates that https is served with.
    """

    tally: Tally
    counters: int
    certificates: int
    jobs: int
    recent: int
    started: float
    place: int = 0
    balance: int | None = None


@frozen
class Observers:
    """What looks at requests.

    :ivar metrics: None where nobody counts them.
    """

    metrics: Metrics | None
    recent: Recent

    @property
    def observers(self) -> tuple[Callable[[AccessEntry], object], ...]:
        """What is told of each answered request."""
        return (self.recent.add,) if self.metrics is None else (self.metrics.count, self.recent.add)


class LazyEndpoint:
    """An endpoint that is made when it is asked first: its modules need not be loaded where nobody asks.

    :param make: makes it.
    """

    def __init__(self, make: Callable[[], Endpoint]) -> None:
        self._make, self._made = make, None

    def serve(self, request: Any) -> None:  # Any: as to all resources
        """As that of an Endpoint."""
        if self._made is None:
            self._made = self._make()
        self._made.serve(request)


@frozen(kw_only=True)
class AdminFactory:
    """What is needed to make them.

    :ivar ends: of the certificates that https is served with, as :class:`gecko_tw.metrics.exposition.Told` has them.
    :ivar write: receives lines for standard output; None for that itself.
    """

    service: Service
    settings: Settings
    data: DataDir
    store: Store
    shared: Shared
    observing: Observers
    listeners: tuple[Listener, ...]
    ends: Callable[[], Sequence[tuple[str, str, float]]]
    write: Any

    def root(self) -> "AdminResource":
        """That of the operators' listener."""
        # All verbs, which no other deployment needs.
        from gecko_tw.admin.storefront import Storefront
        from gecko_tw.admin.tree import AdminResource
        from gecko_tw.daemon.administering import console_for, faces_for

        faces = (*faces_for(self.service, self._ground(), self.shared.tally, self.write), Storefront(self.service))
        console = console_for(self.service, self.settings, self.listeners)
        return AdminResource(self.service, self._document, faces, console)

    def minio(self) -> Endpoint:
        """What answers below ``/minio/``."""
        from gecko_tw.daemon.administering import minio_for

        return minio_for(self.service, self._ground(), self._document, self.write)

    def _ground(self) -> "Ground":
        from gecko_tw.admin.ground import Live
        from gecko_tw.daemon.administering import ground_of, places_of
        from gecko_tw.jobs.ledger import Ledger

        metrics = self.observing.metrics
        live = Live(
            started=self.shared.started,
            jobs=Ledger(self.shared.jobs),
            requests=self.observing.recent,
            gauges=dict if metrics is None else metrics.gauges,
            counters=None if metrics is None else metrics.counters,
            places=places_of(self.listeners),
            delivers=self.service.delivers,
        )
        return ground_of(self.data, self.settings, self.store, live)

    def _document(self) -> bytes:
        """The metrics. Blocks. Raises NotImplemented_ where none are kept."""
        if self.observing.metrics is None:
            raise NotImplemented_("Requests are counted where --admin-listen is set.")
        return self.observing.metrics.document(self._sizes, self.ends)

    def _sizes(self) -> dict[str, tuple[str, float]]:
        """What is told of what is on the disk. Blocks."""
        return {**self.data.sizes(), **figures(self.store.quarantine)}
