"""Which names are those of buckets, for requests and for directories alike (S3 User Guide, "General purpose bucket naming rules")."""

from functools import lru_cache

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


def is_bucket_name(name: str) -> bool:
    """Whether S3 allows a bucket of this name, its reserved prefixes and suffixes aside."""
    return 3 <= len(name) <= 63 and _is_well_formed(name)


@lru_cache(4096)  # every request names a bucket
def _is_well_formed(name: str) -> bool:
    return (
        _LETTERS.issuperset(name)
        and name[0] not in "-."
        and name[-1] not in "-."
        and ".." not in name
        and not _is_address(name)
    )


def _is_address(name: str) -> bool:
    """Whether a name looks like an IPv4 address."""
    groups = name.split(".")
    return len(groups) == 4 and all(group.isdigit() for group in groups)
