"""boto3 through proxies that rewrite what was signed."""

import io
import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.reverse_proxy import Head, ReverseProxy

PATH_STYLE = Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 1})
BODY = b"cat" * 100_000


def signing_encoding(request, **_: object) -> None:  # type: ignore[no-untyped-def]
    """Some SDKs sign this header; boto3 does when it is there."""
    request.headers["Accept-Encoding"] = "identity"


def exercise(client) -> None:  # type: ignore[no-untyped-def]
    """Every way of signing that boto3 has."""
    client.meta.events.register("before-sign.s3", signing_encoding)
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos", Key="a b/ü+c", Body=BODY, Metadata={"name": "cat"})
    assert client.get_object(Bucket="photos", Key="a b/ü+c")["Body"].read() == BODY
    client.upload_fileobj(io.BytesIO(BODY), "photos", "upload")
    assert [one["Key"] for one in client.list_objects_v2(Bucket="photos")["Contents"]] == ["a b/ü+c", "upload"]
    assert [one["Name"] for one in client.list_buckets()["Buckets"]] == ["photos"]
    for method in ("put_object", "get_object"):
        url = client.generate_presigned_url(method, Params={"Bucket": "photos", "Key": "signed"})
        verb = {"put_object": "PUT", "get_object": "GET"}[method]
        with urlopen(Request(url, method=verb, data=b"by URL" if verb == "PUT" else None)) as answer:
            assert answer.status == 200
            assert verb == "PUT" or answer.read() == b"by URL"
    client.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": key} for key in ("a b/ü+c", "upload")]})


def test_a_proxy_may_rewrite_host_and_encoding_when_it_tells_the_host(tmp_path: Path) -> None:
    def rewrite(target: bytes, headers: dict[bytes, bytes]) -> Head:
        told = {b"x-forwarded-host": headers[b"host"], b"x-forwarded-for": b"spoofed, 203.0.113.9"}
        return target, headers | told | {b"host": b"backend:9000", b"accept-encoding": b"gzip, br"}

    with Daemon(tmp_path, "--trusted-proxies=1") as daemon, ReverseProxy(daemon.port, rewrite) as proxy:
        exercise(daemon.client(endpoint_url=proxy.url, config=PATH_STYLE))
        asked = [json.loads(line) for line in daemon.request_lines if "/health" not in line]
        assert {line["client_ip"] for line in asked} == {"203.0.113.9"}


def hidden(target: bytes, headers: dict[bytes, bytes]) -> Head:
    """Nobody is told by which name the client knows the server."""
    return target, headers | {b"host": b"172.17.0.2:9000"}


def test_a_name_that_nobody_tells_may_be_listed(tmp_path: Path) -> None:
    with ReverseProxy(0, hidden) as proxy:
        aliases = [f"--host-alias={name}" for name in ("minio:9000", proxy.url.removeprefix("http://"))]
        with Daemon(tmp_path, *aliases) as daemon:
            proxy.port = daemon.port
            exercise(daemon.client(endpoint_url=proxy.url, config=PATH_STYLE))


def test_a_name_that_nobody_knows_is_explained_to_the_client_and_in_the_log(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--host-alias=minio:9000") as daemon, ReverseProxy(daemon.port, hidden) as proxy:
        with pytest.raises(ClientError) as refused:
            daemon.client(endpoint_url=proxy.url, config=PATH_STYLE).create_bucket(Bucket="photos")
        error = refused.value.response["Error"]
        assert error["Code"] == "SignatureDoesNotMatch"
        assert error["HostsTried"] == "172.17.0.2:9000, minio:9000"
        assert "hosts tried: 172.17.0.2:9000, minio:9000" in daemon.log
        assert error["SignatureProvided"] not in daemon.log


@pytest.mark.parametrize("strips", [True, False])
def test_a_prefix_may_be_stripped_or_not(tmp_path: Path, strips: bool) -> None:
    def rewrite(target: bytes, headers: dict[bytes, bytes]) -> Head:
        assert target.startswith(b"/store/s3")
        return (target.removeprefix(b"/store/s3") or b"/") if strips else target, headers

    with Daemon(tmp_path, "--path-prefix=/store/s3") as daemon, ReverseProxy(daemon.port, rewrite) as proxy:
        exercise(daemon.client(endpoint_url=proxy.url + "/store/s3", config=PATH_STYLE))
