"""Connections shared out among processes that accept from the same sockets.

The kernel wakes all of them for each connection. Whoever is awake already takes a whole burst before the others have a processor to
run on, and then works alone for as long as those connections last.
"""

import mmap
import os
from collections.abc import Callable

from gecko_tw.callers.budgets.tally import shared_file

LEAD = 2
"""So many connections more than the least loaded process has are too many to take the next one at once."""

_WORD = 8


class Balance:
    """How many connections each process has, in memory that all of them share.

    A number is as old as the last connection that woke its process, which is the one that is being shared out just now.

    :param fileno: of a file of :func:`balance_file`; it is not closed here.
    :param place: this process's, from 0; it has it alone.
    :param load: how many connections this process has.
    """

    def __init__(self, fileno: int, place: int, load: Callable[[], int]) -> None:
        self._loads = memoryview(mmap.mmap(fileno, os.fstat(fileno).st_size)).cast("Q")
        self._place = place
        self._load = load
        self._loads[place] = 0

    def ahead(self) -> bool:
        """Whether another process should rather take the next connection. Tells the others how many this one has, or is about to."""
        mine = self._loads[self._place] = self._load()
        if mine >= LEAD + min(self._loads.tolist()):
            return True
        self._loads[self._place] = mine + 1
        return False


def balance_file(places: int) -> int:
    """A file for as many processes; returns its descriptor."""
    return shared_file("geckos3-balance", _WORD * places)
