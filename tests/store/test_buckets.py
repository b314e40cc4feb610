"""What buckets mean, over the reference driver."""

import pytest
from zope.interface.verify import verifyObject

from gecko_tw.store.interfaces import IBuckets
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidBucketName,
    NoSuchBucket,
)
from tests.store.shop import BUCKET, NOW


def test_buckets_keep_their_interface(shop):
    assert verifyObject(IBuckets, shop.buckets)


def test_a_new_bucket_is_listed_and_found(shop):
    record = BucketRecord(name="music", created=NOW, owner="me")
    shop.buckets.create(record)
    assert shop.buckets.get("music") == record
    assert [bucket.name for bucket in shop.buckets.page("", "", 10)] == ["music", BUCKET]


@pytest.mark.parametrize(("owner", "refusal"), [("me", BucketAlreadyOwnedByYou), ("you", BucketAlreadyExists)])
def test_a_bucket_that_is_there_is_refused_by_whose_it_is(shop, owner, refusal):
    with pytest.raises(refusal):
        shop.buckets.create(BucketRecord(name=BUCKET, created=NOW, owner=owner))


@pytest.mark.parametrize(
    "name", ["", "ab", "Photos", "a..b", "-ab", "192.168.0.1", "x" * 64, "a_b", ".geckos3", "xn--a"]
)
def test_a_bucket_cannot_have_a_name_that_S3_refuses(shop, name):
    with pytest.raises(InvalidBucketName):
        shop.buckets.create(BucketRecord(name=name, created=NOW))


@pytest.mark.parametrize("name", ["nowhere", "..", ".geckos3", "a/b", "\0", "ä" * 3])
def test_a_bucket_that_is_not_there_is_refused_and_named_whatever_its_name(shop, name):
    for verb in (shop.buckets.get, shop.buckets.remove, lambda name: shop.buckets.change(name, lambda record: record)):
        with pytest.raises(NoSuchBucket if name == "nowhere" else InvalidBucketName) as refused:
            verb(name)
        assert refused.value.details == {"BucketName": name}


def test_a_bucket_that_holds_an_object_stays(shop):
    shop.put(b"cat", b"")
    with pytest.raises(BucketNotEmpty):
        shop.buckets.remove(BUCKET)
    shop.remove(b"cat")
    shop.buckets.remove(BUCKET)
    assert shop.buckets.page("", "", 10) == []


def test_a_setting_is_changed_and_taken_away(shop):
    shop.buckets.change(BUCKET, lambda record: record.with_setting("cors", [1]))
    assert shop.buckets.get(BUCKET).settings == {"cors": [1]}
    shop.buckets.change(BUCKET, lambda record: record.with_setting("cors", None))
    shop.buckets.change(BUCKET, lambda record: record.with_setting("never set", None))
    assert shop.buckets.get(BUCKET).settings == {}
