"""Listings with metadata, as MinIO's clients ask for them."""

import pytest

from tests.resources.asking import Shop, shop


@pytest.fixture
def here() -> Shop:
    made = shop()
    made.ask("PUT", "/photos")
    headers = {
        "content-type": "image/jpeg",
        "x-amz-meta-colour": "red & <b>",
        "x-amz-meta-a!b": "x",
        "x-amz-tagging": "a=b",
    }
    assert made.ask("PUT", "/photos/cat", b"meow", headers=headers).status == 200
    return made


def test_metadata_and_tags_are_listed_when_they_are_asked_for(here: Shop) -> None:
    body = here.ask("GET", "/photos?list-type=2&metadata=true").body
    assert b"<content-type>image/jpeg</content-type>" in body
    assert b"<X-Amz-Meta-Colour>red &amp; &lt;b&gt;</X-Amz-Meta-Colour>" in body
    assert b"<UserTags>a=b</UserTags>" in body
    assert b"a!b" not in body.lower()
    assert b"UserMetadata" not in here.ask("GET", "/photos?list-type=2").body


def test_whoever_may_list_and_not_read_is_told_no_metadata() -> None:
    made = shop()
    statement = '{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::photos"}'
    made.ask("PUT", "/photos")
    made.ask("PUT", "/photos/cat", b"meow", headers={"x-amz-meta-colour": "red"})
    policy = f'{{"Version": "2012-10-17", "Statement": {statement}}}'
    assert made.ask("PUT", "/photos?policy", policy.encode()).status == 204
    made.service.authenticator = shop(auth=True).service.authenticator
    body = made.ask("GET", "/photos?list-type=2&metadata=true").body
    assert b"<Key>cat</Key>" in body
    assert b"UserMetadata" not in body
