"""The pool: bytes without a visible place, each blob described so that a rebuild knows whose it is."""

import errno
import os
from functools import partial

from gecko_tw.store.drivers.files.attribute_stores import describe_pooled
from gecko_tw.store.drivers.files.attributes import Description, text_of
from gecko_tw.store.drivers.files.beneath import open_beneath
from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.disk import description_file, directory_of, pool_file, remove_files, write_all
from gecko_tw.store.drivers.files.sameness import same_description
from gecko_tw.store.drivers.files.staging import fresh_name, staging_file
from gecko_tw.store.drivers.sqlite import marks
from gecko_tw.store.drivers.sqlite.blobnames import is_pooled
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.notation import spans_of
from gecko_tw.store.drivers.sqlite.rows import Address, Placement, Row
from gecko_tw.store.records import DeleteMarker, Part, Span, Version, stored_size

_COPY_STEP = 1024 * 1024
NO_LINKS = frozenset({errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS})


def is_whole(record: Version | Part) -> bool:
    """Whether the bytes are one whole blob."""
    if len(record.spans) != 1:
        return False
    span = record.spans[0]
    return span.offset == 0 and span.length == stored_size(record) and is_pooled(span.blob)


class Pool:
    """Takes blobs into the pool, inside the catalog's step."""

    def __init__(self, blobs: FilesBlobs) -> None:
        self._blobs = blobs
        self._disk = blobs.disk
        self._staged_are_described = blobs.attribute_store.staging

    def take(
        self, transaction: Transaction, address: Address, version: Version, leftover: tuple[int, int] | None
    ) -> Placement:
        """The bytes of a version, which supersedes a visible file of this size and time (``leftover``)."""
        size, mtime = leftover or (None, None)
        if is_whole(version):
            description = Description(bucket=address.bucket, key=address.key, record=version, replaces=leftover)
            spill = self._move_described(transaction, version.spans[0].blob, description)
            return Placement(False, mtime, size, version.spans, () if spill is None else (spill,))
        for blob in {span.blob for span in version.spans}:
            self._move(transaction, address, blob)
        return Placement(False, mtime, size, version.spans, (self._list(transaction, address, version, leftover),))

    def take_part(self, transaction: Transaction, address: Address, upload_id: str, part: Part) -> None:
        """The bytes of a part."""
        if is_whole(part):
            description = Description(bucket=address.bucket, key=address.key, record=part, upload=upload_id)
            self._move_described(transaction, part.spans[0].blob, description)
        else:
            for blob in {span.blob for span in part.spans}:
                self._move(transaction, address, blob)

    def describe_part(self, address: Address, upload_id: str, part: Part) -> None:
        """Describes a part that is in the pool."""
        if is_whole(part):
            blob = part.spans[0].blob
            description = Description(bucket=address.bucket, key=address.key, record=part, upload=upload_id)
            describe_pooled(self._disk, blob, pool_file(blob), description)

    def _move_described(self, transaction: Transaction, blob: str, description: Description) -> str | None:
        noted, here = self._blobs.noted.get(blob), Address(description.bucket, 0, description.key)
        if (
            noted is not None
            and self._staged_are_described
            and isinstance(description.record, Part)  # a version's may be the short one, without its key
            and noted.upload == description.upload
            and same_description(noted.record, description.record)
        ):
            self._move(transaction, here, blob)
            return noted.spill
        pooled = noted is None and self._has(blob)
        if pooled:
            transaction.intend(description.bucket, description.key, marks.described(blob))
        path = pool_file(blob) if pooled else staging_file(blob)
        spill = describe_pooled(self._disk, blob, path, description)
        if noted is not None and noted.spill is not None:
            remove_files(self._disk, noted.spill)
        self._move(transaction, here, blob)
        return spill

    def _move(self, transaction: Transaction, address: Address, blob: str) -> None:
        """From staging, where it may not be any more."""
        noted = self._blobs.noted.pop(blob, None)
        if noted is None and self._has(blob):
            return
        transaction.intend(address.bucket, address.key, marks.created(blob))
        transaction.touched.add(self._disk.rename_inner(blob, pool_file(blob)))

    def _has(self, blob: str) -> bool:
        return os.path.lexists(self._disk.inner_path(pool_file(blob)))

    def _list(
        self, transaction: Transaction, address: Address, version: Version, leftover: tuple[int, int] | None
    ) -> str:
        """Writes down an object that is not one file yet; returns the list's name."""
        name = fresh_name()
        description = Description(
            bucket=address.bucket, key=address.key, record=version, spans=version.spans, replaces=leftover
        )
        data = text_of(description).encode("ascii")
        transaction.intend(address.bucket, address.key, marks.created(name))
        transaction.touched.add(self._disk.write_whole(description_file(name), data))
        return name

    def rewrite(self, address: Address, record: Version | DeleteMarker, row: Row) -> None:
        """Writes again what is written down of a delete marker, or of an object that is not one file yet."""
        leftover = row.fingerprint
        spans = None if isinstance(record, DeleteMarker) else record.spans
        description = Description(
            bucket=address.bucket,
            key=address.key,
            record=record,
            spans=spans,
            replaces=leftover,
        )
        for name in row.files.split():
            self._disk.write_whole(description_file(name), text_of(description).encode("ascii"))

    def describe(self, transaction: Transaction, address: Address, version: Version, row: Row) -> Placement:
        """Changes the description of bytes in the pool."""
        spans = spans_of(row.spans, row.size)
        leftover = row.fingerprint
        if is_whole(version) and not self._has(spans[0].blob):  # lost: nothing is there to be described
            files: tuple[str, ...] = tuple(row.files.split())
        elif is_whole(version):
            description = Description(bucket=address.bucket, key=address.key, record=version, replaces=leftover)
            transaction.intend(address.bucket, address.key, marks.described(spans[0].blob))
            spill = describe_pooled(self._disk, spans[0].blob, pool_file(spans[0].blob), description)
            files = () if spill is None else (spill,)
        else:
            files = (self._list(transaction, address, version, leftover),)
        return Placement(False, row.file_mtime, row.file_size, spans, files)

    def link(
        self, transaction: Transaction, address: Address, version: Version, source: tuple[int, bytes]
    ) -> Placement:
        """A second name in the pool for the visible file ``source`` (its directory and its name there)."""
        directory, leaf = source
        blob = fresh_name()
        transaction.intend(address.bucket, address.key, marks.created(blob), marks.described())
        self._disk.make_rooms(pool_file(blob))
        try:
            os.link(leaf, pool_file(blob), src_dir_fd=directory, dst_dir_fd=self._disk.inner, follow_symlinks=False)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            self._copy(directory, leaf, blob)
        transaction.touched.add(directory_of(pool_file(blob)))
        description = Description(bucket=address.bucket, key=address.key, record=version)
        spill = describe_pooled(self._disk, blob, pool_file(blob), description)
        spans = (Span(blob, 0, version.size),)
        return Placement(False, spans=spans, files=() if spill is None else (spill,))

    def duplicate(self, blob: str) -> str:
        """A second name in staging for a file of the pool; returns that name."""
        try:
            link = partial(os.link, follow_symlinks=False)
            return self._disk.staging.take(pool_file(blob).encode(), self._disk.inner, link)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
        name = fresh_name()
        self._copy_to_staging(self._disk.inner, pool_file(blob).encode(), name)
        return name

    def _copy(self, directory: int, leaf: bytes, blob: str) -> None:
        self._copy_to_staging(directory, leaf, blob)
        self._disk.rename_inner(blob, pool_file(blob))

    def _copy_to_staging(self, directory: int, leaf: bytes, name: str) -> None:
        descriptor = open_beneath(directory, leaf, os.O_RDONLY)
        try:
            self._copied(descriptor, name)
            found = os.fstat(descriptor)
            os.utime(self._disk.inner_path(staging_file(name)), ns=(found.st_mtime_ns, found.st_mtime_ns))
        finally:
            os.close(descriptor)

    def _copied(self, source: int, blob: str) -> None:
        target = self._disk.staging.create(blob)
        try:
            offset = 0
            while data := os.pread(source, _COPY_STEP, offset):
                write_all(target, data)
                offset += len(data)
            if self._disk.fsync:
                os.fsync(target)
        finally:
            os.close(target)
