"""ByteBucket's administration of a daemon with several processes, by the lines of its README."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.test_admin_api import host
from tests.patience import PATIENCE

S3_LINES = """\
# Create a bucket
curl -X PUT http://localhost:9000/my-bucket \\
--aws-sigv4 "aws:amz:us-east-1:s3" --user "$AK:$SK"
# Upload an object
curl -X PUT http://localhost:9000/my-bucket/hello.txt \\
--aws-sigv4 "aws:amz:us-east-1:s3" --user "$AK:$SK" \\
--data-binary 'hello'
# Download it back
curl http://localhost:9000/my-bucket/hello.txt \\
--aws-sigv4 "aws:amz:us-east-1:s3" --user "$AK:$SK"
"""
ADMIN_LINES = """\
# Create a bucket
curl -X PUT http://localhost:9001/api/s3/my-bucket \\
-H "X-Admin-AccessKey: $ADMIN_AK" -H "X-Admin-Secret: $ADMIN_SK"
# Upload an object
curl -X PUT http://localhost:9001/api/s3/my-bucket/hello.txt \\
-H "X-Admin-AccessKey: $ADMIN_AK" -H "X-Admin-Secret: $ADMIN_SK" \\
--data-binary 'hello'
# Create a user with full access
curl -X POST http://localhost:9001/api/users \\
-H "X-Admin-AccessKey: $ADMIN_AK" -H "X-Admin-Secret: $ADMIN_SK" \\
-H "Content-Type: application/json" \\
-d '{"acl":[{"effect":"Allow","buckets":["*"],"actions":["*"]}]}'
"""
CORS = """\
{
"CORSRules": [
{
"AllowedMethods": ["GET", "PUT"],
"AllowedOrigins": ["https://app.example.com"],
"AllowedHeaders": ["*"],
"ExposeHeaders": ["ETag"],
"MaxAgeSeconds": 600
}
]
}
"""
READER = {"acl": [{"effect": "Allow", "buckets": ["reports"], "actions": ["s3:GetObject", "s3:ListBucket"]}]}
WRITER = {"acl": [{"effect": "Allow", "buckets": ["reports"], "actions": ["s3:PutObject"]}]}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("bytebucket"), "--workers=2", "--admin-listen=127.0.0.1:0") as daemon:
        yield daemon


def run(daemon: Daemon, lines: str) -> str:
    """What lines of the README print."""
    lines = lines.replace("localhost:9000", daemon.url.partition("://")[2]).replace("localhost:9001", host(daemon))
    # A curl of before 8.3 leaves out what both ByteBucket and AWS demand.
    lines = lines.replace("--aws-sigv4", '-H "x-amz-content-sha256: UNSIGNED-PAYLOAD" --aws-sigv4')
    lines = lines.replace("curl", "curl --silent --fail")
    env = {**os.environ, **dict.fromkeys(("AK", "ADMIN_AK"), daemon.access_key)}
    env |= dict.fromkeys(("SK", "ADMIN_SK"), daemon.secret_key)
    command = ["bash", "-e", "-c", lines]
    return subprocess.run(command, env=env, capture_output=True, timeout=PATIENCE, check=True, text=True).stdout


def ask(daemon: Daemon, method: str, path: str, body: Any = None) -> Any:
    """The same as any line of it, for a path."""
    data = "" if body is None else f" -d '{body if isinstance(body, str) else json.dumps(body)}'"
    pair = '-H "X-Admin-AccessKey: $ADMIN_AK" -H "X-Admin-Secret: $ADMIN_SK"'
    told = run(daemon, f"curl -X {method} 'http://localhost:9001{path}' {pair}{data}")
    return json.loads(told) if told else None


def client_of(daemon: Daemon, made: dict[str, str]) -> Any:
    return daemon.client(aws_access_key_id=made["accessKeyID"], aws_secret_access_key=made["secretAccessKey"])


def test_the_lines_of_the_readme_for_s3(daemon: Daemon) -> None:
    assert run(daemon, S3_LINES).endswith("hello")


def test_the_lines_of_the_readme_for_the_admin_port(daemon: Daemon) -> None:
    told = run(daemon, ADMIN_LINES)
    made = json.loads(told[told.index('{"accessKeyID"') :])
    s3 = client_of(daemon, made)
    assert s3.get_object(Bucket="my-bucket", Key="hello.txt")["Body"].read() == b"hello"
    assert "my-bucket" in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert ask(daemon, "PUT", "/api/s3/my-bucket?cors", CORS) is None
    assert ask(daemon, "GET", "/api/s3/my-bucket?cors") == json.loads(CORS)
    assert s3.get_bucket_cors(Bucket="my-bucket")["CORSRules"] == json.loads(CORS)["CORSRules"]
    tags = {"tagSet": [{"key": "env", "value": "prod"}]}
    assert ask(daemon, "PUT", "/api/s3/my-bucket/hello.txt?tagging", tags) is None
    assert ask(daemon, "GET", "/api/s3/my-bucket/hello.txt?tagging") == tags


def test_users_of_the_readmes_examples_may_do_what_it_says(daemon: Daemon) -> None:
    ask(daemon, "PUT", "/api/s3/reports")
    reader, writer = (ask(daemon, "POST", "/api/users", acl) for acl in (READER, WRITER))
    reads, writes = client_of(daemon, reader), client_of(daemon, writer)
    writes.put_object(Bucket="reports", Key="k", Body=b"numbers")
    assert reads.get_object(Bucket="reports", Key="k")["Body"].read() == b"numbers"
    assert [one["Key"] for one in reads.list_objects_v2(Bucket="reports")["Contents"]] == ["k"]
    for refused in (
        lambda: reads.put_object(Bucket="reports", Key="k", Body=b""),
        lambda: writes.get_object(Bucket="reports", Key="k"),
        lambda: reads.delete_object(Bucket="reports", Key="k"),
        lambda: reads.list_objects_v2(Bucket="my-bucket"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()
    ask(daemon, "DELETE", f"/api/users/{writer['accessKeyID']}")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        writes.put_object(Bucket="reports", Key="k", Body=b"")
