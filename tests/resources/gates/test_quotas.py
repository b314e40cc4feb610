"""Quotas as clients meet them: refused before the body is read, and decided when it is committed."""

import pytest

from tests.resources.asking import FakeUpload, Shop, shop
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=0)
    there.ask("PUT", "/photos")
    limit(there, bytes=10, objects=2)
    assert there.ask("PUT", "/photos/cat.jpg", b"meow").status == 200
    return there


def limit(there: Shop, **quota: int) -> None:
    there.service.buckets.change("photos", lambda record: record.with_setting("quota", quota))


def refused(there: Shop, method: str, target: str, length: int, **headers: str) -> bool:
    """Whether the quota refuses a body of that length without looking at it."""
    upload = FakeUpload([], length, held=True)
    request = there.send(method, target, upload=upload, headers={"content-length": str(length), **headers})
    if not request.finished:
        request.leave()
        return False
    assert (request.status, upload.consumer) == (403, None)
    assert b"<Code>QuotaExceeded</Code>" in request.body
    return True


def test_a_body_without_room_is_refused_before_it_is_read(there: Shop) -> None:
    assert refused(there, "PUT", "/photos/dog.jpg", 7)
    assert not refused(there, "PUT", "/photos/dog.jpg", 6)
    assert not refused(there, "PUT", "/photos/cat.jpg", 10)
    assert refused(there, "PUT", "/photos/cat.jpg", 11)


def test_the_number_of_objects_is_limited(there: Shop) -> None:
    assert there.ask("PUT", "/photos/dog.jpg", b"").status == 200
    assert there.ask("PUT", "/photos/cow.jpg", b"").status == 403
    assert there.ask("PUT", "/photos/dog.jpg", b"woof").status == 200
    assert there.ask("DELETE", "/photos/dog.jpg").status == 204
    assert there.ask("PUT", "/photos/cow.jpg", b"").status == 200


def test_old_versions_take_room(there: Shop) -> None:
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    there.ask("PUT", "/photos?versioning", enabled)
    assert there.ask("PUT", "/photos/cat.jpg", b"meow").status == 200
    assert refused(there, "PUT", "/photos/cat.jpg", 1)
    assert there.ask("DELETE", "/photos/cat.jpg").status == 204


def test_a_part_without_room_is_refused_before_it_is_read(there: Shop) -> None:
    upload = read("CreateMultipartUpload", there.ask("POST", "/photos/film?uploads"))["UploadId"]
    part = f"/photos/film?uploadId={upload}&partNumber="
    assert refused(there, "PUT", part + "1", 7)
    assert there.ask("PUT", part + "1", b"123456").status == 200
    assert refused(there, "PUT", part + "2", 1)
    assert not refused(there, "PUT", part + "1", 6)
    assert there.ask("DELETE", f"/photos/film?uploadId={upload}").status == 204
    assert there.ask("PUT", "/photos/dog.jpg", b"123456").status == 200


def test_a_copy_needs_room_too(there: Shop) -> None:
    copy = {"x-amz-copy-source": "photos/cat.jpg"}
    assert there.ask("PUT", "/photos/2", headers=copy).status == 200
    reply = there.ask("PUT", "/photos/3", headers=copy)
    assert (reply.status, read("CopyObject", reply)["Error"]["Code"]) == (403, "QuotaExceeded")


def test_a_body_of_unknown_length_is_judged_when_it_is_in(there: Shop) -> None:
    upload = FakeUpload([b"1234567"], None)
    reply = there.ask(
        "PUT", "/photos/dog.jpg", upload=upload, headers={"content-length": None, "transfer-encoding": "chunked"}
    )
    assert reply.status == 403
    assert there.ask("HEAD", "/photos/dog.jpg").status == 404
