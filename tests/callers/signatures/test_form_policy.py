"""Browser forms against their policies."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.identities import Caller, OnePair
from gecko_tw.callers.refusals import (
    AccessDenied,
    InvalidAccessKeyId,
    InvalidPolicyDocument,
    InvalidToken,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.callers.signatures.form_policy import LengthRange
from gecko_tw.callers.signatures.v4 import sign, signing_key
from gecko_tw.store.refusals import EntityTooLarge, EntityTooSmall, InvalidArgument, Refusal
from tests.callers.signatures.signing import ACCESS_KEY, NOW, REGION, SECRET, authenticator, signed_form

EXPIRATION = "2026-01-01T13:00:00.000Z"
PLAIN: list[Any] = [{"bucket": "bucket"}, ["eq", "$key", "a key"]]


def form(*conditions: Any, expiration: str = EXPIRATION, **fields: str) -> dict[str, str]:
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    return signed_form({"key": "a key", **names}, {"expiration": expiration, "conditions": [*PLAIN, *conditions]})


def signed_policy(policy: str) -> dict[str, str]:
    """A form with any text at all as its policy."""
    return {
        "key": "a key",
        "policy": policy,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{ACCESS_KEY}/20260101/{REGION}/s3/aws4_request",
        "x-amz-date": "20260101T120000Z",
        "x-amz-signature": sign(signing_key(SECRET, "20260101", REGION), policy.encode()),
    }


def encoded(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def accepted(fields: dict[str, str], now: float = NOW, bucket: str = "bucket") -> tuple[Caller, LengthRange]:
    return authenticator(now).authenticate_form(bucket, fields)


def refused(fields: dict[str, str], now: float = NOW, bucket: str = "bucket") -> Refusal:
    with pytest.raises(Refusal) as caught:
        accepted(fields, now, bucket)
    return caught.value


def test_a_form_that_botocore_signed_is_accepted() -> None:
    caller, lengths = accepted(form(["content-length-range", 1, 10]))
    assert caller.kind == "form"
    assert caller.identity is not None and caller.identity.access_key == ACCESS_KEY
    assert lengths == LengthRange(1, 10)


def test_the_published_form_verifies() -> None:
    policy = (
        "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVi"
        "dWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3Vj"
        "Y2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwN"
        "CiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwN"
        "CiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0s"
        "DQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAg"
        "IHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
    )
    fields = {
        "key": "user/user1/picture.jpg",
        "acl": "public-read",
        "success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
        "Content-Type": "image/jpeg",
        "x-amz-meta-uuid": "14365123651274",
        "x-amz-server-side-encryption": "AES256",
        "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Date": "20151229T000000Z",
        "x-amz-meta-tag": "",
        "Policy": policy,
        "X-Amz-Signature": "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
    }
    pair = OnePair("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    door = Authenticator(pair, lambda: 1_451_347_200.0)
    assert door.authenticate_form("sigv4examplebucket", fields)[0].kind == "form"


def test_lengths_are_checked_at_both_ends() -> None:
    lengths = accepted(form(["content-length-range", "2", 5], ["Content-Length-Range", 1, 4]))[1]
    assert lengths == LengthRange(2, 4)
    lengths.check(2)
    lengths.check(4)
    with pytest.raises(EntityTooSmall) as small:
        lengths.check(1)
    assert small.value.details == {"ProposedSize": "1", "MinSizeAllowed": "2"}
    with pytest.raises(EntityTooLarge) as large:
        lengths.check(5)
    assert large.value.details == {"ProposedSize": "5", "MaxSizeAllowed": "4"}
    LengthRange().check(1 << 60)


FAILED = "Invalid according to Policy: Policy Condition failed: "


@pytest.mark.parametrize(
    ("condition", "fields", "holds"),
    [
        ({"acl": "private"}, {"acl": "private"}, True),
        ({"ACL": "private"}, {"Acl": "private"}, True),
        ({"acl": "private"}, {"acl": "Private"}, False),
        ({"acl": "private"}, {}, False),
        (["eq", "$acl", "private"], {"acl": "private"}, True),
        (["EQ", "$Acl", "private"], {"acl": "public-read"}, False),
        (["starts-with", "$key", "a "], {}, True),
        (["starts-with", "$key", "b"], {}, False),
        (["starts-with", "$acl", ""], {"acl": "anything"}, True),
        (["starts-with", "$acl", ""], {}, False),
        (["starts-with", "$Content-Type", "image/"], {"content_type": "image/png, image/gif"}, True),
        (["starts-with", "$Content-Type", "image/"], {"content_type": "image/png,text/html"}, False),
        (["eq", "acl", "private"], {"acl": "private"}, False),
        (["starts-with", "acl", ""], {"acl": "private"}, False),
        (["content-length-range", 0, "many"], {}, False),
        (["content-length-range", "-1", 5], {}, False),
    ],
)
def test_conditions_hold_or_fail(condition: Any, fields: dict[str, str], holds: bool) -> None:
    if holds:
        accepted(form(condition, **fields))
    else:
        refusal = refused(form(condition, **fields))
        assert isinstance(refusal, AccessDenied)
        assert refusal.message == FAILED + json.dumps(condition)


@pytest.mark.parametrize(
    "condition",
    [
        ["ends-with", "$acl", "private"],
        ["eq", "$acl"],
        ["eq", "$acl", 1],
        ["content-length-range", 0],
        ["content-length-range", -1, 5],
        ["content-length-range", 0, True],
        "acl",
        None,
    ],
)
def test_a_malformed_condition_is_told(condition: Any) -> None:
    refusal = refused(form(condition, acl="private"))
    assert isinstance(refusal, InvalidPolicyDocument)
    assert refusal.message == "Invalid Policy: Invalid condition: " + json.dumps(condition)


def test_a_form_is_good_for_one_bucket() -> None:
    refusal = refused(form(), bucket="another")
    assert refusal.message == FAILED + '{"bucket": "bucket"}'
    smuggled = {**form(), "bucket": "bucket"}
    assert isinstance(refused(smuggled, bucket="another"), AccessDenied)


def test_a_field_without_a_condition_is_refused() -> None:
    refusal = refused({**form(), "acl": "public-read", "x-amz-meta-a": "1"})
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "Invalid according to Policy: Extra input fields: acl, x-amz-meta-a"
    accepted({**form(), "x-ignore-acl": "public-read", "X-Ignore-B": "1", "file": "name"})


def test_an_expired_policy_is_refused() -> None:
    accepted(form(), now=NOW + 3599)
    refusal = refused(form(), now=NOW + 3600)
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "Invalid according to Policy: Policy expired."


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("***", "Invalid Policy: Invalid JSON."),
        ("ä", "Invalid Policy: Invalid JSON."),
        (base64.b64encode(b"{").decode(), "Invalid Policy: Invalid JSON."),
        (base64.b64encode(b"\xff").decode(), "Invalid Policy: Invalid JSON."),
        (base64.b64encode(b"[" * 100_000).decode(), "Invalid Policy: Invalid JSON."),
        (encoded([]), "Invalid Policy: Invalid JSON."),
        (encoded({"conditions": []}), "Invalid Policy: Policy missing expiration."),
        (encoded({"expiration": "soon", "conditions": []}), "Invalid Policy: Invalid 'expiration' value: 'soon'"),
        (encoded({"expiration": 5, "conditions": []}), "Invalid Policy: Invalid 'expiration' value: '5'"),
        (
            encoded({"expiration": "2030-01-01T00:00:00"}),
            "Invalid Policy: Invalid 'expiration' value: '2030-01-01T00:00:00'",
        ),
        (
            encoded({"expiration": "2030-01-01 00:00:00+00:00", "conditions": []}),
            "Invalid Policy: Invalid 'expiration' value: '2030-01-01 00:00:00+00:00'",
        ),
        (encoded({"expiration": EXPIRATION}), "Invalid Policy: Policy missing conditions."),
        (encoded({"expiration": EXPIRATION, "conditions": {}}), "Invalid Policy: Policy missing conditions."),
        (
            encoded({"expiration": EXPIRATION, "conditions": [{}]}),
            "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must",
        ),
        (
            encoded({"expiration": EXPIRATION, "conditions": [{"a": "b", "c": "d"}]}),
            "Invalid Policy: Invalid Simple-Condition:",
        ),
        (
            encoded({"expiration": EXPIRATION, "conditions": [{"a": 5}]}),
            "Invalid Policy: Invalid Simple-Condition: value must",
        ),
    ],
)
def test_a_malformed_policy_is_told(policy: str, message: str) -> None:
    refusal = refused(signed_policy(policy))
    assert isinstance(refusal, InvalidPolicyDocument)
    assert refusal.message.startswith(message)


def test_a_policy_broken_into_lines_is_understood() -> None:
    whole = encoded({"expiration": EXPIRATION, "conditions": [{"bucket": "bucket"}]})
    refusal = refused(signed_policy(whole[:40] + "\r\n" + whole[40:]))
    assert "Extra input fields" in refusal.message


@given(st.data())
def test_a_changed_policy_signature_or_scope_is_refused(data: st.DataObject) -> None:
    fields = form()
    name = data.draw(st.sampled_from(["policy", "x-amz-signature", "x-amz-credential", "x-amz-date"]))
    at = data.draw(st.integers(0, len(fields[name]) - 1))
    other = data.draw(st.sampled_from("abcdefghij0123456789"))
    changed = fields[name][:at] + other + fields[name][at + 1 :]
    if changed != fields[name]:
        refused({**fields, name: changed})


def test_a_wrong_signature_is_explained() -> None:
    fields = signed_form({"key": "a key"}, {"expiration": EXPIRATION, "conditions": PLAIN}, secret="wrong")
    refusal = refused(fields)
    assert isinstance(refusal, SignatureDoesNotMatch)
    assert refusal.details["StringToSign"] == fields["policy"]
    assert refusal.details["SignatureProvided"] == fields["x-amz-signature"]


@pytest.mark.parametrize("name", ["policy", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"])
def test_a_missing_field_is_named(name: str) -> None:
    fields = {key: value for key, value in form().items() if key != name.lower()}
    refusal = refused(fields)
    assert isinstance(refusal, InvalidArgument)
    assert refusal.message.startswith(f"Bucket POST must contain a field named '{name}'.")
    assert refusal.details["ArgumentName"] == name


def test_other_signatures_are_refused() -> None:
    assert isinstance(refused({**form(), "x-amz-algorithm": "AWS4-ECDSA-P256-SHA256"}), UnsupportedSignature)
    assert isinstance(refused({**form(), "x-amz-algorithm": "MD5"}), InvalidArgument)
    assert isinstance(refused({**form(), "x-amz-date": "today"}), InvalidArgument)
    assert isinstance(refused({**form(), "x-amz-credential": "AKID"}), InvalidArgument)
    stranger = f"stranger/20260101/{REGION}/s3/aws4_request"
    assert isinstance(refused({**form(), "x-amz-credential": stranger}), InvalidAccessKeyId)
    assert isinstance(refused({**form(), "x-amz-security-token": "token"}), InvalidToken)


def test_a_form_without_a_policy_is_anonymous() -> None:
    caller, lengths = accepted({"key": "a key", "acl": "private"})
    assert (caller.kind, caller.identity, lengths) == ("anonymous", None, LengthRange())


def test_with_authentication_off_any_form_passes() -> None:
    caller, lengths = authenticator(enabled=False).authenticate_form("bucket", {"key": "a", "policy": "nonsense"})
    assert (caller.kind, lengths) == ("open", LengthRange())
