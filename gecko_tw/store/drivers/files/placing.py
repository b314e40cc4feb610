"""Moving bytes to where their version belongs: the file at the key's path, or the pool."""

import errno
import os
import stat
from collections.abc import Iterable

from gecko_tw.store.drivers.files.attribute_stores import Occupied
from gecko_tw.store.drivers.files.attributes import Description, text_of
from gecko_tw.store.drivers.files.beneath import exchange, make_directory, open_directory, stat_beneath
from gecko_tw.store.drivers.files.blobs import FilesBlobs, Noted
from gecko_tw.store.drivers.files.disk import Disk, description_file, pool_file, remove_files
from gecko_tw.store.drivers.files.paths import file_of, fits_sidecar, has_path
from gecko_tw.store.drivers.files.pooling import Pool, is_whole
from gecko_tw.store.drivers.files.sameness import same_description
from gecko_tw.store.drivers.files.staging import fresh_name, staging_file
from gecko_tw.store.drivers.sqlite import marks
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.layout import Occupant, Watch
from gecko_tw.store.drivers.sqlite.marks import Marks
from gecko_tw.store.drivers.sqlite.rows import Address, Placement, Row
from gecko_tw.store.records import DeleteMarker, Span, Version

NO_PLACE = frozenset(
    {
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENOTEMPTY,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EXDEV,
        errno.EINVAL,
        errno.EILSEQ,
    }
)
"""What the file system says when a key's path cannot be a file now: its bytes go to the pool instead."""

_TICKS = (0, 1, 1_000_000_000, 2_000_000_000)


class FilesPlaces:
    """Places of versions: one visible file for each key, the rest in the pool."""

    def __init__(self, blobs: FilesBlobs, pool: Pool, watch: Watch) -> None:
        self._disk: Disk = blobs.disk
        self._blobs = blobs
        self._attribute_store = blobs.attribute_store
        self._pool = pool
        self._watch = watch

    def place(self, transaction: Transaction, address: Address, version: Version, occupant: Occupant) -> Placement:
        if not version.spans and version.size == 0:
            version = version.lying((Span(self._disk.stage(b""), 0, 0),))
        # A file that only we can read is no ordinary file: encrypted bytes stay in the pool (docs/decisions/0007-encrypted-objects.md).
        if is_whole(version) and "sse" not in version.extra and self._may_be_visible(address.key):
            placed = self._show(transaction, address, version, occupant)
            if placed is not None:
                return placed
        return self._pool.take(transaction, address, version, _leftover(occupant))

    def _may_be_visible(self, key: bytes) -> bool:
        return has_path(key, self._disk.folding) and (not self._attribute_store.beside or fits_sidecar(key))

    def _show(
        self, transaction: Transaction, address: Address, version: Version, occupant: Occupant
    ) -> Placement | None:
        """Renames the bytes over the key's path. None when that is no place for a file."""
        blob = version.spans[0].blob
        path = file_of(address.bucket, address.key)
        parent, _, leaf = path.rpartition(b"/")
        try:
            directory, changed = make_directory(self._disk.root, parent)
        except OSError as error:
            if error.errno in NO_PLACE:
                return None
            raise
        try:
            if occupant.row is None and _is_taken(directory, leaf):
                return None
            placed = self._rename(transaction, (directory, leaf), address, version, occupant)
        finally:
            os.close(directory)
        transaction.touched.update(changed)
        if placed is not None:
            transaction.touched.add(parent)
            self._blobs.noted.pop(blob, None)
        return placed

    def _rename(
        self,
        transaction: Transaction,
        target: tuple[int, bytes],
        address: Address,
        version: Version,
        occupant: Occupant,
    ) -> Placement | None:
        directory, leaf = target
        blob = version.spans[0].blob
        noted = self._blobs.noted.get(blob)
        source, size, mtime = self._whereabouts(blob, noted)
        if size != version.size:
            return None
        name = blob
        if source.startswith("pool/"):  # the bytes stay there, too, until the step is durable
            transaction.intend(address.bucket, address.key, marks.described(blob))
            name = self._pool.duplicate(blob)
            source = staging_file(name)
        mtime = self._tick(source, mtime, version, occupant)
        description = Description(bucket=address.bucket, key=address.key, record=version, mtime=mtime)
        spill = self._sealed(source, noted, mtime, description)
        transaction.intend(address.bucket, address.key, marks.placed(size, mtime), marks.kept(name), marks.described())
        try:
            former = _former(address, occupant) if self._attribute_store.beside else None
            self._attribute_store.before(directory, leaf, description, former)
            self._put(transaction, address, name, target, occupant)
        except Occupied:
            self._not_put(name, blob)
            return None
        except OSError as error:
            if error.errno in NO_PLACE:
                self._not_put(name, blob)
                return None
            raise
        self._attribute_store.arrived(directory, leaf)
        return Placement(True, mtime, files=() if spill is None else (spill,))

    def _not_put(self, name: str, blob: str) -> None:
        if name != blob:
            self._disk.staging.remove(name)

    def _put(
        self, transaction: Transaction, address: Address, name: str, target: tuple[int, bytes], occupant: Occupant
    ) -> None:
        """The rename. A file that it replaces stays, in staging under the same name, until the step is durable."""
        directory, leaf = target
        if occupant.row is not None:
            try:
                if exchange((self._disk.inner, staging_file(name).encode()), target):
                    transaction.replaced.add(name)
                    return
                self._set_aside(transaction, address, target)
            except FileNotFoundError:  # somebody has just removed it
                pass
        self._disk.staging.give(name, leaf, directory)

    def _set_aside(self, transaction: Transaction, address: Address, target: tuple[int, bytes]) -> None:
        """Moves the file at the key's path to staging."""
        directory, leaf = target
        name = fresh_name()
        transaction.intend(address.bucket, address.key, marks.kept(name), marks.described())
        self._disk.staging.take(leaf, directory, name=name)
        transaction.replaced.add(name)

    def _whereabouts(self, blob: str, noted: Noted | None) -> tuple[str, int, int]:
        """Where a blob is, its size and its modification time."""
        if noted is not None:
            return staging_file(blob), noted.size, noted.mtime
        source = pool_file(blob) if self._watch.is_pooled(blob) else staging_file(blob)
        found = os.stat(source, dir_fd=self._disk.inner, follow_symlinks=False)
        return source, found.st_size, found.st_mtime_ns

    def _tick(self, source: str, mtime: int, version: Version, occupant: Occupant) -> int:
        """Sets the file's time to the version's, but never to that of the file it replaces: a name would open either."""
        taken = None if occupant.row is None else occupant.row.file_mtime
        for ticks in _TICKS:
            if mtime != taken and (mtime == version.modified or ticks):
                break
            wanted = version.modified + ticks
            os.utime(source, ns=(wanted, wanted), dir_fd=self._disk.inner, follow_symlinks=False)
            mtime = os.stat(source, dir_fd=self._disk.inner, follow_symlinks=False).st_mtime_ns
        return mtime

    def _sealed(self, source: str, noted: Noted | None, mtime: int, description: Description) -> str | None:
        """Makes sure that the file carries its final description; returns the spill's name."""
        if (
            noted is not None
            and noted.mtime == mtime == description.record.modified
            and description.kept is None
            and same_description(noted.record, description.record)
        ):
            return noted.spill
        spill = self._attribute_store.seal(source, description)
        if noted is not None and noted.spill is not None:
            remove_files(self._disk, noted.spill)
        return spill

    def mark(self, transaction: Transaction, address: Address, marker: DeleteMarker, occupant: Occupant) -> Placement:
        leftover = _leftover(occupant)
        description = Description(bucket=address.bucket, key=address.key, record=marker, replaces=leftover)
        name = fresh_name()
        data = text_of(description).encode("ascii")
        transaction.intend(address.bucket, address.key, marks.created(name))
        transaction.touched.add(self._disk.write_whole(description_file(name), data))
        return Placement(False, leftover and leftover[1], leftover and leftover[0], files=(name,))

    def describe(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        if not row.visible:
            return self._pool.describe(transaction, address, version, row)
        path = file_of(address.bucket, address.key)
        directory = open_directory(self._disk.root, os.path.dirname(path))
        try:
            transaction.intend(address.bucket, address.key, marks.described())
            description = Description(bucket=address.bucket, key=address.key, record=version, mtime=row.file_mtime)
            spill = self._attribute_store.change(directory, os.path.basename(path), description)
        finally:
            os.close(directory)
        if self._attribute_store.beside:
            transaction.touched.add(os.path.dirname(path))
        return Placement(True, row.file_mtime, files=() if spill is None else (spill,))

    def keep(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        path = file_of(address.bucket, address.key)
        directory = open_directory(self._disk.root, os.path.dirname(path))
        try:
            return self._pool.link(transaction, address, version, (directory, os.path.basename(path)))
        finally:
            os.close(directory)

    def shelve(self, transaction: Transaction, address: Address, version: Version) -> Placement:
        return self._pool.take(transaction, address, version, None)

    def vacate(self, transaction: Transaction, address: Address) -> None:
        path = file_of(address.bucket, address.key)
        parent, leaf = os.path.split(path)
        directory = open_directory(self._disk.root, parent)
        try:
            if _is_regular(directory, leaf):
                self._set_aside(transaction, address, (directory, leaf))
            self._attribute_store.left(directory, leaf)
        finally:
            os.close(directory)
        transaction.touched.add(parent)
        self._prune(transaction, parent)

    def _prune(self, transaction: Transaction, parent: bytes) -> None:
        """Removes directories that became empty, up to the bucket's."""
        while b"/" in parent:
            above, name = os.path.split(parent)
            directory = open_directory(self._disk.root, above)
            try:
                self._disk.held.rmdir(name, directory)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOENT):
                    return
                raise
            finally:
                os.close(directory)
            transaction.touched.add(above)
            parent = above

    def put_back(self, transaction: Transaction, address: Address, row: Row | None, noted: Marks) -> None:
        if not has_path(address.key, self._disk.folding):
            return
        wanted = None if row is None else row.fingerprint
        there = self._watch.fingerprint(address.bucket, address.key)
        if row is not None and row.visible:
            if wanted is not None and there != wanted:
                self.return_file(address, wanted, noted.kept)
        elif there in noted.placed and there != wanted:
            self.take_away(transaction, address)
        elif there == (None, None):
            self.sweep_path(transaction, address)

    def return_file(
        self, address: Address, fingerprint: tuple[int, int], names: Iterable[str], clearing: bool = False
    ) -> bool:
        """Gives a key's path the file of this size and time, if it is in staging under one of the names; whether it was.

        What is at the path comes to staging instead.

        :param clearing: whether that is so, too, for files below the path, and for those where its directories must be.
        """
        name = next((one for one in names if self._disk.staging.fingerprint(one) == fingerprint), None)
        if name is None:
            return False
        path = file_of(address.bucket, address.key)
        if clearing:
            self._clear(path)
        directory, changed = make_directory(self._disk.root, os.path.dirname(path))
        try:
            leaf = os.path.basename(path)
            if _is_regular(directory, leaf) and not exchange(
                (self._disk.inner, staging_file(name).encode()), (directory, leaf)
            ):
                self._disk.staging.take(leaf, directory)
            if self._disk.staging.fingerprint(name) == fingerprint:
                self._disk.staging.give(name, leaf, directory)
        finally:
            os.close(directory)
        self._disk.sync([*changed, os.path.dirname(path)])
        return True

    def _clear(self, path: bytes) -> None:
        """Moves files to staging that are below a path, or where its directories must be: of them all only one can be visible."""
        parents = [path[:at] for at, char in enumerate(path) if char == ord("/")]
        found = [
            parent
            for parent in parents
            if (there := stat_beneath(self._disk.root, parent)) and stat.S_ISREG(there.st_mode)
        ]
        for where, _, names in os.walk(os.path.join(os.fsencode(self._disk.data_dir), path), topdown=False):
            for name in names:
                self._take(os.path.join(where, name))
            os.rmdir(where)
        for parent in found:
            self._take(os.path.join(os.fsencode(self._disk.data_dir), parent))

    def _take(self, file: bytes) -> None:
        directory = os.open(os.path.dirname(file), os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._disk.staging.take(os.path.basename(file), directory)
        finally:
            os.close(directory)

    def take_away(self, transaction: Transaction, address: Address) -> None:
        """Moves the file at a key's path to staging, where it is nobody's, with all that describes it."""
        path = file_of(address.bucket, address.key)
        directory = open_directory(self._disk.root, os.path.dirname(path))
        try:
            self._disk.staging.take(os.path.basename(path), directory)
        finally:
            os.close(directory)
        self.sweep_path(transaction, address)

    def sweep_path(self, transaction: Transaction, address: Address) -> None:
        """Where no file is at a key's path: removes a description that stands there alone, and empty directories."""
        parent, leaf = os.path.split(file_of(address.bucket, address.key))
        try:
            directory = open_directory(self._disk.root, parent)
        except OSError as error:
            if error.errno in NO_PLACE or error.errno == errno.ENOENT:
                return
            raise
        try:
            if not _is_taken(directory, leaf):
                self._attribute_store.left(directory, leaf)
        finally:
            os.close(directory)
        self._prune(transaction, parent)

    def vacate_leftover(self, transaction: Transaction, address: Address, row: Row) -> None:
        if self._watch.fingerprint(address.bucket, address.key) == (row.file_size, row.file_mtime):
            self.vacate(transaction, address)


def _leftover(occupant: Occupant) -> tuple[int, int] | None:
    """The fingerprint of the file that will be left at the path, or None."""
    return None if occupant.row is None else occupant.row.fingerprint


def _former(address: Address, occupant: Occupant) -> Description | None:
    if occupant.row is None or occupant.version is None:
        return None
    mtime = occupant.row.file_mtime
    return Description(bucket=address.bucket, key=address.key, record=occupant.version, mtime=mtime)


def _is_taken(directory: int, leaf: bytes) -> bool:
    """Whether something stands there that is not ours to replace: a symbolic link, a socket, a directory."""
    return _is_regular(directory, leaf) is False


def _is_regular(directory: int, leaf: bytes) -> bool | None:
    """None when nothing is there."""
    try:
        found = os.stat(leaf, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return stat.S_ISREG(found.st_mode)
