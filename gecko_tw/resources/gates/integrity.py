"""Whether what is about to be sent is still what was stored: small objects before the first byte, large ones on the way."""

import os
from functools import partial
from random import random

from twisted.logger import Logger

from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.permits import permit_found
from gecko_tw.resources.headers.versions import version_id
from gecko_tw.resources.service import SMALL
from gecko_tw.store.integrity.quarantine import Changed
from gecko_tw.store.integrity.verified import CHEAP, HeldReading, VerifiedReading, is_own, told_by
from gecko_tw.store.interfaces import IReading
from gecko_tw.store.records import Version
from gecko_tw.store.refusals import ObjectDamaged, SlowDown
from gecko_tw.store.rules.quarantine import REASONS, refuse_quarantined

ALWAYS = 16 * 1024
"""Bytes up to which comparing costs little beside answering: docs/integrity.md has the figures."""

_log = Logger()
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)


async def refuse_damaged(call: Call) -> None:
    """Refuses what cannot be opened because it is damaged, to whoever may know that it is there; and sees to the quarantine.

    :raises ObjectDamaged: it is. And as IObjects.look and ``permit_found``.
    """
    version = await call.service.read(call.service.objects.look, call.bucket, call.key, version_id(call))
    permit_found(call, version)
    refuse_quarantined(version)
    await call.service.write(_condemn, call, version)


def at_once(call: Call, reading: IReading, length: int, *, again: bool) -> IReading | None:
    """The reading to answer from, where nothing is to be compared, or was by the time this returns; else None: see :func:`verified`.

    A very small object that was not answered with before (``again``) is always compared, where its checksum is a cheap one; others as
    often as the setting says. A part of an object is compared only where the object is small.
    """
    version, rate = reading.version, call.service.verify_reads
    if "sse" in version.extra:
        return None
    if not length or not rate:
        return reading
    whole, small = length == version.size, version.size <= SMALL
    drawn = random() < rate
    if not drawn and (again or not whole or version.size > ALWAYS):
        return reading
    told = told_by(version) if small or whole else None
    if told is None or not (drawn or told[0] in CHEAP):
        return reading
    if not small:
        return None
    data = _at_hand(reading, version.size)
    if data is None or not is_own(told, data):
        return None
    reading.close()
    return HeldReading(version, data)


async def verified(call: Call, reading: IReading) -> IReading:
    """The reading to answer from, small objects compared already, others compared on their way.

    :raises ObjectDamaged: it is damaged, and in quarantine now.
    :raises SlowDown: it was changed while it was read.
    """
    service, version = call.service, reading.version
    told = told_by(version)
    if told is None or version.size > SMALL:
        return VerifiedReading(reading, told, partial(_condemn, call, version))
    data = await service.write(_read, reading, version.size)
    if is_own(told, data):
        reading.close()
        return HeldReading(version, data)
    if await service.write(_condemn, call, version) in REASONS:
        raise ObjectDamaged
    raise SlowDown("The object was changed while it was being read.")


def _at_hand(reading: IReading, size: int) -> bytes | bytearray | None:
    """All bytes, if that needs no waiting for a disk."""
    try:
        ready = reading.ready(0, size)
        if ready is not None or not _NOWAIT:
            return ready if ready is not None and len(ready) == size else None
        run = reading.run(0)
        data = bytearray(size)
        whole = run is not None and run[2] >= size and os.preadv(run[0], [data], run[1], _NOWAIT) == size
    except OSError:
        return None
    return data if whole else None


def _read(reading: IReading, size: int) -> bytes:
    """All bytes, or as many as there are. Blocks."""
    data = bytearray()
    while len(data) < size and (piece := reading.read(len(data), size - len(data))):
        data += piece
    return bytes(data)


def _condemn(call: Call, version: Version) -> str:
    """Quarantines a version if it is damaged indeed; what was found. Blocks."""
    service = call.service
    if service.quarantine is None:
        return ""
    try:
        found = service.quarantine.condemn(call.bucket, call.key, version, service.now(), "read")
    except Changed:
        return ""
    if found in REASONS:
        key = call.key.decode("utf-8", "backslashreplace")
        place = {"bucket": call.bucket, "key": key, "version": version.version_id, "why": REASONS[found]}
        _log.error("{bucket}/{key} (version {version}) is in quarantine: {why}", **place)
    return found
