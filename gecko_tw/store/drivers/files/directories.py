"""Buckets as directories, and the small files that say what a bucket or an upload is when the catalog does not."""

import errno
import logging
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.files.attribute_stores import read_beside
from gecko_tw.store.drivers.files.beneath import open_directory
from gecko_tw.store.drivers.files.disk import Disk, directory_of
from gecko_tw.store.drivers.files.paths import (
    INNER,
    SIDECAR,
    STAGING_OF_GECKOS3,
    has_path,
    is_litter,
    is_safe_bucket_name,
)
from gecko_tw.store.drivers.files.pooling import Pool
from gecko_tw.store.drivers.files.sidecars import read_sidecar
from gecko_tw.store.drivers.files.walking import entries, told
from gecko_tw.store.drivers.sqlite import marks
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.marks import Marks
from gecko_tw.store.drivers.sqlite.notation import bucket_of, bucket_text, decode, encode, upload_of, upload_text
from gecko_tw.store.drivers.sqlite.rows import Address
from gecko_tw.store.records import BucketRecord, Part, Upload
from gecko_tw.store.refusals import BucketAlreadyExists, BucketNotEmpty, InvalidBucketName

log = logging.getLogger(__name__)


def _bucket_file(name: str) -> str:
    return f"buckets/{name}.json"


def bucket_written(disk: Disk, name: str, failing: Callable[[bytes, Exception], None] = told) -> BucketRecord | None:
    """What is written down of a bucket, or None when that is nothing, or cannot be read, which the log tells."""
    try:
        text = disk.read_whole(_bucket_file(name))
        return None if text is None else bucket_of(name, text.decode("ascii"))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        failing(INNER + b"/" + os.fsencode(_bucket_file(name)), error)
        return None


def is_written(disk: Disk, name: str) -> bool:
    """Whether anything is written down of a bucket, readable or not."""
    return os.path.lexists(disk.inner_path(_bucket_file(name)))


class FilesBucketDirectories:
    """The directory of each bucket, and ``buckets/<name>.json`` with its record."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def note(self, transaction: Transaction, record: BucketRecord, fresh: bool) -> None:
        if not is_safe_bucket_name(record.name):
            raise InvalidBucketName()
        if fresh and self.exists(record.name) and not self._is_directory(record.name):
            log.warning("bucket not made: %s is no directory", os.path.join(self._disk.data_dir, record.name))
            raise BucketAlreadyExists("There is a file of this name in the data directory, where the bucket would be.")
        data = bucket_text(record).encode("ascii")
        transaction.touched.add(self._disk.write_whole(_bucket_file(record.name), data))
        if fresh:  # the directory is what makes it a bucket: whoever sees one finds its record
            with suppress(FileExistsError):
                os.mkdir(record.name, 0o777, dir_fd=self._disk.root)
            transaction.touched.add(b"")

    def _is_directory(self, name: str) -> bool:
        return self._directory(name) is not None

    def _directory(self, name: str) -> os.stat_result | None:
        try:
            found = os.stat(name, dir_fd=self._disk.root, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found if stat.S_ISDIR(found.st_mode) else None

    def exists(self, name: str) -> bool:
        if "\0" in name:  # no path has it
            return False
        if os.access(name, os.F_OK, dir_fd=self._disk.root):  # every request asks
            return True
        with suppress(FileNotFoundError):  # any other error says nothing of what is there
            return bool(os.stat(name, dir_fd=self._disk.root, follow_symlinks=False))
        return False

    def record_of(self, name: str) -> BucketRecord | None:
        found = self._directory(name) if is_safe_bucket_name(name) else None
        if found is None:
            return None
        written = bucket_written(self._disk, name)
        if written is not None:
            return written
        return BucketRecord(name=name, created=found.st_mtime_ns) if is_bucket_name(name) else None

    def clear(self, transaction: Transaction, name: str) -> bytes | None:
        if self._is_directory(name):
            stray = self._stray(name.encode(), b"")
            if stray is not None:
                return stray
            self._remove_tree(name.encode())
        self._disk.held.unlink(_bucket_file(name), self._disk.inner)
        transaction.touched.update((b"", directory_of(_bucket_file(name))))
        return None

    def _stray(self, path: bytes, prefix: bytes) -> bytes | None:
        """The key of the first file below that may be an object. Raises BucketNotEmpty for what can be none and is not ours."""
        for name, is_directory, is_file in entries(self._disk.root, path):
            if is_directory:
                if prefix or name not in STAGING_OF_GECKOS3:
                    found = self._stray(path + b"/" + name, prefix + name + b"/")
                    if found is not None:
                        return found
            elif is_file and has_path(prefix + name, self._disk.folding):
                return prefix + name
            elif not (is_file and self._may_go(path, name)):
                log.warning("bucket not removed: %s is no object and not ours", os.fsdecode(path + b"/" + name))
                raise BucketNotEmpty()
        return None

    def _may_go(self, path: bytes, name: bytes) -> bool:
        """Whether a file that is never an object is worthless without one."""
        if not name.endswith(SIDECAR):
            return is_litter(name)
        directory = open_directory(self._disk.root, path)
        try:
            data = read_beside(directory, name.removesuffix(SIDECAR))
        finally:
            os.close(directory)
        return data is not None and read_sidecar(data) is not None

    def _remove_tree(self, path: bytes, depth: int = 0) -> None:
        above, _, leaf = path.rpartition(b"/")
        for name, is_directory, _ in list(entries(self._disk.root, path)):
            if is_directory and not (depth == 0 and name in STAGING_OF_GECKOS3):
                self._remove_tree(path + b"/" + name, depth + 1)
            else:
                self._remove_entry(path, name, is_directory)
        directory = open_directory(self._disk.root, above) if above else os.dup(self._disk.root)
        try:
            self._disk.held.rmdir(leaf, directory)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise BucketNotEmpty() from error
            raise
        finally:
            os.close(directory)

    def _remove_entry(self, path: bytes, name: bytes, is_directory: bool) -> None:
        directory = open_directory(self._disk.root, path)
        try:
            if is_directory:
                shutil.rmtree(name, dir_fd=directory)
            else:
                self._disk.held.unlink(name, directory)
        finally:
            os.close(directory)


def upload_file(address: Address, upload_id: str) -> str:
    """Where an upload is written down."""
    if upload_id.isascii() and upload_id.isalnum() and len(upload_id) <= 64:
        return f"uploads/{upload_id}.json"
    return f"uploads/{sha256(f'{address.bucket}/{address.key!r}/{upload_id}'.encode()).hexdigest()}.json"


class FilesUploadNotes:
    """``uploads/<id>.json`` for each upload under way, and its parts in the pool."""

    def __init__(self, disk: Disk, pool: Pool) -> None:
        self._disk = disk
        self._pool = pool

    def note(self, transaction: Transaction, address: Address, upload: Upload, wanted: bool) -> None:
        path = upload_file(address, upload.id)
        transaction.intend(address.bucket, address.key, marks.upload(path))
        if wanted:
            transaction.touched.add(self._disk.write_whole(path, _upload_data(address, upload)))
        else:
            self._disk.held.unlink(path, self._disk.inner)
            transaction.touched.add(directory_of(path))

    def restore(self, transaction: Transaction, address: Address, uploads: tuple[Upload, ...], noted: Marks) -> None:
        standing = {upload_file(address, upload.id): upload for upload in uploads}
        for path in noted.uploads:
            if path in standing:
                self.note(transaction, address, standing[path], True)
            else:
                self._disk.held.unlink(path, self._disk.inner)

    def restore_part(self, address: Address, upload_id: str, part: Part) -> None:
        self._pool.describe_part(address, upload_id, part)

    def pool_part(self, transaction: Transaction, address: Address, upload_id: str, part: Part) -> None:
        self._pool.take_part(transaction, address, upload_id, part)


def _upload_data(address: Address, upload: Upload) -> bytes:
    key = address.key.decode("utf-8", "surrogateescape")
    fields = {"v": 1, "bucket": address.bucket, "key": key, "id": upload.id, "initiated": upload.initiated}
    return encode({**fields, "record": upload_text(upload)}).encode("ascii")


def upload_written(data: bytes) -> tuple[str, bytes, Upload] | None:
    """The bucket, the key and the upload that a file of ``uploads/`` says; None when it is damaged."""
    try:
        fields = decode(data.decode("ascii"))
        upload = upload_of(fields["id"], fields["initiated"], 0, fields["record"])
        return fields["bucket"], fields["key"].encode("utf-8", "surrogateescape"), upload
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
