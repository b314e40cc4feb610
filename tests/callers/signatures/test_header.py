"""What is wrong with an ``Authorization`` header is told in AWS's words."""

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.refusals import AccessDenied, AuthorizationHeaderMalformed, SignatureDoesNotMatch
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.wire.head import Head, head_of
from tests.callers.signatures.signing import (
    ACCESS_KEY,
    NOW,
    ORIGIN,
    REGION,
    SECRET,
    authenticator,
    clock_of_botocore,
    head_from,
    refused,
    signed_by_header,
    with_header,
)

MALFORMED = "The authorization header is malformed; "


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("/eu-central-1/s3/aws4_request", "", "the Credential is mal-formed; expecting"),
        ("/s3/", "/ec2/", 'incorrect service "ec2". This endpoint belongs to "s3".'),
        ("aws4_request", "aws3_request", 'incorrect terminal "aws3_request". This endpoint uses "aws4_request".'),
        (
            "/20260101/",
            "/2026-1-1/",
            'incorrect date format "2026-1-1". This date in the credential must be in the format',
        ),
        (
            "/20260101/",
            "/20260102/",
            'Invalid credential date "20260102". This date is not the same as X-Amz-Date: "20260101".',
        ),
        ("Signature=", "Sig=", "missing Signature."),
        ("SignedHeaders=", "SignedHeaders=,Signed=", "missing SignedHeaders."),
    ],
)
def test_a_malformed_header_is_told_what_is_wrong(old: str, new: str, message: str) -> None:
    head = signed_by_header()
    authorization = head.headers[b"authorization"].decode()
    assert old in authorization
    refusal = refused(with_header(head, b"authorization", authorization.replace(old, new).encode()))
    assert isinstance(refusal, AuthorizationHeaderMalformed)
    assert refusal.message.startswith(MALFORMED + message)


@pytest.mark.parametrize(
    "rest", ["", "Credential=a/20260101/r/s3/aws4_request, Signature=b", "Signature=a, Signature=b, Signature=c"]
)
def test_a_header_with_fewer_than_three_components_is_told_so(rest: str) -> None:
    refusal = refused(head_of("GET", b"/", {b"authorization": f"AWS4-HMAC-SHA256 {rest}".encode()}))
    assert isinstance(refusal, AuthorizationHeaderMalformed)
    assert "requires three components: Credential, SignedHeaders, and Signature." in refusal.message


def signed_as_sent(target: str, signed: str) -> Head:
    """A request signed as minio-go signs: what it signs has values of the same name in the order in which it sends them."""

    class AsSent(S3SigV4Auth):  # type: ignore[misc] # botocore has no types
        def canonical_query_string(self, request: object) -> str:
            return signed

    request = AWSRequest(method="GET", url=ORIGIN + target, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    with clock_of_botocore(NOW):
        AsSent(Credentials(ACCESS_KEY, SECRET), "s3", REGION).add_auth(request)
    return head_from(request)


def test_values_of_one_name_may_be_signed_in_the_order_in_which_they_are_sent() -> None:
    head = signed_as_sent("/b?events=s3%3Ab&events=s3%3Aa&prefix=", "events=s3%3Ab&events=s3%3Aa&prefix=")
    assert authenticator().authenticate(head).kind == "header"


@pytest.mark.parametrize(
    "sent", ["events=a&events=b", "events=b&events=a&events=a", "events=b&events=a&X-Amz-Signature=x"]
)
def test_values_in_another_order_than_they_were_signed_in_or_more_of_them_are_refused(sent: str) -> None:
    head = signed_as_sent(f"/b?{sent}", "events=b&events=a")
    assert isinstance(refused(head), SignatureDoesNotMatch | InvalidArgument)


@pytest.mark.parametrize("authorization", [b"Basic YTpi", b"", b"Bearer", b"\xff\xfe"])
def test_another_scheme_is_refused(authorization: bytes) -> None:
    refusal = refused(head_of("GET", b"/", {b"authorization": authorization}))
    assert isinstance(refusal, InvalidArgument)
    assert refusal.message == "Unsupported Authorization Type"


@pytest.mark.parametrize("date", [b"", b"tomorrow", b"20260101T120000"])
def test_a_request_without_a_date_is_refused(date: bytes) -> None:
    refusal = refused(with_header(signed_by_header(), b"x-amz-date", date))
    assert isinstance(refusal, AccessDenied)
    assert refusal.message == "AWS authentication requires a valid Date or x-amz-date header"


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_header_or_query_breaks_authentication(authorization: bytes, query: bytes) -> None:
    for head in (
        head_of(
            "GET", b"/b/k?" + query, {b"authorization": b"AWS4-HMAC-SHA256 " + authorization, b"x-amz-date": query}
        ),
        head_of("GET", b"/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&" + query, {}),
    ):
        refused(head)
