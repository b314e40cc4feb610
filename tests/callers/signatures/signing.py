"""Requests signed by botocore, as Heads."""

import contextlib
import datetime
from collections.abc import Iterator
from unittest import mock
from urllib.parse import urlsplit

import botocore.auth
import pytest
from attrs import evolve
from botocore.auth import S3SigV4Auth, S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.store.refusals import Refusal
from gecko_tw.wire.head import Head, head_of

ACCESS_KEY, SECRET, REGION = "AKID/with=odd,signs", "s3cret+/=ä", "eu-central-1"
NOW = 1_767_268_800  # 2026-01-01T12:00:00Z
ORIGIN = "http://localhost:9000"


def authenticator(now: float = NOW, region: str | None = None, enabled: bool = True) -> Authenticator:
    return Authenticator(OnePair(ACCESS_KEY, SECRET), lambda: now, region, enabled)


@contextlib.contextmanager
def clock_of_botocore(now: float) -> Iterator[None]:
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    with mock.patch.object(
        botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None)
    ):
        yield


def head_from(request: AWSRequest) -> Head:
    url = urlsplit(request.url)
    target = request.url[len(f"{url.scheme}://{url.netloc}") :].encode("ascii")
    headers: dict[bytes, bytes] = {b"host": url.netloc.encode("ascii")}
    for name in dict.fromkeys(name.lower() for name in request.headers):
        values = [value.strip() for value in request.headers.get_all(name)]
        headers[name.encode("latin-1")] = ",".join(values).encode("latin-1")
    return head_of(request.method, target, headers)


def signed_by_header(
    method: str = "GET",
    target: str = "/bucket/key",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    secret: str = SECRET,
    now: float = NOW,
    sign_body: bool = True,
) -> Head:
    """A request with an Authorization header, as botocore makes it."""
    request = AWSRequest(method=method, url=ORIGIN + target, data=body, headers=headers or {})
    request.context["payload_signing_enabled"] = sign_body
    with clock_of_botocore(now):
        S3SigV4Auth(Credentials(ACCESS_KEY, secret), "s3", REGION).add_auth(request)
    return head_from(request)


def presigned(
    method: str = "GET",
    target: str = "/bucket/key",
    headers: dict[str, str] | None = None,
    expires: int = 3600,
    secret: str = SECRET,
    now: float = NOW,
) -> Head:
    """A presigned URL, as botocore makes it."""
    request = AWSRequest(method=method, url=ORIGIN + target, headers=headers or {})
    with clock_of_botocore(now):
        S3SigV4QueryAuth(Credentials(ACCESS_KEY, secret), "s3", REGION, expires=expires).add_auth(request)
    return head_from(request)


def signed_form(
    fields: dict[str, str], policy: dict[str, object], secret: str = SECRET, now: float = NOW
) -> dict[str, str]:
    """The fields of a form with a signed policy, as botocore makes them."""
    request = AWSRequest(method="POST", url=ORIGIN + "/bucket")
    request.context["s3-presign-post-fields"] = dict(fields)
    request.context["s3-presign-post-policy"] = {**policy, "conditions": list(policy["conditions"])}  # type: ignore[call-overload]
    with clock_of_botocore(now):
        S3SigV4PostAuth(Credentials(ACCESS_KEY, secret), "s3", REGION).add_auth(request)
    return request.context["s3-presign-post-fields"]


def with_target(head: Head, target: bytes) -> Head:
    return head_of(head.method, target, head.headers)


def with_header(head: Head, name: bytes, value: bytes | None) -> Head:
    headers = {**head.headers, name: value} if value is not None else dict(head.headers)
    if value is None:
        del headers[name]
    return evolve(head, headers=headers)


def refused(head: Head, now: float = NOW, region: str | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        authenticator(now, region).authenticate(head)
    return caught.value


def signed_with_payload(method: str, headers: dict[str, str]) -> Head:
    """As botocore signs, but with a given x-amz-content-sha256."""
    with mock.patch.object(S3SigV4Auth, "payload", lambda self, request: headers["x-amz-content-sha256"]):
        return signed_by_header(method, headers=headers)
