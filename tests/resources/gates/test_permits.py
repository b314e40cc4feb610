"""Who may do what: policies, access control lists and ownership together, over every way into the store."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.access.acl import ANONYMOUS_ID
from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.callers.signatures.payloads import UNSIGNED_PAYLOAD
from tests.resources.accounts import EVERYTHING, Town, ask, identity_policy, market, put_policy
from tests.resources.asking import Shop

PHOTO = "/photos/cat.jpg"
DENY = "Deny"


@pytest.fixture
def there() -> Shop:
    return opened()[0]


def opened(**settings: Any) -> tuple[Shop, Town]:
    """A bucket of the account ``main`` with one object."""
    there, town = market(**settings)
    assert ask(there, "main", "PUT", "/photos").status == 200
    assert ask(there, "main", "PUT", PHOTO, b"meow").status == 200
    return there, town


def statuses(there: Shop, method: str, target: str, body: bytes = b"", **headers: str) -> dict[str | None, int]:
    """What everybody is answered."""
    return {who: ask(there, who, method, target, body, **headers).status for who in WHO}


WHO = ("root", "main", "ann", "bob", "alt", "eve", None)
OWN = {"root": 200, "main": 200, "ann": 200, "bob": 403, "alt": 403, "eve": 403, None: 403}
"""Of a private bucket: its account, users whose own policies allow it, and the superuser."""


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", PHOTO),
        ("HEAD", PHOTO),
        ("PUT", "/photos/new"),
        ("GET", "/photos"),
        ("GET", "/photos?list-type=2"),
        ("GET", "/photos?versions"),
        ("GET", "/photos?location"),
        ("GET", "/photos?acl"),
        ("GET", "/photos/cat.jpg?acl"),
        ("GET", "/photos/cat.jpg?tagging"),
        ("HEAD", "/photos"),
        ("POST", "/photos/new?uploads"),
    ],
)
def test_a_bucket_belongs_to_an_account_and_to_users_who_have_policies(there: Shop, method: str, target: str) -> None:
    assert statuses(there, method, target) == OWN


def test_who_may_not_list_does_not_learn_whether_an_object_is_there(there: Shop) -> None:
    assert statuses(there, "GET", "/photos/none") == {**OWN, "root": 404, "main": 404, "ann": 404}
    put_policy(there, "photos", {"Action": "s3:GetObject"})
    assert statuses(there, "GET", "/photos/none") == {**OWN, "root": 404, "main": 404, "ann": 404}
    condition = {"StringLike": {"s3:prefix": "public/*"}}
    put_policy(there, "photos", {"Action": "s3:ListBucket", "Condition": condition})
    assert ask(there, "alt", "HEAD", "/photos/public/none").status == 404
    assert ask(there, "alt", "HEAD", "/photos/private/none").status == 403
    assert ask(there, "alt", "GET", PHOTO).status == 403


def test_everybody_is_told_that_a_bucket_is_not_there(there: Shop) -> None:
    for method, target in (("GET", "/nowhere"), ("HEAD", "/nowhere/cat.jpg"), ("DELETE", "/nowhere/cat.jpg")):
        assert statuses(there, method, target) == dict.fromkeys(WHO, 404)


def test_a_bucket_policy_allows_accounts_and_their_users_agree(there: Shop) -> None:
    put_policy(there, "photos", {"Principal": {"AWS": "alt"}, "Action": "s3:GetObject"})
    assert statuses(there, "GET", PHOTO) == {**OWN, "alt": 200, "eve": 200}
    assert statuses(there, "GET", "/photos") == OWN
    put_policy(there, "photos", {"Action": "s3:GetObject"})
    assert set(statuses(there, "GET", PHOTO).values()) == {200}


def test_a_user_of_another_account_needs_a_policy_as_well() -> None:
    there, town = opened()
    town.change("eve", policies=())
    put_policy(there, "photos", {"Action": "s3:GetObject"})
    assert ask(there, "eve", "GET", PHOTO).status == 403
    town.change("eve", policies=(identity_policy({**EVERYTHING, "Action": "s3:GetObject"}),))
    assert ask(there, "eve", "GET", PHOTO).status == 200


def test_an_explicit_deny_binds_the_superuser_too_but_not_the_way_back(there: Shop) -> None:
    put_policy(there, "photos", {"Effect": DENY})
    assert set(statuses(there, "GET", PHOTO).values()) == {403}
    for who in ("root", "main"):
        assert ask(there, who, "GET", "/photos?policy").status == 200
    assert ask(there, "ann", "GET", "/photos?policy").status == 403
    assert ask(there, "root", "DELETE", "/photos?policy").status == 204
    assert ask(there, "main", "GET", PHOTO).status == 200


def test_without_authentication_an_explicit_deny_binds_too() -> None:
    there, _ = opened()
    put_policy(there, "photos", {"Effect": DENY, "Action": "s3:GetObject"})
    there.service.authenticator.authenticate = lambda head: Caller(kind="open")
    assert there.ask("GET", PHOTO).status == 403
    assert there.ask("PUT", "/photos/new").status == 200


def test_every_boundary_must_allow_it_too() -> None:
    there, town = opened()
    reading = identity_policy({**EVERYTHING, "Action": "s3:Get*", "Resource": "arn:aws:s3:::photos/*"})
    for who in ("main", "ann"):
        town.change(who, boundaries=(reading,))
        assert ask(there, who, "GET", PHOTO).status == 200
        assert ask(there, who, "PUT", PHOTO, b"new").status == 403
        assert ask(there, who, "GET", "/photos").status == 403
    town.change("main", boundaries=(reading, identity_policy({**EVERYTHING, "Effect": DENY})))
    assert ask(there, "main", "GET", PHOTO).status == 403


def test_a_boundary_holds_for_what_an_access_control_list_grants() -> None:
    there, town = opened()
    ask(there, "main", "PUT", "/photos/cat.jpg?acl", x_amz_acl="public-read")
    town.change("alt", boundaries=(identity_policy({**EVERYTHING, "Action": "s3:ListBucket"}),))
    assert ask(there, "alt", "GET", PHOTO).status == 403


def test_each_account_lists_its_own_buckets(there: Shop) -> None:
    for name in ("alpha", "zebra"):
        ask(there, "alt", "PUT", f"/{name}")

    def names(who: str, query: str = "") -> list[str]:
        body = ask(there, who, "GET", "/" + query).body.decode()
        return [part.partition("<")[0] for part in body.split("<Name>")[1:]]

    assert names("main") == names("ann") == ["photos"]
    assert names("alt") == ["alpha", "zebra"]
    assert names("alt", "?max-buckets=1") == ["alpha"]
    assert names("root") == ["alpha", "photos", "zebra"]
    assert ask(there, "bob", "GET", "/").status == 403
    assert ask(there, None, "GET", "/").status == 403


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("POST", "/photos/new?uploads", {}),
        ("PUT", "/photos/new", {"x-amz-copy-source": "photos/cat.jpg"}),
        ("PUT", "/photos/new?partNumber=1&uploadId=1", {"x-amz-copy-source": "photos/cat.jpg"}),
        ("PUT", "/photos/new?renameObject", {"x-amz-rename-source": "photos/cat.jpg"}),
        ("PUT", "/photos/cat.jpg?acl", {"x-amz-acl": "public-read"}),
        ("PUT", "/photos?acl", {"x-amz-acl": "public-read"}),
        ("PUT", "/photos?ownershipControls", {}),
        ("GET", "/photos?ownershipControls", {}),
        ("DELETE", "/photos?ownershipControls", {}),
        ("PUT", "/another", {}),
    ],
)
def test_nobody_copies_or_begins_uploads_or_changes_lists_without_a_signature(
    there: Shop, method: str, target: str, headers: dict[str, str]
) -> None:
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl="public-read-write")
    put_policy(there, "photos", {})
    reply = there.ask(method, target, headers=headers)
    assert (reply.status, b"Anonymous users cannot" in reply.body) == (403, True)
    assert there.ask("GET", PHOTO).status == 200
    assert there.ask("PUT", PHOTO, b"meow", headers={"x-amz-acl": "private"}).status == 200


def test_a_name_that_another_account_has_is_taken(there: Shop) -> None:
    assert b"BucketAlreadyExists" in ask(there, "alt", "PUT", "/photos").body
    assert b"BucketAlreadyOwnedByYou" in ask(there, "ann", "PUT", "/photos").body
    assert ask(there, "bob", "PUT", "/bobs").status == 403
    assert ask(there, None, "PUT", "/nobodys").status == 403


def test_a_bucket_may_be_allowed_in_one_region_only() -> None:
    there, town = market()
    condition = {"StringEquals": {"s3:LocationConstraint": "eu-west-1"}}
    town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": "s3:CreateBucket", "Condition": condition}),))
    document = "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>"
    assert ask(there, "bob", "PUT", "/west", document.format("eu-west-1").encode()).status == 200
    assert ask(there, "bob", "PUT", "/east", document.format("eu-west-2").encode()).status == 403
    assert ask(there, "bob", "PUT", "/anywhere").status == 403


TAGGED = "<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>"


@pytest.mark.parametrize(
    ("headers", "document", "further"),
    [
        ({"x_amz_acl": "private"}, "", []),
        ({"x_amz_acl": "public-read"}, "", ["s3:PutBucketAcl"]),
        ({"x_amz_grant_read": 'id="alt"'}, "", ["s3:PutBucketAcl"]),
        ({"x_amz_object_ownership": "ObjectWriter"}, "", ["s3:PutBucketOwnershipControls"]),
        ({"x_amz_bucket_object_lock_enabled": "false"}, "", []),
        (
            {"x_amz_bucket_object_lock_enabled": "true"},
            "",
            ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"],
        ),
        ({}, TAGGED, ["s3:TagResource"]),
    ],
)
def test_what_a_bucket_is_given_at_once_needs_permissions_of_its_own(
    headers: dict[str, str], document: str, further: list[str]
) -> None:
    there, town = market()
    for some in (further[:count] for count in range(len(further) + 1)):
        town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": ["s3:CreateBucket", *some]}),))
        status = ask(there, "bob", "PUT", "/bobs", document.encode(), **headers).status
        assert status == (200 if some == further else 403)


@pytest.mark.parametrize(
    ("headers", "action"),
    [
        ({"x_amz_tagging": "a=b"}, "s3:PutObjectTagging"),
        ({"x_amz_acl": "public-read"}, "s3:PutObjectAcl"),
        ({"x_amz_grant_read": 'id="alt"'}, "s3:PutObjectAcl"),
    ],
)
@pytest.mark.parametrize(("method", "query"), [("PUT", ""), ("POST", "?uploads")])
def test_what_an_object_is_given_beside_its_bytes_needs_a_permission_of_its_own(
    headers: dict[str, str], action: str, method: str, query: str
) -> None:
    there, town = opened()
    town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": "s3:PutObject"}),))
    assert ask(there, "bob", method, "/photos/new" + query).status == 200
    assert ask(there, "bob", method, "/photos/new" + query, **headers).status == 403
    town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": ["s3:PutObject", action]}),))
    assert ask(there, "bob", method, "/photos/new" + query, **headers).status == 200


def test_lists_for_the_owner_of_the_bucket_need_no_further_permission(there: Shop) -> None:
    put_policy(there, "photos", {"Action": "s3:PutObject"})
    assert ask(there, "alt", "PUT", "/photos/a", x_amz_acl="bucket-owner-full-control").status == 200
    assert ask(there, "alt", "PUT", "/photos/b", x_amz_grant_full_control="id=main").status == 200
    assert ask(there, "main", "GET", "/photos/a").status == ask(there, "main", "GET", "/photos/b").status == 200
    assert ask(there, "alt", "PUT", "/photos/c", x_amz_grant_full_control="id=main,id=alt").status == 403


def test_a_copy_needs_to_read_its_source_and_to_write_its_target() -> None:
    there, town = opened()
    ask(there, "alt", "PUT", "/other")
    ask(there, "alt", "PUT", "/other/dog.jpg", b"woof")
    copied = {"x_amz_copy_source": "photos/cat.jpg"}
    assert ask(there, "alt", "PUT", "/other/copy", **copied).status == 403
    assert ask(there, "main", "PUT", "/other/copy", **copied).status == 403
    put_policy(there, "photos", {"Principal": {"AWS": "alt"}, "Action": "s3:GetObject"})
    assert ask(there, "alt", "PUT", "/other/copy", **copied).status == 200
    assert ask(there, "alt", "PUT", "/other/copy", x_amz_copy_source="photos/none").status == 403
    town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": ["s3:PutObject", "s3:GetObject"]}),))
    ask(there, "main", "PUT", "/photos/tagged", b"", x_amz_tagging="a=b")
    assert ask(there, "bob", "PUT", "/photos/copy", **copied).status == 200
    assert ask(there, "bob", "PUT", "/photos/copy", x_amz_copy_source="photos/tagged").status == 403


def test_a_part_copied_needs_to_read_its_source(there: Shop) -> None:
    ask(there, "alt", "PUT", "/other")
    begun = ask(there, "alt", "POST", "/other/big?uploads").body.decode()
    upload = begun.partition("<UploadId>")[2].partition("<")[0]
    target = f"/other/big?partNumber=1&uploadId={upload}"
    assert ask(there, "alt", "PUT", target, x_amz_copy_source="photos/cat.jpg").status == 403
    put_policy(there, "photos", {"Action": "s3:GetObject"})
    assert ask(there, "alt", "PUT", target, x_amz_copy_source="photos/cat.jpg").status == 200


def test_each_key_of_a_batch_is_decided_by_itself(there: Shop) -> None:
    for key in ("a/1", "b/1"):
        ask(there, "main", "PUT", f"/photos/{key}")
    put_policy(there, "photos", {"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::photos/a/*"})
    body = b"<Delete><Object><Key>a/1</Key></Object><Object><Key>b/1</Key></Object></Delete>"
    reply = ask(there, "alt", "POST", "/photos?delete", body)
    assert reply.status == 200
    assert b"<Deleted><Key>a/1</Key></Deleted>" in reply.body
    assert b"<Error><Key>b/1</Key><Code>AccessDenied</Code>" in reply.body
    assert ask(there, "main", "GET", "/photos/a/1").status == 404
    assert ask(there, "main", "GET", "/photos/b/1").status == 200


def test_a_form_is_permitted_by_its_fields(there: Shop) -> None:
    def post(who: str | None, **fields: str) -> int:
        given = {"key": "form/${filename}", **({"x-ignore-by": who} if who else {}), **fields}
        lines = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in given.items()
        ]
        file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nwoof\r\n--x--\r\n'
        body = ("".join(lines) + file).encode()
        return ask(there, None, "POST", "/photos", body, content_type="multipart/form-data; boundary=x").status

    expected = {**OWN, "root": 204, "main": 204, "ann": 204}
    assert {who: post(who) for who in WHO} == expected
    condition = {"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}
    put_policy(
        there, "photos", {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/form/*", "Condition": condition}
    )
    assert (post(None), post(None, **{"x-amz-storage-class": "STANDARD_IA"})) == (403, 204)
    assert post(None, **{"x-amz-storage-class": "STANDARD_IA", "acl": "public-read"}) == 403


def test_multipart_uploads_have_actions_of_their_own() -> None:
    there, town = opened()
    begun = ask(there, "main", "POST", "/photos/big?uploads").body.decode()
    target = "/photos/big?uploadId=" + begun.partition("<UploadId>")[2].partition("<")[0]
    requests = {
        "s3:ListMultipartUploadParts": ("GET", target),
        "s3:ListBucketMultipartUploads": ("GET", "/photos?uploads"),
        "s3:AbortMultipartUpload": ("DELETE", target),
    }
    for action, request in requests.items():
        town.change("bob", policies=())
        assert ask(there, "bob", *request).status == 403
        town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": action}),))
        assert ask(there, "bob", *request).status in (200, 204)


def test_a_version_has_actions_of_its_own() -> None:
    there, town = opened()
    town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": "s3:GetObject"}),))
    assert ask(there, "bob", "GET", PHOTO).status == 200
    assert ask(there, "bob", "GET", PHOTO + "?versionId=null").status == 403
    town.change("bob", policies=(identity_policy({**EVERYTHING, "Action": "s3:GetObjectVersion"}),))
    assert ask(there, "bob", "GET", PHOTO + "?versionId=null").status == 200


CONDITIONS = [
    ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {}, {}, 200),
    ({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, {}, {}, 403),
    ({"Bool": {"aws:SecureTransport": "true"}}, {}, {}, 403),
    ({"StringLike": {"aws:Referer": "https://a.test/*"}}, {}, {"referer": "https://a.test/page"}, 200),
    ({"StringLike": {"aws:Referer": "https://a.test/*"}}, {}, {}, 403),
    ({"StringEquals": {"aws:UserAgent": "robot"}}, {}, {"user-agent": "robot"}, 200),
    ({"StringEquals": {"s3:authType": "REST-HEADER"}}, {}, {}, 200),
    ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, {}, {}, 200),
    ({"NumericLessThan": {"s3:signatureAge": "600000"}}, {}, {"x-amz-date": "20261121T025900Z"}, 200),
    ({"NumericLessThan": {"s3:signatureAge": "600000"}}, {}, {"x-amz-date": "20261120T025900Z"}, 403),
    ({"StringEquals": {"s3:ResourceAccount": "main"}}, {}, {}, 200),
    ({"StringEquals": {"s3:ExistingObjectTag/mood": "good"}}, {"mood": "good"}, {}, 200),
    ({"StringEquals": {"s3:ExistingObjectTag/mood": "good"}}, {"mood": "bad"}, {}, 403),
    ({"StringEquals": {"s3:ExistingObjectTag/mood": "good"}}, {}, {}, 403),
]


@pytest.mark.parametrize(("condition", "tags", "headers", "status"), CONDITIONS)
def test_a_read_is_allowed_on_conditions(
    there: Shop, condition: Any, tags: dict[str, str], headers: dict[str, str], status: int
) -> None:
    tagging = "&".join(f"{key}={value}" for key, value in tags.items())
    ask(there, "main", "PUT", PHOTO, b"meow", x_amz_tagging=tagging)
    assert put_policy(there, "photos", {"Action": "s3:GetObject", "Condition": condition}).status == 204
    given = {name.replace("-", "_"): value for name, value in headers.items()}
    assert ask(there, "alt", "GET", PHOTO, **given).status == status


@pytest.mark.parametrize(("told", "status"), [(UNSIGNED_PAYLOAD, 200), ("0" * 64, 403)])
def test_what_is_signed_of_a_body_is_not_told_by_a_header_beside_a_presigned_url(
    monkeypatch: pytest.MonkeyPatch, told: str, status: int
) -> None:
    there, town = opened()
    condition = {"StringEquals": {"s3:x-amz-content-sha256": told}}
    assert put_policy(there, "photos", {"Action": "s3:GetObject", "Condition": condition}).status == 204
    caller = Caller(kind="presigned", identity=town.find("alt"))
    monkeypatch.setattr(there.service.authenticator, "authenticate", lambda head: caller)
    assert there.ask("GET", PHOTO, headers={"x-amz-content-sha256": "0" * 64}).status == status


@pytest.mark.parametrize(
    ("action", "condition", "request_", "status"),
    [
        ("s3:ListBucket", {"StringEquals": {"s3:prefix": "a/"}}, ("GET", "/photos?prefix=a/"), 200),
        ("s3:ListBucket", {"StringEquals": {"s3:prefix": "a/"}}, ("GET", "/photos?prefix=b/"), 403),
        ("s3:ListBucket", {"StringEquals": {"s3:prefix": "a/"}}, ("GET", "/photos"), 403),
        ("s3:ListBucket", {"StringNotEquals": {"s3:prefix": "a/"}}, ("GET", "/photos"), 200),
        ("s3:ListBucket", {"StringEquals": {"s3:delimiter": "/"}}, ("GET", "/photos?delimiter=/"), 200),
        ("s3:ListBucket", {"NumericLessThanEquals": {"s3:max-keys": "10"}}, ("GET", "/photos?max-keys=10"), 200),
        ("s3:ListBucket", {"NumericLessThanEquals": {"s3:max-keys": "10"}}, ("GET", "/photos?max-keys=11"), 403),
    ],
)
def test_a_listing_is_allowed_on_conditions(
    there: Shop, action: str, condition: Any, request_: tuple[str, str], status: int
) -> None:
    put_policy(there, "photos", {"Action": action, "Condition": condition})
    assert ask(there, "alt", *request_).status == status


@pytest.mark.parametrize(
    ("condition", "headers", "status"),
    [
        ({"StringEquals": {"s3:x-amz-acl": "public-read"}}, {"x_amz_acl": "public-read"}, 200),
        ({"StringEquals": {"s3:x-amz-acl": "public-read"}}, {}, 403),
        ({"StringEquals": {"s3:x-amz-grant-read": "id=alt"}}, {"x_amz_grant_read": "id=alt"}, 200),
        ({"StringLike": {"s3:x-amz-copy-source": "photos/c*"}}, {"x_amz_copy_source": "/photos/c%61t.jpg"}, 200),
        ({"StringEquals": {"s3:x-amz-metadata-directive": "COPY"}}, {"x_amz_copy_source": "photos/cat.jpg"}, 403),
        ({"StringEquals": {"s3:RequestObjectTag/a": "1"}}, {"x_amz_tagging": "a=1"}, 200),
        ({"StringEquals": {"s3:RequestObjectTag/a": "1"}}, {"x_amz_tagging": "a=2"}, 403),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}}, {"x_amz_tagging": "a=2"}, 200),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}}, {"x_amz_tagging": "a=2&b=1"}, 403),
        ({"StringEquals": {"s3:if-none-match": "*"}}, {"if_none_match": "*"}, 200),
        ({"Null": {"s3:if-none-match": "false"}}, {}, 403),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}, {"x_amz_storage_class": "STANDARD_IA"}, 200),
    ],
)
def test_a_write_is_allowed_on_conditions(there: Shop, condition: Any, headers: dict[str, str], status: int) -> None:
    put_policy(
        there,
        "photos",
        {"Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"], "Condition": condition},
        {"Action": "s3:GetObject"},
    )
    assert ask(there, "alt", "PUT", "/photos/new", **headers).status == status


@pytest.mark.parametrize(
    "source",
    [
        "photos/se%20cret",
        "photos/se+cret",
        "photos/se cret",
        "/photos/se+cret",
        "photos%2Fse%20cret",
        "%2Fphotos%2fse+cret",
    ],
)
def test_a_denied_source_is_denied_however_it_is_spelt(there: Shop, source: str) -> None:
    ask(there, "main", "PUT", "/photos/se%20cret", b"meow")
    condition = {"StringEquals": {"s3:x-amz-copy-source": "photos/se cret"}}
    put_policy(there, "photos", {"Effect": DENY, "Action": "s3:PutObject", "Condition": condition})
    for spelt in (source, source + "?versionId=null"):
        assert ask(there, "main", "PUT", "/photos/copy", x_amz_copy_source=spelt).status == 403
    assert ask(there, "main", "PUT", "/photos/copy", x_amz_copy_source="photos/se%2Bcret").status == 404
    assert ask(there, "main", "PUT", "/photos/copy", x_amz_copy_source="photos/%zz").status == 400


@pytest.mark.parametrize("directive", ["REPLACE", "replace"])
def test_a_denied_directive_is_denied_however_it_is_spelt(there: Shop, directive: str) -> None:
    for name in ("x-amz-metadata-directive", "x-amz-tagging-directive"):
        condition = {"StringEquals": {f"s3:{name}": "REPLACE"}}
        put_policy(there, "photos", {"Effect": DENY, "Action": "s3:PutObject", "Condition": condition})
        given = {name.replace("-", "_"): directive}
        assert ask(there, "main", "PUT", "/photos/copy", x_amz_copy_source="photos/cat.jpg", **given).status == 403


def test_tags_in_a_document_are_held_against_conditions(there: Shop) -> None:
    condition = {"StringEquals": {"s3:RequestObjectTag/a": "1"}}
    put_policy(there, "photos", {"Action": "s3:PutObjectTagging", "Condition": condition})
    document = "<Tagging><TagSet><Tag><Key>a</Key><Value>{}</Value></Tag></TagSet></Tagging>"
    assert ask(there, "alt", "PUT", "/photos/cat.jpg?tagging", document.format(2).encode()).status == 403
    assert ask(there, "alt", "PUT", "/photos/cat.jpg?tagging", document.format(1).encode()).status == 200
    assert ask(there, None, "GET", "/photos/cat.jpg?tagging").status == 403


@pytest.mark.parametrize(("until", "status"), [("2026-11-25T00:00:00Z", 200), ("2026-12-25T00:00:00Z", 403)])
def test_a_retention_may_be_limited_wherever_it_is_written(until: str, status: int) -> None:
    there, _ = market()
    ask(there, "main", "PUT", "/photos", x_amz_bucket_object_lock_enabled="true")
    ask(there, "main", "PUT", PHOTO, b"meow")
    condition = {"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "10"}}
    put_policy(there, "photos", {"Effect": DENY, "Action": "s3:PutObjectRetention", "Condition": condition})
    headers = {"x_amz_object_lock_mode": "GOVERNANCE", "x_amz_object_lock_retain_until_date": until}
    empty = {"content_md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    assert ask(there, "main", "PUT", "/photos/new", **headers, **empty).status == status
    document = f"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>".encode()
    assert ask(there, "main", "PUT", PHOTO + "?retention", document).status == status
    protected = ask(there, "main", "GET", PHOTO + "?retention").status
    assert protected == (200 if status == 200 else 404)


def test_what_a_stranger_wrote_belongs_to_nobody_who_is_known(there: Shop) -> None:
    put_policy(there, "photos", {"Action": ["s3:PutObject", "s3:GetObject"]})
    assert ask(there, None, "PUT", "/photos/left", b"?").status == 200
    assert there.service.objects.look("photos", b"left").owner == ANONYMOUS_ID
    assert statuses(there, "GET", "/photos/left") == dict.fromkeys(WHO, 403) | {"root": 200}
    assert ask(there, "main", "DELETE", "/photos/left").status == 204


def test_an_operation_that_forgets_to_decide_answers_nothing(there: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("permit_found", "permit_missing"):
        monkeypatch.setattr(f"gecko_tw.resources.families.objects.{name}", lambda *_: None)
    for method in ("GET", "HEAD"):
        assert statuses(there, method, PHOTO) == dict.fromkeys(WHO, 403) | {"root": 200}


REQUESTS = (
    ("GET", PHOTO, b"", {}),
    ("GET", "/photos/none", b"", {}),
    ("GET", "/photos", b"", {}),
    ("GET", "/photos?prefix=a/", b"", {}),
    ("PUT", "/photos/new", b"new", {"x_amz_acl": "public-read"}),
    ("PUT", "/photos/copy", b"", {"x_amz_copy_source": "photos/cat.jpg"}),
    ("GET", "/photos/cat.jpg?acl", b"", {}),
    ("PUT", "/photos/cat.jpg?tagging", b"<Tagging><TagSet/></Tagging>", {}),
    ("GET", "/photos?policy", b"", {}),
    ("POST", "/photos?delete", b"<Delete><Object><Key>none</Key></Object></Delete>", {}),
    ("DELETE", "/photos/none", b"", {}),
)
ACTIONS = ("s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "s3:PutObject*", "s3:ListBucket", "s3:DeleteObject")
PRINCIPALS = ("*", {"AWS": "alt"}, {"AWS": "main"}, {"AWS": "arn:aws:iam::main:user/ann"}, {"CanonicalUser": "alt"})
STATEMENTS = st.fixed_dictionaries(
    {
        "Action": st.sampled_from(ACTIONS),
        "Principal": st.sampled_from(PRINCIPALS),
        "Condition": st.sampled_from(
            [
                {},
                {"IpAddress": {"aws:SourceIp": "192.0.2.1"}},
                {"StringLike": {"s3:prefix": "a/*"}},
                {"StringEquals": {"s3:ExistingObjectTag/a": "b"}},
                {"Null": {"s3:x-amz-acl": "true"}},
            ]
        ),
    }
)


def done(statements: list[dict[str, Any]], list_: str, who: str | None, request: Any) -> bool:
    there, _ = opened()
    ask(there, "main", "PUT", "/photos?acl", x_amz_acl=list_)
    if statements:
        assert put_policy(there, "photos", *statements, who="root").status == 204
    method, target, body, headers = request
    reply = ask(there, who, method, target, body, **headers)
    return reply.status != 403 and b"AccessDenied" not in reply.body


@given(
    allowed=st.lists(STATEMENTS, max_size=2),
    denied=STATEMENTS,
    list_=st.sampled_from(["private", "public-read", "public-read-write", "authenticated-read"]),
    who=st.sampled_from(WHO),
    request=st.sampled_from(REQUESTS),
)
def test_a_deny_more_never_lets_a_request_succeed_that_failed(
    allowed: list[Any], denied: Any, list_: str, who: str | None, request: Any
) -> None:
    if done([*allowed, {**denied, "Effect": DENY}], list_, who, request):
        assert done(allowed, list_, who, request)
