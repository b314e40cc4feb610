"""Versions whose bytes are known to be damaged: marked, and never served, until they are whole again or gone. Pure.

A version has the mark in ``extra``: ``"quarantine": {"since": nanoseconds, "why": one of REASONS}``. So it goes wherever the record goes,
into descriptions beside the bytes and through a rebuild.
"""

from datetime import UTC, datetime

from attrs import evolve

from gecko_tw.store.records import Json, Version
from gecko_tw.store.refusals import ObjectDamaged

QUARANTINE = "quarantine"

DAMAGED, LOST, UNREADABLE = "damaged", "lost", "unreadable"
REASONS = {
    DAMAGED: "its bytes are not those that were stored",
    LOST: "not all of its bytes are there",
    UNREADABLE: "the disk cannot read its bytes",
}


def refuse_quarantined(version: Version) -> None:
    """Refuses what would hand out the bytes of a version that is known to be damaged.

    :raises ObjectDamaged: it is in quarantine.
    """
    if version.extra and QUARANTINE in version.extra:
        mark = version.extra[QUARANTINE]
        raise ObjectDamaged(Quarantined=_time(mark["since"]), Reason=REASONS[mark["why"]])


def condemned(version: Version, why: str, now: int) -> Version:
    """The version in quarantine.

    :param why: one of REASONS.
    :param now: nanoseconds.
    """
    mark: dict[str, Json] = {"since": now, "why": why}
    return evolve(version, extra={**version.extra, QUARANTINE: mark})


def released(version: Version) -> Version:
    """The version out of quarantine."""
    return evolve(version, extra={name: value for name, value in version.extra.items() if name != QUARANTINE})


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
