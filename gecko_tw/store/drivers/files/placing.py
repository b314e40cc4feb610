"""Moving bytes to where their version belongs: the file at the key's path, or the pool."""

import errno
import os
import stat

from gecko_tw.store.drivers.files.attributes import Description, text_of
from gecko_tw.store.drivers.files.beneath import exchange, make_directory, open_directory
from gecko_tw.store.drivers.files.blobs import FilesBlobs, Noted, remove_files
from gecko_tw.store.drivers.files.carriers import Occupied, disown_pooled
from gecko_tw.store.drivers.files.disk import Disk, description_file, pool_file, unlink
from gecko_tw.store.drivers.files.paths import file_of, fits_sidecar, has_path
from gecko_tw.store.drivers.files.pooling import Pool, is_whole
from gecko_tw.store.drivers.files.sameness import same_description
from gecko_tw.store.drivers.files.staging import fresh_name, staging_file
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.ground import Standing, Watch
from gecko_tw.store.drivers.sqlite.journal import LONGEST_TEXT
from gecko_tw.store.drivers.sqlite.notation import spans_of
from gecko_tw.store.drivers.sqlite.rows import Address, Placed, Row
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
        self._carrier = blobs.carrier
        self._pool = pool
        self._watch = watch

    def place(self, transaction: Transaction, address: Address, version: Version, standing: Standing) -> Placed:
        if not version.spans and version.size == 0:
            version = version.lying((Span(self._disk.stage(b""), 0, 0),))
        # A file that only we can read is no ordinary file: encrypted bytes stay in the pool (docs/decisions/0007-encrypted-objects.md).
        if is_whole(version) and "sse" not in version.extra and self._may_be_visible(address.key):
            placed = self._show(transaction, address, version, standing)
            if placed is not None:
                return placed
        return self._pool.take(transaction, address, version, _leftover(standing))

    def _may_be_visible(self, key: bytes) -> bool:
        return has_path(key, self._disk.folding) and (not self._carrier.beside or fits_sidecar(key))

    def _show(self, transaction: Transaction, address: Address, version: Version, standing: Standing) -> Placed | None:
        """Renames the bytes over the key's path. None when that is no place for a file."""
        blob = version.spans[0].blob
        path = file_of(address.bucket, address.key)
        try:
            directory, changed = make_directory(self._disk.root, os.path.dirname(path))
        except OSError as error:
            if error.errno in NO_PLACE:
                return None
            raise
        try:
            leaf = path.rpartition(b"/")[2]
            if standing.row is None and _is_taken(directory, leaf):
                return None
            placed = self._rename(transaction, (directory, leaf), address, version, standing)
        finally:
            os.close(directory)
        transaction.touched.update(changed)
        if placed is not None:
            transaction.touched.add(os.path.dirname(path))
            self._blobs.noted.pop(blob, None)
        return placed

    def _rename(
        self,
        transaction: Transaction,
        target: tuple[int, bytes],
        address: Address,
        version: Version,
        standing: Standing,
    ) -> Placed | None:
        directory, leaf = target
        blob = version.spans[0].blob
        noted = self._blobs.noted.get(blob)
        source, size, mtime = self._whereabouts(blob, noted)
        if size != version.size:
            return None
        mtime = self._tick(source, mtime, version, standing)
        description = Description(
            bucket=address.bucket, key=address.key, record=version, mtime=mtime, kept=standing.kept
        )
        spill = self._sealed(source, noted, mtime, description)
        try:
            former = _former(address, standing) if self._carrier.beside else None
            self._carrier.before(directory, leaf, description, former)
            if not self._carrier.describes:
                self._foretell(transaction, description)
            self._put(transaction, source, target, standing)
        except Occupied:
            return None
        except OSError as error:
            if error.errno in NO_PLACE:
                return None
            raise
        self._carrier.arrived(directory, leaf)
        if noted is None:
            unlink(description_file(blob), self._disk.inner)
        return Placed(True, mtime, files=() if spill is None else (spill,))

    def _put(self, transaction: Transaction, source: str, target: tuple[int, bytes], standing: Standing) -> None:
        """The rename. A file that it replaces is not removed here: that takes long, and everybody waits."""
        directory, leaf = target
        replaces = standing.row is not None and source.startswith("staging/")
        if replaces and exchange((self._disk.inner, source.encode()), target):
            transaction.useless.add(os.path.basename(source))
            return
        os.rename(source, leaf, src_dir_fd=self._disk.inner, dst_dir_fd=directory)

    def _foretell(self, transaction: Transaction, description: Description) -> None:
        """Tells the journal what the file will be, since the file itself cannot tell."""
        text = text_of(description).encode("ascii")
        if len(text) > LONGEST_TEXT:
            name = self._disk.stage(text)
            transaction.useless.add(name)
            text = name.encode("ascii")
        transaction.intend(description.bucket, description.key, text)

    def _whereabouts(self, blob: str, noted: Noted | None) -> tuple[str, int, int]:
        """Where a blob is, its size and its modification time."""
        if noted is not None:
            return staging_file(blob), noted.size, noted.mtime
        source = pool_file(blob) if self._watch.is_pooled(blob) else staging_file(blob)
        found = os.stat(source, dir_fd=self._disk.inner, follow_symlinks=False)
        return source, found.st_size, found.st_mtime_ns

    def _tick(self, source: str, mtime: int, version: Version, standing: Standing) -> int:
        """Sets the file's time to the version's, but never to that of the file it replaces: a name would open either."""
        taken = None if standing.row is None else standing.row.file_mtime
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
        spill = self._carrier.seal(source, description)
        if noted is not None and noted.spill is not None:
            remove_files(self._disk, noted.spill)
        return spill

    def mark(self, transaction: Transaction, address: Address, marker: DeleteMarker, standing: Standing) -> Placed:
        leftover = _leftover(standing)
        description = Description(bucket=address.bucket, key=address.key, record=marker, replaces=leftover)
        name = fresh_name()
        data = text_of(description).encode("ascii")
        transaction.touched.add(self._disk.write_whole(description_file(name), data))
        return Placed(False, leftover and leftover[1], leftover and leftover[0], files=(name,))

    def describe(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placed:
        if not row.visible:
            return self._pool.describe(transaction, address, version, row)
        path = file_of(address.bucket, address.key)
        directory = open_directory(self._disk.root, os.path.dirname(path))
        try:
            description = Description(bucket=address.bucket, key=address.key, record=version, mtime=row.file_mtime)
            spill = self._carrier.change(directory, os.path.basename(path), description)
        finally:
            os.close(directory)
        if self._carrier.beside:
            transaction.touched.add(os.path.dirname(path))
        return Placed(True, row.file_mtime, files=() if spill is None else (spill,))

    def keep(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placed:
        path = file_of(address.bucket, address.key)
        directory = open_directory(self._disk.root, os.path.dirname(path))
        try:
            return self._pool.link(transaction, address, version, (directory, os.path.basename(path)))
        finally:
            os.close(directory)

    def vacate(self, transaction: Transaction, address: Address) -> None:
        path = file_of(address.bucket, address.key)
        parent, leaf = os.path.split(path)
        directory = open_directory(self._disk.root, parent)
        try:
            if _is_regular(directory, leaf):
                transaction.useless.add(self._disk.staging.take(leaf, directory))
            self._carrier.left(directory, leaf)
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
                os.rmdir(name, dir_fd=directory)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOENT):
                    return
                raise
            finally:
                os.close(directory)
            transaction.touched.add(above)
            parent = above

    def sweep_path(self, transaction: Transaction, address: Address) -> None:
        """Where no file is at a key's path: removes a description that stands there alone, and empty directories."""
        if not has_path(address.key) or self._watch.fingerprint(address.bucket, address.key) != (None, None):
            return
        parent, leaf = os.path.split(file_of(address.bucket, address.key))
        try:
            directory = open_directory(self._disk.root, parent)
        except OSError as error:
            if error.errno in NO_PLACE or error.errno == errno.ENOENT:
                return
            raise
        try:
            if not _is_taken(directory, leaf):
                self._carrier.left(directory, leaf)
        finally:
            os.close(directory)
        self._prune(transaction, parent)

    def vacate_leftover(self, transaction: Transaction, address: Address, row: Row) -> None:
        if self._watch.fingerprint(address.bucket, address.key) == (row.file_size, row.file_mtime):
            self.vacate(transaction, address)

    def disown(self, transaction: Transaction, row: Row) -> None:
        for name in row.files.split():
            unlink(description_file(name), self._disk.inner)
        spans = spans_of(row.spans, row.size)
        if len(spans) == 1:
            disown_pooled(self._disk, spans[0].blob)

    def forget(self, files: set[str]) -> None:
        for name in files:
            self._blobs.noted.pop(name, None)
            remove_files(self._disk, name)


def _leftover(standing: Standing) -> tuple[int, int] | None:
    """The fingerprint of the file that will be left at the path, or None."""
    if standing.row is None:
        return None
    return standing.row.file_size, standing.row.file_mtime  # type: ignore[return-value]


def _former(address: Address, standing: Standing) -> Description | None:
    if standing.row is None or standing.version is None:
        return None
    mtime = standing.row.file_mtime
    return Description(bucket=address.bucket, key=address.key, record=standing.version, mtime=mtime)


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
