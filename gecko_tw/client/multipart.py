"""An object in parts: sent several at a time, and gone on with where it stopped.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge
from twisted.internet.defer import Deferred, DeferredSemaphore, FirstError, gatherResults
from twisted.web.iweb import IBodyProducer

from gecko_tw.client.cutting import Cutting
from gecko_tw.client.errors import ConnectionCut, S3Error, UploadInterrupted, WrongEndpoint
from gecko_tw.client.pausing import deferred, leaving
from gecko_tw.client.sources import Memory, Part, Sendable, Source, digests

if TYPE_CHECKING:
    from gecko_tw.client.operations import Operations

MIB = 1 << 20
MOST_PARTS = 10_000
"""S3's limit."""


@frozen(kw_only=True)
class Plan:
    """How an object is sent in parts.

    :ivar part_size: bytes, at least 5 MiB but for the last part; larger ones are taken where 10,000 of these are not enough.
    :ivar parallel: so many parts are on their way at once.
    :ivar resume: the id of an upload that stopped, or True for the newest one of this key, if there is one. Parts that it has and that
        are as they are here are not sent again.
    """

    part_size: int = field(default=8 * MIB, validator=ge(1))
    parallel: int = field(default=4, validator=ge(1))
    resume: str | bool = False


class Upload:
    """One object on its way.

    :param operations: S3's.
    :param more: parameters of CreateMultipartUpload, UploadPart and CompleteMultipartUpload: each gets those that it has. They are of
        type Any, as are the answers.
    """

    def __init__(self, operations: "Operations", bucket: str, key: str, plan: Plan, more: dict[str, Any]) -> None:
        self._api, self._plan = operations, plan
        self._bucket, self._key = bucket, key
        self._more = {
            name: value for name, value in ({"ChecksumAlgorithm": "CRC32"} | more).items() if value is not None
        }
        self._upload_id = ""
        self._there: dict[int, dict[str, Any]] = {}
        self._parts: dict[int, dict[str, Any]] = {}

    @deferred
    async def run(self, body: Sendable) -> dict[str, Any]:
        """Sends everything that is not there yet, and completes the object."""
        producer = body if IBodyProducer.providedBy(body) else None
        whole = await self._api.opened(b"" if producer is not None else body)
        try:
            await self._begin()
            try:
                await (self._send(whole) if producer is None else self._produced(producer))
                return await self._complete()
            except (S3Error, OSError, ValueError) as found:
                raise UploadInterrupted(self._upload_id, found) from found
        finally:
            if isinstance(body, Path):
                whole.close()

    async def _begin(self) -> None:
        resume = self._plan.resume
        self._upload_id = await self._newest() if resume is True else resume or ""
        if not self._upload_id:
            known = self._api.parameters("CreateMultipartUpload") | (
                self._more.keys() - self._api.parameters("UploadPart") - self._api.parameters("CompleteMultipartUpload")
            )  # what nobody knows is refused with the first request
            create = {name: value for name, value in self._more.items() if name in known}
            answer = await self._api.call("CreateMultipartUpload", Bucket=self._bucket, Key=self._key, **create)
            self._upload_id = _told(answer, "UploadId")
            return
        async for page in self._api.pages("ListParts", **self._of_upload("ListParts")):
            self._there |= {_told(part, "PartNumber"): part for part in page.get("Parts", ())}

    async def _newest(self) -> str:
        """The id of the newest unfinished upload of this key; "" for none."""
        found = [
            (_told(upload, "Initiated"), _told(upload, "UploadId"))
            async for page in self._api.pages("ListMultipartUploads", Bucket=self._bucket, Prefix=self._key)
            for upload in page.get("Uploads", ())
            if _told(upload, "Key") == self._key
        ]
        return max(found)[1] if found else ""

    async def _send(self, whole: Source) -> None:
        size = max(self._plan.part_size, -(-whole.length // MOST_PARTS))
        turns = DeferredSemaphore(self._plan.parallel)
        sending = [
            turns.run(self._part, number, Part(whole, offset, min(size, whole.length - offset)))
            for number, offset in enumerate(range(0, max(1, whole.length), size), 1)
        ]
        try:
            await gatherResults(sending, consumeErrors=True)
        except FirstError as first:
            for one in sending:
                one.cancel()
            first.subFailure.raiseException()

    async def _produced(self, producer: IBodyProducer) -> None:
        def send(number: int, part: bytes) -> Deferred[None]:
            return self._part(number, Memory(part))

        await Cutting(producer, self._plan.part_size, self._plan.parallel, send).run()

    @deferred
    async def _part(self, number: int, part: Source) -> None:
        answer = await self._found(number, part)
        if answer is None:
            body = {"PartNumber": number, "Body": part}
            answer = await self._api.call("UploadPart", **self._of_upload("UploadPart"), **body)
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        self._parts[number] = {"PartNumber": number, "ETag": _told(answer, "ETag"), **checksums}

    async def _found(self, number: int, part: Source) -> dict[str, Any] | None:
        """A part that the server has, if it is as it is here."""
        there = self._there.get(number)
        if there is None or _told(there, "Size") != part.length:
            return None
        digest = await leaving(self._api.pool.run(digests, part, "crc32", "md5"))
        crc32 = b64encode(digest["crc32"]).decode("ascii")
        if "ChecksumCRC32" in there:
            return there if there["ChecksumCRC32"] == crc32 else None
        if _told(there, "ETag").strip('"') != digest["md5"].hex():
            return None
        # Some servers keep checksums of parts that they do not list, and want them in the end.
        return there | ({"ChecksumCRC32": crc32} if self._more.get("ChecksumAlgorithm") == "CRC32" else {})

    async def _complete(self) -> dict[str, Any]:
        parts = {"Parts": [self._parts[number] for number in sorted(self._parts)]}
        asked = self._of_upload("CompleteMultipartUpload")
        answer = await self._api.call("CompleteMultipartUpload", **asked, MultipartUpload=parts)
        if "ETag" not in answer:  # status 200 comes before the work is done, and what was cut off behind it has none
            raise ConnectionCut(self._api.endpoint, "it names no ETag of the object")
        return answer

    def _of_upload(self, operation: str) -> dict[str, Any]:
        """The parameters of an operation on the upload."""
        known = self._api.parameters(operation)
        more = {name: value for name, value in self._more.items() if name in known}
        return {**more, "Bucket": self._bucket, "Key": self._key, "UploadId": self._upload_id}


def _told(answer: dict[str, Any], name: str) -> Any:
    """What an answer must have. Raises WrongEndpoint when it has not."""
    try:
        return answer[name]
    except KeyError:
        raise WrongEndpoint(f"The server's answer has no {name}, which S3's has: look at the URL.") from None
