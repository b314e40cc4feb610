"""``/api/s3/…``: the operations of S3, for an administrator, with ByteBucket's documents of JSON."""

from typing import Any
from urllib.parse import quote

import pytest

from gecko_tw.settings import Settings
from tests.admin.bytebucket.test_face import ADMIN, ask, user, values
from tests.admin.desk import ROOT, SECRET, Desk, desk
from tests.resources.asking import FakeRequest


def s3(place: Desk, method: str, path: str, body: Any = None, **more: Any) -> FakeRequest:
    return ask(place, method, f"/s3{path}", body, **more)


def refused(reply: FakeRequest, status: int) -> str:
    told = values(reply, status)
    assert set(told) == {"code", "message", "requestId"}
    assert told["requestId"] == reply.header("x-amz-request-id")
    return str(told["code"])


def keep(place: Desk, *keys: str, bucket: str = "photos") -> None:
    for key in keys:
        assert s3(place, "PUT", f"/{bucket}/{quote(key)}", b"meow").status == 200


def test_buckets_are_made_listed_and_removed():
    place = desk()
    assert values(s3(place, "PUT", "/films")) == {"location": "/films"}
    listed = values(s3(place, "GET", "/"))["buckets"]
    assert {one["name"] for one in listed} == {"films", "photos", "nothing-in-it"}
    assert all(set(one) == {"name", "creationDate", "acl"} and one["acl"] == "private" for one in listed)
    assert values(s3(place, "GET", "")) == values(s3(place, "GET", "/"))
    assert s3(place, "HEAD", "/films").status == 200
    assert s3(place, "DELETE", "/films").status == 204
    assert s3(place, "HEAD", "/films").status == 404
    assert refused(s3(place, "DELETE", "/films"), 404) == "NoSuchBucket"


def test_a_bucket_with_something_in_it_stays():
    assert refused(s3(desk(), "DELETE", "/photos"), 409) == "BucketNotEmpty"


def test_an_object_is_put_read_and_removed_as_it_is():
    place = desk()
    reply = s3(place, "PUT", "/photos/a/b%20c.txt", b"meow", content_type="text/plain", x_amz_meta_colour="grey")
    assert (reply.status, reply.header("etag")) == (200, '"4a4be40c96ac6314e91d93f38043a634"')
    found = s3(place, "GET", "/photos/a/b%20c.txt")
    assert (found.status, found.body, found.header("content-type")) == (200, b"meow", "text/plain")
    assert found.header("x-amz-meta-colour") == "grey"
    part = s3(place, "GET", "/photos/a/b%20c.txt", range="bytes=1-2")
    assert (part.status, part.body) == (206, b"eo")
    assert s3(place, "HEAD", "/photos/a/b%20c.txt").header("content-length") == "4"
    assert s3(place, "DELETE", "/photos/a/b%20c.txt").status == 204
    assert refused(s3(place, "GET", "/photos/a/b%20c.txt"), 404) == "NoSuchKey"


def test_a_page_of_objects_has_what_bytebuckets_has():
    place = desk()
    keep(place, "dir/a", "dir/b", "dog", "ü & <x>")
    told = values(s3(place, "GET", "/photos?delimiter=/&max-keys=2"))
    assert (told["name"], told["prefix"], told["delimiter"], told["maxKeys"], told["isTruncated"]) == (
        "photos",
        "",
        "/",
        2,
        True,
    )
    assert [one["key"] for one in told["contents"]] == ["cat"] and told["commonPrefixes"] == [{"prefix": "dir/"}]
    assert set(told["contents"][0]) == {"key", "lastModified", "etag", "size", "storageClass", "acl", "aclSource"}
    rest = values(s3(place, "GET", f"/photos?delimiter=/&continuation-token={quote(told['nextContinuationToken'])}"))
    assert [one["key"] for one in rest["contents"]] == ["dog", "ü & <x>"]
    assert "nextContinuationToken" not in rest
    assert [one["key"] for one in values(s3(place, "GET", "/photos?marker=dir/b"))["contents"]] == ["dog", "ü & <x>"]
    assert [one["key"] for one in values(s3(place, "GET", "/photos?prefix=dir/"))["contents"]] == ["dir/a", "dir/b"]
    for wrong in ("0", "1001", "-1", "x", "99999999999999999999"):
        assert values(s3(place, "GET", f"/photos?max-keys={wrong}"))["maxKeys"] == 1000
    assert refused(s3(place, "GET", "/nobodys"), 404) == "NoSuchBucket"


def test_an_upload_of_parts_goes_through_with_json():
    place = desk()
    made = values(s3(place, "POST", "/photos/big?uploads"))
    assert (made["bucket"], made["key"], set(made)) == ("photos", "big", {"bucket", "key", "uploadId"})
    upload = made["uploadId"]
    tags = [s3(place, "PUT", f"/photos/big?partNumber={n}&uploadId={upload}", b"part").header("etag") for n in (1, 2)]
    parts = values(s3(place, "GET", f"/photos/big?uploadId={upload}"))
    assert [(one["partNumber"], one["size"]) for one in parts["parts"]] == [(1, 4), (2, 4)]
    assert "big" in [one["key"] for one in values(s3(place, "GET", "/photos?uploads"))["uploads"]]
    wanted = {"parts": [{"partNumber": n, "etag": tag} for n, tag in enumerate(tags, 1)]}
    wrong = {"parts": wanted["parts"][::-1]}
    assert refused(s3(place, "POST", f"/photos/big?uploadId={upload}", wrong), 400) == "InvalidPartOrder"
    done = values(s3(place, "POST", f"/photos/big?uploadId={upload}", wanted))
    assert set(done) == {"location", "bucket", "key", "etag"} and done["etag"].endswith('-2"')
    assert s3(place, "GET", "/photos/big").body == b"partpart"
    other = values(s3(place, "POST", "/photos/big?uploads"))["uploadId"]
    assert s3(place, "DELETE", f"/photos/big?uploadId={other}").status == 204
    assert refused(s3(place, "DELETE", f"/photos/big?uploadId={other}"), 404) == "NoSuchUpload"


def test_an_upload_may_be_completed_in_xml_as_well():
    place = desk()
    upload = values(s3(place, "POST", "/photos/big?uploads"))["uploadId"]
    tag = s3(place, "PUT", f"/photos/big?partNumber=1&uploadId={upload}", b"part").header("etag")
    body = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    )
    reply = s3(place, "POST", f"/photos/big?uploadId={upload}", body.encode(), content_type="application/xml")
    assert values(reply)["key"] == "big"


def test_cors_is_kept_and_told_as_it_was_given():
    place = desk()
    assert refused(s3(place, "GET", "/photos?cors"), 404) == "NoSuchCORSConfiguration"
    rules = {
        "CORSRules": [
            {
                "AllowedMethods": ["GET", "PUT"],
                "AllowedOrigins": ["https://app.example.com"],
                "AllowedHeaders": ["*"],
                "ExposeHeaders": ["ETag"],
                "MaxAgeSeconds": 600,
            },
            {"ID": "two", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"]},
        ]
    }
    reply = s3(place, "PUT", "/photos?cors", rules)
    assert (reply.status, reply.body) == (200, b"")
    assert values(s3(place, "GET", "/photos?cors")) == rules
    for wrong in ({"CORSRules": [{"AllowedMethods": "GET"}]}, {"rules": []}, [], {"CORSRules": [{"Allowed": ["GET"]}]}):
        assert refused(s3(place, "PUT", "/photos?cors", wrong), 400) == "MalformedCORSConfiguration"
    assert values(s3(place, "GET", "/photos?cors")) == rules
    assert s3(place, "DELETE", "/photos?cors").status == 204


def test_tags_are_a_set_of_json_and_empty_where_there_are_none():
    place = desk()
    assert values(s3(place, "GET", "/photos/cat?tagging")) == {"tagSet": []}
    tags = {"tagSet": [{"key": "env", "value": "prod"}, {"key": "ü", "value": ""}]}
    assert s3(place, "PUT", "/photos/cat?tagging", tags).status == 200
    assert values(s3(place, "GET", "/photos/cat?tagging")) == tags
    twice = {"tagSet": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}
    assert refused(s3(place, "PUT", "/photos/cat?tagging", twice), 400) == "InvalidTag"
    many = {"tagSet": [{"key": f"k{n}", "value": ""} for n in range(11)]}
    assert s3(place, "PUT", "/photos/cat?tagging", many).status == 400
    assert values(s3(place, "GET", "/photos/cat?tagging")) == tags
    assert s3(place, "DELETE", "/photos/cat?tagging").status == 204
    assert refused(s3(place, "GET", "/photos/nothing?tagging"), 404) == "NoSuchKey"


@pytest.mark.parametrize("path", ["/photos", "/photos/cat"])
def test_a_canned_list_is_set_by_json_or_by_a_header_and_told(path):
    place = desk()
    assert values(s3(place, "GET", f"{path}?acl")) == {"canned": "private"}
    assert s3(place, "PUT", f"{path}?acl", {"canned": "public-read"}).status == 200
    assert values(s3(place, "GET", f"{path}?acl")) == {"canned": "public-read"}
    (one,) = values(s3(place, "GET", "/photos"))["contents"]
    public = ("public-read", "object") if path.endswith("cat") else ("private", "default")
    assert (one["acl"], one["aclSource"]) == public
    assert s3(place, "PUT", f"{path}?acl", None, x_amz_acl="private").status == 200
    assert values(s3(place, "GET", f"{path}?acl")) == {"canned": "private"}
    assert refused(s3(place, "PUT", f"{path}?acl", {"canned": "authenticated-read"}), 400) == "InvalidArgument"


def test_a_presigned_url_is_made_with_the_administrators_own_key():
    place = desk(Settings(secret_key=SECRET, public_base_url="https://s3.example.com/base"))
    told = values(s3(place, "GET", "/photos/a%20b/%C3%BC?presign"))
    assert set(told) == {"url", "expiresIn", "expiresAt"} and told["expiresIn"] == 900
    assert told["url"].startswith("https://s3.example.com/base/photos/a%20b/%C3%BC?X-Amz-Algorithm=AWS4-HMAC-SHA256")
    assert values(s3(place, "GET", "/photos/cat?presign&expires=60"))["expiresIn"] == 60
    assert values(s3(place, "GET", "/photos/cat?presign&expires=99999999"))["expiresIn"] == 604_800
    for wrong in ("0", "-5", "soon", ""):
        assert refused(s3(place, "GET", f"/photos/cat?presign&expires={wrong}"), 400) == "InvalidArgument"


def test_without_a_place_for_s3_there_is_no_presigned_url():
    place = desk(Settings(secret_key=SECRET))
    object.__setattr__(place.ground.daemon, "places", ())
    assert refused(s3(place, "GET", "/photos/cat?presign"), 503) == "PresignUnavailable"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/photos?policy"),
        ("PUT", "/photos?versioning"),
        ("DELETE", "/photos?lifecycle"),
        ("DELETE", "/photos?policy"),
        ("POST", "/photos?delete"),
        ("PUT", "/photos/cat?retention"),
        ("GET", "/photos?tagging"),
    ],
)
def test_what_has_no_document_of_json_is_refused_and_is_never_something_else(method, path):
    place = desk()
    assert refused(s3(place, method, path, b"x" if method != "GET" else None), 501) == "NotImplemented"
    assert s3(place, "GET", "/photos/cat").body == b"meow"


def test_names_that_are_none_are_refused():
    place = desk()
    assert refused(s3(place, "PUT", "/A_b"), 400) == "InvalidBucketName"
    assert refused(s3(place, "GET", "//cat"), 400) == "InvalidBucketName"
    assert refused(s3(place, "GET", "/photos/%zz"), 400) == "InvalidURI"
    assert refused(s3(place, "PUT", "/api/v1"), 404) == "NoSuchBucket"


def test_an_administrator_that_a_policy_denies_something_is_denied_it_here_too():
    place = desk()
    who = user(place, [*ADMIN, {"effect": "Deny", "buckets": ["photos"], "actions": ["s3:GetObject"]}])
    assert refused(s3(place, "GET", "/photos/cat", who=who), 403) == "AccessDenied"
    assert s3(place, "HEAD", "/photos/cat", who=who).status == 403
    assert s3(place, "PUT", "/photos/dog", b"woof", who=who).status == 200


def test_what_goes_this_way_is_logged_under_the_operations_own_name_and_without_the_secret():
    place = desk()
    s3(place, "PUT", "/photos/dog", b"woof")
    entry = place.log[-1]
    assert (entry.operation, entry.bucket, entry.access_key, entry.auth) == ("PutObject", "photos", ROOT, "connection")
    assert SECRET not in repr(place.log) and entry.target == b"/api/s3/photos/dog"
