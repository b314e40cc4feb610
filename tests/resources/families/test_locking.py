"""Object Lock as clients see it."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5, sha256
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.documents import locks
from tests.resources.accounts import Town, ask, identity_policy, market
from tests.resources.asking import NOW, FakeRequest, Shop, shop
from tests.resources.reading import read

PHOTO = "/photos/cat.jpg"
SOON, LATER = "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"
BYPASS = {"x-amz-bypass-governance-retention": "true"}
MEOW = {"content-md5": b64encode(md5(b"meow").digest()).decode()}
GOVERNED = {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": SOON}


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=1)
    assert there.ask("PUT", "/photos", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    there.ask("PUT", "/plain")
    return there


def code(reply: object) -> str:
    return reply.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()  # type: ignore[attr-defined]


def put(there: Shop, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = there.ask("PUT", PHOTO, b"meow", headers={**MEOW, **named})
    assert reply.status == 200, reply.body
    return reply.header("x-amz-version-id") or ""


def configure(there: Shop, inside: str, bucket: str = "photos") -> object:
    document = f"<ObjectLockConfiguration>{inside}</ObjectLockConfiguration>"
    return there.ask("PUT", f"/{bucket}?object-lock", document.encode())


def retain(there: Shop, mode: str, until: str, **more: object) -> object:
    document = f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
    return there.ask("PUT", f"{PHOTO}?retention", document.encode(), **more)


def hold(there: Shop, status: str) -> object:
    return there.ask("PUT", f"{PHOTO}?legal-hold", f"<LegalHold><Status>{status}</Status></LegalHold>".encode())


def test_a_bucket_created_with_locks_has_versioning_for_good(there: Shop) -> None:
    assert read("GetBucketVersioning", there.ask("GET", "/photos?versioning"))["Status"] == "Enabled"
    document = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
    reply = there.ask("PUT", "/photos?versioning", document)
    assert (reply.status, code(reply)) == (409, "InvalidBucketState")
    found = read("GetObjectLockConfiguration", there.ask("GET", "/photos?object-lock"))
    assert found["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}


def test_a_bucket_gets_locks_later_only_while_it_keeps_versions(there: Shop) -> None:
    enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
    assert code(there.ask("GET", "/plain?object-lock")) == "ObjectLockConfigurationNotFoundError"
    assert code(configure(there, enabled, "plain")) == "InvalidBucketState"
    there.ask(
        "PUT", "/plain?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    )
    assert configure(there, enabled, "plain").status == 200  # type: ignore[attr-defined]


ON = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
LIFECYCLE = (
    b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>"
    b"</LifecycleConfiguration>"
)


def default(mode: str, period: str) -> str:
    rule = f"<Rule><DefaultRetention><Mode>{mode}</Mode>{period}</DefaultRetention></Rule>"
    return f"<ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", "MalformedXML"),
        ("<ObjectLockEnabled>Disabled</ObjectLockEnabled>", "MalformedXML"),
        ("<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule/>", "MalformedXML"),
        (default("governance", "<Days>1</Days>"), "MalformedXML"),
        (default("GOVERNANCE", ""), "MalformedXML"),
        (default("GOVERNANCE", "<Days>x</Days>"), "MalformedXML"),
        (default("GOVERNANCE", "<Days>1</Days><Years>1</Years>"), "MalformedXML"),
        (default("GOVERNANCE", "<Days>0</Days>"), "InvalidRetentionPeriod"),
        (default("COMPLIANCE", "<Years>-1</Years>"), "InvalidRetentionPeriod"),
        (default("COMPLIANCE", "<Years>101</Years>"), "InvalidRetentionPeriod"),
    ],
)
def test_a_configuration_that_is_none_is_refused(there: Shop, inside: str, expected: str) -> None:
    assert code(configure(there, inside)) == expected


@pytest.mark.parametrize("period", [{"Days": 2}, {"Years": 1}])
def test_new_objects_get_the_default_retention(there: Shop, period: dict[str, int]) -> None:
    unit, number = next(iter(period.items()))
    assert configure(there, default("GOVERNANCE", f"<{unit}>{number}</{unit}>")).status == 200  # type: ignore[attr-defined]
    found = read("GetObjectLockConfiguration", there.ask("GET", "/photos?object-lock"))["ObjectLockConfiguration"]
    assert found["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", **period}
    version = put(there)
    reply = read("HeadObject", there.ask("HEAD", PHOTO))
    assert reply["ObjectLockMode"] == "GOVERNANCE"
    days = number if unit == "Days" else 365
    assert reply["ObjectLockRetainUntilDate"] == datetime.fromtimestamp(NOW + days * 86_400, UTC)
    assert "ObjectLockLegalHoldStatus" not in reply
    assert code(there.ask("DELETE", f"{PHOTO}?versionId={version}")) == "AccessDenied"


def test_a_protected_version_cannot_be_removed_but_be_hidden(there: Shop) -> None:
    version = put(there, **GOVERNED)
    refused = there.ask("DELETE", f"{PHOTO}?versionId={version}")
    assert (refused.status, code(refused)) == (403, "AccessDenied")
    assert b"Access Denied because object protected by object lock." in refused.body
    assert there.ask("DELETE", PHOTO).status == 204
    document = f"<Delete><Object><Key>cat.jpg</Key><VersionId>{version}</VersionId></Object></Delete>".encode()
    assert b"<Code>AccessDenied</Code>" in there.ask("POST", "/photos?delete", document).body
    assert there.ask("GET", f"{PHOTO}?versionId={version}").body == b"meow"
    assert b"<Deleted>" in there.ask("POST", "/photos?delete", document, headers=BYPASS).body
    assert there.ask("GET", f"{PHOTO}?versionId={version}").status == 404


def test_time_ends_a_retention(there: Shop) -> None:
    version = put(there, **{**GOVERNED, "x-amz-object-lock-mode": "COMPLIANCE"})
    target = f"{PHOTO}?versionId={version}"
    assert there.ask("DELETE", target, headers=BYPASS).status == 403
    there.clock.advance(60 * 86_400)
    assert there.ask("DELETE", target).status == 204


UNVOUCHED = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put {} requests with Object Lock parameters"
VOUCHERS = [
    MEOW,
    {"x-amz-checksum-crc32": b64encode(crc32(b"meow").to_bytes(4, "big")).decode()},
    {"x-amz-sdk-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": b64encode(sha256(b"meow").digest()).decode()},
]


def put_retained(there: Shop, headers: dict[str, str]) -> FakeRequest:
    return there.ask("PUT", PHOTO, b"meow", headers={**GOVERNED, **headers})


def put_by_default(there: Shop, headers: dict[str, str]) -> FakeRequest:
    configure(there, default("GOVERNANCE", "<Days>1</Days>"))
    return there.ask("PUT", PHOTO, b"meow", headers=headers)


def put_part(there: Shop, headers: dict[str, str]) -> FakeRequest:
    upload = read("CreateMultipartUpload", there.ask("POST", f"{PHOTO}?uploads", headers=GOVERNED))["UploadId"]
    return there.ask("PUT", f"{PHOTO}?partNumber=1&uploadId={upload}", b"meow", headers=headers)


def put_part_by_default(there: Shop, headers: dict[str, str]) -> FakeRequest:
    upload = read("CreateMultipartUpload", there.ask("POST", f"{PHOTO}?uploads"))["UploadId"]
    configure(there, default("GOVERNANCE", "<Days>1</Days>"))
    return there.ask("PUT", f"{PHOTO}?partNumber=1&uploadId={upload}", b"meow", headers=headers)


def post_form(there: Shop, headers: dict[str, str]) -> FakeRequest:
    fields = {"key": "cat.jpg", **GOVERNED, **headers}
    lines = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    body = "".join(lines) + '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nmeow\r\n--x--\r\n'
    return there.ask("POST", "/photos", body.encode(), headers={"content-type": "multipart/form-data; boundary=x"})


@pytest.mark.parametrize("upload", [put_retained, put_by_default, put_part, put_part_by_default, post_form])
def test_what_will_have_a_retention_needs_a_digest(
    there: Shop, upload: Callable[[Shop, dict[str, str]], FakeRequest]
) -> None:
    refused = upload(there, {"x-amz-content-sha256": sha256(b"meow").hexdigest()} if upload is not post_form else {})
    assert (refused.status, code(refused)) == (400, "InvalidRequest")
    assert UNVOUCHED.format("Part" if "part" in upload.__name__ else "Object").encode() in refused.body
    assert there.ask("GET", PHOTO).status == 404
    for headers in VOUCHERS:
        assert upload(there, headers).status in (200, 204)


def test_what_has_no_retention_needs_no_digest(there: Shop) -> None:
    assert there.ask("PUT", PHOTO, b"meow").status == 200
    assert there.ask("PUT", PHOTO, b"meow", headers={"x-amz-object-lock-legal-hold": "ON"}).status == 200
    assert there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": PHOTO, **GOVERNED}).status == 200


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/photos?delete", b"<Delete><Object><Key>cat.jpg</Key></Object></Delete>"),
        ("PUT", "/photos?tagging", b"<Tagging><TagSet/></Tagging>"),
        ("PUT", f"{PHOTO}?tagging", b"<Tagging><TagSet/></Tagging>"),
        ("PUT", "/photos?lifecycle", LIFECYCLE),
        ("PUT", "/photos?object-lock", f"<ObjectLockConfiguration>{ON}</ObjectLockConfiguration>".encode()),
        ("PUT", f"{PHOTO}?retention", b"<Retention/>"),
        ("PUT", f"{PHOTO}?legal-hold", b"<LegalHold><Status>OFF</Status></LegalHold>"),
    ],
)
def test_documents_that_remove_or_protect_need_a_digest(there: Shop, method: str, target: str, body: bytes) -> None:
    put(there)
    reply = there.ask(method, target, body, headers={"content-md5": None})  # type: ignore[dict-item]
    assert (reply.status, code(reply)) == (400, "InvalidRequest")
    assert b"Missing required header for this request: Content-MD5 OR x-amz-checksum-*" in reply.body
    assert there.ask("GET", PHOTO).status == 200
    crc = b64encode(crc32(body).to_bytes(4, "big")).decode()
    for headers in ({}, {"content-md5": None, "x-amz-checksum-crc32": crc}):
        assert there.ask(method, target, body, headers=headers).status in (200, 204)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["true", "false", ""])
def test_a_bypass_in_a_bucket_without_locks_removes_nothing(there: Shop, value: str) -> None:
    there.ask("PUT", "/plain/a", b"meow")
    headers = {"x-amz-bypass-governance-retention": value}
    document = b"<Delete><Object><Key>a</Key></Object></Delete>"
    for method, target, body in (
        ("DELETE", "/plain/a", b""),
        ("DELETE", "/plain/a?versionId=null", b""),
        ("POST", "/plain?delete", document),
    ):
        reply = there.ask(method, target, body, headers=headers)
        assert (reply.status, code(reply)) == (400, "InvalidArgument")
        assert b"is only applicable to Object Lock enabled buckets" in reply.body
    assert there.ask("GET", "/plain/a").body == b"meow"


def test_a_batch_that_names_every_version_may_speak_of_a_bypass_anywhere(there: Shop) -> None:
    there.ask("PUT", "/plain/a", b"meow")
    one, other = b"<Object><Key>a</Key><VersionId>null</VersionId></Object>", b"<Object><Key>b</Key></Object>"
    mixed = there.ask("POST", "/plain?delete", b"<Delete>%b%b</Delete>" % (one, other), headers=BYPASS)
    assert (mixed.status, code(mixed), there.ask("GET", "/plain/a").status) == (400, "InvalidArgument", 200)
    assert there.ask("POST", "/plain?delete", b"<Delete>%b</Delete>" % one, headers=BYPASS).status == 200
    assert there.ask("GET", "/plain/a").status == 404


def test_a_legal_hold_is_put_told_and_taken_away(there: Shop) -> None:
    version = put(there)
    assert code(there.ask("GET", f"{PHOTO}?legal-hold")) == "NoSuchObjectLockConfiguration"
    for status, removed in (("ON", 403), ("OFF", 204)):
        assert hold(there, status).status == 200  # type: ignore[attr-defined]
        assert read("GetObjectLegalHold", there.ask("GET", f"{PHOTO}?legal-hold"))["LegalHold"] == {"Status": status}
        assert there.ask("HEAD", PHOTO).header("x-amz-object-lock-legal-hold") == status
        assert there.ask("DELETE", f"{PHOTO}?versionId={version}", headers=BYPASS).status == removed
    assert code(hold(there, "on")) == "MalformedXML"


def test_a_retention_is_put_and_told_and_changes_nothing_else(there: Shop) -> None:
    put(there)
    before = there.ask("GET", PHOTO)
    assert code(there.ask("GET", f"{PHOTO}?retention")) == "NoSuchObjectLockConfiguration"
    assert retain(there, "GOVERNANCE", LATER).status == 200  # type: ignore[attr-defined]
    found = read("GetObjectRetention", there.ask("GET", f"{PHOTO}?retention"))["Retention"]
    assert found == {"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2028, 1, 1, tzinfo=UTC)}
    after = there.ask("GET", PHOTO)
    for name in ("etag", "last-modified", "x-amz-version-id"):
        assert after.header(name) == before.header(name)


def test_a_shorter_retention_needs_a_bypass_and_in_compliance_nothing_helps(there: Shop) -> None:
    put(there)
    assert retain(there, "GOVERNANCE", LATER).status == 200  # type: ignore[attr-defined]
    assert code(retain(there, "GOVERNANCE", SOON)) == "AccessDenied"
    assert code(there.ask("PUT", f"{PHOTO}?retention", b"<Retention/>")) == "AccessDenied"
    assert retain(there, "GOVERNANCE", SOON, headers=BYPASS).status == 200  # type: ignore[attr-defined]
    assert retain(there, "COMPLIANCE", SOON, headers=BYPASS).status == 200  # type: ignore[attr-defined]
    assert code(there.ask("PUT", f"{PHOTO}?retention", b"<Retention/>", headers=BYPASS)) == "AccessDenied"
    assert code(retain(there, "GOVERNANCE", LATER, headers=BYPASS)) == "AccessDenied"
    assert retain(there, "COMPLIANCE", LATER).status == 200  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mode", "until", "expected"),
    [
        ("governance", SOON, "MalformedXML"),
        ("GOVERNANCE", "soon", "MalformedXML"),
        ("GOVERNANCE", "2020-01-01T00:00:00Z", "InvalidArgument"),
        ("GOVERNANCE", "9999-12-31T23:59:59.9999Z", "MalformedXML"),
        ("GOVERNANCE", "9999-12-31T23:59:59-14:00", "MalformedXML"),
    ],
)
def test_a_retention_that_is_none_is_refused(there: Shop, mode: str, until: str, expected: str) -> None:
    put(there)
    assert code(retain(there, mode, until)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-object-lock-mode": "GOVERNANCE"},
        {"x-amz-object-lock-retain-until-date": SOON},
        {**GOVERNED, "x-amz-object-lock-mode": "governance"},
        {**GOVERNED, "x-amz-object-lock-retain-until-date": "x"},
        {**GOVERNED, "x-amz-object-lock-retain-until-date": "2020-01-01T00:00:00Z"},
        {**GOVERNED, "x-amz-object-lock-retain-until-date": "9999-12-31T23:59:59.9999Z"},
        {"x-amz-object-lock-legal-hold": "on"},
    ],
)
def test_headers_that_protect_nothing_store_nothing(there: Shop, headers: dict[str, str]) -> None:
    assert code(there.ask("PUT", PHOTO, b"meow", headers=headers)) == "InvalidArgument"
    assert there.ask("GET", PHOTO).status == 404


@pytest.mark.parametrize("headers", [GOVERNED, {"x-amz-object-lock-legal-hold": "ON"}])
def test_a_bucket_without_locks_takes_no_protected_object(there: Shop, headers: dict[str, str]) -> None:
    for method, target, body in (("PUT", "/plain/a", b"meow"), ("POST", "/plain/a?uploads", b"")):
        reply = there.ask(method, target, body, headers=headers)
        assert (code(reply), b"Bucket is missing Object Lock Configuration" in reply.body) == ("InvalidRequest", True)
    assert there.ask("GET", "/plain/a").status == 404
    there.ask("PUT", "/plain/a", b"meow")
    for name in ("retention", "legal-hold"):
        assert code(there.ask("GET", f"/plain/a?{name}")) == "InvalidRequest"


def test_copies_and_uploads_are_protected_as_they_ask_and_not_as_their_source(there: Shop) -> None:
    put(there, **GOVERNED, x_amz_object_lock_legal_hold="ON")
    there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": PHOTO})
    assert there.ask("HEAD", "/photos/copy").header("x-amz-object-lock-mode") is None
    there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": PHOTO, **GOVERNED})
    assert there.ask("HEAD", "/photos/copy").header("x-amz-object-lock-mode") == "GOVERNANCE"
    upload = read("CreateMultipartUpload", there.ask("POST", "/photos/joined?uploads", headers=GOVERNED))["UploadId"]
    target = f"/photos/joined?uploadId={upload}"
    etag = there.ask("PUT", f"{target}&partNumber=1", b"meow", headers=MEOW).header("etag")
    parts = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    there.ask("POST", target, f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())
    assert (
        there.ask("HEAD", "/photos/joined").header("x-amz-object-lock-retain-until-date") == "2027-01-01T00:00:00.000Z"
    )


def test_a_delete_marker_has_no_protection(there: Shop) -> None:
    put(there)
    marker = there.ask("DELETE", PHOTO).header("x-amz-version-id")
    assert code(retain(there, "GOVERNANCE", SOON)) == "MethodNotAllowed"
    document = b"<LegalHold><Status>ON</Status></LegalHold>"
    reply = there.ask("PUT", f"{PHOTO}?legal-hold&versionId={marker}", document)
    assert (reply.status, reply.header("x-amz-delete-marker")) == (405, "true")


@given(st.datetimes(datetime(2027, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)))
def test_a_date_that_was_told_asks_for_the_same_date(moment: datetime) -> None:
    now = int(NOW) * 10**9
    first = locks.retention_of("COMPLIANCE", moment.isoformat(), now)["until"]
    told = locks.until_text(first)
    assert locks.retention_of("COMPLIANCE", told, now)["until"] == first
    assert datetime.fromisoformat(told) >= moment


def held_in_town() -> tuple[Shop, Town, str]:
    """A bucket of the account ``main`` with a governed version that its users may not remove."""
    there, town = market()
    ask(there, "main", "PUT", "/photos", x_amz_bucket_object_lock_enabled="true")
    headers = {name.replace("-", "_"): value for name, value in {**GOVERNED, **MEOW}.items()}
    reply = ask(there, "main", "PUT", PHOTO, b"meow", **headers)
    return there, town, reply.header("x-amz-version-id") or ""


def allow(town: Town, *actions: str, **more: object) -> None:
    statement = {"Effect": "Allow", "Action": [f"s3:{action}" for action in actions], "Resource": "*", **more}
    town.change("bob", policies=(identity_policy(statement),))


def test_a_bypass_needs_a_permission_of_its_own() -> None:
    there, town, version = held_in_town()
    target, wish = f"{PHOTO}?versionId={version}", {"x_amz_bypass_governance_retention": "true"}
    document = f"<Delete><Object><Key>cat.jpg</Key><VersionId>{version}</VersionId></Object></Delete>".encode()
    shorter = b"<Retention/>"
    allow(town, "DeleteObject*", "PutObjectRetention")
    assert ask(there, "bob", "DELETE", target, **wish).status == 403
    assert b"<Code>AccessDenied</Code>" in ask(there, "bob", "POST", "/photos?delete", document, **wish).body
    assert ask(there, "bob", "PUT", f"{PHOTO}?retention", shorter, **wish).status == 403
    allow(town, "DeleteObject*", "PutObjectRetention", "BypassGovernanceRetention")
    assert ask(there, "bob", "DELETE", target).status == 403
    assert ask(there, "bob", "DELETE", target, **wish).status == 204


def test_who_may_not_bypass_may_still_remove_what_is_not_protected() -> None:
    there, town, _ = held_in_town()
    free = ask(there, "main", "PUT", PHOTO, b"free").header("x-amz-version-id")
    allow(town, "DeleteObjectVersion")
    reply = ask(there, "bob", "DELETE", f"{PHOTO}?versionId={free}", x_amz_bypass_governance_retention="true")
    assert reply.status == 204


def test_a_policy_may_look_at_the_retention_that_a_document_asks_for() -> None:
    there, town, _ = held_in_town()
    allow(
        town,
        "PutObjectRetention",
        "PutObjectLegalHold",
        Condition={"StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}},
    )

    def wanted(mode: str) -> bytes:
        return f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{LATER}</RetainUntilDate></Retention>".encode()

    assert ask(there, "bob", "PUT", f"{PHOTO}?retention", wanted("GOVERNANCE")).status == 200
    assert ask(there, "bob", "PUT", f"{PHOTO}?retention", wanted("COMPLIANCE")).status == 403
    hold_on = b"<LegalHold><Status>ON</Status></LegalHold>"
    assert ask(there, "bob", "PUT", f"{PHOTO}?legal-hold", hold_on).status == 403
