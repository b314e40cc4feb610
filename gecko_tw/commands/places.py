"""Places of backups by how people write them."""

from pathlib import Path

from gecko_tw.store.backup.targets import BackupError, DirectoryTarget, Source, Target


def target_of(place: str, endpoint: str = "") -> Target:
    """A directory, or ``s3://bucket/prefix``. Raises BackupError.

    :param endpoint: the URL of an S3 that is not AWS's.
    """
    if "://" not in place:
        return DirectoryTarget(Path(place))
    return s3_target(place, endpoint)


def s3_target(url: str, endpoint: str = "") -> Target:
    """``s3://bucket/prefix``. Raises BackupError."""
    if not url.startswith("s3://"):
        raise BackupError(f"{url}: is neither a directory nor s3://bucket/prefix")
    try:
        from gecko_tw.store.backup.s3 import S3Target
    except ImportError as problem:
        raise BackupError(f"{url}: {problem}; `pip install 'gecko-tw[backup]'` installs it") from problem
    return S3Target(url, endpoint)


def s3_object(url: str, endpoint: str = "") -> Source:
    """The object ``s3://bucket/key``, opened. Raises BackupError."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    source = s3_target(f"s3://{bucket}", endpoint).open(key) if key else None
    if source is None:
        raise BackupError(f"{url}: there is no such object")
    return source
