"""Uploads from browsers' forms."""

import json
from base64 import b64encode
from typing import Any

import pytest

from gecko_tw.callers.signatures.v4 import sign, signing_key
from gecko_tw.store.requests import ListRequest
from tests.resources.asking import FakeRequest, FakeUpload, Shop, shop

BOUNDARY = "----form"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


def form(fields: dict[str, str], file: bytes = b"meow", filename: str = "cat.jpg") -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    return "".join([*parts, head]).encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def post(there: Shop, fields: dict[str, str], file: bytes = b"meow", **more: Any) -> FakeRequest:
    return there.ask("POST", "/photos", form(fields, file), headers={"content-type": TYPE}, **more)


def test_a_form_stores_its_file(there: Shop) -> None:
    fields = {
        "key": "user/${filename}",
        "Content-Type": "image/jpeg",
        "Cache-Control": "no-store",
        "x-amz-meta-Name": "Tom é",
        "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>1+2</Value></Tag></TagSet></Tagging>",
        "acl": "private",
        "submit": "Upload",
    }
    reply = post(there, fields)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.header("location") == "http://s3.test/photos/user/cat.jpg"
    assert reply.header("etag") == '"4a4be40c96ac6314e91d93f38043a634"'
    version = there.service.objects.look("photos", b"user/cat.jpg")
    assert version.headers == {"content-type": "image/jpeg", "cache-control": "no-store"}
    assert version.metadata == {"name": "Tom é"}
    assert version.tags == {"a": "1+2"}
    assert there.ask("GET", "/photos/user/cat.jpg").body == b"meow"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("a\tb", "a\tb"),
        ("\x01\x02", "=?UTF-8?B?AQI=?="),
        ("x\r\nSet-Cookie: y", "=?UTF-8?B?eA0KU2V0LUNvb2tpZTogeQ==?="),
        ("=?UTF-8?B?YWJj?=", "=?UTF-8?B?YWJj?="),
    ],
)
def test_metadata_of_a_form_is_any_text(there: Shop, sent: str, told: str) -> None:
    assert post(there, {"key": "a", "x-amz-meta-note": sent}).status == 204
    assert there.service.objects.look("photos", b"a").metadata == {"note": sent}
    assert there.ask("HEAD", "/photos/a").header("x-amz-meta-note") == told


def test_the_files_name_goes_into_every_field_that_asks_for_it(there: Shop) -> None:
    fields = {
        "key": "${filename}/${filename}",
        "x-amz-meta-name": "is ${filename}",
        "Content-Disposition": 'attachment; filename="${filename}"',
        "tagging": "<Tagging><TagSet><Tag><Key>of</Key><Value>${filename}</Value></Tag></TagSet></Tagging>",
        "success_action_redirect": "http://page.test/?f=${filename}",
    }
    reply = post(there, fields)
    assert reply.header("location").startswith("http://page.test/?f=cat.jpg&bucket=photos&key=cat.jpg%2Fcat.jpg&")
    version = there.service.objects.look("photos", b"cat.jpg/cat.jpg")
    assert (version.metadata, version.tags) == ({"name": "is cat.jpg"}, {"of": "cat.jpg"})
    assert version.headers["content-disposition"] == 'attachment; filename="cat.jpg"'


@pytest.mark.parametrize("disposition", ["", '; filename=""', '; filename="photos/"'])
def test_a_file_without_a_name_is_put_in_no_place(there: Shop, disposition: str) -> None:
    fields = {"key": "a-${filename}", "x-amz-meta-name": "${filename}"}
    body = form(fields).replace(b'; filename="cat.jpg"', disposition.encode())
    assert there.ask("POST", "/photos", body, headers={"content-type": TYPE}).status == 204
    assert there.service.objects.look("photos", b"a-${filename}").metadata == {"name": "${filename}"}


def test_a_large_file_comes_through_whole_in_any_pieces(there: Shop) -> None:
    file = b"\r\n--" + bytes(range(256)) * 9000 + b"\r\n-----"
    body = form({"key": "big"}, file)
    pieces = [body[at : at + 65_521] for at in range(0, len(body), 65_521)]
    assert post(there, {"key": "big"}, file, upload=FakeUpload(pieces, len(body))).status == 204
    assert there.ask("GET", "/photos/big").body == file


@pytest.mark.parametrize(("asked", "status"), [("200", 200), ("201", 201), ("204", 204), ("500", 204), ("", 204)])
def test_a_form_may_ask_for_a_status(there: Shop, asked: str, status: int) -> None:
    reply = post(there, {"key": "a<b", "success_action_status": asked})
    assert reply.status == status
    if status == 201:
        assert b"<PostResponse>" in reply.body
        assert b"<Key>a&lt;b</Key>" in reply.body
        assert b"<Bucket>photos</Bucket>" in reply.body


def test_a_form_may_send_the_browser_on(there: Shop) -> None:
    reply = post(there, {"key": "a b", "success_action_redirect": "https://page.test/done?x=1#top"})
    assert reply.status == 303
    assert reply.header("location") == (
        "https://page.test/done?x=1&bucket=photos&key=a+b&etag=%224a4be40c96ac6314e91d93f38043a634%22#top"
    )


@pytest.mark.parametrize("url", ["", "nonsense", "javascript:alert(1)", "http://[::1", "//page.test"])
def test_a_redirect_that_is_no_url_is_ignored(there: Shop, url: str) -> None:
    assert post(there, {"key": "a", "success_action_redirect": url, "success_action_status": "200"}).status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, b"InvalidArgument"),
        ({"key": ""}, b"InvalidRequest"),
        ({"key": "k" * 1025}, b"KeyTooLongError"),
        ({"key": "a", "x-amz-server-side-encryption": "aws:kms:dsse"}, b"NotImplemented"),
        ({"key": "a", "acl": "public"}, b"InvalidArgument"),
        ({"key": "a", "x-amz-checksum-crc32": "AAAAAA=="}, b"BadDigest"),
        ({"key": "a", "content-md5": "nonsense"}, b"InvalidDigest"),
        ({"key": "a", "cache-control": "x\ny"}, b"MalformedPOSTRequest"),
        ({"key": "a", "x-amz-acl": "private\x01"}, b"MalformedPOSTRequest"),
        ({"key": "a", "x-amz-meta-a": "${filename}" * 1800}, b"MaxPostPreDataLengthExceededError"),
        ({"key": "a", "tagging": "<Tagging/>x"}, b"MalformedXML"),
        ({"key": "a", "x-amz-meta-a": "x" * 3000}, b"MetadataTooLarge"),
        ({"key": "a", "x-ignore": "x" * 30_000}, b"MaxPostPreDataLengthExceededError"),
    ],
)
def test_a_form_that_cannot_be_stores_nothing(there: Shop, fields: dict[str, str], code: bytes) -> None:
    reply = post(there, fields)
    assert b"<Code>%b</Code>" % code in reply.body
    assert b"<KeyCount>0<" in there.ask("GET", "/photos?list-type=2").body


def test_what_is_no_form_is_refused(there: Shop) -> None:
    reply = there.ask("POST", "/photos", b"x")
    assert reply.status == 412
    assert there.ask("POST", "/photos", b"x", headers={"content-type": TYPE}).status == 400
    assert there.ask("POST", "/none", form({"key": "a"}), headers={"content-type": TYPE}).status == 404


def signed(there: Shop, conditions: list[Any], **fields: str) -> dict[str, str]:
    day = "20261121"
    credential = f"key/{day}/us-east-1/s3/aws4_request"
    own = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": credential, "x-amz-date": f"{day}T030000Z"}
    every = [*conditions, {"bucket": "photos"}, *({name: value} for name, value in own.items())]
    document = {"expiration": "2026-11-21T04:00:00Z", "conditions": every}
    policy = b64encode(json.dumps(document).encode()).decode()
    signature = sign(signing_key("secret", day, "us-east-1"), policy.encode())
    return {**fields, **own, "policy": policy, "x-amz-signature": signature}


@pytest.fixture
def closed() -> Shop:
    there = shop(auth=True)
    there.service.authenticator._enabled = False
    there.ask("PUT", "/photos")
    there.service.authenticator._enabled = True
    return there


def test_a_signed_policy_opens_a_closed_bucket(closed: Shop) -> None:
    fields = signed(closed, [["starts-with", "$key", "user/"]], key="user/${filename}")
    assert post(closed, fields).status == 204
    version = closed.service.objects.look("photos", b"user/cat.jpg")
    assert (version.size, version.owner) == (4, "000000000000")


@pytest.mark.parametrize(("wanted", "status"), [("cat.jpg", 204), ("${filename}", 403)])
def test_a_policy_is_about_fields_that_have_the_files_name(closed: Shop, wanted: str, status: int) -> None:
    more = {"key": "a", "x-amz-meta-name": "${filename}"}
    assert post(closed, signed(closed, [{"key": "a"}, {"x-amz-meta-name": wanted}], **more)).status == status


def test_a_form_without_a_policy_stores_nothing_in_a_closed_bucket(closed: Shop) -> None:
    reply = post(closed, {"key": "user/cat.jpg"})
    assert reply.status == 403
    assert reply.upload.drained
    assert closed.service.objects.page("photos", ListRequest()).entries == ()


@pytest.mark.parametrize(
    ("conditions", "fields", "code"),
    [
        ([["starts-with", "$key", "user/"]], {"key": "admin/x"}, b"AccessDenied"),
        ([["starts-with", "$key", ""]], {"key": "a", "x-amz-meta-a": "1"}, b"AccessDenied"),
        ([["starts-with", "$key", ""], ["content-length-range", 5, 9]], {"key": "a"}, b"EntityTooSmall"),
        ([["starts-with", "$key", ""], ["content-length-range", 0, 3]], {"key": "a"}, b"EntityTooLarge"),
        ([["starts-with", "$key", ""]], {"key": "a", "x-amz-signature": "0" * 64}, b"SignatureDoesNotMatch"),
    ],
)
def test_what_a_policy_does_not_allow_stores_nothing(
    closed: Shop, conditions: list[Any], fields: dict[str, str], code: bytes
) -> None:
    reply = post(closed, {**signed(closed, conditions), **fields})
    assert b"<Code>%b</Code>" % code in reply.body
    assert closed.service.objects.page("photos", ListRequest()).entries == ()
    assert list(closed.service.objects.blobs.older_than(-1)) == []  # type: ignore[attr-defined]


def test_a_policy_that_has_expired_stores_nothing(closed: Shop) -> None:
    fields = signed(closed, [["starts-with", "$key", ""]], key="a")
    closed.clock.advance(3601)
    assert b"Policy expired" in post(closed, fields).body
