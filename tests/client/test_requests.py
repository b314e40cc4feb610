"""What is sent, and what becomes of what comes."""

import gzip
import io
import subprocess
import sys
from base64 import b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path
from zlib import crc32

import pytest
import pytest_twisted
from botocore.session import Session
from twisted.internet import reactor, task
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.client import FileBodyProducer
from twisted.web.iweb import UNKNOWN_LENGTH
from twisted.web.server import NOT_DONE_YET

from gecko_tw.client import S3, Options, Plan, connect
from tests.client.stub import Stub, cuts, refuses, says

Connect = Callable[..., Awaitable[S3]]

LARGE = bytes(range(256)) * 2000
STORED = says(200, etag='"1"')


@pytest_twisted.ensureDeferred
async def test_a_file_is_signed_by_its_hash_and_sent_from_where_it_stands(
    stub: Stub, connected: Connect, tmp_path: Path
):
    stub.answers = [STORED]
    s3 = await connected()
    (tmp_path / "large").write_bytes(LARGE)
    (tmp_path / "large.gz").write_bytes(gzip.compress(LARGE))
    standing = io.BytesIO(b"skipped" + LARGE)
    standing.seek(7)
    with gzip.open(tmp_path / "large.gz") as unpacked:
        for body in (LARGE, bytearray(LARGE), memoryview(LARGE), tmp_path / "large", standing, unpacked):
            await s3.put("photos", "cat.jpg", body)
    assert [asked.body for asked in stub.asked] == [LARGE] * 6
    assert len({asked.headers["x-amz-content-sha256"] for asked in stub.asked}) == 1
    assert len({asked.headers["x-amz-checksum-crc32"] for asked in stub.asked}) == 1


@pytest_twisted.ensureDeferred
async def test_a_producer_is_sent_with_its_checksum_behind_it(stub: Stub, connected: Connect):
    stub.answers = [STORED]
    s3 = await connected()
    await s3.put("photos", "cat.jpg", FileBodyProducer(io.BytesIO(LARGE)))
    (asked,) = stub.asked
    assert asked.headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert asked.headers["x-amz-decoded-content-length"] == str(len(LARGE))
    assert asked.headers["x-amz-trailer"] == "x-amz-checksum-crc32"
    assert _unframed(asked.body) == (LARGE, crc32(LARGE))


def _unframed(body: bytes) -> tuple[bytes, int]:
    """What aws-chunked framing has in it, and the CRC-32 behind it."""
    data = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if size == b"0":
            name, _, value = body.strip().partition(b":")
            assert name == b"x-amz-checksum-crc32"
            return data, int.from_bytes(b64decode(value))
        data, body = data + body[: int(size, 16)], body[int(size, 16) + 2 :]


@pytest_twisted.ensureDeferred
async def test_a_producer_that_brings_its_own_checksum_is_not_framed(stub: Stub, connected: Connect):
    stub.answers = [STORED]
    s3 = await connected()
    await s3.put("photos", "cat.jpg", FileBodyProducer(io.BytesIO(b"x")), ChecksumCRC32="jNxRWg==")
    (asked,) = stub.asked
    assert (asked.headers["x-amz-content-sha256"], asked.body) == ("UNSIGNED-PAYLOAD", b"x")


@pytest_twisted.ensureDeferred
async def test_what_a_producer_made_is_not_asked_for_twice(stub: Stub, connected: Connect):
    stub.answers = [refuses(503, "ServiceUnavailable"), STORED]
    s3 = await connected(max_attempts=3)
    with pytest.raises(Exception, match="ServiceUnavailable"):
        await s3.put("photos", "cat.jpg", FileBodyProducer(io.BytesIO(LARGE)))
    assert len(stub.asked) == 1


@pytest_twisted.ensureDeferred
async def test_a_producer_that_makes_too_little_is_told(stub: Stub, connected: Connect):
    stub.answers = [STORED]
    s3 = await connected()
    short = FileBodyProducer(io.BytesIO(LARGE))
    short.length += 1
    with pytest.raises(ValueError, match="and had said"):
        await s3.put("photos", "cat.jpg", short)


@pytest.mark.parametrize("body", ["text", io.StringIO("text"), 7, None])
@pytest_twisted.ensureDeferred
async def test_what_is_no_body_is_refused(stub: Stub, connected: Connect, body: object):
    s3 = await connected()
    with pytest.raises(TypeError, match="a body is bytes"):
        await s3.put("photos", "cat.jpg", body)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        await s3.put("photos", "cat.jpg", Path("/nowhere/at/all"))
    endless = FileBodyProducer(io.BytesIO(b"x"))
    endless.length = UNKNOWN_LENGTH
    with pytest.raises(TypeError, match="multipart_upload"):
        await s3.put("photos", "cat.jpg", endless)
    assert not stub.asked


@pytest_twisted.ensureDeferred
async def test_the_token_of_a_session_and_keys_of_the_environment_are_used(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    stub.answers = [says(200, b"there")]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
    s3 = await connect()
    assert await s3.get("photos", "cat.jpg") == b"there"
    await s3.close()
    (asked,) = stub.asked
    assert "Credential=of-the-environment/" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == "session"


@pytest_twisted.ensureDeferred
async def test_credentials_that_end_are_fetched_anew_without_stopping_the_reactor(
    stub: Stub, tmp_path: Path, monkeypatch
):
    process = tmp_path / "credentials.py"
    process.write_text(
        "import json, time, datetime, pathlib\n"
        f"counted = pathlib.Path({str(tmp_path / 'counted')!r})\n"
        "with counted.open('a') as file: file.write('x')\n"
        "time.sleep(0.3)\n"
        "end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)\n"
        "print(json.dumps(dict(Version=1, AccessKeyId='key' + str(len(counted.read_text())), SecretAccessKey='secret',"
        " SessionToken='token', Expiration=end.isoformat())))\n"
    )
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {sys.executable} {process}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    stub.answers = [says(200, b"there")]
    s3 = await connect(stub.url)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while not stub.asked:
            turns += 1
            await task.deferLater(reactor, 0.001)

    turning = Deferred.fromCoroutine(turn())
    assert await s3.get("photos", "cat.jpg") == b"there"
    await turning
    await s3.close()
    assert "Credential=key2/" in stub.asked[0].headers["authorization"]
    assert turns > 10


@pytest_twisted.ensureDeferred
async def test_anonymous_requests_are_not_signed(stub: Stub):
    stub.answers = [STORED]
    s3 = await connect(stub.url, options=Options(anonymous=True))
    await s3.put("photos", "cat.jpg", LARGE)
    await s3.close()
    assert "authorization" not in stub.asked[0].headers


@pytest_twisted.ensureDeferred
async def test_who_is_cancelled_before_the_file_is_open_or_hashed_sends_nothing(
    stub: Stub, connected: Connect, tmp_path: Path
):
    stub.answers = [STORED]
    s3 = await connected()
    (tmp_path / "large").write_bytes(LARGE * 10)
    for body in (tmp_path / "large", LARGE * 10):
        for asked in (s3.put("photos", "cat.jpg", body), s3.multipart_upload("photos", "cat.jpg", body)):
            asked.cancel()
            with pytest.raises(CancelledError):
                await asked
    assert not stub.asked


@pytest_twisted.ensureDeferred
async def test_connections_are_kept(stub: Stub, connected: Connect):
    ports = set()

    def answer(request):
        ports.add(request.getClientAddress().port)
        return b"there"

    stub.answers = [answer]
    s3 = await connected()
    for _ in range(5):
        await s3.get("photos", "cat.jpg")
    assert len(ports) == 1


@pytest_twisted.ensureDeferred
async def test_a_body_that_nobody_wants_gives_its_place_to_others(stub: Stub, connected: Connect):
    stub.answers = [says(200, LARGE * 10)]
    s3 = await connected(max_connections=1)
    answer = await s3.api.get_object(Bucket="photos", Key="cat.jpg")
    answer["Body"].close()
    answer = await s3.api.get_object(Bucket="photos", Key="cat.jpg")
    async for piece in answer["Body"]:
        assert (LARGE * 10).startswith(piece)
        break
    answer["Body"].close()
    assert await s3.get("photos", "cat.jpg") == LARGE * 10


@pytest_twisted.ensureDeferred
async def test_a_disk_that_takes_nothing_ends_the_download(stub: Stub, connected: Connect):
    stub.answers = [says(200, LARGE * 10)]
    s3 = await connected(max_connections=1)
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
        await s3.get_to("photos", "cat.jpg", full)
    assert await s3.get("photos", "cat.jpg") == LARGE * 10


@pytest_twisted.ensureDeferred
async def test_a_file_that_is_replaced_keeps_nothing_of_an_unfinished_one(
    stub: Stub, connected: Connect, tmp_path: Path
):
    stub.answers = [says(200, LARGE, content_type="image/jpeg")]
    s3 = await connected()
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"the old one")
    answer = await s3.get_to("photos", "cat.jpg", path)
    assert (path.read_bytes(), answer["ContentType"]) == (LARGE, "image/jpeg")
    with pytest.raises(FileNotFoundError):
        await s3.get_to("photos", "cat.jpg", tmp_path / "no" / "such" / "folder")
    assert list(tmp_path.iterdir()) == [path]


@pytest_twisted.ensureDeferred
async def test_every_operation_of_the_model_is_there_by_both_of_its_names(stub: Stub, connected: Connect):
    names = Session().get_service_model("s3").operation_names
    s3 = await connected()
    assert {"put_object", "get_object_lock_configuration", "select_object_content"} <= set(dir(s3.api))
    assert len(names) > 90
    assert len([name for name in dir(s3.api) if name in s3.api._client.meta.method_to_api_mapping]) == len(names)
    stub.answers = [says(200, b"<LocationConstraint>eu</LocationConstraint>")]
    for answer in (
        await s3.api.call("GetBucketLocation", Bucket="photos"),
        await s3.api.get_bucket_location(Bucket="photos"),
    ):
        assert answer["LocationConstraint"] == "eu"
    with pytest.raises(AttributeError, match="put_object"):
        s3.api.put_objet  # noqa: B018
    with pytest.raises(ValueError, match="no operation"):
        await s3.api.call("PutObjet")


@pytest_twisted.ensureDeferred
async def test_events_come_one_by_one(stub: Stub, connected: Connect):
    stub.answers = [says(200, _event("Records", b"a,b\n") + _event("Records", b"c,d\n") + _event("End", b""))]
    s3 = await connected(max_connections=1)
    for _ in range(2):
        answer = await s3.api.select_object_content(
            Bucket="photos",
            Key="list.csv",
            Expression="SELECT * FROM S3Object",
            ExpressionType="SQL",
            InputSerialization={"CSV": {}},
            OutputSerialization={"CSV": {}},
        )
        events = [event async for event in answer["Payload"]]
        assert [event["Records"]["Payload"] for event in events[:2]] == [b"a,b\n", b"c,d\n"]


def _event(kind: str, payload: bytes) -> bytes:
    """A message of application/vnd.amazon.eventstream."""
    headers = b""
    for name, value in (
        (":message-type", "event"),
        (":event-type", kind),
        (":content-type", "application/octet-stream"),
    ):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + len(value).to_bytes(2) + value.encode()
    prelude = (16 + len(headers) + len(payload)).to_bytes(4) + len(headers).to_bytes(4)
    message = prelude + crc32(prelude).to_bytes(4) + headers + payload
    return message + crc32(message).to_bytes(4)


@pytest_twisted.ensureDeferred
async def test_a_multipart_upload_goes_on_where_it_stopped(stub: Stub, connected: Connect):
    data = b"a" * 100 + b"b" * 100 + b"c" * 50
    there = (
        b"<ListPartsResult><Part><PartNumber>1</PartNumber><Size>100</Size><ETag>36a92cc94a9e0fa21f625f8bfb007adf</ETag></Part>"
        b"<Part><PartNumber>2</PartNumber><Size>100</Size><ETag>36a92cc94a9e0fa21f625f8bfb007adf</ETag></Part></ListPartsResult>"
    )
    done = says(200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
    stub.answers = [says(200, there), cuts, STORED, STORED, done]
    s3 = await connected(max_attempts=2)
    await s3.multipart_upload("photos", "cat.jpg", data, Plan(part_size=100, parallel=1, resume="abc"))
    assert [asked.body for asked in stub.asked[2:4]] == [b"b" * 100, b"c" * 50]
    assert stub.asked[-1].body.count(b"<Part>") == 3


@pytest_twisted.ensureDeferred
async def test_no_more_parts_are_on_their_way_than_wanted_and_the_others_are_given_up_when_one_fails(
    stub: Stub, connected: Connect
):
    at_once = most = 0

    def part(request):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        reactor.callLater(0.02, end, request)
        return NOT_DONE_YET

    def end(request):
        nonlocal at_once
        at_once -= 1
        request.setHeader("etag", '"1"')
        request.finish()

    begun = says(200, b"<InitiateMultipartUploadResult><UploadId>abc</UploadId></InitiateMultipartUploadResult>")
    done = says(200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
    s3 = await connected()
    endless = FileBodyProducer(io.BytesIO(b"x" * 1000), readSize=30)
    endless.length = UNKNOWN_LENGTH
    for body in (b"x" * 1000, endless):
        most, stub.asked[:] = 0, []
        stub.answers = [begun, *[part] * 10, done]
        await s3.multipart_upload("photos", "cat.jpg", body, Plan(part_size=100, parallel=3))
        assert most == 3
        assert sorted(asked.body for asked in stub.asked[1:11]) == [b"x" * 100] * 10
    stub.asked.clear()
    stub.answers = [begun, refuses(403, "AccessDenied")]
    with pytest.raises(Exception, match="resume='abc'"):
        await s3.multipart_upload("photos", "cat.jpg", b"x" * 1000, Plan(part_size=100, parallel=3))
    assert len(stub.asked) < 8


def test_nothing_of_the_server_is_imported_and_without_botocore_it_says_what_to_install():
    code = "import sys, gecko_tw.client; print(sorted({'.'.join(n.split('.')[:2]) for n in sys.modules if n.startswith('gecko_tw.')}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "['gecko_tw.client', 'gecko_tw.pools']"
    code = "import importlib.util as u; u.find_spec = lambda name: None; import gecko_tw.client"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert 'pip install "gecko-tw[client]"' in told
    code = "import sys, gecko_tw.client; assert 'twisted.internet.reactor' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
