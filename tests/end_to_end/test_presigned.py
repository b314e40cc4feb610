"""URLs that a client signed and anybody may use, fetched by a plain HTTP client."""

import re
from pathlib import Path

import pytest
import urllib3
from minio import Minio

from tests.end_to_end.clients import Aws, Rclone, S3cmd, S5cmd
from tests.end_to_end.place import Place
from tests.patience import eventually


@pytest.fixture
def http(scheme: Place):
    """A plain HTTP client."""
    certificates = scheme.daemon.certificates
    with urllib3.PoolManager(ca_certs=str(certificates.authority) if certificates else None, retries=False) as pool:
        yield pool


@pytest.fixture(params=["path", "odd"])
def key(request: pytest.FixtureRequest) -> str:
    return {"path": "folder/key.txt", "odd": "//ünï + %2F//x=y:z&?"}[request.param]


@pytest.fixture(params=["by default", "by version 4"])
def signer(request: pytest.FixtureRequest, scheme: Place):
    """What makes the URLs. boto3's default in us-east-1, and only there, is version 2 of the signature."""
    return scheme.s3 if request.param == "by default" else scheme.signer


def test_a_presigned_put_stores_and_a_presigned_get_fetches(scheme: Place, http, signer, key: str):
    s3, named = signer, {"Bucket": scheme.new_bucket(), "Key": key}
    typed = named | {"ContentType": "text/x", "Metadata": {"a": "b"}}
    put = http.request(
        "PUT",
        s3.generate_presigned_url("put_object", typed),
        body=b"body",
        headers={"Content-Type": "text/x", "x-amz-meta-a": "b"},
    )
    assert put.status == 200, put.data
    asked = named | {"ResponseContentDisposition": 'attachment; filename="ü.txt"', "ResponseContentType": "text/y"}
    get = http.request("GET", s3.generate_presigned_url("get_object", asked))
    assert (get.status, get.data) == (200, b"body")
    assert get.headers["Content-Type"] == "text/y"
    assert get.headers["Content-Disposition"].startswith("attachment")
    head = http.request("HEAD", s3.generate_presigned_url("head_object", named))
    assert (head.headers["Content-Type"], head.headers["x-amz-meta-a"]) == ("text/x", "b")
    part = http.request("GET", s3.generate_presigned_url("get_object", named), headers={"Range": "bytes=1-2"})
    assert (part.status, part.data) == (206, b"od")
    assert http.request("DELETE", s3.generate_presigned_url("delete_object", named)).status == 204
    assert scheme.keys(named["Bucket"]) == []


def test_a_presigned_url_is_good_for_nothing_else(scheme: Place, http, signer):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "key", b"old")
    scheme.put(bucket, "other", b"other")
    url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"})
    for method, forged in (
        ("PUT", url),
        ("DELETE", url),
        ("GET", url.replace("/key?", "/other?")),
        ("HEAD", url),
        ("GET", url.replace("&", "&versionId=null&", 1)),
        ("GET", re.sub(r"Expires=(\d+)", lambda found: f"Expires={int(found[1]) + 1}", url)),
        ("GET", url + "&response-content-type=text/html"),
        ("GET", re.sub("Signature=(.)", lambda found: f"Signature={'0' if found[1] != '0' else '1'}", url)),
    ):
        answer = http.request(method, forged, body=b"new" if method == "PUT" else None)
        assert answer.status == 403, (method, forged, answer.data)
        assert method == "HEAD" or b"<Code>SignatureDoesNotMatch</Code>" in answer.data, answer.data
    assert scheme.get(bucket, "key") == b"old"


def test_a_presigned_url_ends_when_its_time_is_over(scheme: Place, http, signer):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "key", b"body")
    url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=1)
    eventually(lambda: http.request("GET", url).status != 200)
    answer = http.request("GET", url)
    assert answer.status == 403
    assert b"Request has expired" in answer.data


def test_a_presigned_url_is_good_for_a_week_at_most(plain: Place):
    bucket, week = plain.new_bucket(), 7 * 24 * 3600
    plain.put(bucket, "key", b"body")
    for seconds, status in ((week, 200), (week + 1, 400)):
        url = plain.signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=seconds)
        assert urllib3.request("GET", url).status == status


def test_urls_signed_by_other_clients_are_fetched(scheme: Place, http, tmp_path: Path):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "a b/ü+.txt", b"body")
    daemon = scheme.daemon
    minio = Minio(
        daemon.url.partition("://")[2],
        daemon.access_key,
        daemon.secret_key,
        secure=daemon.url.startswith("https"),
        http_client=http,
    )
    urls = [
        Aws(daemon, tmp_path).run("s3", "presign", f"s3://{bucket}/a b/ü+.txt"),
        Rclone(daemon, tmp_path).run("link", f"gecko:{bucket}/a b/ü+.txt"),
        S3cmd(daemon, tmp_path).run("signurl", f"s3://{bucket}/a b/ü+.txt", "+3600"),
        S5cmd(daemon, tmp_path).run("presign", f"s3://{bucket}/a b/ü+.txt"),
        minio.presigned_get_object(bucket, "a b/ü+.txt"),
    ]
    for url in urls:
        answer = http.request("GET", url.strip())
        assert (answer.status, answer.data) == (200, b"body"), (url, answer.data)
