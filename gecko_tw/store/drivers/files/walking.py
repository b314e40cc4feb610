"""Walking a bucket's directory in the order of its keys, following no link, whatever happens to the tree meanwhile."""

import errno
import logging
import os
import stat
from collections.abc import Callable, Iterator

from gecko_tw.store.drivers.files.beneath import ABSENT, open_beneath, open_directory
from gecko_tw.store.drivers.files.paths import INNER, SIDECAR, STAGING_OF_GECKOS3, has_path, is_litter

log = logging.getLogger(__name__)

SKIPPED = STAGING_OF_GECKOS3 | {INNER}
"""Directories that hold no objects."""


def entries(root: int, path: bytes) -> list[tuple[bytes, bool, bool]]:
    """Name, whether a directory, whether a regular file: of everything in a directory. Raises OSError."""
    directory = open_beneath(root, path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(directory) as found:
            return [
                (os.fsencode(entry.name), entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False))
                for entry in found
            ]
    finally:
        os.close(directory)


def nowhere(path: bytes) -> None:
    """Called with a directory about to be looked through: does nothing."""


def told(path: bytes, why: Exception) -> None:
    """Called with what cannot be read, which is passed over."""
    log.error("%s cannot be read and is passed over: %s", os.fsdecode(path), why)


def walk_files(
    root: int,
    bucket: str,
    folding: bool,
    below: bytes = b"",
    entering: Callable[[bytes], None] = nowhere,
    *,
    failing: Callable[[bytes, OSError], None] = told,
) -> Iterator[tuple[bytes, os.stat_result]]:
    """Keys and what their files are, in byte order of the keys: a directory sorts as its name and a slash.

    Memory is bounded by the names in the directories on the way down.

    :param below: what the keys begin with: empty, or a directory with a slash at its end.
    :param entering: called with each directory, its path below the data directory, before it is looked through.
    :param failing: called with the path of what cannot be read, a directory or a file, and why.
    """
    top = bucket.encode()

    def names(prefix: bytes) -> Iterator[bytes]:
        path = b"%b/%b" % (top, prefix[:-1]) if prefix else top
        entering(path)
        return iter(_names(root, path, failing))

    waiting = [(below, names(below))]
    while waiting:
        prefix, rest = waiting[-1]
        name = next(rest, None)
        if name is None:
            waiting.pop()
        elif name.endswith(b"/"):
            waiting.append((prefix + name, names(prefix + name)))
        elif not has_path(prefix + name, folding):
            if not is_litter(name):
                log.warning("no key can have the name of the file %r in bucket %s", prefix + name, bucket)
        else:
            found = _stat(root, b"%b/%b" % (top, prefix + name), failing)
            if found is not None:
                yield prefix + name, found


def _names(root: int, path: bytes, failing: Callable[[bytes, OSError], None]) -> list[bytes]:
    """Files, and directories with a slash behind them, in the order in which their keys sort."""
    try:
        found = entries(root, path)
    except OSError as error:
        if error.errno not in ABSENT:  # removed since
            failing(path, error)
        return []
    return sorted(
        name + b"/" if is_directory else name
        for name, is_directory, is_file in found
        if is_file or (is_directory and name not in SKIPPED)
    )


def _stat(root: int, path: bytes, failing: Callable[[bytes, OSError], None]) -> os.stat_result | None:
    parent, _, leaf = path.rpartition(b"/")
    try:
        directory = open_directory(root, parent)
        try:
            found = os.stat(leaf, dir_fd=directory, follow_symlinks=False)
        finally:
            os.close(directory)
    except OSError as error:
        if error.errno not in ABSENT:
            failing(parent if error.errno == errno.EACCES else path, error)  # whoever may not enter sees no file
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def walk_sidecars(root: int, bucket: str) -> Iterator[tuple[bytes, os.stat_result]]:
    """Keys that a sidecar is for, whether their object is there or not, and what the sidecar's file is."""
    waiting = [bucket.encode()]
    while waiting:
        path = waiting.pop()
        for name in _names(root, path, told):
            here = path + b"/" + name
            if name.endswith(b"/"):
                waiting.append(here[:-1])
            elif name.endswith(SIDECAR):
                found = _stat(root, here, told)
                if found is not None:
                    yield here.partition(b"/")[2].removesuffix(SIDECAR), found
