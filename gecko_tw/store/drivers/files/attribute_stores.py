"""How descriptions travel with bytes: in an extended attribute, in a sidecar, or not at all (``--metadata=false``).

What lies in the pool is always described, however the driver was set: nothing else says which key it belongs to.
"""

import errno
import os
import stat
from typing import Protocol

from gecko_tw.store.drivers.files.attributes import Description, description_of, pointed_at, pointer_text, text_of
from gecko_tw.store.drivers.files.beneath import open_beneath
from gecko_tw.store.drivers.files.compact import pack, unpack
from gecko_tw.store.drivers.files.disk import (
    ATTRIBUTE,
    Disk,
    description_file,
    full_or,
    spill_file,
)
from gecko_tw.store.drivers.files.paths import SIDECAR
from gecko_tw.store.drivers.files.reserve import FULL
from gecko_tw.store.drivers.files.sidecars import read_sidecar, sidecar_text
from gecko_tw.store.drivers.files.staging import fresh_name
from gecko_tw.store.records import Version

_TOO_LONG = FULL | {errno.E2BIG, errno.ERANGE}
_NO_ATTRIBUTE = frozenset({getattr(errno, "ENODATA", 0), getattr(errno, "ENOATTR", 0), errno.ENOTSUP, errno.EPERM})
LARGEST_SIDECAR = 16 * 1024 * 1024


class Occupied(Exception):  # noqa: N818 - a signal, not an error
    """Where a sidecar must go there is something else that is none of ours."""

    def __str__(self) -> str:
        return "something else is where its sidecar must be"


def write_attribute(disk: Disk, target: int | str, description: Description) -> str | None:
    """Describes a file in its extended attribute; returns the spill's name when that was too short for it.

    :param target: a descriptor, or a path of ours in full.
    """
    text = text_of(description)
    try:
        os.setxattr(target, ATTRIBUTE, text.encode("ascii"))
    except OSError as error:
        if error.errno not in _TOO_LONG:
            raise
    else:
        return None
    name = fresh_name()
    disk.sync([disk.write_whole(spill_file(name), text.encode("ascii"))])
    try:
        os.setxattr(target, ATTRIBUTE, pointer_text(name, description).encode("ascii"))
    except OSError as error:
        disk.drop([spill_file(name)])
        raise full_or(error) from error
    return name


def write_short_attribute(disk: Disk, target: int | str, description: Description) -> str | None:
    """The same for a file that is, or will be, at its key's path, and so need not say its key."""
    packed = pack(description)
    if packed is None:
        return write_attribute(disk, target, description)
    os.setxattr(target, ATTRIBUTE, packed)
    return None


def read_attribute(disk: Disk, target: int | str) -> tuple[Description | None, str | None]:
    """What a file's extended attribute says, and the spill it came from."""
    try:
        text = os.getxattr(target, ATTRIBUTE)
    except OSError as error:
        if error.errno in _NO_ATTRIBUTE:
            return None, None
        raise
    except AttributeError:  # no such call on this system
        return None, None
    short = unpack(text)
    if short is not None:
        return short, None
    spill = pointed_at(text)
    if spill is None:
        return description_of(text), None
    spilled = disk.read_whole(spill_file(spill))
    return (None, None) if spilled is None else (description_of(spilled), spill)


def has_attribute(target: int | str) -> bool:
    """Whether a file has an extended attribute of ours, whatever that says."""
    try:
        return bool(os.getxattr(target, ATTRIBUTE))
    except (OSError, AttributeError):
        return False


def describe_pooled(disk: Disk, blob: str, path: str, description: Description) -> str | None:
    """Describes a blob that is, or is about to be, in the pool and now at ``path``; returns the spill's name if there is one."""
    if disk.xattrs:
        spill = write_attribute(disk, disk.inner_path(path), description)
        if disk.fsync:
            _sync_file(disk.inner, path)
        return spill
    disk.sync([disk.write_whole(description_file(blob), text_of(description).encode("ascii"))])
    return None


def clear_attribute(target: int | str) -> None:
    """Takes a file's extended attribute away, if the file is there and has one."""
    try:
        os.removexattr(target, ATTRIBUTE)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTE:
            raise
    except AttributeError:  # no such call on this system
        return


def read_beside(directory: int, leaf: bytes) -> bytes | None:
    """The bytes of the sidecar of the file ``leaf``, or None."""
    try:
        descriptor = open_beneath(directory, leaf + SIDECAR, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.pread(descriptor, LARGEST_SIDECAR, 0)
    except OSError:  # it cannot be read: then it says nothing
        return None
    finally:
        os.close(descriptor)


def drop_sidecar(disk: Disk, directory: int, leaf: bytes) -> None:
    """Removes the sidecar of a file that is gone or has another description now; what is no sidecar stays."""
    if not os.access(leaf + SIDECAR, os.F_OK, dir_fd=directory):  # as nearly always: a third of opening it in vain
        return
    found = read_beside(directory, leaf)
    if found is not None and read_sidecar(found) is not None:
        disk.held.unlink(leaf + SIDECAR, directory)


class AttributeStore(Protocol):
    """Descriptions of visible files. ``directory`` and ``leaf`` say where the file is."""

    beside: bool
    """Whether a description is another file, beside the object's."""

    staging: bool
    """Whether a body is described as soon as it is complete."""

    def stage(self, descriptor: int, description: Description) -> str | None:
        """Describes a body that is complete and not yet placed. Returns the spill's name if there is one."""

    def seal(self, path: str, description: Description) -> str | None:
        """Describes it anew, because what was said before is not so any more. Returns the spill's name."""

    def before(self, directory: int, leaf: bytes, description: Description, former: Description | None) -> None:
        """Just before the file is renamed into its place. Raises Occupied.

        :param former: what stands there, told to one that is ``beside`` only.
        """

    def arrived(self, directory: int, leaf: bytes) -> None:
        """Just after the file was renamed into its place."""

    def left(self, directory: int, leaf: bytes) -> None:
        """Just after the file was removed from its place."""

    def change(self, directory: int, leaf: bytes, description: Description) -> str | None:
        """Describes a file in its place anew. Returns the spill's name."""


class XattrStore:
    """In the extended attribute ``user.geckos3``: set before the file has its name, so the two can never be apart."""

    beside = False
    staging = True

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def stage(self, descriptor: int, description: Description) -> str | None:
        return write_short_attribute(self._disk, descriptor, description)

    def seal(self, path: str, description: Description) -> str | None:
        spill = write_short_attribute(self._disk, self._disk.inner_path(path), description)
        if self._disk.fsync:
            _sync_file(self._disk.inner, path)
        return spill

    def before(self, directory: int, leaf: bytes, description: Description, former: Description | None) -> None:
        return

    def arrived(self, directory: int, leaf: bytes) -> None:
        drop_sidecar(self._disk, directory, leaf)

    left = arrived

    def change(self, directory: int, leaf: bytes, description: Description) -> str | None:
        descriptor = open_beneath(directory, leaf, os.O_RDONLY)
        try:
            spill = write_short_attribute(self._disk, descriptor, description)
            if self._disk.fsync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return spill


class SidecarStore:
    """In ``<object>.metadata.json``. It is in place before its object and says what the object was before, too."""

    beside = True
    staging = False

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def stage(self, descriptor: int, description: Description) -> str | None:
        return None

    def seal(self, path: str, description: Description) -> str | None:
        clear_attribute(self._disk.inner_path(path))
        return None

    def before(self, directory: int, leaf: bytes, description: Description, former: Description | None) -> None:
        found = read_beside(directory, leaf)
        if found is not None and read_sidecar(found) is None:
            raise Occupied()
        ours = {"description": text_of(description)}
        if former is not None:
            ours["previous"] = text_of(former)
        self._write(directory, leaf, description, ours)

    def _write(self, directory: int, leaf: bytes, description: Description, ours: dict[str, str]) -> None:
        assert isinstance(description.record, Version)
        name = self._disk.stage(sidecar_text(description.record, ours))
        try:
            with self._disk.held.removing(leaf + SIDECAR, directory):
                self._disk.staging.give(name, leaf + SIDECAR, directory)
        except (IsADirectoryError, NotADirectoryError):
            self._disk.staging.remove(name)
            raise Occupied() from None

    def arrived(self, directory: int, leaf: bytes) -> None:
        return

    def left(self, directory: int, leaf: bytes) -> None:
        drop_sidecar(self._disk, directory, leaf)

    def change(self, directory: int, leaf: bytes, description: Description) -> str | None:
        self._write(directory, leaf, description, {"description": text_of(description)})
        descriptor = open_beneath(directory, leaf, os.O_RDONLY)
        try:
            clear_attribute(descriptor)  # an older setting's: it would be believed first
        finally:
            os.close(descriptor)
        return None


class NoStore:
    """Nowhere: a visible file is only its bytes. A sidecar that an older object left behind goes."""

    beside = False
    staging = False

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def stage(self, descriptor: int, description: Description) -> str | None:
        return None

    def seal(self, path: str, description: Description) -> str | None:
        clear_attribute(self._disk.inner_path(path))
        return None

    def before(self, directory: int, leaf: bytes, description: Description, former: Description | None) -> None:
        return

    def arrived(self, directory: int, leaf: bytes) -> None:
        drop_sidecar(self._disk, directory, leaf)

    left = arrived

    def change(self, directory: int, leaf: bytes, description: Description) -> str | None:
        return None


def carrier_of(disk: Disk, metadata: bool, attributes: str) -> AttributeStore:
    """The attribute store for the driver's settings, or the next best that the disk can do."""
    if not metadata:
        return NoStore(disk)
    return XattrStore(disk) if attributes == "xattr" and disk.xattrs else SidecarStore(disk)


def _sync_file(directory: int, path: str) -> None:
    descriptor = open_beneath(directory, os.fsencode(path), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
