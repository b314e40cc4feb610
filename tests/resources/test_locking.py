"""Object Lock as clients see it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources import lock_documents
from tests.resources.accounts import Town, ask, identity_policy, market
from tests.resources.asking import NOW, Shop, shop
from tests.resources.reading import read

PHOTO = "/photos/cat.jpg"
SOON, LATER = "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"
BYPASS = {"x-amz-bypass-governance-retention": "true"}
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
    reply = there.ask("PUT", PHOTO, b"meow", headers=named)
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
    etag = there.ask("PUT", f"{target}&partNumber=1", b"1").header("etag")
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
    first = lock_documents.retention_of("COMPLIANCE", moment.isoformat(), now)["until"]
    told = lock_documents.until_text(first)
    assert lock_documents.retention_of("COMPLIANCE", told, now)["until"] == first
    assert datetime.fromisoformat(told) >= moment


def held_in_town() -> tuple[Shop, Town, str]:
    """A bucket of the account ``main`` with a governed version that its users may not remove."""
    there, town = market()
    ask(there, "main", "PUT", "/photos", x_amz_bucket_object_lock_enabled="true")
    reply = ask(
        there, "main", "PUT", PHOTO, b"meow", **{name.replace("-", "_"): value for name, value in GOVERNED.items()}
    )
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
