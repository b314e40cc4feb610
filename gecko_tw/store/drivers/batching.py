"""Verbs that run together in one thread: where each would wait by itself, they wait once for all of them.

A verb is a member of a batch while it runs as a greenlet of theirs (:func:`gather`); it need not know. What is better done for several
at once asks whether it is in one (:func:`share`), and then pauses with what it wants done.
Verbs return, and want done, what they like: Any.
"""

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from greenlet import getcurrent, greenlet


class BatchMember(greenlet):
    """Runs one verb after the other; pauses with something to be done, which it hands to its parent, or with None at the end of a verb.

    :ivar result: of the last verb.
    """

    result: Any = None

    def run(self) -> None:
        """Runs verbs as long as there are any."""
        while True:
            parent = self.parent
            assert parent is not None, "only a thread's first greenlet has none"
            verb = parent.switch(None)  # not an argument: greenlet would keep the first one for good
            self.result = verb()
            del verb  # who is idle keeps no body alive


class _Idle(threading.local):
    """Batch members of this thread that wait for a verb: the frames of a new one would cost the system two calls and a page."""

    def __init__(self) -> None:
        self.members: list[BatchMember] = []


_idle = _Idle()


def _begun() -> BatchMember:
    one = BatchMember()
    one.switch()
    return one


def share(what: Any) -> bool:
    """Pauses until ``what`` was done with what others want done. False when there are no others: it must be done at once.

    :param what: not None.
    """
    current = getcurrent()
    if not isinstance(current, BatchMember) or current.parent is None:
        return False
    current.parent.switch(what)
    return True


def run_batch(verbs: Iterable[Callable[[], Any]], do: Callable[[list[Any]], None]) -> list[Any]:
    """The results of verbs, in their order.

    :param verbs: they must not raise, nor hold a lock when they pause.
    :param do: does what all those want done that have paused, and does not raise.
    """
    verbs = list(verbs)
    if len(verbs) == 1:  # it has nobody to wait with
        return [verbs[0]()]
    idle, here = _idle.members, getcurrent()
    wishes: dict[BatchMember, Any] = {}
    for verb in verbs:
        one = idle.pop() if idle else _begun()
        one.parent = here
        wishes[one] = one.switch(verb)
    members = list(wishes)
    while wishes := {one: wish for one, wish in wishes.items() if wish is not None}:
        do(list(wishes.values()))
        wishes = {one: one.switch() for one in wishes}
    results = [one.result for one in members]
    for one in members:
        one.result = None
    idle.extend(members)
    return results


class Flush:
    """The wish that a file's bytes be on the disk.

    :ivar error: why they are not.
    """

    __slots__ = ("descriptor", "error")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.error: OSError | None = None


def flush(descriptor: int) -> None:
    """Returns when a file's bytes are on the disk, and its attributes."""
    wish = Flush(descriptor)
    if not share(wish):
        os.fsync(descriptor)
    elif wish.error is not None:
        raise wish.error


def flush_all(wishes: list[Flush]) -> None:
    """Flushes files: all of them are on their way before the first one is waited for."""
    if len(wishes) > 1 and hasattr(os, "posix_fadvise"):
        for wish in wishes:
            # Says that nobody needs these pages soon, whereupon Linux begins to write those that must be written.
            with suppress(OSError):  # advice; what is wrong with the file is found out below
                os.posix_fadvise(wish.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    for wish in wishes:
        try:
            os.fsync(wish.descriptor)
        except OSError as error:
            wish.error = error
