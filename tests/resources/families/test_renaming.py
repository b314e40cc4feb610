"""RenameObject."""

from typing import Any

import pytest

from tests.resources.accounts import ask, market, put_policy
from tests.resources.asking import FakeRequest, Shop, shop

ETAG = '"4a4be40c96ac6314e91d93f38043a634"'


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=0)
    there.ask("PUT", "/photos")
    described = {"x-amz-meta-name": "Tom", "x-amz-tagging": "a=1", "content-type": "image/jpeg"}
    there.ask("PUT", "/photos/old name", b"meow", headers=described)
    return there


def rename(there: Shop, key: str, source: str, **headers: str) -> FakeRequest:
    more: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    return there.ask("PUT", f"/photos/{key}?renameObject", headers={"x-amz-rename-source": source, **more})


def code(reply: FakeRequest) -> str:
    return reply.body.decode().partition("<Code>")[2].partition("</Code>")[0]


def described(there: Shop, key: str) -> list[tuple[bytes, bytes]]:
    return [pair for pair in there.ask("HEAD", f"/photos/{key}").headers if b"-id" not in pair[0]]


@pytest.mark.parametrize(
    "source", ["photos/old%20name", "/photos/old+name", "photos%2Fold%20name", "%2Fphotos%2fold+name"]
)
def test_an_object_goes_to_another_key_with_everything_it_is(there: Shop, source: str) -> None:
    before = described(there, "old name")
    there.clock.advance(100)
    reply = rename(there, "new", source)
    assert (reply.status, reply.body) == (200, b"")
    assert described(there, "new") == before
    assert there.ask("GET", "/photos/new").body == b"meow"
    assert there.ask("HEAD", "/photos/old name").status == 404
    assert code(rename(there, "newer", source)) == "NoSuchKey"


def test_what_is_there_already_is_replaced_unless_a_condition_says_no(there: Shop) -> None:
    there.ask("PUT", "/photos/new", b"woof")
    assert rename(there, "new", "photos/old name", if_none_match="*").status == 412
    assert rename(there, "new", "photos/old name", if_match='"other"').status == 412
    assert there.ask("GET", "/photos/new").body == b"woof"
    assert there.ask("GET", "/photos/old name").body == b"meow"
    assert rename(there, "new", "photos/old name").status == 200
    assert there.ask("GET", "/photos/new").body == b"meow"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-rename-source-if-match", '"other"'),
        ("x-amz-rename-source-if-none-match", ETAG),
        ("x-amz-rename-source-if-unmodified-since", "Thu, 01 Jan 1970 00:00:10 GMT"),
    ],
)
def test_a_condition_on_the_source_is_kept(there: Shop, name: str, value: str) -> None:
    assert rename(there, "new", "photos/old name", **{name: value}).status == 412
    assert there.ask("HEAD", "/photos/new").status == 404
    assert rename(there, "new", "photos/old name", **{"x-amz-rename-source-if-match": ETAG}).status == 200


@pytest.mark.parametrize("source", ["", "new", "music/old name", "photos/old name?versionId=null", "photos/new"])
def test_a_source_that_makes_no_sense_is_refused(there: Shop, source: str) -> None:
    reply = rename(there, "new", source)
    assert (reply.status, code(reply)) in ((400, "InvalidArgument"), (400, "InvalidRequest"))
    assert there.ask("GET", "/photos/old name").body == b"meow"


def test_a_request_with_a_token_may_be_repeated(there: Shop) -> None:
    for _ in range(2):
        assert rename(there, "new", "photos/old name", x_amz_client_token="t1", if_none_match="*").status == 200
    assert code(rename(there, "new", "photos/other", x_amz_client_token="t1")) == "IdempotentParameterMismatch"
    there.ask("PUT", "/photos/old name", b"another")
    assert rename(there, "new", "photos/old name", x_amz_client_token="t1").status == 200
    assert there.ask("GET", "/photos/old name").body == b"another"


def test_a_bucket_with_versions_keeps_its_keys(there: Shop) -> None:
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    there.ask("PUT", "/photos?versioning", enabled)
    assert rename(there, "new", "photos/old name").status == 501


def test_half_a_rename_is_never_a_plain_put(there: Shop) -> None:
    assert there.ask("PUT", "/photos/new?renameObject", b"").status == 501
    assert there.ask("PUT", "/photos/new", b"", headers={"x-amz-rename-source": "photos/old name"}).status == 501
    assert there.ask("HEAD", "/photos/new").status == 404


@pytest.mark.parametrize("lacking", ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])
def test_who_renames_must_be_allowed_to_read_remove_and_write(lacking: str) -> None:
    there, _ = market()
    ask(there, "main", "PUT", "/photos")
    ask(there, "main", "PUT", "/photos/old", b"meow")
    rest = [action for action in ("s3:PutObject", "s3:GetObject", "s3:DeleteObject") if action != lacking]
    put_policy(there, "photos", {"Action": rest, "Principal": {"AWS": "alt"}})
    asked = {"who": "alt", "method": "PUT", "target": "/photos/new?renameObject", "x_amz_rename_source": "photos/old"}
    assert ask(there, **asked).status == 403
    assert ask(there, "main", "GET", "/photos/old").body == b"meow"
    assert ask(there, "main", "HEAD", "/photos/new").status == 404
    put_policy(there, "photos", {"Action": [*rest, lacking], "Principal": {"AWS": "alt"}})
    assert ask(there, **asked).status == 200
