"""Whether a disk has room, and can be written to and read from now."""

import errno
import os
import tempfile
from pathlib import Path

_WRITTEN = b"ready" * 100
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


def is_full(problem: OSError) -> bool:
    """Whether it says that there is no room, or none for this user."""
    return problem.errno in _FULL


def check_disk(folder: Path) -> None:
    """Writes a file in a folder, to the disk, and reads it from there; nothing of it stays. May block for long.

    A disk that is full is one that can be used: what is on it can be read and removed.

    :raises OSError: it cannot be used.
    """
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            descriptor = file.fileno()
            os.pwrite(descriptor, _WRITTEN, 0)
            os.fdatasync(descriptor)
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            if os.pread(descriptor, len(_WRITTEN), 0) != _WRITTEN:
                raise OSError(errno.EIO, "what was written is not what is read", str(folder))
    except OSError as problem:
        if not is_full(problem):
            raise
