"""gecko_tw.client against real servers: this one over http and https, moto, and SeaweedFS."""

import gc
import io
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_twisted
from attrs import frozen
from twisted.internet.defer import gatherResults
from twisted.internet.interfaces import IConsumer
from twisted.internet.threads import deferToThread
from twisted.web.client import FileBodyProducer
from twisted.web.iweb import UNKNOWN_LENGTH
from zope.interface import implementer

from gecko_tw.client import (
    S3,
    ConditionFailed,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NotTrusted,
    Options,
    Plan,
    UnknownKey,
    UploadInterrupted,
    WrongSecret,
    connect,
)
from tests.end_to_end.place import Place
from tests.patience import eventually

MIB = 1 << 20
PART = 5 * MIB
DATA = os.urandom(PART + 12345)
KEYS = ("geckoadmin", "geckoadmin")


@frozen
class Server:
    """Where a server listens, and the certificate authority of its certificate."""

    url: str
    authority: str | None = None
    name: str = "geckos3"


def _ports(count: int) -> list[int]:
    """Ports that are free, all of them at once."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """moto's server in a process of its own."""
    (port,) = _ports(1)
    code = "import sys; from moto.server import main; main(sys.argv[1:])"
    with _running([sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(port)], tmp_path_factory.mktemp("moto")):
        eventually(lambda: _answers(f"http://127.0.0.1:{port}/"))
        yield Server(f"http://127.0.0.1:{port}", name="moto")


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS: master, volumes, filer and S3 in one process."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    credentials = [{"accessKey": KEYS[0], "secretKey": KEYS[1]}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = {"identities": [{"name": "all", "credentials": credentials, "actions": actions}]}
    (folder / "identities.json").write_text(json.dumps(identities))
    ports = dict(zip(("master", "volume", "filer", "s3"), zip(*[iter(_ports(8))] * 2, strict=True), strict=True))
    options = [f"-{name}.port={http}" for name, (http, _) in ports.items()]
    options += [f"-{name}.port.grpc={grpc}" for name, (_, grpc) in ports.items()]
    more = ["-filer", "-s3", f"-s3.config={folder}/identities.json", "-master.volumeSizeLimitMB=64", "-volume.max=50"]
    command = ["weed", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *options, *more]
    with _running(command, folder):
        eventually(lambda: _answers(f"http://127.0.0.1:{ports['s3'][0]}/"))
        yield Server(f"http://127.0.0.1:{ports['s3'][0]}", name="seaweedfs")


class _running:  # noqa: N801  # a context manager
    """A process that ends with the block."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command, self._folder = command, folder

    def __enter__(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(params=["plain", "secure", "moto", "seaweedfs"])
def server(request: pytest.FixtureRequest) -> Server:
    """Every server."""
    found = request.getfixturevalue(request.param)
    return _server(found) if isinstance(found, Place) else found


def _server(place: Place) -> Server:
    certificates = place.daemon.certificates
    return Server(place.daemon.url, str(certificates.authority) if certificates else None)


@pytest_twisted.async_yield_fixture
async def s3(server: Server) -> AsyncIterator[S3]:
    """A client for each server."""
    client = await connect(server.url, *KEYS, options=Options(verify=server.authority))
    yield client
    await client.close()


@pytest_twisted.async_yield_fixture
async def ours(plain: Place) -> AsyncIterator[S3]:
    """A client for this server over http."""
    client = await connect(plain.daemon.url, *KEYS)
    yield client
    await client.close()


@pytest_twisted.ensureDeferred
async def test_objects_come_back_as_they_were_in_every_form(s3: S3, tmp_path: Path):
    await s3.create_bucket("forms")
    path, back = tmp_path / "data", tmp_path / "back"
    path.write_bytes(DATA)
    for key, body in (
        ("empty", b""),
        ("few", DATA[:100]),
        ("bytes", DATA),
        ("path", path),
        ("file", io.BytesIO(DATA)),
        ("producer", FileBodyProducer(io.BytesIO(DATA), readSize=100_000)),
        ("weiß / ~+%", b"x"),
    ):
        await s3.put("forms", key, body)
    assert await s3.get("forms", "empty") == b""
    assert await s3.get("forms", "few") == DATA[:100]
    for key in ("bytes", "path", "file", "producer"):
        assert await s3.get("forms", key) == DATA
    answer = await s3.get_to("forms", "bytes", back)
    assert (answer["ContentLength"], back.read_bytes()) == (len(DATA), DATA)
    consumer = _Consumer()
    await s3.get_to("forms", "bytes", consumer)
    assert b"".join(consumer.pieces) == DATA
    with io.BytesIO() as file:
        await s3.get_to("forms", "bytes", file)
        assert file.getvalue() == DATA
    assert [one["Key"] async for one in s3.list("forms")] == sorted(
        ["empty", "few", "bytes", "path", "file", "producer", "weiß / ~+%"]
    )
    await s3.delete("forms", "few")
    with pytest.raises(NoSuchKey):
        await s3.get("forms", "few")
    with pytest.raises(NoSuchBucket):
        await s3.get("no-such-bucket", "few")


@implementer(IConsumer)
class _Consumer:
    """Takes a piece, and pauses for a while."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def registerProducer(self, producer, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        from twisted.internet import reactor

        self.pieces.append(data)
        if len(self.pieces) % 20 == 0:
            producer = self.producer
            producer.pauseProducing()
            reactor.callLater(0.001, producer.resumeProducing)  # type: ignore[attr-defined]


@pytest_twisted.ensureDeferred
async def test_metadata_ranges_conditions_and_tags(s3: S3):
    await s3.create_bucket("metadata")
    put = await s3.put("metadata", "cat", DATA[:1000], ContentType="image/jpeg", Metadata={"camera": "M3"})
    head = await s3.api.head_object(Bucket="metadata", Key="cat")
    assert (head["ContentType"], head["Metadata"], head["ContentLength"]) == ("image/jpeg", {"camera": "M3"}, 1000)
    assert head["ETag"] == put["ETag"]
    assert await s3.get("metadata", "cat", Range="bytes=100-199") == DATA[100:200]
    with pytest.raises(ConditionFailed):
        await s3.get("metadata", "cat", IfMatch='"another"')
    await s3.api.put_object_tagging(Bucket="metadata", Key="cat", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    tags = await s3.api.get_object_tagging(Bucket="metadata", Key="cat")
    assert tags["TagSet"] == [{"Key": "a", "Value": "b"}]


@pytest_twisted.ensureDeferred
async def test_versions_and_pages(s3: S3):
    await s3.create_bucket("versions")
    await s3.api.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    first = await s3.put("versions", "cat", b"one")
    await s3.put("versions", "cat", b"two")
    assert await s3.get("versions", "cat") == b"two"
    assert await s3.get("versions", "cat", VersionId=first["VersionId"]) == b"one"
    await s3.delete("versions", "cat")
    pages = [page async for page in s3.pages("ListObjectVersions", Bucket="versions")]
    assert sum(len(page.get("Versions", ())) for page in pages) == 2
    assert sum(len(page.get("DeleteMarkers", ())) for page in pages) == 1
    await gatherResults([s3.put("versions", f"many/{number:02}", b"x") for number in range(25)])
    pages = [
        page
        async for page in s3.pages(
            "ListObjectsV2", Bucket="versions", Prefix="many/", PaginationConfig={"PageSize": 10, "MaxItems": 23}
        )
    ]
    assert [len(page["Contents"]) for page in pages] == [10, 10, 3]


@pytest_twisted.ensureDeferred
async def test_parts_from_a_file_and_from_a_stream_of_no_known_length(s3: S3, tmp_path: Path):
    await s3.create_bucket("parts")
    path = tmp_path / "data"
    path.write_bytes(DATA)
    stream = FileBodyProducer(io.BytesIO(DATA), readSize=100_000)
    stream.length = UNKNOWN_LENGTH
    for key, body in (("path", path), ("stream", stream), ("empty", b"")):
        answer = await s3.multipart_upload("parts", key, body, Plan(part_size=PART), ContentType="image/jpeg")
        assert answer["ETag"].strip('"').endswith("-1" if key == "empty" else "-2")
    assert await s3.get("parts", "path") == await s3.get("parts", "stream") == DATA
    assert (await s3.api.head_object(Bucket="parts", Key="stream"))["ContentType"] == "image/jpeg"


@pytest_twisted.ensureDeferred
async def test_an_upload_that_stopped_goes_on(s3: S3, server: Server):
    await s3.create_bucket("resumed")
    stopping = FileBodyProducer(_Stopping(DATA), readSize=MIB)
    stopping.length = UNKNOWN_LENGTH
    with pytest.raises(UploadInterrupted) as stopped:
        await s3.multipart_upload("resumed", "cat", stopping, Plan(part_size=PART, parallel=1))
    place = {"Bucket": "resumed", "Key": "cat", "UploadId": stopped.value.upload_id}
    (before,) = (await s3.api.list_parts(**place))["Parts"]
    await s3.multipart_upload("resumed", "cat", DATA, Plan(part_size=PART, resume=True))
    assert await s3.get("resumed", "cat") == DATA
    assert before["Size"] == PART
    if server.name != "moto":  # which lists the parts of what does not exist
        with pytest.raises(NoSuchUpload):
            await s3.api.list_parts(**place)


class _Stopping(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > PART:
            raise OSError("the disk is gone")
        return super().read(size)


@pytest_twisted.ensureDeferred
async def test_urls_that_are_signed_work_for_who_has_no_key(s3: S3, server: Server):
    await s3.create_bucket("presigned")
    trust = None
    if server.authority:
        import ssl

        trust = ssl.create_default_context(cafile=server.authority)
    put = urllib.request.Request(
        await s3.presign("PutObject", "presigned", "cat"), b"by a URL", {"Content-Type": "text/plain"}, method="PUT"
    )
    get = await s3.presign("GetObject", "presigned", "cat", 60)
    assert "X-Amz-Signature" in get

    def ask(url: str | urllib.request.Request) -> bytes:
        with urllib.request.urlopen(url, context=trust) as answer:
            found: bytes = answer.read()
        return found

    await deferToThread(ask, put)
    assert await deferToThread(ask, get) == b"by a URL"


@pytest_twisted.ensureDeferred
async def test_wrong_keys_and_unknown_authorities_are_told_apart(plain: Place, secure: Place):
    for place, keys, verify, kind in (
        (plain, ("geckoadmin", "wrong"), None, WrongSecret),
        (plain, ("nobody", "geckoadmin"), None, UnknownKey),
        (secure, KEYS, None, NotTrusted),
    ):
        s3 = await connect(place.daemon.url, *keys, options=Options(verify=verify, max_attempts=1))
        with pytest.raises(kind):
            await s3.api.list_buckets()
        await s3.close()
    s3 = await connect(secure.daemon.url, *KEYS, options=Options(verify=False))
    await s3.api.list_buckets()
    await s3.close()


@pytest_twisted.ensureDeferred
async def test_a_thousand_requests_are_under_way_at_once(ours: S3):
    await ours.create_bucket("thousand")
    keys = [f"{number:04}" for number in range(1000)]
    await gatherResults([ours.put("thousand", key, key.encode()) for key in keys], consumeErrors=True)
    found = await gatherResults([ours.get("thousand", key) for key in keys], consumeErrors=True)
    assert found == [key.encode() for key in keys]
    assert [one["Key"] async for one in ours.list("thousand")] == keys


@pytest_twisted.ensureDeferred
async def test_what_is_sent_and_fetched_is_not_held_in_memory(ours: S3, tmp_path: Path):
    await ours.create_bucket("memory")
    path = tmp_path / "large"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 10) * 1024)
    await ours.put("memory", "warm", DATA)
    gc.collect()
    before = _memory()
    most = before

    class Counting(_Consumer):
        size = 0

        def write(self, data: bytes) -> None:
            nonlocal most
            self.size += len(data)
            most = max(most, _memory())

    await ours.put("memory", "large", path)
    most = max(most, _memory())
    consumer = Counting()
    await ours.get_to("memory", "large", consumer)
    await ours.get_to("memory", "large", tmp_path / "back")
    most = max(most, _memory())
    assert consumer.size == (tmp_path / "back").stat().st_size == 64 * MIB
    assert most - before < 32 * MIB


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
