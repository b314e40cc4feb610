"""Noticing at once what others change in the buckets' directories (docs/decisions/0024-noticing.md).

Our own changes cause events as well. Nearly all of them are renames from or to staging, whose directories are watched for this alone:
both halves of a rename have the same cookie. What else is ours is told by the rows, which agree with the files.
"""

import errno
import logging
import os
import threading

from attrs import define, field

from gecko_tw.store.drivers.files.beneath import ABSENT
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.inotify import (
    ATTRIBUTES,
    CLOSED,
    CREATED,
    DELETED,
    HEAD,
    IGNORED,
    IS_DIRECTORY,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    UNMOUNTED,
    Inotify,
    limit,
)
from gecko_tw.store.drivers.files.paths import INNER, SIDECAR, is_litter
from gecko_tw.store.drivers.files.walking import SKIPPED

log = logging.getLogger(__name__)

_OTHERS = CLOSED | ATTRIBUTES | MOVED_FROM | MOVED_TO | CREATED | DELETED
_OURS = MOVED_FROM | MOVED_TO | CREATED
_STAGING = INNER + b"/staging"
_UNREADABLE = ABSENT | {errno.EACCES, errno.EPERM}
_SHARE = 8
"""One part in so many of the user's watches is left to other programs."""
_CROWDED = 4
"""The queue was crowded when one part in so many of it was in use."""


@define
class Changes:
    """Places below the data directory that are perhaps not any more as the rows say.

    :ivar buckets: names of directories that may be buckets.
    :ivar trees: directories that came or went, with everything below them.
    :ivar files: files.
    :ivar described: files of which something else may be said now.
    :ivar lost: whether there is more, nobody knows where.
    """

    buckets: set[bytes] = field(factory=set)
    trees: set[bytes] = field(factory=set)
    files: set[bytes] = field(factory=set)
    described: set[bytes] = field(factory=set)
    lost: bool = False

    def __bool__(self) -> bool:
        return bool(self.buckets or self.trees or self.files or self.described or self.lost)

    def add(self, more: "Changes") -> None:
        """What is in others as well."""
        self.buckets |= more.buckets
        self.trees |= more.trees
        self.files |= more.files
        self.described |= more.described
        self.lost = self.lost or more.lost


class TreeWatch:
    """The watches of a data directory. Directories may be watched by one thread while another one drains the events.

    :ivar crowded: whether so much happened before the last drain that the next one should come sooner.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._inotify: Inotify | None = None
        self._paths: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._ours: set[int] = set()
        self._staging = -1
        self._most, self._queue = limit("max_user_watches"), limit("max_queued_events")
        self._most -= self._most // _SHARE
        self._told: set[str] = set()
        self.crowded = False

    def begin(self) -> bool:
        """Watches the data directory itself, and staging; whether that can be. The log says why not."""
        with self._lock:
            try:
                self._begin()
            except OSError as error:
                self._end()
                self._tell_why_not(error)
        return self._inotify is not None

    def _begin(self) -> None:
        self._inotify = Inotify()
        self._add(b"")
        self._staging = self._inotify.add(self._full(_STAGING), _OURS)
        for name in self._disk.staging.fill():
            self._watch_ours(name)

    def _watches(self) -> Inotify:
        assert self._inotify is not None, "asked for between begin and end"
        return self._inotify

    def _end(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
        self._inotify, self._staging = None, -1
        self._paths, self._numbers, self._ours = {}, {}, set()

    def close(self) -> None:
        """Ends all watches. Harmless when repeated."""
        with self._lock:
            self._end()

    def fileno(self) -> int:
        """Where it can be waited for events; another one after a drain. -1 while nothing is watched."""
        return -1 if self._inotify is None else self._inotify.fileno()

    def watch(self, path: bytes) -> None:
        """Watches a directory from now on: to be called before what is in it is looked through.

        :param path: below the data directory.
        """
        with self._lock:
            if self._inotify is None:
                return
            try:
                if len(self._paths) >= self._most > 0 and path not in self._numbers:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._add(path)
            except OSError as error:
                if error.errno not in _UNREADABLE:
                    self._tell_why_not(error)

    def _add(self, path: bytes) -> None:
        number = self._watches().add(self._full(path), _OTHERS)
        if self._paths.get(number) == path:
            return
        self._forget(number)  # it was moved here
        if path in self._numbers:  # what was here was moved away
            self._drop(self._numbers[path])
        self._paths[number] = path
        self._numbers[path] = number

    def _full(self, path: bytes) -> bytes:
        return b"%b/%b" % (os.fsencode(self._disk.data_dir), path)

    def _watch_ours(self, name: bytes) -> None:
        try:
            self._ours.add(self._watches().add(b"%b/%b" % (self._full(_STAGING), name), _OURS))
        except OSError as error:
            if error.errno not in ABSENT:
                raise

    def _forget(self, number: int) -> None:
        path = self._paths.pop(number, None)
        if path is not None and self._numbers.get(path) == number:
            del self._numbers[path]
        self._ours.discard(number)

    def _drop(self, number: int) -> None:
        self._forget(number)
        self._watches().remove(number)

    def drain(self) -> Changes:
        """What others may have changed since the last time, or since a directory is watched."""
        changes = Changes()
        own: set[int] = set()
        events: list[tuple[int, int, int, bytes]] = []
        inotify = self._inotify
        if inotify is None:
            return changes
        count = 0
        while data := inotify.read():
            count += _sort(data, self._ours, own, events)
        self.crowded = count > self._queue // _CROWDED
        with self._lock:
            moved = set()
            for cookie, number, mask, name in events:
                if cookie not in own:
                    path = self._note(changes, number, mask, name)
                    if path is not None:
                        moved.add(path)
            if moved:
                self._drop_below(moved)
        if changes.lost:
            self._start_again()
        return changes

    def _note(self, changes: Changes, number: int, mask: int, name: bytes) -> bytes | None:
        """Notes an event; returns the path that a directory was moved away from."""
        parent = self._paths.get(number)
        if mask & (OVERFLOW | UNMOUNTED):
            changes.lost = True
        elif mask & IGNORED:
            self._forget(number)
        elif parent is None:
            if number == self._staging and mask & CREATED and mask & IS_DIRECTORY:
                self._watch_ours(name.rstrip(b"\0"))
        elif name:
            name = name.rstrip(b"\0")
            path = b"%b/%b" % (parent, name) if parent else name
            if mask & IS_DIRECTORY:
                if name not in SKIPPED:
                    (changes.trees if parent else changes.buckets).add(path)
                return path if mask & MOVED_FROM else None
            if parent:
                self._note_file(changes, path, mask)
        return None

    def _note_file(self, changes: Changes, path: bytes, mask: int) -> None:
        if mask & CREATED and not self._is_linked(path):
            return
        if mask & ATTRIBUTES:
            changes.described.add(path)
        elif path.endswith(SIDECAR):
            changes.described.add(path.removesuffix(SIDECAR))
        elif not is_litter(path.rpartition(b"/")[2]):
            changes.files.add(path)

    def _is_linked(self, path: bytes) -> bool:
        """Whether a new name is one more of a file that is complete: of one that is being written we hear when it is closed."""
        try:
            return os.stat(path, dir_fd=self._disk.root, follow_symlinks=False).st_nlink > 1
        except OSError:
            return False

    def _drop_below(self, moved: set[bytes]) -> None:
        """Ends the watches of directories that were moved away; those that came to another place are watched again there."""
        for path in list(self._numbers):
            above = path
            while above:
                if above in moved:
                    self._drop(self._numbers[path])
                    break
                above = above.rpartition(b"/")[0]

    def _start_again(self) -> None:
        """After events were lost nobody knows what the watches are called now."""
        self._tell(
            "max_queued_events",
            "more happened at once in %s than fs.inotify.max_queued_events (%d) can hold: it is looked through, as often as"
            " that happens; raise it: sysctl -w fs.inotify.max_queued_events=%d",
            self._queue,
        )
        with self._lock:
            self._end()
        self.begin()

    def _tell_why_not(self, error: OSError) -> None:
        if error.errno == errno.ENOSPC:
            self._tell(
                "max_user_watches",
                "not all directories in %s can be watched, fs.inotify.max_user_watches is %d: what others change in the"
                " rest is found at every --scan-interval; raise it: sysctl -w fs.inotify.max_user_watches=%d",
                limit("max_user_watches"),
            )
        elif error.errno == errno.EMFILE:
            self._tell(
                "max_user_instances",
                "what others change in %s is found only at every --scan-interval, because fs.inotify.max_user_instances"
                " (%d) or the limit of open files is reached; raise it: sysctl -w fs.inotify.max_user_instances=%d",
                limit("max_user_instances"),
            )
        elif "other" not in self._told:
            self._told.add("other")
            log.warning(
                "what others change in %s is found only at every --scan-interval: %s", self._disk.data_dir, error
            )

    def _tell(self, name: str, text: str, now: int) -> None:
        """Says it once."""
        if name not in self._told:
            self._told.add(name)
            log.warning(text, self._disk.data_dir, now, max(8 * now, 1024))


def _sort(data: bytes, ours: set[int], own: set[int], events: list[tuple[int, int, int, bytes]]) -> int:
    """Adds the cookies of renames from and to our directories to ``own``, all else to ``events``; returns how many there were."""
    at, end, count, head = 0, len(data), 0, HEAD.unpack_from
    while at < end:
        number, mask, cookie, length = head(data, at)
        begin = at + 16
        at = begin + length
        count += 1
        if cookie and number in ours:
            own.add(cookie)
        else:
            events.append((cookie, number, mask, data[begin:at]))
    return count
