"""Targets by how people write them."""

from pathlib import Path

from gecko_tw.store.backup.targets import BackupError, DirectoryTarget, Target


def target_of(place: str, endpoint: str = "") -> Target:
    """A directory, or ``s3://bucket/prefix``. Raises BackupError.

    :param endpoint: the URL of an S3 that is not AWS's.
    """
    if "://" not in place:
        return DirectoryTarget(Path(place))
    if not place.startswith("s3://"):
        raise BackupError(f"{place}: is neither a directory nor s3://bucket/prefix")
    try:
        from gecko_tw.store.backup.s3 import S3Target
    except ImportError as problem:
        raise BackupError(f"{place}: {problem}; `pip install 'gecko-tw[backup]'` installs it") from problem
    return S3Target(place, endpoint)
