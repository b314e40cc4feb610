"""The scrub finds what is damaged, condemns nothing else, and goes on where it stopped."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.store.encryption.data_keys import Encryption
from gecko_tw.store.integrity.lease import Busy, Lease
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.integrity.scrub import KIND, SAVED, Scrub, Wish
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import InvalidPart, NoSuchBucket, ObjectDamaged
from gecko_tw.store.requests import Put
from tests.contract.drivers import files, pool
from tests.store.encryption.rings import data_keys
from tests.store.integrity.damage import flip
from tests.store.shop import BUCKET, NOW, Shop, open_shop, shop_over

FULL = Wish(who="test")
LARGE = os.urandom(70_000)


@pytest.fixture(params=["files", "pool"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    driver = {"files": files, "pool": pool}[request.param](tmp_path)
    yield open_shop(driver)
    driver.close()


class Watch:
    """A clock that a test moves, and a rest that ends when a test says so."""

    def __init__(self) -> None:
        self.now, self.rests, self.ends_after = NOW, 0, -1

    def rest(self, seconds: float) -> bool:
        self.rests += 1
        return self.rests == self.ends_after


def scrub_of(shop: Shop, watch: Watch | None = None, **more: Any) -> Scrub:
    watch = watch or Watch()
    quarantine = Quarantine(shop.objects, shop.driver.documents)
    return Scrub(quarantine, shop.uploads, lambda: watch.now, watch.rest, **more)


def test_a_bit_flipped_anywhere_is_found_and_nothing_of_it_is_served_as_whole(kept, tmp_path):
    bodies = {b"%04d" % number: os.urandom(1 + number * 37 % 9000) for number in range(1000)}
    versions = {key: kept.put(key, body) for key, body in bodies.items()}
    whole = [kept.put(b"whole/%d" % number, LARGE[:number]) for number in (0, 1, 5000, 70_000)]
    for number, version in enumerate(versions.values()):
        flip(tmp_path, version, number * 101 % version.size)
    outcome = scrub_of(kept).run(FULL)
    assert outcome.finished
    assert {held.key for held in outcome.damaged} == set(bodies)
    assert (outcome.report.damaged, outcome.report.whole) == (1000, len(whole))
    for key in bodies:
        with pytest.raises(ObjectDamaged):
            kept.get(key)
    again = scrub_of(kept).run(FULL)
    assert (again.report.damaged, again.report.held) == (0, 1000)


def test_old_versions_parts_and_encrypted_ones_are_read_too(tmp_path):
    driver = pool(tmp_path)
    shop = open_shop(driver)
    keys = data_keys()
    shop.buckets.change(BUCKET, lambda record: record.with_setting("versioning", "Enabled"))
    old = shop.put(b"old", LARGE)
    shop.put(b"old", b"new", now=NOW + 1)
    sealed = shop.objects.receive((), lambda: keys.seal(_sse()))
    sealed.push(LARGE)
    secret = shop.objects.put(BUCKET, b"secret", sealed, Put(now=NOW))
    joined = shop.multipart(b"joined", [LARGE, LARGE])
    shop.begin(b"parts", "u2")
    parts = [shop.send(b"parts", number, LARGE, "u2") for number in (1, 2)]
    assert scrub_of(shop).run(FULL).report.whole == 6
    for record in (old, secret, joined, parts[1]):
        flip(tmp_path, record, 100)
    outcome = scrub_of(shop).run(FULL)
    assert sorted(held.key for held in outcome.damaged) == [b"joined", b"old", b"secret"]
    assert outcome.report.parts == [f"{BUCKET}/parts (upload u2, part 2)"]
    with pytest.raises(InvalidPart):
        shop.complete(b"parts", parts, "u2")
    fresh = shop.send(b"parts", 2, LARGE, "u2")
    made = shop.complete(b"parts", [parts[0], fresh], "u2")
    assert made.extra == {}
    assert shop.get(b"parts") == LARGE + LARGE
    driver.close()


def _sse() -> Any:
    return Encryption(kind="AES256", key_id=None, bucket_key=False)


def test_a_file_that_a_user_edited_is_adopted(tmp_path):
    driver = files(tmp_path)
    shop = open_shop(driver)
    for name in (b"cat", b"dog"):
        shop.put(name, LARGE)
    (tmp_path / BUCKET / "cat").write_bytes(b"edited")
    outcome = scrub_of(shop).run(FULL)
    assert (outcome.report.damaged, outcome.damaged) == (0, ())
    assert shop.get(b"cat") == b"edited"
    driver.close()


def test_without_checksums_it_says_that_nothing_tells(tmp_path):
    driver = files(tmp_path, metadata=False)
    shop = open_shop(driver, hashing=False)
    shop.put(b"cat", LARGE)
    report = scrub_of(shop).run(FULL).report
    assert (report.read, report.unknown, report.whole, report.damaged) == (1, 1, 0, 0)
    driver.close()


def test_a_run_that_is_told_to_end_is_gone_on_with(kept):
    for number in range(9):
        kept.put(b"%d" % number, b"x" * 100)
    watch = Watch()
    watch.ends_after = 9
    first = scrub_of(kept, watch).run(FULL)
    assert not first.finished
    assert 0 < first.report.read < 9
    second = scrub_of(kept).run(FULL)
    assert (second.finished, second.resumed, second.report.read) == (True, True, 9)
    assert not scrub_of(kept).run(FULL).resumed


@pytest.mark.parametrize("layout", [files, pool])
def test_a_run_that_is_killed_is_gone_on_with_from_its_last_note(tmp_path, layout):
    child = os.fork()
    if child == 0:
        _scrub_until_killed(layout(tmp_path))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    driver = layout(tmp_path)
    shop = shop_over(driver)
    assert driver.documents.get(KIND, FULL.name)["place"] == [BUCKET, "versions", b"3".hex(), "null"]
    after = scrub_of(shop).run(FULL)
    assert (after.finished, after.resumed, after.report.read) == (True, True, 9)
    driver.close()


def _scrub_until_killed(driver: Any) -> None:
    """The sixth look is the last: every two of them something is written down."""
    shop, watch, looked = open_shop(driver), Watch(), []
    for number in range(9):
        shop.put(b"%d" % number, b"x" * 100)

    def chance() -> float:
        looked.append(watch.now)
        watch.now += SAVED // 2
        if len(looked) == 6:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    scrub_of(shop, watch, chance=chance).run(FULL)
    os._exit(0)


def test_one_works_at_a_time_and_who_waits_goes_first(kept):
    documents = kept.driver.documents
    job, other, person = (Lease(documents, KIND, "lease", attended) for attended in (False, False, True))
    job.take(NOW)
    with pytest.raises(Busy, match=f"process {os.getpid()}"):
        other.take(NOW)
    kept.put(b"cat", b"meow")
    with pytest.raises(Busy):
        scrub_of(kept).run(FULL)
    person.take(NOW)
    with pytest.raises(Busy):
        job.take(NOW)
    job.give_back()
    with pytest.raises(Busy):
        other.take(NOW)
    other.take(NOW + 61 * 10**9)


def test_the_lease_of_a_process_that_is_gone_is_free(kept):
    documents = kept.driver.documents
    lease = Lease(documents, KIND, "lease")
    lease.take(NOW)
    documents.change(KIND, "lease", lambda value: {**value, "pid": 2**22 + 1})
    Lease(documents, KIND, "lease").take(NOW)


def test_a_sample_is_read_and_a_run_reads_no_more_than_it_may(kept):
    for number in range(8):
        kept.put(b"%d" % number, b"x")
    turns = iter([0.0, 0.9] * 4)
    sampled = scrub_of(kept, chance=lambda: next(turns)).run(Wish(who="test", rate=0.5))
    assert (sampled.finished, sampled.report.read) == (True, 4)
    few = Wish(who="few", most=5)
    assert [scrub_of(kept).run(few).report.read for _ in range(2)] == [5, 8]


def test_one_bucket_is_scrubbed_and_no_other(kept):
    kept.buckets.create(BucketRecord(name="photos-2", created=NOW))
    kept.put(b"cat", b"meow")
    assert scrub_of(kept).run(Wish(who="test", bucket="photos-2")).report.read == 0
    assert scrub_of(kept).run(Wish(who="test", bucket=BUCKET)).report.read == 1
    with pytest.raises(NoSuchBucket):
        scrub_of(kept).run(Wish(who="test", bucket="nowhere"))
