"""A simulated disk: what a data directory is, what changes it, and what of the changes is left when the power is cut.

As on a file system with a journal, changes of names, attributes, times and sizes are on the disk as a prefix of their order. Bytes
get there by themselves, page by page; where they did not, zeros are read, or the file is shorter. Transactions of the catalog are
there as a prefix of their own order.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import Factory, define, evolve, field, frozen

from tests.crash.fates import PAGE, Fate

ROOT = 0
"""The number of the data directory's node."""
INNER = ".geckos3"
CATALOGS = ("catalog.sqlite", "objects.sqlite")
PREFIX = "user."

Names = dict[bytes, int]
Place = tuple[int, bytes]
"""A name in a directory."""
Ages = dict[tuple[int, int], int]
"""When files that look so (inode and ctime) were changed before a power cut, in nanoseconds: a disk that is written anew is all new."""


def of_catalog(name: bytes) -> bool:
    """Whether SQLite makes and writes the file itself."""
    return name.startswith(tuple(os.fsencode(catalog) for catalog in CATALOGS))


@define(eq=False)
class Node:
    """A file or a directory.

    :ivar names: the nodes of a directory; None of a file.
    :ivar modified: when, in nanoseconds; None is whenever it is looked at. ``changed`` is when it, or what it is, was last changed.
    :ivar durable: the bytes of a file that are on the disk.
    :ivar latest: its bytes as every process sees them.
    :ivar pages: every content that a page had since it was durable, by the page's number.
    """

    mode: int
    names: Names | None = None
    attributes: dict[str, bytes] = Factory(dict)
    modified: int | None = None
    changed: int = 0
    durable: bytearray = Factory(bytearray)
    latest: bytearray = Factory(bytearray)
    pages: dict[int, list[bytes]] = Factory(dict)

    def copy(self) -> "Node":
        names = None if self.names is None else dict(self.names)
        data = {"durable": bytearray(self.durable), "latest": bytearray(self.latest)}
        return evolve(self, names=names, attributes=dict(self.attributes), **data, pages=dict(self.pages))

    def write(self, offset: int, data: bytes) -> None:
        self.modified = None
        end = offset + len(data)
        self.latest.extend(bytes(max(0, end - len(self.latest))))
        self.latest[offset:end] = data
        for page in range(offset // PAGE, -(-end // PAGE)):
            content = bytes(self.latest[page * PAGE : (page + 1) * PAGE])
            self.pages.setdefault(page, []).append(content)

    def flush(self) -> None:
        self.durable = bytearray(self.latest)
        self.pages.clear()

    def lose(self, fate: Fate) -> None:
        """Makes its bytes what is found after the power was cut."""
        size = fate.size(len(self.durable), max(len(self.durable), len(self.latest)))
        found = bytearray(self.durable.ljust(size, b"\0"))
        for page, contents in sorted(self.pages.items()):
            content = fate.content(contents)
            if content is not None:
                found[page * PAGE : page * PAGE + len(content)] = content
        self.latest = found[:size]
        self.flush()


@define
class Disk:
    """The nodes of a data directory, by number; and of each catalog's file the bytes, and those of its log."""

    nodes: dict[int, Node] = Factory(dict)
    catalogs: dict[str, tuple[bytes, bytes]] = Factory(dict)

    def copy(self) -> "Disk":
        return Disk({number: node.copy() for number, node in self.nodes.items()}, dict(self.catalogs))

    def names(self, number: int) -> Names:
        names = self.nodes[number].names
        assert names is not None
        return names

    def at(self, place: Place) -> int | None:
        return self.names(place[0]).get(place[1])

    def flush(self) -> None:
        for node in self.nodes.values():
            node.flush()

    def lose(self, fate: Fate) -> None:
        for _, node in sorted(self.nodes.items()):
            node.lose(fate)

    def write(self, folder: Path, ages: Ages) -> None:
        """Makes a data directory of it.

        :param ages: told when its files were changed.
        """
        written: dict[int, bytes] = {}
        self._write(ROOT, os.fsencode(folder), written)
        for number, path in written.items():
            found = os.stat(path)
            ages[found.st_ino, found.st_ctime_ns] = self.nodes[number].changed
        for catalog, (file, log) in self.catalogs.items():
            path = folder / INNER / catalog
            path.write_bytes(file)
            path.with_name(f"{catalog}-wal").write_bytes(log)

    def _write(self, number: int, path: bytes, written: dict[int, bytes]) -> None:
        node = self.nodes[number]
        if node.names is not None:
            os.mkdir(path, node.mode)
            for name, child in node.names.items():
                self._write(child, path + b"/" + name, written)
        elif number in written:
            os.link(written[number], path)
        else:
            written[number] = path
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, node.mode)
            os.truncate(descriptor, len(node.latest))
            os.write(descriptor, node.latest.rstrip(b"\0"))
            for name, value in node.attributes.items():
                os.setxattr(descriptor, name, value)
            if node.modified is not None:
                os.utime(descriptor, ns=(node.modified, node.modified))
            os.close(descriptor)

    def told(self) -> dict[bytes, tuple[bytes, dict[str, bytes], int | None]]:
        """The bytes, attributes and time of each path, so that two can be compared."""
        return dict(self._told(ROOT, b""))

    def _told(self, number: int, path: bytes) -> Iterator[tuple[bytes, tuple[bytes, dict[str, bytes], int | None]]]:
        node = self.nodes[number]
        if node.names is None:
            yield path, (bytes(node.latest), node.attributes, node.modified)
            return
        yield path, (b"", {}, None)
        for name, child in node.names.items():
            yield from self._told(child, path + b"/" + name)


def read(folder: Path, ages: Ages) -> tuple[Disk, dict[tuple[int, int], int]]:
    """A data directory as it is, all of it durable, and the numbers of its nodes by device and inode."""
    disk = Disk()
    numbers: dict[tuple[int, int], int] = {}
    _read(os.fsencode(folder), disk, numbers, ages)
    for catalog in CATALOGS:
        if (path := folder / INNER / catalog).exists():
            disk.catalogs[catalog] = read_catalog(path)
    disk.flush()
    return disk, numbers


def read_catalog(path: Path) -> tuple[bytes, bytes]:
    log = path.with_name(f"{path.name}-wal")
    return path.read_bytes(), log.read_bytes() if log.exists() else b""


def _read(path: bytes, disk: Disk, numbers: dict[tuple[int, int], int], ages: Ages) -> int:
    found = os.lstat(path)
    inode = found.st_dev, found.st_ino
    if inode in numbers:
        return numbers[inode]
    number = numbers[inode] = len(numbers)
    changed = ages.get((found.st_ino, found.st_ctime_ns), found.st_ctime_ns)
    node = disk.nodes[number] = Node(stat.S_IMODE(found.st_mode), changed=changed)
    if stat.S_ISDIR(found.st_mode):
        names = sorted(name for name in os.listdir(path) if not of_catalog(name))
        node.names = {name: _read(path + b"/" + name, disk, numbers, ages) for name in names}
        return number
    with open(path, "rb") as file:
        node.latest = bytearray(file.read())
    node.modified = found.st_mtime_ns
    node.attributes = {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith(PREFIX)}
    return number


@frozen
class Change:
    """One change of a disk. Unless something else is said, it survives together with all those before it.

    :ivar numbers: of the nodes that it changes; ``at`` is when.
    """

    numbers: tuple[int, ...]
    at: int = field(factory=time.time_ns, kw_only=True, repr=False)

    def apply(self, disk: Disk) -> None:
        """Does it."""
        raise NotImplementedError

    def date(self, disk: Disk) -> None:
        """Says when its nodes were changed."""
        for number in self.numbers:
            if number in disk.nodes:
                disk.nodes[number].changed = self.at


@frozen
class Named(Change):
    """Names point to other nodes; None is to none.

    :ivar nodes: those that come to be.
    """

    names: tuple[tuple[Place, int | None], ...]
    nodes: dict[int, Node] = Factory(dict)

    def apply(self, disk: Disk) -> None:
        disk.nodes |= {number: node.copy() for number, node in self.nodes.items()}
        for (parent, name), number in self.names:
            if number is None:
                del disk.names(parent)[name]
            else:
                disk.names(parent)[name] = number


@frozen
class Described(Change):
    """An extended attribute; None is none."""

    name: str
    value: bytes | None

    def apply(self, disk: Disk) -> None:
        attributes = disk.nodes[self.numbers[0]].attributes
        if self.value is None:
            del attributes[self.name]
        else:
            attributes[self.name] = self.value


@frozen
class Stamped(Change):
    """The time of the last modification."""

    modified: int | None

    def apply(self, disk: Disk) -> None:
        disk.nodes[self.numbers[0]].modified = self.modified


@frozen
class Sized(Change):
    """A size that is set, not written: what is added is zeros, on the disk, too."""

    size: int

    def apply(self, disk: Disk) -> None:
        node = disk.nodes[self.numbers[0]]
        for data in (node.latest, node.durable):
            data.extend(bytes(max(0, self.size - len(data))))
            del data[self.size :]


@frozen
class Wrote(Change):
    """Bytes: they survive or not by themselves."""

    offset: int
    data: bytes

    def apply(self, disk: Disk) -> None:
        disk.nodes[self.numbers[0]].write(self.offset, self.data)


@frozen
class Flushed(Change):
    """All that was done to the nodes is on the disk, and all changes of names and the like before the last of these; of no nodes:
    everything is."""

    def apply(self, disk: Disk) -> None:
        for number in self.numbers:
            disk.nodes[number].flush()
        if not self.numbers:
            disk.flush()


@frozen
class Committed(Change):
    """A transaction of a catalog.

    :ivar file: the bytes of its file; None is as before.
    :ivar kept: so many bytes of its log are as before; ``added`` are those behind them.
    :ivar waited: whether it was on the disk when it returned.
    """

    catalog: str
    file: bytes | None
    kept: int
    added: bytes
    waited: bool

    def apply(self, disk: Disk) -> None:
        file, log = disk.catalogs.get(self.catalog, (b"", b""))
        disk.catalogs[self.catalog] = (file if self.file is None else self.file, log[: self.kept] + self.added)


@frozen
class Recording:
    """All that changed a disk, in order."""

    base: Disk
    changes: tuple[Change, ...]

    def least(self, point: int) -> tuple[int, int]:
        """So many of the first changes are on the disk for certain after so many: names and the like, and transactions."""
        names = commits = 0
        last: dict[int, int] = {}
        for place, change in enumerate(self.changes[:point], 1):
            if isinstance(change, Flushed) and not change.numbers:
                names = commits = place
            elif isinstance(change, Flushed):
                names = max(names, *(last.get(number, 0) for number in change.numbers))
            elif isinstance(change, Committed):
                commits = place if change.waited else commits
            elif not isinstance(change, Wrote):
                last |= dict.fromkeys(change.numbers, place)
        return names, commits


@frozen
class Cut:
    """A power cut.

    :ivar point: after so many changes.
    :ivar names: so many of these survive: those of names and the like.
    :ivar commits: so many of these survive: transactions.
    :ivar fate: of bytes.
    """

    point: int
    names: int
    commits: int
    fate: Callable[[], Fate] = field(default=Fate)


def after_power_cut(recording: Recording, cut: Cut) -> Disk:
    """The disk as it is found."""
    disk = recording.base.copy()
    names, commits = recording.least(cut.point)
    for place, change in enumerate(recording.changes[: cut.point]):
        if isinstance(change, Committed):
            if place < max(cut.commits, commits):
                change.apply(disk)
        elif isinstance(change, Wrote | Flushed):
            survivors = tuple(number for number in change.numbers if number in disk.nodes)
            if survivors or not change.numbers:
                evolve(change, numbers=survivors).apply(disk)
            if isinstance(change, Wrote):
                change.date(disk)
        elif place < max(cut.names, names):
            change.apply(disk)
            change.date(disk)
        elif isinstance(change, Sized) and change.numbers[0] in disk.nodes:
            node = disk.nodes[change.numbers[0]]
            node.latest = node.latest[: change.size].ljust(change.size, b"\0")
    disk.lose(cut.fate())
    return disk
