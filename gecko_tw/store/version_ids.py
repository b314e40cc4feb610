"""Ids of versions: opaque to clients, safe in URLs, and within a key in the order in which the versions came."""

from collections.abc import Sequence

from gecko_tw.store.records import NULL, DeleteMarker, KeyHistory, Version

_LENGTH = 32
_SALT = 16
_DIGITS = frozenset("0123456789abcdef")
_FOREIGN, _LONGEST = 26, 1024
"""Characters of ids elsewhere: a ULID has the fewest; more than S3's most are none (S3 User Guide, "Version IDs")."""

_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=")


def new_id(history: KeyHistory, now: int, salt: str) -> str:
    """The id of a version that becomes the newest of a history.

    :param now: nanoseconds.
    :param salt: up to 16 random hexadecimal digits, so that no id can be guessed or come twice.
    """
    return f"{later(history.versions, now):016x}{salt[:_SALT]:0>16}"


def later(versions: Sequence[Version | DeleteMarker], now: int) -> int:
    """``now``, or what follows the last of some versions where clocks disagree or a nanosecond is not enough."""
    return max([now, *(order_of(version) + 1 for version in versions)]) if versions else now


def order_of(version: Version | DeleteMarker) -> int:
    """Nanoseconds by which the versions of a key sort: the time in the id, or that of the version when its id has none."""
    version_id = version.version_id
    return int(version_id[:_SALT], 16) if is_made_here(version_id) else version.modified


def is_made_here(version_id: str) -> bool:
    """Whether an id looks as if :func:`new_id` had made it."""
    return len(version_id) == _LENGTH and _DIGITS.issuperset(version_id)


def is_version_id(text: str) -> bool:
    """Whether a version could have this id, here or in another store, whose ids are told from what is none by their length."""
    return text == NULL or (_FOREIGN <= len(text) <= _LONGEST and _SIGNS.issuperset(text))
