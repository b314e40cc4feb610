"""The last requests of all processes, in memory that they share: for whoever looks at a daemon while it works.

Each process has a ring of its own and alone writes there. A reader takes an entry and then looks whether the writer has come round
to it meanwhile.
"""

import mmap
import struct
from collections.abc import Iterator

from attrs import frozen

from gecko_tw.callers.budgets.tally import shared_file
from gecko_tw.resources.access_logs.entries import AccessEntry, masked

KEPT = 256
"""Entries of each process."""

SLOT = 1024
"""Bytes of each entry; what does not fit is cut off."""

_HEAD = struct.Struct("=Q")
_LENGTH = struct.Struct("=I")
_RING = _HEAD.size + KEPT * SLOT
_SEPARATOR = "\x1f"
_LONGEST = 300


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
    """

    def __init__(self, fileno: int, places: int, place: int) -> None:
        self._memory = mmap.mmap(fileno, places * _RING)
        self._places, self._place = places, place
        self._at = place * _RING
        self._count = _HEAD.unpack_from(self._memory, self._at)[0]

    def add(self, entry: AccessEntry) -> None:
        """Takes an answered request of S3."""
        if entry.operation[:6] == "admin:":
            return
        texts = (
            repr(entry.started),
            repr(entry.seconds),
            entry.request_id,
            entry.method,
            str(entry.status),
            str(entry.received),
            str(entry.sent),
            entry.peer,
            entry.operation,
            entry.bucket,
            entry.access_key[:128],
            entry.auth,
            entry.error[:_LONGEST],
            entry.why[:_LONGEST],
            entry.target[:_LONGEST].decode("latin-1"),
        )
        line = _SEPARATOR.join(texts)
        if line.count(_SEPARATOR) != len(texts) - 1:
            line = _SEPARATOR.join([text.replace(_SEPARATOR, "?") for text in texts])
        data = line.encode("utf-8", "replace")[: SLOT - _LENGTH.size]
        at = self._at + _HEAD.size + self._count % KEPT * SLOT
        _LENGTH.pack_into(self._memory, at, len(data))
        self._memory[at + _LENGTH.size : at + _LENGTH.size + len(data)] = data
        self._count += 1
        _HEAD.pack_into(self._memory, self._at, self._count)

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
            data = self._memory[at + _LENGTH.size : at + _LENGTH.size + min(length, SLOT - _LENGTH.size)]
            (now,) = _HEAD.unpack_from(self._memory, place * _RING)
            # The writer is at work on the entry whose number follows the count.
            if now < number + KEPT:
                yield _seen(place, number, data)


def _seen(place: int, number: int, data: bytes) -> Seen:
    texts = data.decode("utf-8", "replace").split(_SEPARATOR)
    texts += [""] * (15 - len(texts))
    started, seconds, request_id, method, status, received, sent, address, *more = texts
    operation, bucket, access_key, auth, error, why, target = more
    return Seen(
        place=place,
        number=number,
        started=float(started),
        seconds=float(seconds),
        request_id=request_id,
        method=method,
        uri=masked(target.encode("latin-1", "replace")),
        status=int(status),
        received=int(received),
        sent=int(sent),
        address=address,
        operation=operation,
        bucket=bucket,
        access_key=access_key,
        auth=auth,
        error=error,
        why=why,
    )


def recent_file(places: int) -> int:
    """A file for as many processes; returns its descriptor."""
    return shared_file("geckos3-requests", places * _RING)
