"""The lock that hands the turn to write from process to process, where nothing can be cut short but a transaction."""

from collections.abc import Callable

from gecko_tw.store.drivers.sqlite.journal import Journal


class Turns(Journal):
    """A journal in which nothing is noted: no file changes before the rows do, and SQLite itself undoes half a step.

    :ivar ended: called after each turn.
    """

    ended: Callable[[], None] | None = None

    def note(self, bucket: str, key: bytes, text: bytes = b"") -> None:
        """Nothing to note."""

    def release(self) -> None:
        super().release()
        if self.ended is not None:
            self.ended()
