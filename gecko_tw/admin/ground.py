"""What the verbs of the admin API work on: an open data directory, and of a running daemon what only that knows."""

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import frozen

from gecko_tw.admin.refusals import NotLive
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.jobs.ledger import Ledger
from gecko_tw.resources.access_logs.recent import Recent
from gecko_tw.settings import Settings
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.interfaces import IDocuments, INotices
from gecko_tw.store.encryption.keyring import Rings
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.objects import Objects
from gecko_tw.store.uploads import Uploads

Sizes = Mapping[str, tuple[str, float]]


class IsStore(Protocol):
    """The verbs of a store: gecko_tw.daemon.deployment.Store."""

    @property
    def buckets(self) -> Buckets: ...
    @property
    def objects(self) -> Objects: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def documents(self) -> IDocuments: ...
    @property
    def notices(self) -> INotices: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def quarantine(self) -> Quarantine: ...


@frozen(kw_only=True)
class Live:
    """What only a running daemon knows.

    :ivar started: seconds since 1970.
    :ivar jobs: what its jobs have done, and is told what to do now; ``requests`` the last ones.
    :ivar gauges: the state of all processes together.
    :ivar places: where it listens, as a person would type it, with whether that is for S3.
    :ivar delivers: whether events can go to a destination.
    """

    started: float
    jobs: Ledger
    requests: Recent
    gauges: Callable[[], Mapping[str, float]]
    places: tuple[Mapping[str, object], ...]
    delivers: Callable[[str], bool]


@frozen(kw_only=True)
class Ground:
    """What verbs work on.

    :ivar rings: the keys of server-side encryption.
    :ivar sizes: asked for what is on the disk; blocks.
    :ivar clock: seconds since 1970.
    :ivar daemon: None where no daemon runs, or none is asked.
    """

    settings: Settings
    store: IsStore
    identities: Directory
    rings: Rings
    sizes: Callable[[], Sizes]
    clock: Callable[[], float]
    daemon: Live | None = None

    @property
    def registry(self) -> Registry:
        """The identities."""
        return self.store.registry

    @property
    def live(self) -> Live:
        """What the daemon knows. Raises NotLive where none is asked."""
        if self.daemon is None:
            raise NotLive
        return self.daemon
