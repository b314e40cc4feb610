"""A whole store over the memory driver, and its deeds in one word each."""

import hashlib
from collections.abc import Iterable
from typing import Any

from attrs import frozen

from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BucketRecord, Part, Upload, Version
from gecko_tw.store.requests import Complete, ListRequest, Put, PutPart, Remove, Removed, WantedPart
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads

NOW = 1_700_000_000_000_000_000
BUCKET = "photos"


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@frozen
class Shop:
    """The verbs of the store over one driver; every one of them works on one bucket."""

    driver: Any
    buckets: Buckets
    objects: Objects
    uploads: Uploads
    upkeep: Upkeep

    def put(self, key: bytes, data: bytes, *, algorithms: Iterable[str] = (), **asked: Any) -> Version:
        incoming = self.objects.receive(algorithms)
        for start in range(0, len(data), 1000):
            incoming.push(data[start : start + 1000])
        return self.objects.put(BUCKET, key, incoming, Put(**{"now": NOW, **asked}))

    def get(self, key: bytes) -> bytes:
        reading = reconciled(self.objects.open, BUCKET, key)
        try:
            return read_all(reading)
        finally:
            reading.close()

    def remove(self, key: bytes, **asked: Any) -> Removed:
        return self.objects.remove(BUCKET, key, Remove(**{"now": NOW, **asked}))

    def listed(self) -> list[bytes]:
        return [entry.key for entry in self.objects.page(BUCKET, ListRequest()).entries]

    def begin(self, key: bytes, upload_id: str = "u1", **more: Any) -> Upload:
        upload = Upload(**{"id": upload_id, "initiated": NOW, **more})
        self.uploads.create(BUCKET, key, upload)
        return upload

    def send(self, key: bytes, number: int, data: bytes, upload_id: str = "u1", **asked: Any) -> Part:
        """A part; its body is hashed as the upload was created for, which is what clients send, unless something else is asked."""
        upload = reconciled(self.driver.catalog.history, BUCKET, key, None, False, upload_id).upload(upload_id)
        agreed = upload.checksum_algorithm if upload else None
        asked.setdefault("checksum", agreed)
        claimed = {claim.algorithm for claim in asked.get("claims", ())}
        incoming = self.objects.receive(({asked["checksum"], agreed} - {None}) | claimed)
        incoming.push(data)
        return self.uploads.put_part(BUCKET, key, upload_id, incoming, PutPart(now=NOW, number=number, **asked))

    def complete(self, key: bytes, parts: Iterable[Part], upload_id: str = "u1", **asked: Any) -> Version:
        wanted = tuple(WantedPart(part.number, part.etag, part.checksum) for part in parts)
        return self.uploads.complete(BUCKET, key, upload_id, Complete(**{"now": NOW, "parts": wanted, **asked}))

    def multipart(self, key: bytes, bodies: Iterable[bytes], upload_id: str = "u1") -> Version:
        """An object made of parts, not yet joined."""
        self.begin(key, upload_id)
        parts = [self.send(key, number, body, upload_id) for number, body in enumerate(bodies, 1)]
        return self.complete(key, parts, upload_id)

    def blobs(self) -> set[str]:
        """Every blob there is, staged bodies included, once all that was committed is flushed."""
        self.driver.flush()
        return set(self.driver.blobs.older_than(-60))

    def orphans(self) -> set[str]:
        """Blobs that nothing refers to."""
        return self.blobs() - self.driver.catalog.references(self.blobs())


def read_all(reading: Any, piece: int = 700) -> bytes:
    """Every byte of an IReading in small pieces."""
    data = bytearray()
    while chunk := reading.read(len(data), piece):
        data += chunk
    return bytes(data)


def shop_over(driver: Any, *, hashing: bool = True, min_part_size: int = 5) -> Shop:
    """A store over a driver as it is. Parts need 5 bytes instead of 5 MiB."""
    objects = Objects(driver.catalog, driver.blobs, hashing=hashing)
    uploads = Uploads(objects, min_part_size=min_part_size)
    return Shop(driver, Buckets(driver.catalog), objects, uploads, Upkeep(uploads))


def open_shop(driver: Any = None, *, hashing: bool = True, min_part_size: int = 5) -> Shop:
    """A store with one bucket, over the reference driver unless another is given."""
    shop = shop_over(driver or MemoryDriver(), hashing=hashing, min_part_size=min_part_size)
    shop.driver.catalog.add_bucket(BucketRecord(name=BUCKET, created=NOW, owner="me"))
    return shop
