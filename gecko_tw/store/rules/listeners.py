"""Who is listening to a bucket at the moment: kept in its record, so that whatever process changes a key tells them. Pure.

Each listener is known until a moment that whoever serves it puts off again and again: one whose process is gone is told nothing more.
Source: MinIO, "ListenBucketNotification".
"""

from collections.abc import Iterator, Mapping, Sequence

from gecko_tw.store.records import BucketRecord, Json

SETTING = "listeners"

TARGET = "listener:"
"""What the destinations of such events begin with; the listener's id follows."""

PREFIXED = "s3:"
"""What names of events begin with for listeners, as MinIO's do."""


def renewed(
    record: BucketRecord, listener: str, events: Sequence[str], filters: Mapping[str, str], until: int, now: int
) -> BucketRecord:
    """A bucket that is listened to until a moment, without listeners whose moment is over.

    :param events: patterns, e.g. ``s3:ObjectCreated:*``.
    :param filters: ``prefix`` and ``suffix`` of keys; empty ones filter nothing.
    :param until: nanoseconds since 1970, as ``now``.
    """
    entry = {"until": until, "events": list(events), **filters}
    return record.with_setting(SETTING, {**_still(record, now), listener: entry})


def without(record: BucketRecord, listener: str, now: int) -> BucketRecord:
    """A bucket that a listener has left."""
    if SETTING not in record.settings:
        return record
    rest = {name: entry for name, entry in _still(record, now).items() if name != listener}
    return record.with_setting(SETTING, rest or None)


def listening(record: BucketRecord, event: str, key: bytes, now: int) -> Iterator[str]:
    """The destinations of those who want this event of this key."""
    for listener, entry in _still(record, now).items():
        prefix, suffix = (entry.get(name, "").encode("utf-8", "surrogateescape") for name in ("prefix", "suffix"))
        if key.startswith(prefix) and key.endswith(suffix) and any(covers(one, event) for one in entry["events"]):
            yield TARGET + listener


def covers(pattern: str, event: str) -> bool:
    """Whether a pattern with ``*`` at its end, and with or without ``s3:``, covers an event."""
    pattern = pattern.removeprefix(PREFIXED)
    return pattern == event or (pattern.endswith("*") and event.startswith(pattern[:-1]))


def _still(record: BucketRecord, now: int) -> dict[str, Json]:
    return {name: entry for name, entry in (record.settings.get(SETTING) or {}).items() if entry["until"] > now}
