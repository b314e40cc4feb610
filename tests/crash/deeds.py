"""The verbs that are cut short, what is there before them, and how to look at what is there afterwards."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from gecko_tw.store.drivers.files.driver import FilesDriver
from gecko_tw.store.drivers.pool.blobs import SMALL
from gecko_tw.store.drivers.pool.driver import PoolDriver
from gecko_tw.store.drivers.sqlite.notation import blobs_in
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import NULL, BucketRecord
from gecko_tw.store.refusals import NoSuchKey
from gecko_tw.store.requests import Copy, ListRequest, Source
from tests.store.shop import BUCKET, NOW, Shop, read_all, shop_over

PATH, NO_PATH = b"album/2024/cat.jpg", b"album//cat.jpg"
"""A key that is a file's path, and one that no path can hold."""

OTHERS = (b"album/2024/dog.jpg", b"album/2024", b"album//dog.jpg", b"album/2024/cat.jpg/")
ALL = ListRequest(limit=1_000_000)
HELD_ROOMS = ("staging", "pool", "attributes")
OWN_FILES = {
    "lock",
    "used",
    "state",
    "reserve",
    "layout",
    *(f"{name}.sqlite{end}" for name in ("catalog", "objects") for end in ("", "-wal", "-shm")),
}
OLD, NEW = b"the old bytes, " * 100, b"and the new bytes, which are longer; " * 200
PARTS = (b"first part", b"second part", b"third part")
LATER = NOW + 60 * 10**9


@frozen
class Setup:
    """How the driver is set up.

    :ivar small: the limit of the fast driver; None is the driver of files.
    """

    metadata: bool = True
    fsync: bool = False
    attributes: str = "xattr"
    small: int | None = None

    @contextmanager
    def shop(self, folder: Path) -> Iterator[Shop]:
        """A store over a data directory."""
        driver: Any
        if self.small is None:
            driver = FilesDriver(str(folder), metadata=self.metadata, fsync=self.fsync, attributes=self.attributes)
        else:
            driver = PoolDriver(str(folder), fsync=self.fsync, small=self.small)
        driver.open()
        try:
            yield shop_over(driver, hashing=self.metadata)
        finally:
            driver.close()

    def rebuild(self, shop: Shop) -> None:
        """Makes the catalog again from the files, where they tell what is in it."""
        if self.small is None:
            shop.driver.rebuild()


POOLS = {
    "pool": Setup(small=SMALL),
    "pool of rows and files": Setup(small=2000),
    "pool of files": Setup(small=0),
    "pool fsync": Setup(small=2000, fsync=True),
}
"""Bodies are rows, or files, or the old one is a row and the new one a file."""


@frozen
class Deed:
    """One verb.

    :ivar before: makes what the verb finds.
    """

    before: Callable[[Shop, bytes], Any]
    act: Callable[[Shop, bytes], Any]


def said(name: str) -> dict[str, Any]:
    return {"headers": {"content-type": f"text/{name}"}, "metadata": {"name": name}, "tags": {"name": name}}


def nothing(shop: Shop, key: bytes) -> None:
    """The key is absent."""


def an_object(shop: Shop, key: bytes) -> None:
    shop.put(key, OLD, **said("old"))


def an_upload(shop: Shop, key: bytes) -> None:
    an_object(shop, key)
    shop.begin(key, "u1", **said("upload"))
    for number, body in enumerate(PARTS, 1):
        shop.send(key, number, body)


def a_completed_upload(shop: Shop, key: bytes) -> None:
    an_upload(shop, key)
    shop.begin(key, "u2")
    complete(shop, key)


def two_objects(shop: Shop, key: bytes) -> None:
    an_object(shop, key)
    shop.put(b"source", NEW, **said("source"))


def overwrite(shop: Shop, key: bytes) -> None:
    shop.put(key, NEW, now=LATER, **said("new"))


def much_to_say(shop: Shop, key: bytes) -> None:
    """More than fits into an extended attribute of ext4, both before and after."""
    old = shop.objects.catalog.history(BUCKET, key).newest
    shop.put(key, NEW if old else OLD, now=LATER if old else NOW, metadata={"name": ("new " if old else "old ") * 2000})


def remove(shop: Shop, key: bytes) -> None:
    shop.remove(key)


def copy(shop: Shop, key: bytes) -> None:
    shop.objects.copy(Source(bucket=BUCKET, key=b"source"), BUCKET, key, Copy(now=LATER))


def copy_onto_itself(shop: Shop, key: bytes) -> None:
    request = Copy(now=LATER, headers={}, metadata={"name": "replaced"}, tags={})
    shop.objects.copy(Source(bucket=BUCKET, key=key), BUCKET, key, request)


def complete(shop: Shop, key: bytes) -> None:
    first, _unwanted, third = shop.uploads.parts(BUCKET, key, "u1", 0, 10)
    shop.complete(key, [first, third], now=LATER)


def complete_one_part(shop: Shop, key: bytes) -> None:
    shop.complete(key, shop.uploads.parts(BUCKET, key, "u1", 1, 1), now=LATER)


def join(shop: Shop, key: bytes) -> None:
    assert shop.upkeep.join() == 1


DEEDS = {
    "put": Deed(nothing, overwrite),
    "overwrite": Deed(an_object, overwrite),
    "overwrite with much to say": Deed(much_to_say, much_to_say),
    "remove": Deed(an_object, remove),
    "copy": Deed(two_objects, copy),
    "copy onto itself": Deed(an_object, copy_onto_itself),
    "begin an upload": Deed(an_object, lambda shop, key: shop.begin(key, "u1", **said("upload"))),
    "send a part again": Deed(an_upload, lambda shop, key: shop.send(key, 2, b"another second part")),
    "abort": Deed(an_upload, lambda shop, key: shop.uploads.abort(BUCKET, key, "u1")),
    "complete": Deed(an_upload, complete),
    "complete one part": Deed(an_upload, complete_one_part),
    "join": Deed(a_completed_upload, join),
    "overwrite what is not joined": Deed(a_completed_upload, overwrite),
    "remove what is not joined": Deed(a_completed_upload, remove),
}


def prepare(shop: Shop, deed: Deed, key: bytes) -> None:
    """Makes what the verb finds, and other keys beside it."""
    shop.buckets.create(BucketRecord(name=BUCKET, created=NOW, owner="me"))
    for other in OTHERS:
        shop.put(other, other, **said("other"))
    deed.before(shop, key)


def everything(shop: Shop) -> dict[bytes, Any]:
    """What a client can learn about each key: by listing, by GET, and about its uploads. All of it must agree."""
    names = listed(shop)
    uploads = shop.objects.page(BUCKET, ALL, "uploads").entries
    keys = {*names, *(entry.key for entry in uploads), *OTHERS, PATH, NO_PATH}
    found = {key: got(shop, key) for key in sorted(keys)}
    assert names == {key: (seen["etag"], seen["size"]) for key, seen in found.items() if seen is not None}
    return {
        key: {
            "object": seen,
            "versions": versions_of(shop, key),
            "uploads": [one_upload(shop, key, entry.upload) for entry in uploads if entry.key == key],
        }
        for key, seen in found.items()
    }


def listed(shop: Shop) -> dict[bytes, tuple[str, int]]:
    """ETag and size of each key, as the listing tells them."""
    page = shop.objects.page(BUCKET, ALL)
    return {entry.key: (entry.version.etag, entry.version.size) for entry in page.entries if entry.version}


def got(shop: Shop, key: bytes, version_id: str | None = None) -> dict[str, Any] | None:
    """An object as GET answers it, or None."""
    try:
        reading = reconciled(shop.objects.open, BUCKET, key, version_id)
    except NoSuchKey:
        return None
    try:
        version, body = reading.version, read_all(reading, 1 << 20)
    finally:
        reading.close()
    assert version.size == len(body)
    kept = ("etag", "size", "modified", "headers", "metadata", "tags", "checksum", "parts", "upload", "owner", "extra")
    return {"body": body, **{name: getattr(version, name) for name in kept}}


def versions_of(shop: Shop, key: bytes) -> list[Any]:
    """Every version of a key but the only one it has without versioning, newest first. Their ids are random."""
    page = shop.objects.page(BUCKET, ListRequest(prefix=key), "versions")
    entries = [entry for entry in page.entries if entry.key == key]
    if [(entry.id, entry.version is None) for entry in entries] == [(NULL, False)]:
        return []
    return [(entry.id == NULL, entry.newest, entry.version and got(shop, key, entry.id)) for entry in entries]


def one_upload(shop: Shop, key: bytes, upload: Any) -> dict[str, Any]:
    parts = shop.uploads.parts(BUCKET, key, upload.id, 0, 100)
    return {
        "id": upload.id,
        "metadata": upload.metadata,
        "headers": upload.headers,
        "parts": [(part.number, part.etag, part.checksum, part_bytes(shop, part)) for part in parts],
    }


def part_bytes(shop: Shop, part: Any) -> bytes:
    reader = shop.driver.blobs.open(part.spans[0].blob)
    try:
        return reader.read(part.spans[0].offset, part.size)
    finally:
        reader.close()


def litter(folder: Path, shop: Shop) -> list[str]:
    """Files that nothing refers to: of ours by the catalog, in the bucket by the listing."""
    inner = folder / ".geckos3"
    held = {path.stem.partition(".")[0]: path for path in files_below(*(inner / room for room in HELD_ROOMS))}
    left = [str(held[name]) for name in set(held) - shop.driver.catalog.references(held)]
    uploads = shop.objects.page(BUCKET, ALL, "uploads").entries
    if (inner / "uploads").exists() and len(files_below(inner / "uploads")) != len(uploads):
        left.append(f"uploads: {files_below(inner / 'uploads')}")
    left += [path.name for path in inner.iterdir() if path.is_file() and path.name not in OWN_FILES]
    left += rows_without_version(inner / "objects.sqlite")
    bucket = os.fsencode(folder / BUCKET)
    # The row of a delete marker knows of the file that it replaced until the key changes again.
    keys = {bucket + b"/" + entry.key for entry in shop.objects.page(BUCKET, ALL, "versions").entries}
    for place, _folders, names in os.walk(bucket):
        paths = (os.path.join(place, name) for name in names)
        left += [str(path) for path in paths if path.removesuffix(b".metadata.json") not in keys]
    return left


def rows_without_version(catalog: Path) -> list[str]:
    """Bytes in the catalog's pages that nothing refers to."""
    if not catalog.exists():
        return []
    with closing(sqlite3.connect(catalog)) as connection:
        held = {blob for (spans,) in connection.execute("SELECT spans FROM version") for blob in blobs_in(spans)}
        names = [f"@{row}.{stamp}" for row, stamp in connection.execute("SELECT id, stamp FROM blob")]
        return [name for name in names if name not in held]


def files_below(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
