"""What is due of a key's versions by the lifecycle rules of its bucket, and the steps that do it. Pure.

Source: S3 User Guide, "Conflicts between lifecycle rules".
"""

from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve, frozen

from gecko_tw.store.records import NULL, STORAGE_CLASS, BucketRecord, Change, DeleteMarker, KeyHistory, Version
from gecko_tw.store.refusals import ObjectLocked
from gecko_tw.store.requests import Remove
from gecko_tw.store.rules import versions
from gecko_tw.store.rules.amending import amend
from gecko_tw.store.rules.lifecycle import SETTING, Calendar, Rule, expiry, rules_of
from gecko_tw.store.rules.storage_classes import STANDARD, furthest


class NothingDue(Exception):  # noqa: N818 - a signal, not an error
    """No lifecycle rule lets go of it or moves it now, or a lock holds it."""


@frozen
class Due:
    """Something that rules let go of, or move.

    :ivar version_id: of the version that is removed for good or moved; None when the current version expires.
    :ivar newer: how many noncurrent versions, delete markers not counted, have come after it.
    :ivar since: when it became a noncurrent one (nanoseconds), or None when it is the current one.
    :ivar moves: it is moved to another storage class, and stays.
    """

    version_id: str | None
    newer: int = 0
    since: int | None = None
    moves: bool = False


def due(
    rules: Sequence[Rule], key: bytes, found: Iterable[Version | DeleteMarker], calendar: Calendar
) -> Iterator[Due]:
    """What goes or moves now of a key's versions, newest first; what is to be done about the current version comes last.

    The soonest rule counts when several fit. A version's time as a noncurrent one begins with the version that came after it.
    What is removed for good is not moved; what is hidden by a delete marker is moved before.
    """
    noncurrent = iter(found)
    current = follower = next(noncurrent, None)
    if current is None or follower is None:
        return
    moving = [rule for rule in rules if rule.transitions or rule.noncurrent_transitions]
    newer, alone = 0, True
    for version in noncurrent:
        one = Due(version.version_id, newer, follower.modified)
        if _outlived(rules, key, version, one, calendar):
            yield one
        else:
            alone = False
            if moving and _destination(moving, key, version, one, calendar) is not None:
                yield evolve(one, moves=True)
        # A delete marker keeps no data: the newest versions that a rule wants kept are counted without it.
        newer += isinstance(version, Version)
        follower = version
    if isinstance(current, Version):
        if moving and _destination(moving, key, current, Due(current.version_id), calendar) is not None:
            yield Due(current.version_id, moves=True)
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


def _destination(
    rules: Iterable[Rule], key: bytes, version: Version | DeleteMarker, one: Due, calendar: Calendar
) -> str | None:
    """The storage class that the version is moved to, or None: of those whose time has come, the furthest that it may be moved to."""
    if isinstance(version, DeleteMarker):
        return None
    since = version.modified if one.since is None else one.since
    named = [
        transition.storage_class
        for rule in rules
        for transition in (rule.transitions if one.since is None else rule.noncurrent_transitions)
        if transition.is_due(since, one.newer, calendar) and rule.moves(key, version, calendar)
    ]
    return furthest(version.headers.get(STORAGE_CLASS, STANDARD), named) if named else None


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
    if one.moves:
        return _moving(rules, history, one, calendar) is not None
    if one.version_id is None:
        return isinstance(current, Version) and _expired(rules, history.key, current, calendar)
    if one.since is None:
        is_alone = current.version_id == one.version_id and not others
        return is_alone and isinstance(current, DeleteMarker) and _useless(rules, history.key, current, calendar)
    return any(
        other.version_id == one.version_id and _outlived(rules, history.key, other, one, calendar) for other in others
    )


def confirmed(rules: Sequence[Rule], history: KeyHistory, one: Due, calendar: Calendar) -> Due | None:
    """What is due of a version by everything that is known of it, or None: what need not go may have to move.

    :param history: as in :func:`is_due`.
    """
    return next((what for what in (one, evolve(one, moves=True)) if is_due(rules, history, what, calendar)), None)


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


def _moving(rules: Sequence[Rule], history: KeyHistory, one: Due, calendar: Calendar) -> str | None:
    """The storage class that a version is moved to by a part of the history, or None.

    One that has become the current version, or a noncurrent one, is not moved as what it was.
    """
    among = history.versions[:1] if one.since is None else history.versions[1:]
    for version in among:
        if version.version_id == one.version_id:
            return _destination(rules, history.key, version, one, calendar)
    return None


def move(bucket: BucketRecord, history: KeyHistory, calendar: Calendar, one: Due) -> Change:
    """What is due gets another storage class; all else of it stays as it was. Locks do not hinder that: nothing is lost.

    :raises NothingDue: it stays where it is, or goes for good in this same run; nothing is written.
    """
    rules = rules_of(bucket.settings.get(SETTING))
    target = _moving(rules, history, one, calendar)
    if target is None or (one.since is None and _goes_for_good(bucket, history, rules, calendar)):
        raise NothingDue

    def moved(version: Version, _: BucketRecord) -> Version:
        return evolve(version, headers={**version.headers, STORAGE_CLASS: target})

    return amend(bucket, history, one.version_id, moved)


def _goes_for_good(bucket: BucketRecord, history: KeyHistory, rules: Sequence[Rule], calendar: Calendar) -> bool:
    """Whether the current version expires and no delete marker keeps its data."""
    hidden = bucket.settings.get(versions.SETTING) == versions.ENABLED or history.versions[0].version_id != NULL
    return not hidden and is_due(rules, history, Due(None), calendar)
