"""Removing what is worthless while nobody waits: letting go of a file's blocks can wait for the file system's journal."""

from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread

PAUSE = 0.05
"""Seconds between two rounds: to wake a thread for each file costs more than to remove it."""


class Trash:
    """Removes files in a thread of its own; what a crash leaves of them is an orphan, which the sweeper finds.

    :param remove: removes the file of a name.
    """

    def __init__(self, remove: Callable[[str], object]) -> None:
        self._remove = remove
        self._names: deque[str] = deque()
        self._more, self._end = Event(), Event()
        self._thread: Thread | None = None
        self._lock = Lock()

    def drop(self, names: set[str]) -> None:
        """Removes these, soon."""
        self._names.extend(names)
        if self._thread is None:
            self._start()
        if not self._more.is_set():
            self._more.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._end.clear()
                self._thread = Thread(target=self._work, name="trash", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._end.wait(PAUSE):
            if not self._names:
                self._more.clear()
                if not self._names:  # nor came any between the two
                    self._more.wait()
            self.empty()
        self.empty()

    def empty(self) -> None:
        """Removes what waits, now."""
        while self._names:
            try:
                name = self._names.popleft()
            except IndexError:  # two are at it, and the other one was quicker
                return
            self._remove(name)

    def close(self) -> None:
        """Waits until everything is removed. Harmless when repeated."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._end.set()
            self._more.set()
            thread.join()
