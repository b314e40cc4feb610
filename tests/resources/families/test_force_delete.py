"""MinIO's header that removes a bucket with what is in it: through the same gates as requests for each version."""

import pytest

from tests.resources.asking import Shop, shop

FORCE = {"x-minio-force-delete": "true"}


@pytest.fixture
def here() -> Shop:
    made = shop()
    made.ask("PUT", "/photos", headers={"x-amz-bucket-object-lock-enabled": "true"})
    for _ in range(2):
        made.ask("PUT", "/photos/cat", b"meow")
    made.ask("DELETE", "/photos/cat")
    return made


def test_a_bucket_goes_with_all_its_versions(here: Shop) -> None:
    assert here.ask("DELETE", "/photos").status == 409
    assert here.ask("DELETE", "/photos", headers={"x-minio-force-delete": "false"}).status == 409
    assert here.ask("DELETE", "/photos", headers=FORCE).status == 204
    assert here.ask("HEAD", "/photos").status == 404


def test_what_a_lock_holds_stays_and_the_bucket_with_it(here: Shop) -> None:
    held = here.ask("PUT", "/photos/held", b"x", headers={"x-amz-object-lock-legal-hold": "ON"})
    assert held.status == 200
    reply = here.ask("DELETE", "/photos", headers=FORCE)
    assert (reply.status, b"1 versions could not be removed" in reply.body) == (409, True)
    assert here.ask("GET", "/photos/held").body == b"x"


def test_another_value_is_refused(here: Shop) -> None:
    assert here.ask("DELETE", "/photos", headers={"x-minio-force-delete": "1"}).status == 400


def test_keys_are_not_removed_by_what_they_begin_with(here: Shop) -> None:
    here.ask("PUT", "/photos/cats/a", b"x")
    assert here.ask("DELETE", "/photos/cats", headers=FORCE).status == 501
    assert here.ask("GET", "/photos/cats/a").status == 200
