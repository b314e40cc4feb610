"""What many requests read and few change, remembered while it is true: buckets, the documents' revision, the keys asked for last."""

from typing import Any

from gecko_tw.store.drivers.sqlite.counters import COMMON, Counters


class StampedCache:
    """Values that were read from the catalog, each with the stamp that its slot had then.

    The counters are asked every time, which is a look into memory that all processes share: what is found here is what the catalog says.

    :param most: how many values are kept; with one more all are forgotten.
    """

    def __init__(self, counters: Counters, most: int) -> None:
        self.stamp, self.stamp_to_come = counters.stamp, counters.stamp_to_come
        self._most = most
        self._known: dict[Any, tuple[int, Any]] = {}

    # Any: several kinds of values stand beside each other; who keeps one under a name knows of which type it is.
    def get(self, name: Any, slot: int = COMMON) -> Any:
        """What was kept under a name, if it still holds, else None."""
        found = self._known.get(name)
        return found[1] if found is not None and found[0] == self.stamp(slot) else None

    # Any: as above.
    def keep(self, stamp: int, name: Any, value: Any, slot: int = COMMON) -> None:
        """Keeps a value.

        :param stamp: asked before it was read; a change that was made or begun since then would make it old.
        """
        if stamp >= 0 and stamp == self.stamp(slot):
            if len(self._known) >= self._most:
                self._known = {}
            self._known[name] = (stamp, value)
