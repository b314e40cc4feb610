"""The last requests of all processes, in memory that they share: for whoever looks at a daemon while it works.

Each process has a ring of its own and alone writes there. A reader takes an entry and then looks whether the writer has come round
to it meanwhile. Entries are marshalled, which is what costs least and is read only by processes of the same program.
"""

import mmap
import struct
from collections.abc import Iterator
from marshal import dumps, loads

from attrs import frozen

from gecko_tw.callers.budgets.tally import shared_file
from gecko_tw.resources.access_logs.entries import AccessEntry, masked

KEPT = 256
"""Entries of each process."""

SLOT = 1024
"""Bytes of each entry; what does not fit is cut off."""

_HEAD = struct.Struct("=Q")
_LENGTH = struct.Struct("=I")
_UNTIL = struct.Struct("=d")
_RING = _HEAD.size + KEPT * SLOT
_ROOM = SLOT - _LENGTH.size
_LONGEST = 32
"""Characters of each text of an entry that does not fit: then it does, whatever they are."""


@frozen(kw_only=True)
class Seen:
    """One answered request as it is shown: nothing in it lets a reader act as its caller.

    :ivar number: grows with every request of the process ``place``.
    :ivar why: what differed when a caller failed to prove who asks, or empty.
    """

    place: int
    number: int
    started: float
    seconds: float
    request_id: str
    method: str
    uri: str
    status: int
    received: int
    sent: int
    address: str
    operation: str
    bucket: str
    access_key: str
    auth: str
    error: str
    why: str


class Recent:
    """The rings.

    :param fileno: of :func:`recent_file`.
    :param places: how many processes there are.
    :param place: this process's, from 0.
    :param always: whether requests are taken though nobody watches.
    """

    def __init__(self, fileno: int, places: int, place: int, always: bool = True) -> None:
        self._memory = mmap.mmap(fileno, places * _RING + _UNTIL.size)
        self._places, self._place, self._always = places, place, always
        self._until = places * _RING
        self._at = place * _RING
        self._count = _HEAD.unpack_from(self._memory, self._at)[0]

    def add(self, entry: AccessEntry) -> None:
        """Takes an answered request of S3."""
        if not self._always and _UNTIL.unpack_from(self._memory, self._until)[0] < entry.started:
            return
        if entry.operation[:6] == "admin:":
            return
        data = dumps(tuple(entry))
        if len(data) > _ROOM:
            data = dumps(_shortened(entry))
        at = self._at + _HEAD.size + self._count % KEPT * SLOT
        self._memory[at : at + _LENGTH.size + len(data)] = _LENGTH.pack(len(data)) + data
        self._count += 1
        _HEAD.pack_into(self._memory, self._at, self._count)

    def watch(self, until: float) -> None:
        """Has the requests of all processes taken that begin before a moment, in seconds since 1970."""
        if until > _UNTIL.unpack_from(self._memory, self._until)[0]:
            _UNTIL.pack_into(self._memory, self._until, until)

    def counts(self) -> list[int]:
        """How many requests each process has taken so far: where whoever wants new ones begins."""
        return [_HEAD.unpack_from(self._memory, place * _RING)[0] for place in range(self._places)]

    def since(self, counts: list[int]) -> list[Seen]:
        """What came after so many, oldest first, as far as it is still there."""
        found = [seen for place, count in enumerate(counts) for seen in self._of(place, count)]
        return sorted(found, key=lambda seen: seen.started)

    def _of(self, place: int, first: int) -> Iterator[Seen]:
        (count,) = _HEAD.unpack_from(self._memory, place * _RING)
        for number in range(max(first, count - KEPT), count):
            at = place * _RING + _HEAD.size + number % KEPT * SLOT
            (length,) = _LENGTH.unpack_from(self._memory, at)
            data = self._memory[at + _LENGTH.size : at + _LENGTH.size + min(length, _ROOM)]
            (now,) = _HEAD.unpack_from(self._memory, place * _RING)
            # The writer is at work on the entry whose number follows the count.
            if now < number + KEPT:
                yield _seen(place, number, AccessEntry(*loads(data)))


def _shortened(entry: AccessEntry) -> tuple[float | str | bytes, ...]:
    """An entry that fits: its texts, which come from clients, cut off."""
    return tuple(value[:_LONGEST] if isinstance(value, str | bytes) else value for value in entry)


def _seen(place: int, number: int, entry: AccessEntry) -> Seen:
    return Seen(
        place=place,
        number=number,
        started=entry.started,
        seconds=entry.seconds,
        request_id=entry.request_id,
        method=entry.method,
        uri=masked(entry.target),
        status=entry.status,
        received=entry.received,
        sent=entry.sent,
        address=entry.peer,
        operation=entry.operation,
        bucket=entry.bucket,
        access_key=entry.access_key,
        auth=entry.auth,
        error=entry.error,
        why=entry.why,
    )


def recent_file(places: int) -> int:
    """A file for as many processes; returns its descriptor."""
    return shared_file("geckos3-requests", places * _RING + _UNTIL.size)
