"""boto3's server-side encryption against a daemon with two workers; the data directory never has the plaintext."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.commands import main
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place, refusal
from tests.patience import PATIENCE

KEY = bytes(range(32))
CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
SOURCES = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": KEY}
WAYS: dict[str, dict[str, Any]] = {
    "SSE-S3": {"ServerSideEncryption": "AES256"},
    "SSE-KMS": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "payroll"},
    "SSE-C": CUSTOMERS,
}
HAS_RING = "keys" in main.commands
WITH_RING = pytest.mark.skipif(
    not HAS_RING, reason="this daemon has no key ring, so it encrypts with customers' keys only"
)
EVERY_WAY = [pytest.param(way, marks=() if way == "SSE-C" else WITH_RING) for way in WAYS]
PART = 5 * 1024 * 1024
LINE = b"a line of plaintext that no file may have\n"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Daemon(tmp_path_factory.mktemp("encrypted"), "--workers=2") as daemon:
        if HAS_RING:
            keys(daemon, "add", "payroll")
        yield Place(daemon)


def keys(daemon: Daemon, *words: str) -> str:
    """What ``geckos3 keys`` prints, asked beside the running daemon."""
    command = [sys.executable, "-m", "gecko_tw.commands", "keys", *words, f"--data-dir={daemon.data_dir}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


def text(size: int) -> bytes:
    return (LINE * (size // len(LINE) + 1))[:size]


def assert_nowhere(folder: Path) -> None:
    """No file has a line of the plaintext, or the customer's key."""
    for path in folder.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert LINE[:30] not in found and KEY not in found, path


def opening(way: str) -> dict[str, Any]:
    return CUSTOMERS if way == "SSE-C" else {}


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_001])
def test_an_object_comes_back_whole_and_in_ranges(there: Place, way: str, size: int) -> None:
    bucket, data = there.new_bucket(), text(size)
    put = there.s3.put_object(Bucket=bucket, Key="a/b", Body=data, **WAYS[way])
    got = there.s3.get_object(Bucket=bucket, Key="a/b", **opening(way))
    assert got["Body"].read() == data
    for answer in (put, got, there.s3.head_object(Bucket=bucket, Key="a/b", **opening(way))):
        assert answer.get("ServerSideEncryption") == WAYS[way].get("ServerSideEncryption")
        assert answer.get("SSEKMSKeyId") == WAYS[way].get("SSEKMSKeyId")
        assert answer.get("SSECustomerAlgorithm") == WAYS[way].get("SSECustomerAlgorithm")
    for first, last in ((0, 0), (65_530, 65_540), (size // 2, size - 1)):
        if first < size and size > 1:
            found = there.s3.get_object(Bucket=bucket, Key="a/b", Range=f"bytes={first}-{last}", **opening(way))
            assert found["Body"].read() == data[first : last + 1]
    assert there.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == size
    assert_nowhere(there.daemon.data_dir)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_an_object_of_parts_comes_back_whole_in_parts_and_across_them(there: Place, way: str) -> None:
    bucket, bodies = there.new_bucket(), [text(PART + 1), text(PART), text(7)]
    named = {"Bucket": bucket, "Key": "parts"}
    upload = there.s3.create_multipart_upload(**named, **WAYS[way])
    named["UploadId"] = upload["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        part = there.s3.upload_part(**named, PartNumber=number, Body=body, **opening(way))
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    there.s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, **opening(way))
    data = b"".join(bodies)
    got = there.s3.get_object(Bucket=bucket, Key="parts", **opening(way))
    assert hashlib.md5(got["Body"].read()).digest() == hashlib.md5(data).digest()
    second = there.s3.get_object(Bucket=bucket, Key="parts", PartNumber=2, **opening(way))
    assert second["Body"].read() == bodies[1]
    across = there.s3.get_object(Bucket=bucket, Key="parts", Range=f"bytes={PART - 9}-{PART + 9}", **opening(way))
    assert across["Body"].read() == data[PART - 9 : PART + 10]
    assert_nowhere(there.daemon.data_dir)


@pytest.mark.parametrize("target", EVERY_WAY)
@pytest.mark.parametrize("source", EVERY_WAY)
def test_a_copy_is_encrypted_anew(there: Place, source: str, target: str) -> None:
    bucket, data = there.new_bucket(), text(200_000)
    there.s3.put_object(Bucket=bucket, Key="one", Body=data, **WAYS[source])
    opens = SOURCES if source == "SSE-C" else {}
    there.s3.copy_object(Bucket=bucket, Key="two", CopySource=f"{bucket}/one", **WAYS[target], **opens)
    assert there.s3.get_object(Bucket=bucket, Key="two", **opening(target))["Body"].read() == data
    assert_nowhere(there.daemon.data_dir)


def test_a_customers_object_is_closed_to_everybody_else(there: Place) -> None:
    bucket = there.new_bucket()
    there.s3.put_object(Bucket=bucket, Key="one", Body=b"meow", **CUSTOMERS)
    named = {"Bucket": bucket, "Key": "one"}
    assert refusal(there.s3.get_object, **named) == ("InvalidRequest", 400)
    other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(32)}
    assert refusal(there.s3.get_object, **named, **other) == ("AccessDenied", 403)
    assert refusal(there.s3.head_object, **named, **other) == ("403", 403)


@WITH_RING
def test_a_key_that_nobody_made_encrypts_nothing(there: Place) -> None:
    asked = {"Bucket": there.new_bucket(), "Key": "one", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "x"}
    assert refusal(there.s3.put_object, **asked, Body=b"") == ("KMS.NotFoundException", 400)


@WITH_RING
def test_a_rotated_key_opens_what_was_there_before(there: Place) -> None:
    bucket = there.new_bucket()
    there.s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "payroll"}}]
        },
    )
    there.s3.put_object(Bucket=bucket, Key="before", Body=b"meow")
    assert "payroll" in keys(there.daemon, "rotate", "payroll")
    there.s3.put_object(Bucket=bucket, Key="after", Body=b"woof")
    assert there.get(bucket, "before") == b"meow"
    assert there.get(bucket, "after") == b"woof"
    assert "payroll" in keys(there.daemon, "list")
