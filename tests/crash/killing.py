"""Killing a process at its n-th change of the disk.

Every call that changes the disk is a step. The process is killed with SIGKILL right after its n-th step, which is also right before
the next one; a write is two steps, so that half a body is left too. Of SQL only commits are steps, one before and one after: what is
not committed is nowhere.

Or it stops itself after every step, so that somebody else can copy what it would leave if it were killed then.
"""

import builtins
import fcntl
import io
import mmap
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from tests.crash.children import Child, die, start

CHANGES = (
    *("rename", "replace", "link", "symlink", "unlink", "remove", "mkdir", "rmdir", "mknod"),
    *("setxattr", "removexattr", "utime", "chmod", "fchmod", "truncate", "ftruncate", "posix_fallocate"),
    *("fsync", "fdatasync", "copy_file_range", "sendfile", "pwritev", "writev"),
)
"""Names in ``os`` of calls that are one step each."""

MAKING = os.O_CREAT | os.O_TRUNC

Work = Callable[[Callable[[], None], Callable[[], None]], None]
"""What is cut short: it calls its first argument when its steps begin to count, and its second one when all is acknowledged."""


def killed_after(steps: int, work: Work) -> Child:
    """Work in a child that is killed after so many steps, or, when there are not so many, once it is acknowledged."""

    def run(acknowledge: Callable[[None], None]) -> None:
        countdown = watched()
        work(lambda: countdown.no_farther_than(steps), lambda: ended(acknowledge))

    return start(run)


def ended(acknowledge: Callable[[None], None]) -> None:
    """Acknowledges, and ends as when it is killed then."""
    acknowledge(None)
    die()


def watched() -> "Countdown":
    """From now on this process's steps can be counted. What it has opened before is not seen."""
    countdown = Countdown()
    for name in CHANGES:
        if hasattr(os, name):
            setattr(os, name, countdown.stepping(getattr(os, name)))
    os.open = countdown.opening(os.open)
    os.write = countdown.writing(os.write)
    os.pwrite = countdown.stepping(os.pwrite)
    fcntl.ioctl = countdown.stepping(fcntl.ioctl)  # FICLONE
    builtins.open = io.open = countdown.refusing(io.open)
    mmap.mmap = countdown.mapping(mmap.mmap)
    sqlite3.connect = countdown.connecting(sqlite3.connect)
    return countdown


class Countdown:
    """Counts this process's steps down to its death, once it is told how many there may be."""

    def __init__(self) -> None:
        self.left = 0
        self._stops = False

    def no_farther_than(self, steps: int) -> None:
        self.left = steps

    def stop_now_and_after_each(self) -> None:
        """Sends SIGSTOP to this process now, and after every step: see children.stopped."""
        self._stops = True
        self.step()

    def step(self) -> None:
        self.left -= 1
        if self._stops:
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        elif self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            self.step()
            return result

        return call

    def opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
            descriptor = real(path, flags, *arguments, **named)
            if flags & MAKING:
                self.step()
            return descriptor

        return call

    def writing(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(descriptor: int, data: Any) -> int:
            view = memoryview(data).cast("B")
            half = len(view) // 2
            written = real(descriptor, view[:half])
            self.step()
            if written == half:
                written += real(descriptor, view[half:])
                self.step()
            return written

        return call

    def refusing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Writing through Python's own files could not be counted, so it is an error of the test."""

        def call(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if set(mode) & set("wax+") and not isinstance(file, int):
                raise AssertionError(f"{file!r} is opened to be written by a call whose steps cannot be counted")
            return real(file, mode, *arguments, **named)

        return call

    def mapping(self, real: type[mmap.mmap]) -> type[mmap.mmap]:
        """Memory that a file stands behind: what is written there outlives the process, too."""
        countdown = self

        class Map(real):
            def __setitem__(self, place: Any, value: Any) -> None:
                super().__setitem__(place, value)
                countdown.step()

        return Map

    def connecting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        countdown = self

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *arguments: Any) -> Any:
                if not statement.startswith("COMMIT"):
                    return super().execute(statement, *arguments)
                countdown.step()
                result = super().execute(statement, *arguments)
                countdown.step()
                return result

            def executescript(self, script: str) -> Any:
                result = super().executescript(script)
                countdown.step()
                return result

            def commit(self) -> None:
                super().commit()
                countdown.step()

            def close(self) -> None:
                super().close()
                countdown.step()

        def connect(*arguments: Any, **named: Any) -> Any:
            connection = real(*arguments, **{**named, "factory": Connection})
            countdown.step()
            return connection

        return connect
