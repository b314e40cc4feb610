"""A sub-resource that we lack is never taken for the plain operation: the worst fault of small S3 servers."""

import pytest

from tests.resources.asking import Shop, shop


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    there.ask("PUT", "/empty")
    return there


@pytest.mark.parametrize("name", ["torrent", "encryption"])
def test_setting_an_attribute_of_an_object_never_overwrites_it(there: Shop, name: str) -> None:
    assert there.ask("PUT", f"/photos/cat.jpg?{name}", b"<Tagging/>").status == 501
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"


@pytest.mark.parametrize("name", ["annotation&annotationName=a", "versionId=null&annotation"])
def test_removing_an_attribute_never_deletes_the_object(there: Shop, name: str) -> None:
    assert there.ask("DELETE", f"/photos/cat.jpg?{name}").status == 501
    assert there.ask("GET", "/photos/cat.jpg").status == 200


@pytest.mark.parametrize(
    "name",
    ["replication", "metrics&id=1", "inventory&id=1"],
)
def test_removing_a_setting_never_deletes_the_bucket(there: Shop, name: str) -> None:
    assert there.ask("DELETE", f"/empty?{name}").status == 501
    assert there.ask("HEAD", "/empty").status == 200


@pytest.mark.parametrize(
    "name",
    ["cors", "encryption", "lifecycle", "policy", "tagging", "website", "ownershipControls", "publicAccessBlock"],
)
def test_removing_a_configuration_that_is_not_there_never_deletes_the_bucket(there: Shop, name: str) -> None:
    assert there.ask("DELETE", f"/empty?{name}").status == 204
    assert there.ask("HEAD", "/empty").status == 200


@pytest.mark.parametrize("name", ["replication", "accelerate"])
def test_a_setting_never_creates_a_bucket(there: Shop, name: str) -> None:
    assert there.ask("PUT", f"/brand-new?{name}", b"<X/>").status == 501
    assert there.ask("HEAD", "/brand-new").status == 404


@pytest.mark.parametrize("name", ["restore", "session", "torrent"])
def test_reading_a_setting_never_answers_a_listing(there: Shop, name: str) -> None:
    reply = there.ask("GET", f"/photos?{name}")
    assert reply.status == 501
    assert b"ListBucketResult" not in reply.body


@pytest.mark.parametrize(
    "target", ["/photos/cat.jpg?uploadId=x", "/photos/cat.jpg?partNumber=1", "/photos/cat.jpg?uploads"]
)
def test_half_a_part_upload_never_overwrites_the_object(there: Shop, target: str) -> None:
    assert there.ask("PUT", target, b"part").status in (400, 501)
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"


def test_aborting_an_unknown_upload_never_deletes_the_object(there: Shop) -> None:
    assert there.ask("DELETE", "/photos/cat.jpg?uploadId=..").status == 404
    assert there.ask("GET", "/photos/cat.jpg").status == 200


def test_a_copy_whose_source_is_in_the_query_of_an_unsigned_request_stores_nothing(there: Shop) -> None:
    assert there.ask("PUT", "/photos/dog.jpg?x-amz-copy-source=photos/cat.jpg", b"").status == 400
    assert there.ask("GET", "/photos/dog.jpg").status == 404


def test_two_sub_resources_at_once_are_refused(there: Shop) -> None:
    assert there.ask("GET", "/photos?cors&location").status == 501


@pytest.mark.parametrize("query", ["x-id=PutObject", "utm_source=mail", "fbclid=1&x"])
def test_parameters_that_mean_nothing_to_s3_are_ignored(there: Shop, query: str) -> None:
    assert there.ask("PUT", f"/photos/dog.jpg?{query}", b"woof").status == 200
    assert there.ask("GET", "/photos/dog.jpg").body == b"woof"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-server-side-encryption", "aws:kms:dsse"),
        ("x-amz-write-offset-bytes", "4"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-mfa", "1 2"),
        ("If-None-Match", '"abc"'),
        ("If-Unmodified-Since", "Sat, 21 Nov 2026 03:00:00 GMT"),
    ],
)
def test_a_header_whose_meaning_we_lack_is_refused_by_its_name(there: Shop, header: str, value: str) -> None:
    reply = there.ask("PUT", "/photos/cat.jpg", b"other", headers={header: value})
    assert reply.status == 501
    assert f"<Header>{header}</Header>".lower() in reply.body.decode().lower()
    assert there.ask("GET", "/photos/cat.jpg").body == b"meow"
