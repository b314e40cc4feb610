"""Bytes of large blobs as objects of a bucket that another S3 keeps: their rows are in the catalog.

The client is botocore, in threads: what waits here are requests to that S3, and its time is not ours.
"""

import base64
import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from zope.interface import implementer

from gecko_tw.store.drivers.ahead import Ahead, AheadReader
from gecko_tw.store.drivers.interfaces import BlobGone
from gecko_tw.store.drivers.postgresql.blob_rows import BlobRows
from gecko_tw.store.drivers.postgresql.blobs import IBytes
from gecko_tw.store.drivers.postgresql.files import MARK
from gecko_tw.store.drivers.postgresql.outage import Outage
from gecko_tw.store.drivers.postgresql.places import Target
from gecko_tw.store.refusals import InsufficientStorage, Refusal

PART = 8 * 1024 * 1024
"""Bytes of a part: what is larger is a multipart upload. An upload holds one, and those that are being sent."""

_IN_FLIGHT = 2
_THREADS = 8
_AT_ONCE = 1000
"""DeleteObjects takes so many keys (S3 API Reference, DeleteObjects)."""

_GONE = ("NoSuchKey", "InvalidRange", "404")
_FULL = ("InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge")
_MARK_TEXT = b"Bytes of GeckoS3's objects. Nothing below this prefix may be changed by others.\n"

_ONE_BY_ONE = Lock()
"""A session makes no two clients at once."""

T = TypeVar("T")


# Any: clients of botocore are made when it runs.
def client_of(target: Target) -> Any:
    """A client that is safe in any thread."""
    host_has_bucket = target.endpoint.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "virtual" if host_has_bucket else "path"},
        retries={"mode": "standard", "total_max_attempts": 2},
        connect_timeout=3,
        read_timeout=20,
        tcp_keepalive=True,
        max_pool_connections=64,
        # Bodies carry Content-MD5, which every S3 knows.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _ONE_BY_ONE:
        return _session().create_client(
            "s3",
            region_name=target.region,
            endpoint_url=target.endpoint,
            aws_access_key_id=target.access_key,
            aws_secret_access_key=target.secret_key,
            config=config,
        )


# Any: as above.
@cache
def _session() -> Any:
    """What has read the description of S3, which takes a while."""
    return botocore.session.Session()


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


class ObjectWriter:
    """The bytes of one blob on their way in: one request when they are few, else a multipart upload."""

    def __init__(self, objects: "S3Objects", blob: str) -> None:
        self._objects, self._blob = objects, blob
        self._buffer = bytearray()
        self._size = 0
        self._upload = ""
        self._etags: list[str] = []
        self._sent: deque[Future[str]] = deque()
        objects.rows.begin(blob)

    def write(self, data: bytes | memoryview) -> None:
        """Appends. Raises InsufficientStorage, ServiceUnavailable."""
        self._buffer += data
        self._size += len(data)
        while len(self._buffer) > PART:
            self._send(bytes(self._buffer[:PART]))
            del self._buffer[:PART]

    def _send(self, data: bytes) -> None:
        if not self._upload:
            self._upload = self._objects.ask("create_multipart_upload", self._blob)["UploadId"]
        while len(self._sent) >= _IN_FLIGHT:
            self._etags.append(self._sent.popleft().result())
        number = len(self._etags) + len(self._sent) + 1
        self._sent.append(self._objects.threads.submit(self._send_part, number, data))

    def _send_part(self, number: int, data: bytes) -> str:
        more = {"UploadId": self._upload, "PartNumber": number, "Body": data, "ContentMD5": _md5(data)}
        return str(self._objects.ask("upload_part", self._blob, **more)["ETag"])

    def commit(self) -> None:
        """What that S3 has acknowledged is durable."""
        data, self._buffer = bytes(self._buffer), bytearray()
        if not self._upload:
            self._objects.ask("put_object", self._blob, Body=data, ContentMD5=_md5(data))
        else:
            self._send(data)
            while self._sent:
                self._etags.append(self._sent.popleft().result())
            parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(self._etags, 1)]
            self._objects.ask(
                "complete_multipart_upload", self._blob, UploadId=self._upload, MultipartUpload={"Parts": parts}
            )
            self._upload = ""
        self._objects.rows.sized(self._blob, self._size)

    def close(self) -> None:
        """Ends an upload that was begun. Harmless when repeated."""
        self._buffer = bytearray()
        while self._sent:
            with suppress(Refusal):
                self._sent.popleft().result()
        upload, self._upload = self._upload, ""
        if upload:
            with suppress(Refusal):  # whoever sweeps the blob ends it
                self._objects.ask("abort_multipart_upload", self._blob, UploadId=upload)


@implementer(IBytes)
class S3Objects:
    """See IBytes.

    :ivar rows: of the blobs.
    :ivar threads: in which parts are sent.
    """

    def __init__(self, rows: BlobRows, target: Target) -> None:
        self.rows, self._target = rows, target
        self._client = client_of(target)
        self.threads = ThreadPoolExecutor(_THREADS, "geckos3-parts")
        self._ahead = Ahead()
        self.outage = Outage(target.place)

    # Any: answers of botocore are dicts of what the S3 has said.
    def ask(self, action: str, blob: str = "", **more: Any) -> Any:
        """One request, about a blob where one is named. Raises BlobGone, InsufficientStorage, ServiceUnavailable."""
        key = {"Key": self._key(blob)} if blob else {}
        return self._answer(lambda: getattr(self._client, action)(Bucket=self._target.bucket, **key, **more), blob)

    def _answer(self, call: Callable[[], T], blob: str = "") -> T:
        self.outage.admit()
        try:
            found = call()
        except ClientError as problem:
            error, status = problem.response["Error"], problem.response["ResponseMetadata"].get("HTTPStatusCode")
            if blob and error.get("Code") in _GONE:
                raise BlobGone(blob) from problem
            if status == 507 or error.get("Code") in _FULL:
                raise InsufficientStorage from problem
            why = f"{error.get('Code')}: {error.get('Message')} ({problem.operation_name})"
            raise self.outage.begun(why, unreachable=False) from problem
        except BotoCoreError as problem:
            why = " ".join(str(problem).split())
            raise self.outage.begun(why, isinstance(problem, HTTPClientError)) from problem
        self.outage.over()
        return found

    def _key(self, blob: str) -> str:
        """The key of a blob. Names begin with the time: their ends spread them over the partitions of a store that splits by prefix."""
        return f"{self._target.prefix}{blob[-2:]}/{blob}" if blob != MARK else self._target.prefix + MARK

    def check(self) -> None:
        """Whether it is the right bucket, and may be written to. Raises ValueError with a line for the user, ServiceUnavailable."""
        try:
            self._read_mark()
        except BlobGone:
            found = self.ask("list_objects_v2", Prefix=self._target.prefix, MaxKeys=1)
            if found.get("Contents") or self.rows.any:
                raise ValueError(
                    f"--blobs: {self._target.place} has no object {self._key(MARK)!r}, so it is not where this deployment keeps its bytes"
                ) from None
        self.ask("put_object", MARK, Body=_MARK_TEXT, ContentMD5=_md5(_MARK_TEXT))

    def _read_mark(self) -> None:
        """Raises BlobGone, ServiceUnavailable. A HEAD would not be told why it is refused."""
        self.ask("get_object", MARK)["Body"].close()

    @property
    def away(self) -> str:
        """Why it cannot be used, as a question of now tells; empty while it can."""
        if self.outage.text:
            with suppress(Refusal, BlobGone):
                self._read_mark()
        return self.outage.text

    def begin(self, blob: str) -> ObjectWriter:
        return ObjectWriter(self, blob)

    def open(self, blob: str) -> AheadReader:
        return AheadReader(lambda offset, length: self._fetch(blob, offset, length), self.rows.size(blob), self._ahead)

    def _fetch(self, blob: str, offset: int, length: int) -> bytes:
        def whole() -> bytes:
            found = self._client.get_object(
                Bucket=self._target.bucket, Key=self._key(blob), Range=f"bytes={offset}-{offset + length - 1}"
            )
            with found["Body"] as body:
                return bytes(body.read())

        data = self._answer(whole, blob)
        if len(data) != length:  # somebody has replaced it
            raise BlobGone(blob)
        return data

    def erase(self, blobs: list[str]) -> None:
        for blob, size in self.rows.sizes(blobs).items():
            if not size:
                self._end_uploads(blob)
        for begin in range(0, len(blobs), _AT_ONCE):
            keys = [{"Key": self._key(blob)} for blob in blobs[begin : begin + _AT_ONCE]]
            failed = self.ask("delete_objects", Delete={"Objects": keys, "Quiet": True}).get("Errors")
            if failed:
                why = f"{failed[0].get('Code')}: {failed[0].get('Message')} (DeleteObjects)"
                raise self.outage.begun(why, unreachable=False)
        self.rows.erase(blobs)

    def _end_uploads(self, blob: str) -> None:
        """Those that a writer has left behind."""
        for upload in self.ask("list_multipart_uploads", Prefix=self._key(blob)).get("Uploads", ()):
            with suppress(BlobGone):
                self.ask("abort_multipart_upload", blob, UploadId=upload["UploadId"])

    def close(self) -> None:
        """Harmless when repeated."""
        self.threads.shutdown(cancel_futures=True)
        self._ahead.close()
        self._client.close()
