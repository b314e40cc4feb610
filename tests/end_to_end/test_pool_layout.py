"""The layout without visible files: two workers on one data directory, boto3, and what commands say of it."""

import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.end_to_end.processes import kill_family
from tests.end_to_end.trees import some_bytes
from tests.patience import PATIENCE

SIZES = (0, 1, 4096, 65_536, 65_537, 3_000_000)
PART = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Daemon(tmp_path_factory.mktemp("pool"), "--workers=2", "--layout=pool") as daemon:
        yield Place(daemon)


def geckos3(daemon: Daemon, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gecko_tw.commands", *words, f"--data-dir={daemon.data_dir}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def small_and_large(place: Place, bucket: str) -> dict[str, bytes]:
    bodies = {f"{size} bytes": some_bytes(size, size) for size in SIZES}
    for key, body in bodies.items():
        place.s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={"size": str(len(body))})
    return bodies


def test_objects_of_every_size_and_their_ranges_are_read_by_both_workers(there: Place):
    bucket = there.new_bucket()
    bodies = small_and_large(there, bucket)
    for _ in range(4):  # connections go to one worker or the other
        client = there.daemon.client()
        for key, body in bodies.items():
            answer = client.get_object(Bucket=bucket, Key=key)
            assert answer["Body"].read() == body
            assert answer["Metadata"] == {"size": str(len(body))}
            if len(body) > 1:
                some = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=1-{len(body) // 2}")
                assert some["Body"].read() == body[1 : len(body) // 2 + 1]
                assert client.get_object(Bucket=bucket, Key=key, Range="bytes=-1")["Body"].read() == body[-1:]


def test_nothing_of_a_bucket_is_visible_and_small_objects_are_no_files(there: Place):
    bucket = there.new_bucket()
    small_and_large(there, bucket)
    assert [path.name for path in there.daemon.data_dir.iterdir()] == [".geckos3"]
    pool = there.daemon.data_dir / ".geckos3" / "pool"
    assert all(path.stat().st_size > 65_536 for path in pool.rglob("*") if path.is_file())
    assert not [path for path in (pool.parent / "staging").rglob("*") if path.is_file()]


def test_versions_copies_and_uploads_of_small_and_large_objects(there: Place):
    s3, bucket = there.s3, there.new_bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    bodies = [some_bytes(size, size) for size in SIZES]
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in bodies]
    for version, body in zip(ids, bodies, strict=True):
        assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == body
        source = {"Bucket": bucket, "Key": "k", "VersionId": version}
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == body
    s3.delete_object(Bucket=bucket, Key="k", VersionId=ids[-1])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == bodies[-2]
    named = {"Bucket": bucket, "Key": "parts"}
    named["UploadId"] = s3.create_multipart_upload(**named)["UploadId"]
    pieces = [some_bytes(PART, 1), b"the end"]
    etags = [s3.upload_part(**named, PartNumber=n, Body=piece)["ETag"] for n, piece in enumerate(pieces, 1)]
    parts = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="parts", Range=f"bytes={PART - 3}-")["Body"].read() == (
        pieces[0][-3:] + pieces[1]
    )


@pytest.mark.parametrize("size", [100, 100_000])
def test_encrypted_objects_are_read_again_and_their_plaintext_is_nowhere(there: Place, size: int):
    bucket, line = there.new_bucket(), b"a line of plaintext that no file may have\n"
    body = (line * (size // len(line) + 1))[:size]
    there.s3.put_object(Bucket=bucket, Key="secret", Body=body, ServerSideEncryption="AES256")
    assert there.s3.get_object(Bucket=bucket, Key="secret")["Body"].read() == body
    files = [path.read_bytes() for path in there.daemon.data_dir.rglob("*") if path.is_file()]
    assert not [found for found in files if line[:30] in found]


def test_commands_say_which_layout_it_has_and_refuse_what_makes_no_sense(there: Place):
    daemon = there.daemon
    other = geckos3(daemon, "quota", there.new_bucket())
    assert other.returncode and "--layout=pool" in other.stderr
    for command in ("adopt", "rebuild"):
        told = geckos3(daemon, command, "--layout=pool")
        assert told.returncode and "no files" in told.stderr
    bucket = there.new_bucket()
    there.put(bucket, "k", b"12345")
    assert "5 of unlimited bytes" in geckos3(daemon, "quota", bucket, "--layout=pool").stdout


def test_a_copy_made_beside_the_running_daemon_is_a_store_with_the_same_objects(there: Place, tmp_path: Path):
    bucket = there.new_bucket()
    bodies = small_and_large(there, bucket)
    source, target = there.daemon.data_dir / ".geckos3", tmp_path / "data" / ".geckos3"
    target.mkdir(parents=True)
    with closing(sqlite3.connect(source / "objects.sqlite")) as connection:
        connection.execute("VACUUM INTO ?", (str(target / "objects.sqlite"),))
    copy = ["cp", "-a", *(str(source / name) for name in ("layout", "encryption.key", "pool")), str(target)]
    subprocess.run(copy, check=True)
    with Daemon(tmp_path, "--layout=pool") as restored:
        s3 = restored.client()
        for key, body in bodies.items():
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body


def test_what_was_acknowledged_is_there_after_both_workers_were_killed(tmp_path: Path):
    with Daemon(tmp_path, "--workers=2", "--layout=pool") as daemon:
        place = Place(daemon)
        bucket = place.new_bucket()
        bodies = small_and_large(place, bucket)
        for key in list(bodies)[::2]:
            bodies[key] = some_bytes(len(bodies[key]) // 2 + 7, 1)
            place.put(bucket, key, bodies[key])
        place.s3.delete_object(Bucket=bucket, Key="1 bytes")
        bodies.pop("1 bytes")
        kill_family(daemon.pid)
        daemon.kill()
        daemon.start()
        assert set(place.keys(bucket)) == set(bodies)
        for key, body in bodies.items():
            answer = place.s3.get_object(Bucket=bucket, Key=key)
            assert answer["Body"].read() == body
            assert answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
