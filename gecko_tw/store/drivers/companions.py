"""Verbs that run together in one thread: where each would wait by itself, they wait once for all of them.

A verb is a companion of others while it runs as a greenlet of theirs (:func:`gather`); it need not know. What is better done for several
at once asks whether it is in one (:func:`share`), and then pauses with what it wants done.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from greenlet import getcurrent, greenlet


class Companion(greenlet):
    """A verb that pauses with something to be done, which it hands to its parent."""


def share(what: Any) -> bool:
    """Pauses until ``what`` was done with what others want done. False when there are no others: it must be done at once."""
    current = getcurrent()
    if not isinstance(current, Companion):
        return False
    current.parent.switch(what)
    return True


def gather(verbs: Iterable[Callable[[], Any]], do: Callable[[list[Any]], None]) -> list[Any]:
    """The results of verbs, in their order.

    :param verbs: they must not raise, nor hold a lock when they pause.
    :param do: does what all those want done that have paused, and does not raise.
    """
    companions = [Companion(verb) for verb in verbs]
    results = {one: one.switch() for one in companions}
    while paused := [one for one in companions if not one.dead]:
        do([results[one] for one in paused])
        for one in paused:
            results[one] = one.switch()
    return list(results.values())


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
