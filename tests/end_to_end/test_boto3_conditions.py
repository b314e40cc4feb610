"""Conditional writes, decided once however many clients and processes take part."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.place import Place, refusal

WRITERS = 32


@pytest.fixture(scope="module")
def crowd(plain: Place):
    """A client with a connection for each thread, so that both workers take part."""
    return plain.daemon.client(config=Config(max_pool_connections=WRITERS, retries={"total_max_attempts": 1}))


def test_of_many_that_create_a_key_exactly_one_succeeds(plain: Place, crowd):
    bucket = plain.new_bucket()

    def attempt(number: int) -> int:
        body = b"%02d" % number * (1 if number % 2 else 100_000)
        try:
            crowd.put_object(Bucket=bucket, Key="lock", Body=body, IfNoneMatch="*")
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
        return 200

    for _round in range(3):
        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = list(pool.map(attempt, range(WRITERS)))
        count = Counter(statuses)
        assert count[200] == 1
        assert count[412] + count[409] == WRITERS - 1
        assert int(plain.get(bucket, "lock")[:2]) == statuses.index(200)
        plain.s3.delete_object(Bucket=bucket, Key="lock")


def test_a_counter_changed_by_compare_and_swap_loses_no_step(plain: Place, crowd):
    bucket = plain.new_bucket()
    plain.put(bucket, "counter", b"0")

    def step(_number: int) -> None:
        while True:
            now = crowd.get_object(Bucket=bucket, Key="counter")
            body = b"%d" % (int(now["Body"].read()) + 1)
            try:
                crowd.put_object(Bucket=bucket, Key="counter", Body=body, IfMatch=now["ETag"])
                return
            except ClientError as error:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(step, range(40)))
    assert plain.get(bucket, "counter") == b"40"


def test_conditions_on_writes_copies_and_deletes_are_heeded(place: Place):
    bucket, s3 = place.new_bucket(), place.s3
    failed = ("PreconditionFailed", 412)
    etag = place.put(bucket, "key", b"one", IfNoneMatch="*")["ETag"]
    assert refusal(place.put, bucket, "key", b"two", IfNoneMatch="*") == failed
    assert refusal(place.put, bucket, "key", b"two", IfMatch='"other"') == failed
    assert refusal(place.put, bucket, "gone", b"two", IfMatch=etag) == ("NoSuchKey", 404)
    assert refusal(place.put, bucket, "key", b"two" * 1_000_000, IfNoneMatch="*") == failed
    source = {"Bucket": bucket, "Key": "key"}
    assert (
        refusal(
            s3.copy_object, Bucket=bucket, Key="key", CopySource=source, IfNoneMatch="*", MetadataDirective="REPLACE"
        )
        == failed
    )
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, IfNoneMatch="*")
    assert refusal(s3.delete_object, Bucket=bucket, Key="key", IfMatch='"other"') == failed
    assert place.get(bucket, "key") == b"one"
    new = place.put(bucket, "key", b"two", IfMatch=etag)["ETag"]
    assert refusal(s3.delete_object, Bucket=bucket, Key="key", IfMatch=etag) == failed
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=new)
    assert place.keys(bucket) == ["copy"]
