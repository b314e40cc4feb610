"""Opening files below a directory without ever following a symbolic link, whatever stands on the way.

Linux does it in one call (``openat2``, 3 µs against 2 µs of a plain open); elsewhere every directory is opened in turn.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Callable

_OPENAT2 = 437
_BENEATH_WITHOUT_SYMLINKS = 0x08 | 0x04
_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_LOOK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_NOFOLLOW
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
"""What an open or a stat says when no object can be at a path."""


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _prepared_syscall() -> Callable[..., int]:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
    prepared: Callable[..., int] = call
    return prepared


def _has_openat2() -> bool:
    if os.uname().sysname != "Linux":
        return False
    how = _How(os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, 0, _BENEATH_WITHOUT_SYMLINKS)
    try:
        descriptor = _prepared_syscall()(_OPENAT2, -100, b".", ctypes.addressof(how), 24)
    except AttributeError:
        return False
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


def _walked(root: int, path: bytes, flags: int) -> int:
    parents, _, leaf = path.rpartition(b"/")
    here = os.dup(root)
    try:
        for segment in parents.split(b"/") if parents else ():
            deeper = os.open(segment, _DIRECTORY, dir_fd=here)
            os.close(here)
            here = deeper
        return os.open(leaf, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    finally:
        os.close(here)


if _has_openat2():
    _syscall = _prepared_syscall()
    _hows: dict[int, _How] = {}

    def open_beneath(root: int, path: bytes, flags: int) -> int:
        """A descriptor of ``path`` below the directory ``root``. Raises OSError; ELOOP where a symbolic link is on the way."""
        how = _hows.get(flags)
        if how is None:
            how = _hows[flags] = _How(flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0, _BENEATH_WITHOUT_SYMLINKS)
        descriptor = _syscall(_OPENAT2, root, path, ctypes.addressof(how), 24)
        if descriptor < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), os.fsdecode(path))
        return descriptor

else:
    open_beneath = _walked


def stat_beneath(root: int, path: bytes) -> os.stat_result | None:
    """What the regular file at ``path`` is, or None when there is none that can be reached without a symbolic link."""
    try:
        descriptor = open_beneath(root, path, _LOOK)
    except OSError as error:
        if error.errno in ABSENT or error.errno == errno.ENXIO:
            return None
        raise
    try:
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return found if stat.S_ISREG(found.st_mode) else None


def open_directory(root: int, path: bytes) -> int:
    """A descriptor of a directory, good for ``dir_fd`` arguments only. Raises OSError."""
    return open_beneath(root, path, _DIRECTORY)


_EXCHANGE = 2
_CANNOT_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
if _renameat2 is not None:
    _renameat2.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]


def exchange(source: tuple[int, bytes], target: tuple[int, bytes]) -> bool:
    """Swaps two files (directory and name each) in one step; False when this system cannot. Raises OSError.

    So a large file that is replaced can be removed later, and not while everybody waits.
    """
    if _renameat2 is None:
        return False
    if _renameat2(*source, *target, _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), os.fsdecode(target[1]))


def make_directory(root: int, path: bytes) -> tuple[int, list[bytes]]:
    """The same, made with its parents when missing; also the directories that got a new entry. Raises OSError."""
    try:
        return open_directory(root, path), []
    except FileNotFoundError:
        return _made(root, path)


def _made(root: int, path: bytes) -> tuple[int, list[bytes]]:
    changed = []
    here = b""
    for segment in path.split(b"/"):
        parent, here = here, here + b"/" + segment if here else segment
        above = open_directory(root, parent) if parent else os.dup(root)
        try:
            os.mkdir(segment, 0o777, dir_fd=above)
            changed.append(parent)
        except FileExistsError:
            continue
        finally:
            os.close(above)
    return open_directory(root, path), changed
