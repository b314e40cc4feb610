"""Where a test works: a running daemon, a boto3 client for it, and buckets that nobody else uses."""

from functools import cached_property
from itertools import count
from typing import Any

import pytest
from attrs import define
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon

_numbers = count(1)

everywhere = pytest.mark.parametrize("place", ["plain", "secure", "sidecar", "durable"], indirect=True)
"""For a few tests: how attributes are kept, and how durable they are, is a matter of tests/contract."""


@define(slots=False)
class Place:
    """A daemon that several tests share. Each test makes buckets of its own in it."""

    daemon: Daemon

    @cached_property
    def s3(self) -> Any:
        """A boto3 client with boto3's own defaults."""
        return self.daemon.client()

    @cached_property
    def signer(self) -> Any:
        """A boto3 client that signs URLs and forms by version 4 of the signature, as it does by itself but in us-east-1."""
        return self.daemon.client(config=Config(signature_version="s3v4"))

    def new_name(self) -> str:
        """A bucket name that was not given before."""
        return f"bucket-{next(_numbers)}"

    def new_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = self.new_name()
        self.s3.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, body: bytes = b"", **more: object) -> dict[str, Any]:
        """PutObject."""
        return self.s3.put_object(Bucket=bucket, Key=key, Body=body, **more)

    def get(self, bucket: str, key: str, **more: object) -> bytes:
        """The bytes that GetObject answers."""
        return self.s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()

    def keys(self, bucket: str, **more: object) -> list[str]:
        """Every key of a bucket, over all pages, in the order of the listing."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **more)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def refusal(call: Any, *arguments: object, **named: object) -> tuple[str, int]:
    """S3's code and the status number with which a call is refused; the call must not succeed."""
    try:
        done = call(*arguments, **named)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError(f"not refused: {done}")
