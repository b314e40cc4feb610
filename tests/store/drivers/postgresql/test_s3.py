"""Bytes in a bucket of another S3: what lies there, what becomes of it, and what happens while that S3 does not do its part."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gecko_tw.settings.targets import S3Target
from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.drivers.postgresql import outage
from gecko_tw.store.drivers.postgresql.driver import PostgresqlDriver
from gecko_tw.store.drivers.postgresql.s3 import PART
from gecko_tw.store.records import BlobNote, Span
from gecko_tw.store.refusals import InsufficientStorage, ServiceUnavailable
from gecko_tw.testing.server import Server
from tests.clusters.databases import database
from tests.clusters.targets import BUCKET, client, make_bucket, target_at
from tests.contract.acts import a_bucket, commit, content, described, look, put

NOTE = BlobNote(bucket="photos", key=b"k", record=described(b""))
LARGE = bytes(range(253)) * 80_000
"""More than two parts."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that may be halted, and keeps what it has."""
    server = Server(folder=tmp_path_factory.mktemp("target"))
    server.start()
    make_bucket(server)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outage, "PAUSE", 0.0)


@pytest.fixture
def far(node: Callable[..., Any], target: Server, tmp_path: Path) -> Any:
    return node(blobs="s3:far", s3_target=[target_at(target, f"{tmp_path.name}/")])


def keys(target: Server, folder: Path) -> list[str]:
    found = client(target).list_objects_v2(Bucket=BUCKET, Prefix=f"{folder.name}/").get("Contents", [])
    return [one["Key"] for one in found if not one["Key"].endswith("geckos3-blobs")]


def uploads(target: Server) -> list[Any]:
    return client(target).list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


@pytest.mark.parametrize("size", (70_000, PART, PART + 1, len(LARGE)))
def test_a_large_body_is_one_object_there_and_is_read_from_anywhere(
    far: Any, target: Server, tmp_path: Path, size: int
):
    bucket = a_bucket(far)
    put(far, bucket, b"k", LARGE[:size])
    (key,) = keys(target, tmp_path)
    assert client(target).head_object(Bucket=BUCKET, Key=key)["ContentLength"] == size
    found = look(far, bucket, b"k").newest
    assert content(far, found) == LARGE[:size]
    reader = far.blobs.open(found.spans[0].blob)
    for offset in (size - 1, 0, size // 2, 5):
        assert reader.read(offset, 1000) == LARGE[offset:size][:1000]
    reader.close()
    assert uploads(target) == []


def test_small_bodies_stay_in_the_database(far: Any, target: Server, tmp_path: Path):
    put(far, a_bucket(far), b"k", b"x" * 60_000)
    assert keys(target, tmp_path) == []


def test_what_nothing_needs_any_more_goes_with_its_parts(far: Any, target: Server, tmp_path: Path):
    bucket = a_bucket(far)
    put(far, bucket, b"k", b"1" * 100_000)
    put(far, bucket, b"k", b"2" * 100_000)
    left = far.blobs.create()
    left.write(LARGE)  # its process dies, and nobody ends its upload
    assert len(keys(target, tmp_path)) == 2 and len(uploads(target)) == 1
    far.blobs.remove(list(far.blobs.older_than(-60)))
    assert far.blobs.purge(-60) == 2
    assert len(keys(target, tmp_path)) == 1 and uploads(target) == []
    assert content(far, look(far, bucket, b"k").newest) == b"2" * 100_000


def test_a_body_that_is_given_up_leaves_nothing(far: Any, target: Server, tmp_path: Path):
    writer = far.blobs.create()
    writer.write(LARGE)
    writer.abort()
    assert (keys(target, tmp_path), uploads(target), list(far.blobs.older_than(-60))) == ([], [], [])


def test_bytes_that_somebody_has_removed_there_are_gone_and_no_outage(far: Any, target: Server, tmp_path: Path):
    span = commit(far, b"x" * 100_000, NOTE)
    client(target).delete_object(Bucket=BUCKET, Key=keys(target, tmp_path)[0])
    with pytest.raises(BlobGone):
        far.blobs.open(span.blob).read(0, 10)
    assert far.damage.text is None


def test_a_target_that_is_away_refuses_large_bodies_and_all_goes_on_when_it_is_back(
    far: Any, target: Server, caplog: pytest.LogCaptureFixture
):
    bucket = a_bucket(far)
    put(far, bucket, b"k", b"1" * 100_000)
    put(far, bucket, b"k", LARGE)
    begun = far.blobs.create()
    begun.write(LARGE[:PART])
    target.stop()
    try:
        for act in (
            lambda: content(far, look(far, bucket, b"k").newest),
            lambda: put(far, bucket, b"k", b"x" * 100_000),
            lambda: begun.commit(NOTE),
            lambda: far.blobs.purge(-60),
        ):
            with pytest.raises(ServiceUnavailable):
                act()
        assert far.damage.text
        put(far, bucket, b"small", b"data")  # needs the database alone
        assert content(far, look(far, bucket, b"small").newest) == b"data"
    finally:
        target.start()
    begun.abort()
    assert content(far, look(far, bucket, b"k").newest) == LARGE
    put(far, bucket, b"k", b"x" * 100_000)
    assert far.damage.text is None
    assert caplog.text.count("cannot be used: ") == 1


def test_a_target_that_stops_to_accept_the_key_is_told_and_nothing_is_lost(far: Any, monkeypatch: pytest.MonkeyPatch):
    bucket = a_bucket(far)
    put(far, bucket, b"k", b"x" * 100_000)
    signer = far._bytes._client._request_signer
    with monkeypatch.context() as patched:
        patched.setattr(signer._credentials, "secret_key", "another")
        with pytest.raises(ServiceUnavailable):
            content(far, look(far, bucket, b"k").newest)
        with pytest.raises(ServiceUnavailable):
            put(far, bucket, b"k", b"y" * 100_000)
        assert "SignatureDoesNotMatch" in (far.damage.text or "")
    assert content(far, look(far, bucket, b"k").newest) == b"x" * 100_000
    assert far.damage.text is None


def test_an_object_that_somebody_has_made_shorter_there_is_never_taken_for_the_bytes(
    far: Any, monkeypatch: pytest.MonkeyPatch
):
    span = commit(far, b"x" * 100_000, NOTE)
    key = far._bytes._key(span.blob)
    client = far._bytes._client
    client.put_object(Bucket=BUCKET, Key=key, Body=b"x" * 50_000)
    with pytest.raises(BlobGone):
        content(far, described(b"", spans=(Span(span.blob, 0, 100_000),)))


def test_a_target_that_is_full_says_so(far: Any, monkeypatch: pytest.MonkeyPatch):
    from botocore.exceptions import ClientError

    answer = {"Error": {"Code": "Full"}, "ResponseMetadata": {"HTTPStatusCode": 507}}

    def full(**_: Any) -> Any:
        raise ClientError(answer, "PutObject")  # type: ignore[arg-type]

    monkeypatch.setattr(far._bytes._client, "put_object", full)
    with pytest.raises(InsufficientStorage):
        commit(far, b"x" * 100_000, NOTE)


def test_a_target_that_cannot_be_used_is_told_in_one_line_at_the_start(target: Server, tmp_path: Path):
    def why(where: S3Target, blobs: str = "s3:far") -> str:
        with pytest.raises((ValueError, RuntimeError)) as told:
            driver = PostgresqlDriver(str(tmp_path), catalog=database(tmp_path), blobs=blobs, s3_target=[where])
            try:
                driver.open()
            finally:
                driver.close()
        assert "\n" not in str(told.value)
        return str(told.value)

    assert "cannot be used: SignatureDoesNotMatch" in why(target_at(target, secret_key="wrong"))
    assert "cannot be used: NoSuchBucket" in why(target_at(target, bucket="nowhere"))
    assert "Could not connect" in why(S3Target("far", "http://127.0.0.1:1", "bytes", "k", "s"))
    assert "no --s3-target named 'near'" in why(target_at(target), "s3:near")
    client(target).put_object(Bucket=BUCKET, Key="others/file", Body=b"x")
    assert "no object 'others/geckos3-blobs'" in why(target_at(target, "others/"))
