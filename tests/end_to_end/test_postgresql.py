"""Nodes over one database: what one writes the other reads, the database goes and comes back, and what cannot be is refused in a line."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.clusters.postgresql import Server, check_there
from tests.end_to_end.daemon import ROOT, Daemon
from tests.patience import PATIENCE, eventually

KEY = {"GECKOS3_ENCRYPTION_KEY": "k" * 32}
RETRIED = {"ServiceUnavailable", "SlowDown", "503"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of its own, which may be halted."""
    check_there()
    server = Server(synchronous_commit="on", log_statement="all")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def nodes(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Daemon]]:
    """Two nodes: one of two workers, one that serves by itself. Bytes are in a directory that they share."""
    shared = tmp_path_factory.mktemp("shared")
    options = (f"--catalog={server.address()}", f"--blobs=files:{shared}", "--min-part-size=0")
    with (
        Daemon(tmp_path_factory.mktemp("first"), *options, "--workers=2", env=KEY) as first,
        Daemon(tmp_path_factory.mktemp("second"), *options, env=KEY) as second,
    ):
        yield first, second


@pytest.fixture(scope="module")
def clients(nodes: tuple[Daemon, Daemon]) -> tuple[Any, Any]:
    first, second = (node.client() for node in nodes)
    first.create_bucket(Bucket="photos")
    return first, second


def body(client: Any, key: str, **more: str) -> bytes:
    data: bytes = client.get_object(Bucket="photos", Key=key, **more)["Body"].read()
    return data


@pytest.mark.parametrize("size", [0, 10, 64 * 1024, 64 * 1024 + 1, 5_000_000])
def test_what_one_node_writes_the_other_reads(clients: tuple[Any, Any], size: int):
    first, second = clients
    data = bytes(range(256)) * (size // 256 + 1)
    first.put_object(Bucket="photos", Key="k", Body=data[:size], Metadata={"n": str(size)})
    assert body(second, "k") == data[:size]
    assert second.head_object(Bucket="photos", Key="k")["Metadata"] == {"n": str(size)}
    if size > 100:
        assert body(second, "k", Range="bytes=50-99") == data[50:100]


_OF_KEYS = re.compile(r"execute <unnamed>: (SELECT \d AS kind|WITH guard|WITH made|SELECT key)")


def test_a_get_is_one_round_trip_and_a_put_two(server: Server, clients: tuple[Any, Any]):
    """Of all statements that the server has logged, those of keys are counted: what is remembered is asked for by nobody."""
    client, log = clients[1], server.folder / "log"
    client.put_object(Bucket="photos", Key="counted", Body=b"before")

    def statements(call: Callable[[], object]) -> int:
        before = log.stat().st_size
        call()
        return len(_OF_KEYS.findall(log.read_bytes()[before:].decode(errors="replace")))

    assert statements(lambda: client.put_object(Bucket="photos", Key="counted", Body=b"data")) == 2
    assert statements(lambda: body(client, "counted")) == 1
    assert statements(lambda: client.head_object(Bucket="photos", Key="counted")) == 1
    assert statements(lambda: client.list_objects_v2(Bucket="photos")) == 1


def test_an_upload_is_begun_sent_and_completed_on_different_nodes(clients: tuple[Any, Any]):
    first, second = clients
    upload = first.create_multipart_upload(Bucket="photos", Key="film")["UploadId"]
    where = {"Bucket": "photos", "Key": "film", "UploadId": upload}
    parts = [
        {
            "PartNumber": n,
            "ETag": (first, second)[n % 2].upload_part(**where, PartNumber=n, Body=b"%d" % n * 70_000)["ETag"],
        }
        for n in (1, 2, 3)
    ]
    second.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert body(first, "film") == b"1" * 70_000 + b"2" * 70_000 + b"3" * 70_000


def test_versions_locks_and_listings_are_those_of_one_deployment(clients: tuple[Any, Any]):
    first, second = clients
    first.create_bucket(Bucket="kept", ObjectLockEnabledForBucket=True)
    ids = [
        client.put_object(Bucket="kept", Key="a/k", Body=client.meta.endpoint_url.encode())["VersionId"]
        for client in clients
    ]
    second.put_object_legal_hold(Bucket="kept", Key="a/k", VersionId=ids[0], LegalHold={"Status": "ON"})
    with pytest.raises(ClientError, match="AccessDenied"):
        first.delete_object(Bucket="kept", Key="a/k", VersionId=ids[0])
    found = first.list_object_versions(Bucket="kept")["Versions"]
    assert [(one["VersionId"], one["IsLatest"]) for one in found] == [(ids[1], True), (ids[0], False)]
    folders = second.list_objects_v2(Bucket="kept", Delimiter="/")["CommonPrefixes"]
    assert folders == [{"Prefix": "a/"}]


def test_of_writes_to_both_nodes_that_want_to_be_first_one_is(clients: tuple[Any, Any]):
    def wins(number: int) -> bool:
        try:
            clients[number % 2].put_object(Bucket="photos", Key="first", Body=b"%d" % number, IfNoneMatch="*")
        except ClientError as refused:
            assert refused.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = [number for number, did in enumerate(threads.map(wins, range(16))) if did]
    assert len(won) == 1
    assert body(clients[0], "first") == b"%d" % won[0]


def test_a_key_that_is_revoked_on_one_node_is_refused_by_the_other(
    nodes: tuple[Daemon, Daemon], clients: tuple[Any, Any], server: Server, tmp_path: Path
):
    def command(*words: str) -> str:
        given = [f"--catalog={server.address()}", "--encryption-key=" + "k" * 32]
        done = subprocess.run(
            [sys.executable, "-m", "gecko_tw.commands", *words, *given],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert not list(tmp_path.iterdir()), "a command needs no data directory, and makes none"
        return done.stdout

    command("account", "add", "main")
    command("key", "add", "--id", "AKIAMAIN", "--secret", "secretsecret", "--account", "main")
    client = nodes[1].client(aws_access_key_id="AKIAMAIN", aws_secret_access_key="secretsecret")
    eventually(lambda: client.list_buckets()["Buckets"] == [], passing=ClientError)
    command("key", "disable", "AKIAMAIN")

    def is_refused() -> bool:
        try:
            client.list_buckets()
        except ClientError as refused:
            return refused.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        return False

    eventually(is_refused, passing=ClientError)


def test_a_database_that_is_away_is_told_as_503_and_all_goes_on_when_it_is_back(
    nodes: tuple[Daemon, Daemon], clients: tuple[Any, Any], server: Server
):
    from botocore.config import Config

    first, second = clients
    first.put_object(Bucket="photos", Key="before", Body=b"here")
    hasty = nodes[1].client(config=Config(retries={"total_max_attempts": 1}))
    server.halt()
    try:
        for call in (
            lambda: hasty.get_object(Bucket="photos", Key="before"),
            lambda: hasty.head_object(Bucket="photos", Key="before"),
            lambda: hasty.put_object(Bucket="photos", Key="during", Body=b"lost"),
            lambda: hasty.list_objects_v2(Bucket="photos"),
            lambda: hasty.delete_object(Bucket="photos", Key="before"),
        ):
            with pytest.raises(ClientError) as refused:
                call()
            answer = refused.value.response
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503, answer
            assert answer["Error"]["Code"] in RETRIED
            assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"]
        with pytest.raises(HTTPError, match="503"), urlopen(f"{nodes[1].url}/health/ready", timeout=PATIENCE):
            pass
    finally:
        server.start()
    eventually(lambda: body(hasty, "before") == b"here", passing=ClientError)
    eventually(lambda: body(second, "before") == b"here", passing=ClientError)
    eventually(lambda: first.put_object(Bucket="photos", Key="after", Body=b"here"), passing=ClientError)


def test_a_directory_of_a_node_and_one_of_records_are_not_taken_for_each_other(
    nodes: tuple[Daemon, Daemon], server: Server, tmp_path: Path
):
    def said(*words: str) -> str:
        command = [sys.executable, "-m", "gecko_tw.commands", "account", "list", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=PATIENCE)
        assert done.returncode == 1
        return done.stderr

    assert "belongs to a node whose records are in a database" in said(f"--data-dir={nodes[0].data_dir}")
    with Daemon(tmp_path) as single:
        given = (f"--data-dir={single.data_dir}", f"--catalog={server.address()}", "--encryption-key=" + "k" * 32)
        assert "has records of its own (catalog.sqlite)" in said(*given)


def test_what_cannot_be_with_a_database_is_refused_in_one_line(server: Server, tmp_path: Path):
    given = [f"--data-dir={tmp_path}", f"--catalog={server.address()}", "--encryption-key=" + "k" * 32]
    for words, said in (
        (["adopt"], "no files that could be looked through"),
        (["rebuild"], "no files that could be looked through"),
        (["fsck"], "only data directories can be checked"),
        (["serve", "--layout=pool"], "allowed is none when --catalog is a database"),
        (["serve", "--encryption-key="], "the same for all nodes"),
        (["serve", "--catalog=mysql://x"], "the address of a database"),
        (["serve", "--catalog=files", "--blobs=postgresql:"], "allowed is nothing unless --catalog is a database"),
        (["serve", "--catalog=postgresql://geckos3@127.0.0.1:1/x", "--listen=127.0.0.1:0"], "Connection refused"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "gecko_tw.commands", words[0], *given, *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=PATIENCE,
        )
        assert done.returncode != 0
        lines = [
            line
            for line in done.stderr.splitlines()
            if "warn" not in line and "info" not in line and "stopping" not in line
        ]
        assert said in lines[0], (words, done.stderr)
        assert "Traceback" not in done.stderr
