"""Unfinished multipart uploads that GeckoS3 left in a bucket become uploads of ours, with the same id."""

import hashlib
import json
import logging
import os
import re
import shutil
from functools import partial

from gecko_tw.store.drivers.files.beneath import ABSENT, open_beneath, open_directory
from gecko_tw.store.drivers.files.blobs import FilesBlobs
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.pooling import NO_LINKS
from gecko_tw.store.drivers.files.walking import entries
from gecko_tw.store.drivers.sqlite.catalog import SqliteCatalog
from gecko_tw.store.records import BucketRecord, Change, KeyHistory, Part, Span, Upload

log = logging.getLogger(__name__)

_UPLOAD_ID = re.compile(rb"[0-9a-f]{32}")
_PART = re.compile(rb"part-([0-9]{5})\.tmp")
_MOST_PARTS = 10_000


def adopt_uploads(disk: Disk, catalog: SqliteCatalog, blobs: FilesBlobs, bucket: str) -> int:
    """Takes over the uploads of a bucket; returns how many. What is cut short goes on the next time."""
    room = bucket.encode() + b"/.geckos3-multipart"
    try:
        found = entries(disk.root, room)
    except OSError as error:
        if error.errno in ABSENT:
            return 0
        raise
    adopted = 0
    for name, is_directory, _ in sorted(found):
        if is_directory and _UPLOAD_ID.fullmatch(name):
            adopted += _Unfinished(disk, catalog, blobs, bucket, name).adopt()
    return adopted


class _Unfinished:
    """One upload's directory."""

    def __init__(self, disk: Disk, catalog: SqliteCatalog, blobs: FilesBlobs, bucket: str, name: bytes) -> None:
        self._disk = disk
        self._catalog = catalog
        self._blobs = blobs
        self._bucket = bucket
        self._id = name.decode("ascii")
        self._room = bucket.encode() + b"/.geckos3-multipart"
        self._path = self._room + b"/" + name

    def adopt(self) -> int:
        manifest = self._manifest()
        if manifest is None:
            return 0
        key, headers = manifest
        directory = open_directory(self._disk.root, self._path)
        try:
            initiated = os.fstat(directory).st_mtime_ns
            upload = Upload(id=self._id, initiated=initiated, headers=headers)
            rule = partial(_with, upload=upload)
            self._catalog.change_history(self._bucket, key, rule, upload_id=self._id)
            for name, _, is_file in sorted(entries(self._disk.root, self._path)):
                number = _PART.fullmatch(name)
                if is_file and number and 1 <= int(number[1]) <= _MOST_PARTS:
                    self._adopt_part(key, int(number[1]), directory, name)
        finally:
            os.close(directory)
        room = open_directory(self._disk.root, self._room)
        try:
            shutil.rmtree(self._id, dir_fd=room)
        finally:
            os.close(room)
        return 1

    def _manifest(self) -> tuple[bytes, dict[str, str]] | None:
        """The key and the headers, or None when there is no manifest that says them."""
        try:
            descriptor = open_beneath(self._disk.root, self._path + b"/manifest.json", os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            data = file.read(65536)
        try:
            fields = {name.lower(): value for name, value in json.loads(data.decode("utf-8", "replace")).items()}
            key = fields["key"].encode("utf-8", "replace")
            content_type = (fields.get("contenttype") or "").encode("utf-8", "replace").decode("latin-1")
        except (ValueError, KeyError, AttributeError) as error:
            log.warning("unfinished upload %s is passed over: its manifest says no key (%s)", self._id, error)
            return None
        if not 1 <= len(key) <= 1024:
            log.warning("unfinished upload %s is passed over: its key has %d bytes", self._id, len(key))
            return None
        return key, {"content-type": content_type} if content_type else {}

    def _adopt_part(self, key: bytes, number: int, directory: int, name: bytes) -> None:
        """Hashes a part, gives it a name in staging and adds it: cut short anywhere, its bytes are in one place or the other."""
        descriptor = open_beneath(directory, name, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            etag = hashlib.file_digest(file, "md5").hexdigest()
            found = os.fstat(descriptor)
        try:
            blob = self._disk.staging.take(name, directory, partial(os.link, follow_symlinks=False))
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            blob = self._disk.staging.take(name, directory)
        size, modified = found.st_size, found.st_mtime_ns
        part = Part(number=number, etag=etag, size=size, modified=modified, spans=(Span(blob, 0, size),))
        replaced = self._catalog.add_part(self._bucket, key, self._id, part)
        if replaced is not None:
            self._blobs.release(span.blob for span in replaced.spans)
        self._disk.held.unlink(name, directory)


def _with(record: BucketRecord, history: KeyHistory, upload: Upload) -> Change:
    if history.upload(upload.id) is not None:
        return Change(history)
    uploads = (*history.uploads, upload)
    return Change(KeyHistory(bucket=history.bucket, key=history.key, versions=history.versions, uploads=uploads))
