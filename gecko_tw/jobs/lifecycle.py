"""The job that applies lifecycle rules."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from gecko_tw.jobs.ledger import Ledger
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.pools import IPool
from gecko_tw.settings import Settings
from gecko_tw.store.expiry import Expiry
from gecko_tw.store.records import now_of


class Lifecycle(Repeating):
    """Expires objects at the interval that the settings ask for, and four times a day when days are short."""

    def __init__(
        self, clock: IReactorTime, pool: IPool, expiry: Expiry, settings: Settings, ledger: Ledger | None = None
    ) -> None:
        interval = min(settings.lifecycle_interval, settings.lifecycle_day / 4)
        self._expiry = expiry

        def run() -> object:
            return expiry.run(now_of(clock.seconds()))

        super().__init__(clock, pool, "lifecycle", interval, run, "lifecycle: {count}", ledger=ledger)

    def startService(self) -> None:
        self._expiry.stopping = False
        super().startService()

    def stopService(self) -> "Deferred[None]":
        """Fires when a run under way has ended, which is soon."""
        self._expiry.stopping = True
        return super().stopService()
