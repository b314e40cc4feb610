"""What a bucket's lifecycle rules let go of a key's history, and when. Pure.

Rules come as they are stored in the setting ``lifecycle``: the JSON that AWS's tools show. Sources: S3 User Guide, "Lifecycle
configuration elements", "Expiring objects", "Conflicts between lifecycle rules".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from gecko_tw.store.records import BucketRecord, Change, DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import ObjectLocked
from gecko_tw.store.requests import Remove
from gecko_tw.store.rules import versions

SETTING = "lifecycle"
DAY = 86_400 * 10**9


class NothingDue(Exception):  # noqa: N818 - a signal, not an error
    """No lifecycle rule lets go of it now, or a lock holds it."""


@frozen
class Calendar:
    """When days are over.

    :ivar now: nanoseconds.
    :ivar day: a day's length in nanoseconds. Days of another length than ours are not rounded to midnight.
    """

    now: int
    day: int = DAY

    def after(self, moment: int, days: int) -> int:
        """The moment so many days later, or as S3 does it the midnight (UTC) that follows."""
        due = moment + days * self.day
        return (due // DAY + 1) * DAY if self.day == DAY else due

    def over(self, moment: int, days: int) -> bool:
        """Whether so many days are over."""
        return self.after(moment, days) <= self.now


@frozen(kw_only=True)
class Rule:
    """An enabled rule, ready to be applied.

    :ivar over: only objects of more bytes; ``under``: of fewer.
    :ivar days: current versions go so many days after they came; ``date``: from this moment (nanoseconds) on.
    :ivar markers: delete markers go that nothing is left behind.
    :ivar noncurrent_days: versions go so many days after another took their place, but for the ``kept`` newest of them.
    :ivar abort_days: multipart uploads are aborted so many days after they began.
    """

    id: str
    prefix: bytes = b""
    tags: Mapping[str, str] = field(factory=dict)
    over: int | None = None
    under: int | None = None
    days: int | None = None
    date: int | None = None
    markers: bool = False
    noncurrent_days: int | None = None
    kept: int = 0
    abort_days: int | None = None

    @property
    def concerns_versions(self) -> bool:
        """Whether it is about anything but uploads."""
        return self.markers or (self.days, self.date, self.noncurrent_days) != (None, None, None)

    def fits(self, key: bytes, version: Version | DeleteMarker) -> bool:
        """Whether its filter lets the version through. A delete marker has neither tags nor a size to be chosen by."""
        if not key.startswith(self.prefix):
            return False
        if isinstance(version, DeleteMarker):
            return not self.tags and self.over is None and self.under is None
        if self.over is not None and version.size <= self.over:
            return False
        if self.under is not None and version.size >= self.under:
            return False
        return not self.tags or self.tags.items() <= version.tags.items()

    def expiry(self, version: Version | DeleteMarker, calendar: Calendar) -> int | None:
        """When a current version goes (nanoseconds), or None when never."""
        if self.days is not None:
            return calendar.after(version.modified, self.days)
        return self.date


_MOST_READ = 20_000
"""Rules that are remembered; a setting counts as one more. A setting may have a thousand."""

_read: dict[int, tuple[Any, tuple[Rule, ...]]] = {}


def rules_of(setting: Sequence[Mapping[str, Any]] | None) -> tuple[Rule, ...]:
    """The enabled rules of the setting ``lifecycle``; none of None.

    They are read once for each setting, which nobody changes: drivers hand out the same record until the bucket's changes.
    """
    known = _read.get(id(setting))
    if known is not None and known[0] is setting:
        return known[1]
    rules = tuple(_rule_of(stored) for stored in setting or () if stored["Status"] == "Enabled")
    if sum(1 + len(others) for _, others in list(_read.values())) + len(rules) >= _MOST_READ:
        _read.clear()
    _read[id(setting)] = (setting, rules)
    return rules


def _rule_of(stored: Mapping[str, Any]) -> Rule:
    chosen = stored.get("Filter", {})
    chosen = chosen.get("And", chosen)
    tags = chosen.get("Tags", [chosen["Tag"]] if "Tag" in chosen else [])
    expiration, noncurrent = stored.get("Expiration", {}), stored.get("NoncurrentVersionExpiration", {})
    date = expiration.get("Date")
    return Rule(
        id=stored["ID"],
        prefix=stored.get("Prefix", chosen.get("Prefix", "")).encode("utf-8", "surrogateescape"),
        tags={tag["Key"]: tag["Value"] for tag in tags},
        over=chosen.get("ObjectSizeGreaterThan"),
        under=chosen.get("ObjectSizeLessThan"),
        days=expiration.get("Days"),
        date=None if date is None else int(datetime.fromisoformat(date).timestamp()) * 10**9,
        markers=bool(expiration.get("ExpiredObjectDeleteMarker")),
        noncurrent_days=noncurrent.get("NoncurrentDays"),
        kept=noncurrent.get("NewerNoncurrentVersions", 0),
        abort_days=stored.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    )


def without_tags(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same rules for versions whose tags are not known: they let go of no fewer versions."""
    return tuple(evolve(rule, tags={}) if rule.tags else rule for rule in rules)


def prefixes(rules: Iterable[Rule]) -> list[bytes]:
    """The fewest prefixes that cover those of all rules, in order."""
    found: list[bytes] = []
    for prefix in sorted({rule.prefix for rule in rules}):
        if not found or not prefix.startswith(found[-1]):
            found.append(prefix)
    return found


def expiry(rules: Iterable[Rule], key: bytes, version: Version, calendar: Calendar) -> tuple[int, str] | None:
    """When the current version goes (nanoseconds) and the rule that says so; the soonest of several, None when never."""
    found = None
    for rule in rules:
        moment = rule.expiry(version, calendar) if rule.fits(key, version) else None
        if moment is not None and (found is None or moment < found[0]):
            found = (moment, rule.id)
    return found


def aborting(rules: Iterable[Rule], key: bytes, initiated: int, calendar: Calendar) -> tuple[int, str] | None:
    """The same for an upload that began at ``initiated``."""
    found = [
        (calendar.after(initiated, rule.abort_days), rule.id)
        for rule in rules
        if rule.abort_days is not None and key.startswith(rule.prefix)
    ]
    return min(found) if found else None


@frozen
class Due:
    """Something that rules let go of.

    :ivar version_id: of the version that is removed for good; None when the current version expires.
    :ivar newer: how many noncurrent versions, delete markers not counted, have come after it.
    :ivar since: when it became a noncurrent one (nanoseconds), or None when it is the current one.
    """

    version_id: str | None
    newer: int = 0
    since: int | None = None


def due(
    rules: Sequence[Rule], key: bytes, found: Iterable[Version | DeleteMarker], calendar: Calendar
) -> Iterator[Due]:
    """What goes now of a key's versions, newest first; what is to be done about the current version comes last.

    The soonest rule counts when several fit. A version's time as a noncurrent one begins with the version that came after it.
    """
    noncurrent = iter(found)
    current = follower = next(noncurrent, None)
    if current is None or follower is None:
        return
    newer, alone = 0, True
    for version in noncurrent:
        one = Due(version.version_id, newer, follower.modified)
        if _outlived(rules, key, version, one, calendar):
            yield one
        else:
            alone = False
        # A delete marker keeps no data: the newest versions that a rule wants kept are counted without it.
        newer += isinstance(version, Version)
        follower = version
    if isinstance(current, Version):
        if _expired(rules, key, current, calendar):
            yield Due(None)
    elif alone and _useless(rules, key, current, calendar):
        yield Due(current.version_id)


def _outlived(rules: Iterable[Rule], key: bytes, version: Version | DeleteMarker, one: Due, calendar: Calendar) -> bool:
    return one.since is not None and any(
        rule.noncurrent_days is not None
        and one.newer >= rule.kept
        and rule.fits(key, version)
        and calendar.over(one.since, rule.noncurrent_days)
        for rule in rules
    )


def _expired(rules: Iterable[Rule], key: bytes, current: Version, calendar: Calendar) -> bool:
    found = expiry(rules, key, current, calendar)
    return found is not None and found[0] <= calendar.now


def _useless(rules: Iterable[Rule], key: bytes, marker: DeleteMarker, calendar: Calendar) -> bool:
    """Whether a delete marker goes that is all that is left of its key."""
    for rule in rules:
        moment = rule.expiry(marker, calendar)
        if rule.fits(key, marker) and (rule.markers or (moment is not None and moment <= calendar.now)):
            return True
    return False


def is_due(rules: Sequence[Rule], history: KeyHistory, one: Due, calendar: Calendar) -> bool:
    """Whether something that was due when all versions were looked through is so still, by a part of the history.

    How many versions are newer, and since when, is believed: it was so at that time, and what goes then may go now. But what has become the
    current version stays, and so does what the rules do not mean.

    :param history: with the newest version, any other one if there is one, and the one that is due.
    """
    if not history.versions:
        return False
    current, *others = history.versions
    if one.version_id is None:
        return isinstance(current, Version) and _expired(rules, history.key, current, calendar)
    if one.since is None:
        is_alone = current.version_id == one.version_id and not others
        return is_alone and isinstance(current, DeleteMarker) and _useless(rules, history.key, current, calendar)
    return any(
        other.version_id == one.version_id and _outlived(rules, history.key, other, one, calendar) for other in others
    )


def expire(bucket: BucketRecord, history: KeyHistory, calendar: Calendar, salt: str, one: Due) -> Change:
    """What is due goes, as if it were deleted by request: locks hold, and a versioned bucket gets a delete marker.

    :param salt: as in :class:`~gecko_tw.store.requests.Remove`.
    :raises NothingDue: it stays, and nothing is written.
    """
    if not is_due(rules_of(bucket.settings.get(SETTING)), history, one, calendar):
        raise NothingDue
    request = Remove(now=calendar.now, version_id=one.version_id, owner=bucket.owner, salt=salt)
    try:
        return versions.remove(bucket, history, request)
    except ObjectLocked:
        raise NothingDue from None
