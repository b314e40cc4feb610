"""A bucket's lifecycle rules: which versions and uploads they concern, and when. Pure.

Rules come as they are stored in the setting ``lifecycle``: the JSON that AWS's tools show. Sources: S3 User Guide, "Lifecycle
configuration elements", "Expiring objects", "Transitioning objects".
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from gecko_tw.store.records import DeleteMarker, Json, Version

SETTING = "lifecycle"
DAY = 86_400 * 10**9
SMALLEST = 128 * 1024
"""Bytes below which S3 moves no object to another class, unless the rule chooses by size (S3 API Reference,
PutBucketLifecycleConfiguration, ``x-amz-transition-default-minimum-object-size``)."""


@frozen
class Calendar:
    """When days are over, and from which size on versions are moved.

    :ivar now: nanoseconds.
    :ivar day: a day's length in nanoseconds. Days of another length than ours are not rounded to midnight.
    :ivar smallest: bytes below which only a rule that chooses by size moves a version to another storage class.
    """

    now: int
    day: int = DAY
    smallest: int = SMALLEST

    def after(self, moment: int, days: int) -> int:
        """The moment so many days later, or as S3 does it the midnight (UTC) that follows."""
        due = moment + days * self.day
        return (due // DAY + 1) * DAY if self.day == DAY else due

    def over(self, moment: int, days: int) -> bool:
        """Whether so many days are over."""
        return self.after(moment, days) <= self.now


@frozen
class Transition:
    """Moves a version to another storage class.

    :ivar days: so many days after a current version came, or after another took the place of a noncurrent one; ``date``: from this
        moment (nanoseconds) on.
    :ivar kept: so many of the newest noncurrent versions stay where they are.
    """

    storage_class: str
    days: int | None = None
    date: int | None = None
    kept: int = 0

    def is_due(self, since: int, newer: int, calendar: Calendar) -> bool:
        """Whether it is time, of what is as old as ``since`` (nanoseconds) and has so many newer noncurrent versions."""
        if newer < self.kept:
            return False
        if self.days is None:
            return self.date is not None and self.date <= calendar.now
        return calendar.over(since, self.days)


@frozen(kw_only=True)
class Rule:
    """An enabled rule, ready to be applied.

    :ivar over: only objects of more bytes; ``under``: of fewer.
    :ivar days: current versions go so many days after they came; ``date``: from this moment (nanoseconds) on.
    :ivar markers: delete markers go that nothing is left behind.
    :ivar noncurrent_days: versions go so many days after another took their place, but for the ``kept`` newest of them.
    :ivar abort_days: multipart uploads are aborted so many days after they began.
    :ivar transitions: of current versions; ``noncurrent_transitions``: of the others.
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
    transitions: tuple[Transition, ...] = ()
    noncurrent_transitions: tuple[Transition, ...] = ()

    @property
    def concerns_versions(self) -> bool:
        """Whether it is about anything but uploads."""
        goes = self.markers or (self.days, self.date, self.noncurrent_days) != (None, None, None)
        return goes or bool(self.transitions or self.noncurrent_transitions)

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

    def moves(self, key: bytes, version: Version, calendar: Calendar) -> bool:
        """Whether its transitions concern the version."""
        chooses_by_size = self.over is not None or self.under is not None
        return (chooses_by_size or version.size >= calendar.smallest) and self.fits(key, version)

    def expiry(self, version: Version | DeleteMarker, calendar: Calendar) -> int | None:
        """When a current version goes (nanoseconds), or None when never."""
        if self.days is not None:
            return calendar.after(version.modified, self.days)
        return self.date


_MOST_READ = 20_000
"""Rules that are remembered; a setting counts as one more. A setting may have a thousand."""

_read: dict[int, tuple[Json, tuple[Rule, ...]]] = {}


def rules_of(setting: Sequence[Mapping[str, Json]] | None) -> tuple[Rule, ...]:
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


def _rule_of(stored: Mapping[str, Json]) -> Rule:
    chosen = stored.get("Filter", {})
    chosen = chosen.get("And", chosen)
    tags = chosen.get("Tags", [chosen["Tag"]] if "Tag" in chosen else [])
    expiration, noncurrent = stored.get("Expiration", {}), stored.get("NoncurrentVersionExpiration", {})
    return Rule(
        id=stored["ID"],
        prefix=stored.get("Prefix", chosen.get("Prefix", "")).encode("utf-8", "surrogateescape"),
        tags={tag["Key"]: tag["Value"] for tag in tags},
        over=chosen.get("ObjectSizeGreaterThan"),
        under=chosen.get("ObjectSizeLessThan"),
        days=expiration.get("Days"),
        date=_moment(expiration.get("Date")),
        markers=bool(expiration.get("ExpiredObjectDeleteMarker")),
        noncurrent_days=noncurrent.get("NoncurrentDays"),
        kept=noncurrent.get("NewerNoncurrentVersions", 0),
        abort_days=stored.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        transitions=tuple(_transition_of(one) for one in stored.get("Transitions", ())),
        noncurrent_transitions=tuple(_transition_of(one) for one in stored.get("NoncurrentVersionTransitions", ())),
    )


def _transition_of(stored: Mapping[str, Json]) -> Transition:
    return Transition(
        stored["StorageClass"],
        stored.get("Days", stored.get("NoncurrentDays")),
        _moment(stored.get("Date")),
        stored.get("NewerNoncurrentVersions", 0),
    )


def _moment(date: str | None) -> int | None:
    """Nanoseconds of a date as it is stored."""
    return None if date is None else int(datetime.fromisoformat(date).timestamp()) * 10**9


def without_tags(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same rules for versions whose tags are not known: they let go of no fewer versions, and move no fewer."""
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
