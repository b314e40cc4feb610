"""Backups in a bucket of any S3, by boto3: its credentials, region, endpoint and retries are those of every AWS tool."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gecko_tw.store.backup.targets import BackupError

_PART = 64 * 1024 * 1024
"""Bytes of a part of a large file: 10,000 parts make 640 GB."""

_IN_MEMORY = 1024 * 1024
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class _S3Sink:
    """A file that becomes an object: at once, or in parts when it is large."""

    def __init__(self, target: "S3Target", key: str) -> None:
        self._target, self._place = target, {"Bucket": target.bucket, "Key": key}
        self._waiting = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by commit or abort
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes | memoryview) -> None:
        try:
            self._waiting.write(data)
        except OSError as problem:
            raise BackupError(f"{tempfile.gettempdir()}: {problem.strerror}") from problem
        if self._waiting.tell() >= _PART:
            self._send()

    def _send(self) -> None:
        client = self._target.client
        with self._target.blaming():
            if self._upload is None:
                self._upload = client.create_multipart_upload(**self._place)["UploadId"]
            number = len(self._parts) + 1
            self._waiting.seek(0)
            sent = client.upload_part(**self._place, UploadId=self._upload, PartNumber=number, Body=self._waiting)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._waiting.close()
        self._waiting = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115

    def commit(self) -> None:
        client = self._target.client
        if self._upload is None:
            self._waiting.seek(0)
            with self._target.blaming():
                client.put_object(**self._place, Body=self._waiting)
        else:
            self._send()
            with self._target.blaming():
                parts = {"Parts": self._parts}
                client.complete_multipart_upload(**self._place, UploadId=self._upload, MultipartUpload=parts)
            self._upload = None
        self._waiting.close()

    def abort(self) -> None:
        self._waiting.close()
        upload, self._upload = self._upload, None
        if upload is not None:
            with self._target.blaming():
                self._target.client.abort_multipart_upload(**self._place, UploadId=upload)


class _S3Source:
    """An object, read by one request as long as it is read in order."""

    def __init__(self, target: "S3Target", key: str, size: int) -> None:
        self._target, self._key, self.size = target, key, size
        self._body: Any = None
        self._at = -1

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        with self._target.blaming():
            if offset != self._at:
                self.close()
                place = {"Bucket": self._target.bucket, "Key": self._key}
                self._body = self._target.client.get_object(**place, Range=f"bytes={offset}-")["Body"]
                self._at = offset
            data: bytes = self._body.read(length)
        self._at += len(data)
        return data

    def close(self) -> None:
        body, self._body, self._at = self._body, None, -1
        if body is not None:
            body.close()


class S3Target:
    """See Target.

    :param url: ``s3://bucket/prefix``.
    :param endpoint: of an S3 other than AWS's; empty for what boto3 finds in its environment or files.
    :raises BackupError: there are no credentials, or it is no such URL.
    """

    def __init__(self, url: str, endpoint: str = "") -> None:
        parts = urlsplit(url)
        self.name, self.bucket = url, parts.netloc
        if not self.bucket:
            raise BackupError(f"{url}: names no bucket")
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._sizes: dict[str, int] | None = None
        with self.blaming():
            config = Config(retries={"mode": "standard"}, max_pool_connections=16)
            self.client: Any = boto3.session.Session().client("s3", endpoint_url=endpoint or None, config=config)

    @contextmanager
    def blaming(self) -> Iterator[None]:
        """A context whose errors become BackupErrors that name the target."""
        try:
            yield
        except ClientError as problem:
            error = problem.response.get("Error", {})
            raise BackupError(f"{self.name}: {error.get('Code')}: {error.get('Message', '')}") from problem
        except (BotoCoreError, ValueError, OSError) as problem:
            raise BackupError(f"{self.name}: {' '.join(str(problem).split())}") from problem

    def begin(self) -> None:
        """Nobody else is kept out: an S3 has no locks."""
        with self.blaming():
            self.client.head_bucket(Bucket=self.bucket)

    def _pages(self, under: str, **more: str) -> Iterator[dict[str, Any]]:
        with self.blaming():
            pages = self.client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=under, **more)

    def listed(self, under: str) -> list[str]:
        place = self._prefix + (f"{under}/" if under else "")
        names: set[str] = set()
        for page in self._pages(place, Delimiter="/"):
            names.update(one["Key"][len(place) :] for one in page.get("Contents", ()))
            names.update(one["Prefix"][len(place) : -1] for one in page.get("CommonPrefixes", ()))
        return sorted(names - {""})

    def size(self, name: str) -> int | None:
        return self._ask(lambda: self.client.head_object(Bucket=self.bucket, Key=self._prefix + name)["ContentLength"])

    def _ask(self, ask: Callable[[], int]) -> int | None:
        with self.blaming():
            try:
                return ask()
            except ClientError as problem:
                if problem.response.get("Error", {}).get("Code") in _MISSING:
                    return None
                raise

    def holds(self, name: str, size: int) -> bool:
        """By a listing of the same directory, when it is asked first: a request for each version would take hours."""
        directory = name.split("/", 1)[0]
        if self._sizes is None:
            place = f"{self._prefix}{directory}/"
            found = (one for page in self._pages(place) for one in page.get("Contents", ()))
            self._sizes = {one["Key"][len(self._prefix) :]: one["Size"] for one in found}
        return self._sizes.get(name) == size

    def create(self, name: str) -> _S3Sink:
        return _S3Sink(self, self._prefix + name)

    def clone(self, name: str, descriptor: int, unchanging: bool) -> bool:
        return False

    def open(self, name: str) -> _S3Source | None:
        size = self.size(name)
        return None if size is None else _S3Source(self, self._prefix + name, size)

    def remove(self, name: str) -> None:
        with self.blaming():
            self.client.delete_object(Bucket=self.bucket, Key=self._prefix + name)

    def sync(self) -> None:
        """What an S3 has acknowledged lasts."""

    def close(self) -> None:
        """Connections are boto3's."""
