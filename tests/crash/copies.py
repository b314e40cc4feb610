"""What a process would leave if it were killed, after each of its steps: copies that are made while it has stopped itself.

One run and a copy for each step take the place of as many runs; tests/crash/test_copies.py shows that they leave the same.
"""

import os
import stat
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from gecko_tw.store.drivers.files import state
from tests.crash.children import at_each_stop, finish, in_child, start
from tests.crash.killing import Work, ended, watched


@frozen
class Node:
    """A file or a directory.

    :ivar data: the bytes of a file.
    :ivar inode: two paths with one inode are one file. ``changed`` (ctime), in nanoseconds, orders files, and is no content.
    """

    mode: int
    modified: int
    attributes: dict[str, bytes]
    data: bytes | None
    inode: int
    changed: int = field(eq=False)


@frozen
class Copy:
    """A data directory: what is at each path below it, and the directory itself at the path ``b""``."""

    nodes: dict[bytes, Node]

    def write(self, folder: Path) -> None:
        """Makes it anew. Files get their order of changes (ctime) and their times, directories their times, and the state its inode."""
        top = os.fsencode(folder)
        made: dict[int, bytes] = {}
        for path, node in self.nodes.items():
            if node.data is None:
                os.mkdir(top + path, stat.S_IMODE(node.mode))
        for path, node in sorted(self.nodes.items(), key=lambda item: item[1].changed):
            if node.data is None:
                continue
            if node.inode in made:
                os.link(made[node.inode], top + path)
            else:
                made[node.inode] = top + path
                _write(top + path, node)
        for path, node in reversed(self.nodes.items()):
            if node.data is None:
                os.utime(top + path, ns=(node.modified, node.modified))


def copied(folder: Path) -> Copy:
    """A data directory as it is."""
    nodes: dict[bytes, Node] = {}
    _copy(os.fsencode(folder), b"", nodes)
    return Copy(nodes)


def _copy(top: bytes, path: bytes, nodes: dict[bytes, Node]) -> None:
    found = os.lstat(top + path)
    data = None
    if not stat.S_ISDIR(found.st_mode):
        with open(top + path, "rb") as file:
            data = file.read()
    attributes = {name: os.getxattr(top + path, name) for name in os.listxattr(top + path) if name.startswith("user.")}
    nodes[path] = Node(found.st_mode, found.st_mtime_ns, attributes, data, found.st_ino, found.st_ctime_ns)
    if data is None:
        for name in sorted(os.listdir(top + path)):
            _copy(top, path + b"/" + name, nodes)


def copies_of(folder: Path, work: Work) -> list[Copy]:
    """What work in a data directory would leave when it were killed before its first step and after each; the last is acknowledged."""
    folder.mkdir(exist_ok=True)
    copies: list[Copy] = []

    def run(acknowledge: Callable[[None], None]) -> None:
        work(watched().stop_now_and_after_each, lambda: ended(acknowledge))

    child, reading = start(run)
    try:
        at_each_stop(child, lambda: copies.append(copied(folder)))
    finally:
        end = finish(child, reading)
    assert end.killed and end.acknowledged
    return [*copies, copied(folder)]


def seen_in(copies: Sequence[Copy], folder: Path, see: Callable[[Path], Any]) -> list[Any]:
    """What ``see(data directory)`` finds in each of the copies. A step that changed nothing is not looked at again."""
    return in_child(_seen_in, copies, folder, see)  # type: ignore[no-any-return]


def _seen_in(copies: Sequence[Copy], folder: Path, see: Callable[[Path], Any]) -> list[Any]:
    folder.mkdir()
    found: list[Any] = []
    for number, copy in enumerate(copies):
        if number and copy == copies[number - 1]:
            found.append(found[-1])
            continue
        copy.write(folder / str(number))
        try:
            found.append(see(folder / str(number)))
        except Exception as error:
            error.add_note(f"looking at what is left after step {number}")
            raise
    return found


def _write(path: bytes, node: Node) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IMODE(node.mode))
    data = node.data or b""
    if path.endswith(b"/.geckos3/state"):
        data = _of_this_file(data, node.inode, os.fstat(descriptor).st_ino)
    os.truncate(descriptor, len(data))
    os.write(descriptor, data.rstrip(b"\0"))
    for name, value in node.attributes.items():
        os.setxattr(descriptor, name, value)
    os.utime(descriptor, ns=(node.modified, node.modified))
    os.close(descriptor)


def _of_this_file(data: bytes, old: int, new: int) -> bytes:
    """The state tells a killed process from a power failure by its own inode, too."""
    size = state._HEAD.size
    if not any(data[:size]):
        return data
    *before, inode, version = state._HEAD.unpack(data[:size])
    assert inode == old
    head = state._HEAD.pack(*before, new, version)
    return head + zlib.crc32(head).to_bytes(4, "little") + data[size + 4 :]
