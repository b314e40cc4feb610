"""Calls of the system that tell a recorder what they have changed."""

import fcntl
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gecko_tw.store.drivers.files import beneath
from tests.crash.disks import Change, Described, Flushed, Sized, Stamped, Wrote

if TYPE_CHECKING:
    from tests.crash.power import Recorder

_EXCHANGE = 2
_FICLONE = 0x40049409


def _recorded(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call that nothing else comes between, nor between it and what it tells."""

    def locked(self: "Calls", *arguments: Any, **named: Any) -> Any:
        with self._recorder.lock:
            return call(self, *arguments, **named)

    return locked


class Calls:
    """Calls of the system, under their names in ``os``, that tell what they have changed."""

    def __init__(self, recorder: "Recorder") -> None:
        self._recorder = recorder
        self._real = {name: getattr(os, name) for name in dir(Calls) if hasattr(os, name) and not name.startswith("_")}
        self._ioctl = fcntl.ioctl
        self._renameat2 = beneath._renameat2

    @_recorded
    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        place = self._recorder.place(path, dir_fd) if flags & (os.O_CREAT | os.O_TRUNC) else None
        descriptor: int = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        if place is not None:
            number = self._recorder.at(place)
            if number is None:
                self._recorder.make(place, os.fstat(descriptor))
            elif flags & os.O_TRUNC:
                self._recorder.tell(Sized((number,), 0))
        return descriptor

    @_recorded
    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        place = self._recorder.place(path, dir_fd)
        self._real["mkdir"](path, mode, dir_fd=dir_fd)
        if place is not None:
            self._recorder.make(place, os.stat(path, dir_fd=dir_fd))

    @_recorded
    def rename(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        source, target = self._recorder.place(src, src_dir_fd), self._recorder.place(dst, dst_dir_fd)
        self._real["rename"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        number = None if source is None else self._recorder.at(source)
        names = [(target, number), (source, None)]
        if target is not None and source is not None and number == self._recorder.at(target):
            return  # two names of one file stay as they are
        if told := [(place, node) for place, node in names if place is not None]:
            self._recorder.refuse(source is None)
            self._recorder.name(*told)
        self._recorder.commit(False)

    def renameat2(self, source: int, old: bytes, target: int, new: bytes, flags: int) -> int:
        with self._recorder.lock:
            places = self._recorder.place(old, source), self._recorder.place(new, target)
            result: int = self._renameat2(source, old, target, new, flags)
            if result == 0 and None not in places:
                here, there = places
                assert flags == _EXCHANGE and here is not None and there is not None
                self._recorder.name((here, self._recorder.at(there)), (there, self._recorder.at(here)))
            return result

    @_recorded
    def link(
        self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None, **how: Any
    ) -> None:
        number, place = None, self._recorder.place(dst, dst_dir_fd)
        source = self._recorder.place(src, src_dir_fd)
        self._real["link"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, **how)
        if source is not None and place is not None:
            number = self._recorder.at(source)
            assert number is not None
            self._recorder.name((place, number))
        self._recorder.commit(False)

    @_recorded
    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        place = self._recorder.place(path, dir_fd)
        self._real["unlink"](path, dir_fd=dir_fd)
        if place is not None:
            self._recorder.name((place, None))

    @_recorded
    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        place = self._recorder.place(path, dir_fd)
        self._real["rmdir"](path, dir_fd=dir_fd)
        if place is not None:
            self._recorder.name((place, None))

    @_recorded
    def setxattr(self, path: Any, attribute: str, value: bytes, *more: Any, **how: Any) -> None:
        self._real["setxattr"](path, attribute, value, *more, **how)
        self._told(path, lambda number: Described((number,), os.fsdecode(attribute), bytes(value)))

    @_recorded
    def removexattr(self, path: Any, attribute: str, **how: Any) -> None:
        self._real["removexattr"](path, attribute, **how)
        self._told(path, lambda number: Described((number,), os.fsdecode(attribute), None))

    @_recorded
    def utime(self, path: Any, times: Any = None, *, dir_fd: int | None = None, **how: Any) -> None:
        place = None if isinstance(path, int) else self._recorder.place(path, dir_fd)
        self._real["utime"](path, times, dir_fd=dir_fd, **how)
        number = self._recorder.number(path) if isinstance(path, int) else place and self._recorder.at(place)
        if number is not None:
            modified = os.stat(path, dir_fd=dir_fd).st_mtime_ns
            self._recorder.tell(Stamped((number,), modified))

    @_recorded
    def truncate(self, path: Any, length: int) -> None:
        self._real["truncate"](path, length)
        self._told(path, lambda number: Sized((number,), length))

    @_recorded
    def ftruncate(self, fd: int, length: int) -> None:
        self._real["ftruncate"](fd, length)
        self._told(fd, lambda number: Sized((number,), length))

    @_recorded
    def posix_fallocate(self, fd: int, offset: int, length: int) -> None:
        self._real["posix_fallocate"](fd, offset, length)
        self._told(fd, lambda number: Sized((number,), os.fstat(fd).st_size))

    @_recorded
    def write(self, fd: int, data: Any) -> int:
        known = self._recorder.number(fd) is not None
        offset = os.lseek(fd, 0, os.SEEK_CUR) if known else 0
        written: int = self._real["write"](fd, data)
        self._wrote(fd, offset, written)
        return written

    @_recorded
    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        written: int = self._real["pwrite"](fd, data, offset)
        self._wrote(fd, offset, written)
        return written

    @_recorded
    def copy_file_range(self, src: int, dst: int, count: int, offset_src: Any = None, offset_dst: Any = None) -> int:
        offset = os.lseek(dst, 0, os.SEEK_CUR) if offset_dst is None else offset_dst
        copied: int = self._real["copy_file_range"](src, dst, count, offset_src, offset_dst)
        self._wrote(dst, offset, copied)
        return copied

    @_recorded
    def fsync(self, fd: int) -> None:
        self._told(fd, lambda number: Flushed((number,)))

    fdatasync = fsync

    def ioctl(self, fd: Any, request: int, *arguments: Any) -> Any:
        """FICLONE is recorded: it copies a whole file."""
        with self._recorder.lock:
            result = self._ioctl(fd, request, *arguments)
            if isinstance(fd, int) and request == _FICLONE:
                self._wrote(fd, 0, os.fstat(fd).st_size)
            return result

    def _told(self, target: Any, change: Callable[[int], Change]) -> None:
        number = self._recorder.number(target)
        if number is not None:
            self._recorder.tell(change(number))

    def _wrote(self, fd: int, offset: int, length: int) -> None:
        """Bytes are read back: some calls do not tell them, and not every descriptor can be read from."""
        if self._recorder.number(fd) is None or not length:
            return
        with open(f"/proc/self/fd/{fd}", "rb") as file:
            file.seek(offset)
            data = file.read(length)
        self._told(fd, lambda number: Wrote((number,), offset, data))
