"""Presigned URLs of Jay's kind: what is signed, and what of it can be changed without anybody noticing: nothing."""

import hmac
from hashlib import sha256
from urllib.parse import parse_qs

import pytest

from gecko_tw.callers.accounts.identities import Caller, OnePair
from gecko_tw.callers.refusals import AccessDenied, WrongSecret
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.claims import NO_FRONT
from gecko_tw.callers.signatures.jay import link
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.wire.head import head_of

NOW = 1_795_230_000
SECRET = b"a signing secret of 32 bytes, or more"
WEEK = 7 * 24 * 3600


def caller(target: str, method: str = "GET", secret: bytes = SECRET, front: Front = NO_FRONT, **headers: str) -> Caller:
    door = Authenticator(OnePair("token", "hidden"), lambda: NOW, front=front, jay_secret=secret)
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    return door.authenticate(head_of(method, target.encode(), {b"host": b"s3.test", **raw}))


def url(path: str = "/photos/cat.jpg", method: str = "GET", until: int = NOW + 60, token: str = "token") -> str:
    return link(SECRET, token, method, path.encode(), until)


def test_a_url_is_signed_line_by_line_as_jay_signs_it():
    text = f"token\nGET\n/photos/a b/ü.jpg\n\n{NOW + 60}"
    signature = hmac.new(SECRET, text.encode(), sha256).hexdigest()
    made = url("/photos/a b/ü.jpg")
    assert made.startswith("/photos/a%20b/%C3%BC.jpg?")
    assert parse_qs(made.partition("?")[2])["X-Jay-Signature"] == [signature]


def test_other_parameters_are_signed_in_order():
    text = f"token\nGET\n/photos\ndelimiter=%2F&list-type=2&prefix=a+b\n{NOW}"
    signature = hmac.new(SECRET, text.encode(), sha256).hexdigest()
    own = f"X-Jay-Token=token&X-Jay-Expires={NOW}&X-Jay-Signature={signature}"
    assert caller(f"/photos?prefix=a%20b&{own}&list-type=2&delimiter=/").kind == "jay"


def test_whoever_has_the_url_is_the_token():
    found = caller(url())
    assert found.kind == "jay" and found.identity is not None and found.identity.access_key == "token"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cat", "dog"),
        ("/photos/", "/films/"),
        ("token", "other"),
        (f"{NOW + 60}", f"{NOW + 61}"),
        ("Signature=", "Signature=0"),
        ("?", "?versionId=1&"),
        ("?", "?acl&"),
    ],
)
def test_what_was_signed_cannot_be_changed(before: str, after: str):
    with pytest.raises(WrongSecret, match="Invalid presigned URL"):
        caller(url().replace(before, after, 1))


def test_another_method_is_not_what_was_signed():
    for method in ("PUT", "HEAD", "DELETE"):
        with pytest.raises(WrongSecret):
            caller(url(), method)
        assert caller(url(method=method), method).kind == "jay"


@pytest.mark.parametrize("until", [NOW - 1, NOW + WEEK + 1, 0])
def test_a_url_is_good_for_seven_days_at_most_and_not_for_ever(until: int):
    with pytest.raises(AccessDenied, match="Invalid presigned URL"):
        caller(url(until=until))
    assert caller(url(until=NOW)).kind == caller(url(until=NOW + WEEK)).kind == "jay"


@pytest.mark.parametrize(
    "target",
    [
        url().replace("X-Jay-Expires", "Expires"),
        url().replace("X-Jay-Signature", "Signature"),
        url() + "&X-Jay-Token=token",
        url() + "&X-Jay-Token=other",
        url().replace(f"{NOW + 60}", "-5"),
        url().replace(f"{NOW + 60}", "soon"),
        url().replace(f"{NOW + 60}", "9" * 13),
        url(token="nobody"),
        "/photos/cat.jpg?X-Jay-Token=token",
    ],
)
def test_what_is_not_whole_or_of_nobody_is_refused(target: str):
    with pytest.raises(AccessDenied, match="Invalid presigned URL"):
        caller(target)


def test_beside_another_authorization_it_is_refused():
    with pytest.raises(InvalidArgument, match="Only one auth mechanism"):
        caller(url(), authorization="Bearer token:hidden")


def test_a_text_that_looks_like_a_parameter_of_it_is_none():
    assert caller("/photos?prefix=X-Jay-Token").kind == "anonymous"
    assert caller("/photos?prefix=X-Jay-Token", authorization="Bearer token:hidden").kind == "bearer"


def test_without_a_secret_nobody_is_anybody_by_it():
    assert caller(url(), secret=b"").kind == "anonymous"


def test_a_host_that_names_a_bucket_would_make_it_another_path():
    front = Front(domains=("s3.test",))
    assert caller(url(), front=front).kind == "jay"
    with pytest.raises(AccessDenied, match="Invalid presigned URL"):
        caller(url(), front=front, host="films.s3.test")
