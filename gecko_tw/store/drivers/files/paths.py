"""Which keys are paths, and which directories can be made for buckets: pure functions over bytes."""

import unicodedata

INNER = b".geckos3"
SIDECAR = b".metadata.json"
LONGEST_KEY = 1024
LONGEST_SEGMENT = 255

STAGING_OF_GECKOS3 = frozenset({b".geckos3-tmp", b".geckos3-multipart"})
FOREIGN_LITTER = frozenset({b".DS_Store", b"Thumbs.db"})

_NO_SEGMENTS = STAGING_OF_GECKOS3 | {b"", b".", b"..", INNER}
_CONTROL = bytes(range(32)) + b"\x7f"
_LOOSE_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


def has_path(key: bytes, folding: bool = False) -> bool:
    """Whether a file at ``<bucket>/<key>`` can be the object of that key.

    :param folding: whether the disk takes names that differ only in case (or Unicode form) for the same one; then only keys that
        are their own fold have a path, so that no two keys ever share a file.
    """
    if len(key) > LONGEST_KEY or key.translate(None, _CONTROL) != key:
        return False
    last = b""
    for last in key.split(b"/"):
        if last in _NO_SEGMENTS or len(last) > LONGEST_SEGMENT:
            return False
    return not is_litter(last) and (not folding or _is_own_fold(key))


def is_litter(name: bytes) -> bool:
    """Whether a file of that name is never an object: a sidecar, one on its way in, or what desktops leave behind."""
    return (
        name.endswith(SIDECAR) or name in FOREIGN_LITTER or (name.startswith(b".metadata-tmp-") and name[14:].isdigit())
    )


def fits_sidecar(key: bytes) -> bool:
    """Whether the last segment leaves room for the sidecar's suffix."""
    return len(key) - key.rfind(b"/") - 1 <= LONGEST_SEGMENT - len(SIDECAR)


def _is_own_fold(key: bytes) -> bool:
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()) == text


def file_of(bucket: str, key: bytes) -> bytes:
    """The path below the data directory."""
    return b"%b/%b" % (bucket.encode(), key)


def pool_path(blob: str) -> str:
    """Where in the pool a blob lies: two levels of directories keep each of them small."""
    return f"{blob[:2]}/{blob[2:4]}/{blob}"


def is_safe_bucket_name(name: str) -> bool:
    """Whether a directory of that name can be made for a bucket without leaving the data directory or reaching ours."""
    return 0 < len(name) <= LONGEST_SEGMENT and _LOOSE_LETTERS.issuperset(name) and name[0] not in ".-"
