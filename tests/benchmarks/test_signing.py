"""The load's own signer signs as botocore does."""

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.signing import EMPTY, REGION, UNSIGNED, Signer, path_of, query_of

HOST = "127.0.0.1:9000"
MOMENT = datetime(2026, 1, 31, 12, 30, 5, tzinfo=UTC)
KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1).filter(lambda key: key.strip("/. "))


@pytest.fixture(autouse=True, scope="module")
def frozen_botocore():
    with mock.patch.object(auth, "get_current_datetime", lambda *_, **__: MOMENT.replace(tzinfo=None)):
        yield


def signer() -> Signer:
    return Signer("someone", "a secret", HOST, MOMENT.timestamp)


def credentials() -> Credentials:
    return Credentials("someone", "a secret")


@given(key=KEYS, method=st.sampled_from(["GET", "PUT", "DELETE"]))
def test_a_presigned_request_is_the_one_that_botocore_makes(key, method):
    request = AWSRequest(method=method, url=f"http://{HOST}{path_of('photos', key)}")
    auth.S3SigV4QueryAuth(credentials(), "s3", REGION, expires=86400).add_auth(request)
    [ours] = signer().presigned(method, [path_of("photos", key)])
    path, query = ours.split("?")
    theirs = urlsplit(request.url)
    assert path == theirs.path
    assert dict(parse_qsl(query)) == dict(parse_qsl(theirs.query))


def test_a_presigned_listing_is_the_one_that_botocore_makes():
    parameters = {"list-type": "2", "max-keys": "1000", "prefix": "d0001/", "delimiter": "/", "Start": "a b"}
    request = AWSRequest(method="GET", url=f"http://{HOST}/photos?{query_of(parameters)}")
    auth.S3SigV4QueryAuth(credentials(), "s3", REGION, expires=86400).add_auth(request)
    [ours] = signer().presigned("GET", [path_of("photos")], parameters)
    assert dict(parse_qsl(ours.split("?")[1])) == dict(parse_qsl(urlsplit(request.url).query))


@pytest.mark.parametrize("payload", [EMPTY, UNSIGNED])
def test_a_request_signed_in_its_head_is_the_one_that_botocore_makes(payload):
    # botocore leaves bodies unsigned over https only.
    scheme = "http" if payload == EMPTY else "https"
    query = query_of({"uploadId": "a/b", "partNumber": "1"})
    request = AWSRequest(method="PUT", url=f"{scheme}://{HOST}/photos/cat.txt?{query}")
    request.context["client_config"] = Config(s3={"payload_signing_enabled": payload == EMPTY})
    auth.S3SigV4Auth(credentials(), "s3", REGION).add_auth(request)
    ours = signer().headers("PUT", "/photos/cat.txt", query, payload)
    assert ours == {name: request.headers[name] for name in ours}
