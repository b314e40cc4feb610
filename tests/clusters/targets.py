"""Another S3 for drivers under test: a daemon of ours, started once in a session, with a prefix for each folder."""

import atexit
from functools import cache
from pathlib import Path
from typing import Any

from gecko_tw.settings.targets import S3Target
from gecko_tw.testing.server import Server

BUCKET = "bytes"


@cache
def target_server() -> Server:
    """The one of this session."""
    server = Server()
    server.start()
    atexit.register(server.stop)
    make_bucket(server)
    return server


def client(server: Server, **more: Any) -> Any:
    """A client of boto3."""
    import boto3

    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    return boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", **(keys | more))


def make_bucket(server: Server) -> None:
    """The bucket that is to take the bytes."""
    client(server).create_bucket(Bucket=BUCKET)


def target_at(server: Server, prefix: str = "", **more: str) -> S3Target:
    """An ``--s3-target`` named ``far``."""
    values = {"bucket": BUCKET, "access_key": server.access_key, "secret_key": server.secret_key} | more
    return S3Target(name="far", endpoint=server.url, prefix=prefix, **values)


def target_of_folder(folder: Path) -> S3Target:
    """That of a folder: the same one for the same folder."""
    return target_at(target_server(), f"{folder.parent.name}-{folder.name}/")
