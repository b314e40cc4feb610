"""Which names buckets and keys may have (S3 User Guide, "Bucket naming rules" and "Creating object key names")."""

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.refusals import InvalidBucketName, InvalidRequest, KeyTooLongError

MAX_KEY = 1024
"""The longest key in bytes."""

_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED = frozenset(("minio",))
"""Paths below it are those of MinIO's own APIs."""

_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_bucket_name(name: str) -> None:
    """Refuses a name that a new bucket may not have.

    :raises InvalidBucketName: always when it does.
    """
    if not is_bucket_name(name) or name in _RESERVED or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        raise InvalidBucketName(BucketName=name)


def check_key(key: bytes) -> None:
    """Refuses a key that is empty or longer than 1024 bytes.

    :raises KeyTooLongError: with the size and the maximum.
    :raises InvalidRequest: for the empty key.
    """
    if len(key) > MAX_KEY:
        raise KeyTooLongError(Size=len(key), MaxSizeAllowed=MAX_KEY)
    if not key:
        raise InvalidRequest("A key must have at least one byte.")
