"""The client: what is asked for most, in a line each."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer

from gecko_tw.client.downloads import Body
from gecko_tw.client.multipart import Plan, Upload
from gecko_tw.client.operations import Operations
from gecko_tw.client.pausing import deferred, leaving
from gecko_tw.client.sources import Sendable

HOUR = 3600


class S3:
    """A client for one server; made by :func:`~gecko_tw.client.connect`.

    Whatever waits is a Deferred: it can be awaited in coroutines, gathered, and cancelled. Further parameters of every method are those of
    the operation, named as in boto3: of type Any, as are the answers.

    :param operations: S3's.
    :ivar api: every operation that S3 has, e.g. ``s3.api.put_object_tagging(Bucket=…, …)``.
    """

    def __init__(self, operations: Operations) -> None:
        self.api = operations

    @deferred
    async def create_bucket(self, bucket: str, **more: Any) -> dict[str, Any]:
        """CreateBucket."""
        return await self.api.call("CreateBucket", Bucket=bucket, **more)

    @deferred
    async def put(self, bucket: str, key: str, body: Sendable = b"", **more: Any) -> dict[str, Any]:
        """PutObject: a whole object in one request. Nothing of a file or a producer is held in memory.

        :param body: bytes, a pathlib.Path, a seekable binary file from where it stands, or an IBodyProducer of known length.
        :param more: e.g. ``ContentType="image/jpeg"``, ``Metadata={"camera": "M3"}``, ``IfNoneMatch="*"``.
        """
        return await self.api.call("PutObject", Bucket=bucket, Key=key, Body=body, **more)

    @deferred
    async def get(self, bucket: str, key: str, **more: Any) -> bytes:
        """GetObject: the bytes of an object, held against the checksum that it was stored with.

        :param more: e.g. ``Range="bytes=0-99"``, ``VersionId=…``, ``IfNoneMatch=…``.
        """
        answer = await self.api.call("GetObject", Bucket=bucket, Key=key, **more)
        body: Body = answer["Body"]
        return await body.read()

    @deferred
    async def get_to(self, bucket: str, key: str, to: Path | BinaryIO | IConsumer, **more: Any) -> dict[str, Any]:
        """GetObject, to a file or an IConsumer, without holding it in memory. A Path has the whole object or is as it was before.

        :param to: a path, a file that is open for writing, or an IConsumer, which may pause what comes.
        :returns: the answer without its body: ``ContentLength``, ``ETag``, ``Metadata`` and so on.
        """
        answer = await self.api.call("GetObject", Bucket=bucket, Key=key, **more)
        body: Body = answer.pop("Body")
        try:
            if isinstance(to, Path):
                await self._to_path(body, to)
            elif IConsumer.providedBy(to):
                await body.to_consumer(to)
            else:
                await body.to_file(to, self.api.pool)
        except BaseException:
            body.close()
            raise
        return answer

    @deferred
    async def delete(self, bucket: str, key: str, **more: Any) -> dict[str, Any]:
        """DeleteObject; it succeeds when there is no such object, too."""
        return await self.api.call("DeleteObject", Bucket=bucket, Key=key, **more)

    async def list(self, bucket: str, prefix: str = "", **more: Any) -> AsyncIterator[dict[str, Any]]:
        """The objects of a bucket in the order of their keys, by ``async for``: dicts with ``Key``, ``Size``, ``ETag``, ``LastModified``.

        :param prefix: what their keys begin with.
        :param more: of ListObjectsV2, e.g. ``StartAfter=…``. With ``Delimiter`` use ``pages``, which has the common prefixes, too.
        """
        async for page in self.api.pages("ListObjectsV2", Bucket=bucket, Prefix=prefix, **more):
            for one in page.get("Contents", ()):
                yield one

    def pages(self, operation: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """The answers to any listing, page by page: ``async for page in s3.pages("ListObjectVersions", Bucket=…)``."""
        return self.api.pages(operation, **parameters)

    def multipart_upload(
        self, bucket: str, key: str, body: Sendable, plan: Plan | None = None, **more: Any
    ) -> Deferred[dict[str, Any]]:
        """An object in parts, several of them on their way at once. What stopped goes on with ``Plan(resume=…)``.

        :param body: as of ``put``; a producer's length need not be known, and then parts are held in memory while they are sent.
        :param plan: the size of parts, how many at once, and what to go on with.
        :param more: of CreateMultipartUpload, e.g. ``ContentType=…``.
        :returns: of CompleteMultipartUpload.
        :raises UploadInterrupted: it stopped; the parts that arrived are kept.
        """
        return Upload(self.api, bucket, key, plan or Plan(), more).run(body)

    def presign(
        self, operation: str, bucket: str, key: str, seconds: int = HOUR, *, method: str | None = None, **more: Any
    ) -> Deferred[str]:
        """A URL with which anybody may ask for an operation, without a key, as long as it is good.

        :param operation: e.g. ``"GetObject"``, ``"PutObject"``.
        :param seconds: at most seven days.
        :param method: another HTTP method than the operation's own.
        """
        return self.api.presign(operation, seconds, method, {"Bucket": bucket, "Key": key, **more})

    def close(self) -> Deferred[None]:
        """Closes idle connections and ends threads. What is under way is to be finished or cancelled before."""
        return self.api.close()

    async def _to_path(self, body: Body, path: Path) -> None:
        run = self.api.pool.run
        file, beside = await leaving(run(_beside, path), _undo)
        try:
            try:
                await body.to_file(file, self.api.pool)
                await run(os.fsync, file.fileno())  # or a power cut could leave neither this one nor the one before
            finally:
                await run(file.close)
            await run(os.replace, beside, path)
        except BaseException:
            await run(beside.unlink, True)
            raise


def _beside(path: Path) -> tuple[BinaryIO, Path]:
    """A new file in the same folder. Blocks."""
    beside = path.with_name(f".{path.name[:50]}.{token_hex(8)}")  # 255 bytes at most, in any script
    return beside.open("xb", buffering=0), beside


def _undo(made: tuple[BinaryIO, Path]) -> None:
    """Takes back what nobody wants any more."""
    file, beside = made
    file.close()
    beside.unlink()
