"""A node whose large bodies lie in a bucket of another S3, which is named by the configuration file and goes away for a while."""

from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from gecko_tw.testing.server import Server
from tests.clusters.postgresql import needed, servers_end  # noqa: F401 - a fixture
from tests.clusters.targets import BUCKET, client, make_bucket
from tests.end_to_end.daemon import Daemon
from tests.patience import PATIENCE, eventually

LARGE = bytes(range(253)) * 80_000
ENVIRONMENT = {"GECKOS3_ENCRYPTION_KEY": "k" * 32}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(folder=tmp_path_factory.mktemp("target"))
    server.start()
    make_bucket(server)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def node(target: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("node")
    config = folder / "geckos3.yaml"
    config.write_text(
        f"""
blobs: s3:far
s3-target:
  far: {{endpoint: '{target.url}', bucket: {BUCKET}, access-key: {target.access_key}, secret-key: '${{FAR_SECRET}}'}}
"""
    )
    needed().execute("CREATE DATABASE far")
    environment = ENVIRONMENT | {"FAR_SECRET": target.secret_key}
    options = (f"--config={config}", f"--catalog={needed().address('far')}", "--workers=2", "--min-part-size=0")
    with Daemon(folder / "data", *options, env=environment) as daemon:
        daemon.client().create_bucket(Bucket="photos")
        yield daemon


def body(s3: Any, key: str, **more: str) -> bytes:
    data: bytes = s3.get_object(Bucket="photos", Key=key, **more)["Body"].read()
    return data


def is_ready(node: Daemon) -> bool:
    try:
        with urlopen(f"{node.url}/health/ready", timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except HTTPError as problem:
        assert problem.code == 503
        return False


def test_a_large_body_goes_there_and_comes_back_whole_and_in_ranges(node: Daemon, target: Server):
    s3 = node.client()
    s3.put_object(Bucket="photos", Key="film", Body=LARGE)
    assert body(s3, "film") == LARGE
    for first, last in ((0, 99), (9_000_000, 15_000_000), (len(LARGE) - 1, len(LARGE) + 5)):
        assert body(s3, "film", Range=f"bytes={first}-{last}") == LARGE[first : last + 1]
    sizes = {one["Size"] for one in client(target).list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert len(LARGE) in sizes


def test_an_upload_in_parts_is_completed_without_copying_bytes_there(node: Daemon, target: Server):
    s3 = node.client()
    where = {"Bucket": "photos", "Key": "parts"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**where, PartNumber=n, Body=b"%d" % n * 100_000)["ETag"]}
        for n in (1, 2, 3)
    ]
    before = client(target).list_objects_v2(Bucket=BUCKET)["KeyCount"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert client(target).list_objects_v2(Bucket=BUCKET)["KeyCount"] == before
    assert body(s3, "parts") == b"1" * 100_000 + b"2" * 100_000 + b"3" * 100_000


def test_bytes_that_others_have_removed_there_are_told_as_damage(node: Daemon, target: Server):
    s3 = node.client(config=Config(retries={"total_max_attempts": 1}))
    there = client(target)
    before = {one["Key"] for one in there.list_objects_v2(Bucket=BUCKET)["Contents"]}
    s3.put_object(Bucket="photos", Key="lost", Body=b"x" * 100_000)
    (key,) = {one["Key"] for one in there.list_objects_v2(Bucket=BUCKET)["Contents"]} - before
    there.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(ClientError, match="ObjectDamaged"):
        body(s3, "lost")


def test_while_it_is_away_large_bodies_are_answered_503_and_then_again(node: Daemon, target: Server):
    s3 = node.client()
    hasty = node.client(config=Config(retries={"total_max_attempts": 1}))
    s3.put_object(Bucket="photos", Key="large", Body=LARGE)
    s3.put_object(Bucket="photos", Key="small", Body=b"data")
    target.stop()
    try:
        for _ in range(3):
            for call in (
                lambda: body(hasty, "large"),
                lambda: body(hasty, "large", Range="bytes=5-9"),
                lambda: hasty.put_object(Bucket="photos", Key="other", Body=b"x" * 100_000),
            ):
                with pytest.raises(ClientError) as refused:
                    call()
                answer = refused.value.response
                assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503, answer
                assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"]
        assert body(hasty, "small") == b"data"
        eventually(lambda: not is_ready(node), passing=ClientError)
    finally:
        target.start()
    eventually(lambda: body(hasty, "large") == LARGE, passing=ClientError)
    eventually(lambda: is_ready(node), passing=ClientError)
    assert "Traceback" not in node.log
