"""After a step that was cut short: rows follow the visible files, and everything else of ours follows the rows."""

from gecko_tw.store.drivers.files.attributes import Description, description_of
from gecko_tw.store.drivers.files.disk import Disk
from gecko_tw.store.drivers.files.examining import Examiner
from gecko_tw.store.drivers.files.staging import NAME_LENGTH, staging_file
from gecko_tw.store.drivers.sqlite.buckets import ForgetAbsentBucket, find
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.ground import Ground
from gecko_tw.store.drivers.sqlite.journal import Note
from gecko_tw.store.drivers.sqlite.notation import bucket_text
from gecko_tw.store.drivers.sqlite.rows import (
    Address,
    change_blobs,
    parts_of_upload,
    put_version,
    row_of,
    uploads_of,
    version_of,
    versions_of,
)
from gecko_tw.store.drivers.sqlite.takeover import TakeOver
from gecko_tw.store.records import Version


class Recovery:
    """The step that brings the keys of a journal together again."""

    def __init__(self, disk: Disk, ground: Ground, examiner: Examiner) -> None:
        self._disk = disk
        self._ground = ground
        self._examiner = examiner

    def __call__(self, transaction: Transaction, notes: list[Note]) -> None:
        told: dict[tuple[str, bytes], bytes] = {}
        for note in notes:
            told[note.bucket, note.key] = note.text or told.get((note.bucket, note.key), b"")
        for (bucket, key), text in told.items():
            if not key:
                self._bucket(transaction, bucket)
                continue
            finding = self._examiner.examine(bucket, key, told=self._told(text))
            useless, _ = TakeOver(self._ground, (finding,))(transaction)
            self._ground.places.forget(useless)
            found = find(transaction.execute, bucket)
            if found is not None:
                address = Address(bucket, found[0], key)
                self._restore_versions(transaction, address)
                self._restore_uploads(transaction, address)
                self._ground.places.sweep_path(transaction, address)

    def _told(self, text: bytes) -> Description | None:
        """What a note says the key's file is to be."""
        if len(text) == NAME_LENGTH:
            text = self._disk.read_whole(staging_file(text.decode("ascii", "replace"))) or b""
        return description_of(text) if text else None

    def _bucket(self, transaction: Transaction, name: str) -> None:
        """The directory decides whether the bucket is there."""
        found = find(transaction.execute, name)
        record = self._ground.directories.record_of(name)
        if found is None and record is not None:
            self._ground.directories.note(transaction, record, True)
            transaction.execute("INSERT INTO bucket (name, record) VALUES (?, ?)", (name, bucket_text(record)))
        elif found is None:
            self._ground.directories.clear(transaction, name)
        elif record is None:
            self._ground.places.forget(ForgetAbsentBucket(self._ground, name)(transaction))
        else:
            self._ground.directories.note(transaction, found[1], False)

    def _restore_versions(self, transaction: Transaction, address: Address) -> None:
        """A version in the pool may have been disowned already by the step that did not come to its end."""
        for row in versions_of(transaction, address):
            version = version_of(row, address.bucket, address.key)
            if row.visible or not isinstance(version, Version):
                continue
            placed = self._ground.places.describe(transaction, address, version, row)
            restored = row_of(version, row.seq, placed)
            put_version(transaction, address, restored)
            change_blobs(transaction, address.bucket_id, row.blobs(), restored.blobs())
            self._ground.places.forget(set(row.files.split()) - restored.blobs())

    def _restore_uploads(self, transaction: Transaction, address: Address) -> None:
        uploads = uploads_of(transaction, address)
        self._ground.uploads.restore(transaction, address, uploads)
        for upload in uploads:
            for part in parts_of_upload(transaction, address, upload.id):
                self._ground.uploads.restore_part(transaction, address, upload.id, part)
