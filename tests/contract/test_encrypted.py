"""Encrypted objects over every driver: what is read is the plaintext, what is kept never is, and the bytes alone are enough."""

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.interfaces import IBlobCloning, IPurging
from gecko_tw.store.encryption.data_keys import CUSTOMER, KMS, S3, DataKeys
from gecko_tw.store.encryption.format import CHECKED, FRAME, UNCHECKED, sealed_size
from gecko_tw.store.encryption.frames import Tampered
from gecko_tw.store.objects import Objects
from gecko_tw.store.reading import Reading
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BucketRecord, Change, Upload, Version, stored_size
from gecko_tw.store.refusals import InvalidRequest, KeyNotFound, WrongCustomerKey
from gecko_tw.store.requests import Complete, Copy, Encryption, Put, PutPart, Source, WantedPart
from gecko_tw.store.upkeep import Upkeep
from gecko_tw.store.uploads import Uploads
from gecko_tw.store.verifying import is_whole
from tests.store.encryption.rings import data_keys
from tests.store.shop import BUCKET, NOW, Shop, md5, read_all

SECRET = b"the plaintext that nobody may find on the disk / " * 9000
CUSTOMERS = bytes(range(32))
WISHES = {
    "SSE-S3": Encryption(kind=S3),
    "SSE-KMS": Encryption(kind=KMS, key_id="mine", context="e30=", bucket_key=True),
    "SSE-C": Encryption(kind=CUSTOMER, customer_key=CUSTOMERS),
}


@pytest.fixture
def shop(driver: Any) -> Shop:
    return shop_over(driver, data_keys())


def shop_over(driver: Any, keys: DataKeys, new: bool = True) -> Shop:
    objects = Objects(driver.catalog, driver.blobs, True, keys)
    uploads = Uploads(objects, min_part_size=5)
    if new:
        driver.catalog.add_bucket(BucketRecord(name=BUCKET, created=NOW))
    return Shop(driver, Buckets(driver.catalog), objects, uploads, Upkeep(uploads))


@pytest.fixture(params=WISHES)
def wish(request: pytest.FixtureRequest) -> Encryption:
    return WISHES[request.param]


def put(shop: Shop, key: bytes, data: bytes, wish: Encryption | None) -> Version:
    incoming = shop.objects.receive((), None if wish is None else lambda: shop.objects.keys.seal(wish))
    incoming.push(data)
    return shop.objects.put(BUCKET, key, incoming, Put(now=NOW))


def get(shop: Shop, key: bytes, wish: Encryption | None = None, piece: int = 100_000) -> bytes:
    reading = reconciled(shop.objects.open, BUCKET, key)
    try:
        if wish is not None:
            reading.unlock(wish.customer_key)
        return read_all(reading, piece)
    finally:
        reading.close()


def parts(
    shop: Shop, key: bytes, bodies: dict[int, bytes], wish: Encryption, upload_id: str = "u1", form: int = CHECKED
) -> list[WantedPart]:
    """An upload with its parts, not yet completed."""
    keys = shop.objects.keys
    record = {name: value for name, value in keys.seal(wish).record.items() if form == CHECKED or name != "format"}
    upload = Upload(id=upload_id, initiated=NOW, extra={"sse": record})
    shop.uploads.create(BUCKET, key, upload)
    wanted = []
    for number, body in bodies.items():
        sealing = lambda number=number: keys.open(upload.extra["sse"], wish.customer_key).for_part(number)  # noqa: E731
        incoming = shop.objects.receive((), sealing)
        incoming.push(body)
        part = shop.uploads.put_part(BUCKET, key, upload_id, incoming, PutPart(now=NOW, number=number))
        wanted.append(WantedPart(number, part.etag))
    return wanted


def complete(shop: Shop, key: bytes, wanted: list[WantedPart], wish: Encryption, upload_id: str = "u1") -> Version:
    request = Complete(now=NOW, parts=tuple(wanted), customer_key=wish.customer_key)
    return shop.uploads.complete(BUCKET, key, upload_id, request)


def assert_nowhere(folder: Path) -> None:
    """No file has a piece of the plaintext, in its bytes, its name or its attributes' neighbours."""
    for path in folder.rglob("*"):
        if path.is_file():
            assert SECRET[:49] not in path.read_bytes(), path
            assert CUSTOMERS not in path.read_bytes(), path


def test_what_is_read_is_the_plaintext_and_what_is_kept_is_not(shop: Shop, wish: Encryption, tmp_path: Path) -> None:
    version = put(shop, b"dir/cat", SECRET, wish)
    assert version.size == len(SECRET) < sum(span.length for span in version.spans) == stored_size(version)
    assert (version.etag == md5(SECRET)) is (wish.kind == S3)
    assert get(shop, b"dir/cat", wish) == SECRET
    assert_nowhere(tmp_path)
    assert not (tmp_path / BUCKET / "dir" / "cat").exists()


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1])
def test_bodies_of_every_kind_of_length_come_back(shop: Shop, size: int) -> None:
    put(shop, b"cat", SECRET[:size], WISHES["SSE-S3"])
    assert get(shop, b"cat") == SECRET[:size]


def test_a_plain_file_goes_when_an_encrypted_object_takes_its_place_and_comes_back_after(
    shop: Shop, tmp_path: Path
) -> None:
    put(shop, b"cat", SECRET, None)
    put(shop, b"cat", SECRET, WISHES["SSE-S3"])
    assert get(shop, b"cat") == SECRET
    shop.orphans()  # looks through what is to be removed, and so ends the wait for it
    purging = IPurging(shop.objects.blobs, None)
    if purging is not None:
        purging.purge(-60)
    assert_nowhere(tmp_path)
    put(shop, b"cat", b"meow", None)
    assert get(shop, b"cat") == b"meow"
    assert shop.orphans() == set()


def test_an_object_of_encrypted_parts_reads_alike_before_and_after_they_are_joined(
    shop: Shop, wish: Encryption, tmp_path: Path
) -> None:
    bodies = {1: SECRET[:70_000], 3: SECRET[70_000 : 70_000 + FRAME], 7: SECRET[70_000 + FRAME : 200_001]}
    version = complete(shop, b"cat", parts(shop, b"cat", bodies, wish), wish)
    assert version.size == 200_001
    for piece in (100_000, 33_333):
        assert get(shop, b"cat", wish, piece) == SECRET[:200_001]
    assert shop.upkeep.join() == IBlobCloning.providedBy(
        shop.objects.blobs
    )  # where it is not, parts stay what they are
    assert get(shop, b"cat", wish) == SECRET[:200_001]
    assert shop.upkeep.join() == 0
    assert_nowhere(tmp_path)
    assert shop.orphans() == set()


def test_an_upload_that_began_before_blobs_had_a_checksum_is_completed_and_read(shop: Shop, wish: Encryption) -> None:
    bodies = {1: SECRET[:70_000], 2: SECRET[70_000:]}
    version = complete(shop, b"cat", parts(shop, b"cat", bodies, wish, form=UNCHECKED), wish)
    assert stored_size(version) == sum(sealed_size(len(body), UNCHECKED) for body in bodies.values())
    assert get(shop, b"cat", wish) == SECRET
    assert told(shop, version) is None


def told(shop: Shop, version: Version) -> bool | None:
    """Whether the stored bytes of a version are whole, as far as one tells who has no key."""
    with closing(Reading(shop.driver.blobs, version, lambda: version)) as stored:
        return is_whole(version, stored.read)


@pytest.mark.parametrize("joined", [False, True])
def test_whoever_has_no_key_tells_whether_an_encrypted_object_is_whole(
    shop: Shop, wish: Encryption, joined: bool
) -> None:
    bodies = {1: SECRET[:70_000], 2: SECRET[70_000:]}
    version = complete(shop, b"cat", parts(shop, b"cat", bodies, wish), wish)
    if joined:
        shop.upkeep.join()
        version = reconciled(shop.driver.catalog.history, BUCKET, b"cat").newest
    assert told(shop, version) is True
    assert told(shop, put(shop, b"dog", SECRET, wish)) is True
    assert told(shop, evolve(version, parts=version.parts[::-1])) is False


def test_parts_that_were_exchanged_on_the_disk_are_noticed(shop: Shop) -> None:
    wish = WISHES["SSE-S3"]
    complete(shop, b"cat", parts(shop, b"cat", {1: b"first", 2: b"other"}, wish), wish)

    def exchange(record: Any, history: Any) -> Change:
        version = history.newest
        return Change(evolve(history, versions=(evolve(version, spans=version.spans[::-1]),)))

    shop.driver.catalog.change_history(BUCKET, b"cat", exchange)
    with pytest.raises(Tampered):
        get(shop, b"cat")


def test_the_catalog_is_made_again_from_encrypted_bytes(
    driver: Any, candidate: Any, wish: Encryption, tmp_path: Path
) -> None:
    if not hasattr(driver, "rebuild"):
        pytest.skip("it has no files that tell what was in its catalog")
    keys = data_keys()
    shop = shop_over(driver, keys)
    put(shop, b"small", b"meow", wish)
    put(shop, b"dir/large", SECRET, wish)
    for key, upload_id, bodies in (
        (b"spans", "done", {1: SECRET[:70_000], 2: SECRET[70_000:]}),
        (b"joined", "gone", {1: SECRET[:9], 2: SECRET[9:99]}),
    ):
        complete(shop, key, parts(shop, key, bodies, wish, upload_id), wish, upload_id)
    shop.upkeep.join(1)
    unfinished = parts(shop, b"later", {1: SECRET[:80_000], 2: b"end"}, wish, "later")
    before = {key: reconciled(shop.objects.look, BUCKET, key) for key in (b"small", b"dir/large", b"spans", b"joined")}
    driver.rebuild()
    driver.close()
    with candidate.opened(tmp_path) as again:
        again.adopt()
        shop = shop_over(again, keys, new=False)
        for key, version in before.items():
            found = reconciled(shop.objects.look, BUCKET, key)
            assert (found.etag, found.size, found.extra) == (version.etag, version.size, version.extra)
        assert get(shop, b"small", wish) == b"meow"
        assert get(shop, b"dir/large", wish) == get(shop, b"spans", wish) == SECRET
        assert get(shop, b"joined", wish) == SECRET[:99]
        complete(shop, b"later", unfinished, wish, "later")
        assert get(shop, b"later", wish) == SECRET[:80_000] + b"end"
        assert shop.orphans() == set()


@pytest.mark.parametrize("target", [None, *WISHES])
def test_a_copy_is_encrypted_anew_as_it_is_asked_for(shop: Shop, wish: Encryption, target: str | None) -> None:
    asked = None if target is None else WISHES[target]
    put(shop, b"cat", SECRET, wish)
    source = Source(bucket=BUCKET, key=b"cat", customer_key=wish.customer_key)
    sealing = None if asked is None else lambda: shop.objects.keys.seal(asked)
    version = shop.objects.copy(source, BUCKET, b"copy", Copy(now=NOW, sealing=sealing))
    assert ("sse" in version.extra) is (asked is not None)
    if asked is not None:
        assert version.extra["sse"]["key"] != reconciled(shop.objects.look, BUCKET, b"cat").extra["sse"]["key"]
    assert get(shop, b"copy", asked) == SECRET
    assert shop.orphans() == set()


def test_a_range_of_an_encrypted_object_becomes_a_part_of_a_plain_one(shop: Shop) -> None:
    put(shop, b"cat", SECRET, WISHES["SSE-C"])
    shop.begin(b"copy")
    source = Source(bucket=BUCKET, key=b"cat", first=65_000, last=70_000, customer_key=CUSTOMERS)
    part = shop.uploads.copy_part(source, BUCKET, b"copy", "u1", 1, NOW)
    assert part.etag == hashlib.md5(SECRET[65_000:70_001]).hexdigest()


def test_a_customers_object_opens_only_with_its_key(shop: Shop) -> None:
    put(shop, b"cat", b"meow", WISHES["SSE-C"])
    with pytest.raises(InvalidRequest):
        get(shop, b"cat")
    with pytest.raises(WrongCustomerKey):
        get(shop, b"cat", Encryption(kind=CUSTOMER, customer_key=bytes(32)))
    put(shop, b"dog", b"woof", None)
    with pytest.raises(InvalidRequest):
        shop.objects.copy(Source(bucket=BUCKET, key=b"dog", customer_key=CUSTOMERS), BUCKET, b"x", Copy(now=NOW))


def test_a_part_must_be_encrypted_exactly_when_its_upload_is(shop: Shop) -> None:
    parts(shop, b"cat", {1: b"first"}, WISHES["SSE-S3"])
    with pytest.raises(InvalidRequest):
        shop.send(b"cat", 2, b"plain")
    shop.begin(b"dog", "u2")
    incoming = shop.objects.receive((), lambda: shop.objects.keys.seal(WISHES["SSE-S3"]))
    with pytest.raises(InvalidRequest):
        shop.uploads.put_part(BUCKET, b"dog", "u2", incoming, PutPart(now=NOW, number=1))
    assert shop.orphans() == set()


def test_a_key_that_does_not_exist_stores_nothing(shop: Shop) -> None:
    with pytest.raises(KeyNotFound):
        put(shop, b"cat", SECRET, Encryption(kind=KMS, key_id="nobody's"))
    assert shop.listed() == []
    assert shop.orphans() == set()


def test_a_part_that_is_sent_twice_keeps_its_etag(shop: Shop) -> None:
    parts(shop, b"cat", {1: b"meow"}, WISHES["SSE-C"])
    record = shop.uploads.get(BUCKET, b"cat", "u1").extra["sse"]
    incoming = shop.objects.receive((), lambda: shop.objects.keys.open(record, CUSTOMERS).for_part(1))
    incoming.push(b"meow")
    [before] = shop.uploads.parts(BUCKET, b"cat", "u1")
    again = shop.uploads.put_part(BUCKET, b"cat", "u1", incoming, PutPart(now=NOW, number=1))
    assert again.etag == before.etag != md5(b"meow")
    assert again.spans != before.spans
