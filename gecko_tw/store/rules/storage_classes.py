"""S3's storage classes: which there are here, and between which of them lifecycle rules move. Pure.

Every class is stored alike: what is kept is the name. Source: S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle".
"""

from collections.abc import Iterable

STANDARD = "STANDARD"
"""The class of a version that names none."""

INFREQUENT = frozenset(["STANDARD_IA", "ONEZONE_IA"])
"""Classes in which S3 bills 30 days at least, so that its rules keep objects that long before them, and in them."""

AT_HAND = frozenset([STANDARD, "REDUCED_REDUNDANCY", *INFREQUENT, "INTELLIGENT_TIERING", "GLACIER_IR"])
"""Classes that promise immediate reading."""

ARCHIVED = frozenset(["GLACIER", "DEEP_ARCHIVE"])
"""Classes that are read only after RestoreObject, which there is not: nothing is stored in them."""

_ORDER = (STANDARD, "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
"""A move leads further down this order."""

TARGETS = frozenset(_ORDER) - {STANDARD}
"""Classes that a rule may name."""


def may_move(source: str, target: str) -> bool:
    """Whether lifecycle rules move an object from the one class to the other."""
    if source not in _ORDER or target not in _ORDER:
        return target in ARCHIVED
    return _ORDER.index(source) < _ORDER.index(target) and (source, target) != ("ONEZONE_IA", "GLACIER_IR")


def furthest(source: str, targets: Iterable[str]) -> str | None:
    """Of the classes that rules name, the last one that an object may be moved to; None when it stays where it is."""
    return max((target for target in targets if may_move(source, target)), key=_ORDER.index, default=None)
