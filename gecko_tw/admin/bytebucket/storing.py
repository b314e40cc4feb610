"""``/api/s3/…``: the operations of S3, after the same gates, with documents of JSON."""

from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from attrs import evolve, frozen

from gecko_tw.admin.bytebucket import documents
from gecko_tw.admin.bytebucket.listing import told_buckets, told_page
from gecko_tw.admin.documents import LONGEST
from gecko_tw.admin.families.presigning import own_endpoint
from gecko_tw.admin.refusals import PresignUnavailable
from gecko_tw.admin.row_face import answered
from gecko_tw.admin.rows import Asked
from gecko_tw.callers.signatures.presigned import LONGEST as WEEK
from gecko_tw.callers.signatures.presigning import Link, presigned
from gecko_tw.resources.answers.answer import XML, Answer, Outcome
from gecko_tw.resources.answers.delayed import Slow
from gecko_tw.resources.answers.refusals import InvalidURI, NotImplemented_
from gecko_tw.resources.bodies.streams import read_document
from gecko_tw.resources.bodies.told import Told, retold
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.keys import decode
from gecko_tw.resources.dispatch.operations import BUCKET, GET, OBJECT, SERVICE, Document, Operation
from gecko_tw.resources.pipeline import operate, parameters_of
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, InvalidBucketName, SlowDown

OPERATIONS = frozenset(
    "ListBuckets CreateBucket HeadBucket DeleteBucket ListObjects ListObjectsV2 PutObject GetObject HeadObject DeleteObject "
    "CreateMultipartUpload UploadPart CompleteMultipartUpload AbortMultipartUpload ListParts ListMultipartUploads "
    "GetBucketCors PutBucketCors DeleteBucketCors GetObjectTagging PutObjectTagging DeleteObjectTagging "
    "GetBucketAcl PutBucketAcl GetObjectAcl PutObjectAcl".split()
)
"""Those that have documents of ByteBucket's; others are asked for where S3 is."""

_LISTINGS = ("ListObjects", "ListObjectsV2")
_KEPT = ("prefix", "delimiter", "continuation-token")
_MOST_KEYS = 1000
_QUARTER = 900
_OF_BODY = (b"content-", b"transfer-encoding", b"x-amz-content-", b"x-amz-checksum-", b"x-amz-sdk-", b"x-amz-trailer")
"""What headers that are about the body begin with."""


@frozen
class Storing:
    """One request.

    :ivar call: its caller has been proven.
    """

    asked: Asked
    call: Call

    async def operate(self, path: bytes) -> Outcome:
        """The answer.

        :param path: below ``/api/s3``.
        """
        call = self.call
        service = call.service
        if service.in_flight > service.max_in_flight:
            raise SlowDown
        target = _address(call, path)
        query = parameters_of(call.head.query) if call.head.query else ({}, frozenset[str]())
        if target == OBJECT and call.head.method == GET and "presign" in query[1]:
            return answered(200, self._presigned(query[0].get("expires")))
        row = service.table.resolve(call.head.method, target, service.table.present(query[1], call.head.headers))
        if row.name not in OPERATIONS:
            raise NotImplemented_(f"{row.name} has no document of JSON: it is asked for on the port of S3.")
        raw = call.head.query
        if row.name in _LISTINGS:
            raw = _listing(query[0])
        call.head = evolve(call.head, path=path, query=raw)
        if row.name in documents.WRITTEN:
            await self._retell(row)
        return await self._told(row, await operate(call, target))

    async def _retell(self, row: Operation) -> None:
        """The body as S3 knows it in place of the one that came. Raises InvalidArgument, MalformedCORSConfiguration."""
        call = self.call
        came = await read_document(call, Document(LONGEST))
        in_xml = row.name == "CompleteMultipartUpload" and "json" not in (call.header(b"content-type") or "")
        in_headers = not came and row.name in documents.IN_HEADERS
        told_in = _as_it_came if in_xml or in_headers else documents.WRITTEN[row.name]
        body, headers = told_in(came)
        kept = {name: value for name, value in call.head.headers.items() if not name.startswith(_OF_BODY)}
        told = Told(body)
        call.request = retold(call.request, told)
        call.head = evolve(call.head, headers={**kept, **told.headers, **headers})
        call.headers = call.head.headers

    async def _told(self, row: Operation, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Slow):
            outcome = outcome.describe(await outcome.outcome)
        if not isinstance(outcome, Answer) or outcome.status >= 300:
            return outcome
        values: Json = None
        if row.name in _LISTINGS:
            values = await told_page(self.call, outcome.about)
        elif row.name == "ListBuckets":
            values = told_buckets(self.call, outcome.about)
        elif row.name == "CreateBucket":
            values = {"location": f"/{self.call.bucket}"}
        elif row.name in documents.READ:
            values = documents.READ[row.name](outcome.body)
        if values is None:
            return outcome
        others = [(name, value) for name, value in outcome.headers if name.lower() != XML[0].lower()]
        return answered(outcome.status, values, others)

    def _presigned(self, expires: str | None) -> dict[str, Json]:
        call, asked = self.call, self.asked
        seconds = _QUARTER
        if expires is not None:
            if not (expires.isascii() and expires.isdecimal() and 0 < len(expires) <= 9 and int(expires)):
                raise InvalidArgument("expires is a number of seconds", ArgumentName="expires")
            seconds = min(int(expires), WEEK)
        endpoint, identity = own_endpoint(asked), call.caller.identity
        if endpoint is None or identity is None:
            raise PresignUnavailable
        place = urlsplit(endpoint)
        path = place.path.encode() + b"/" + call.bucket.encode() + b"/" + call.key
        link = Link(method="GET", scheme=place.scheme, host=place.netloc, path=path, seconds=seconds)
        now = asked.ground.clock()
        until = now + seconds if identity.expires is None else min(now + seconds, identity.expires)
        return {
            "url": presigned(link, identity, call.service.region, now),
            "expiresIn": seconds,
            "expiresAt": f"{datetime.fromtimestamp(until, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }


def _as_it_came(body: bytes) -> tuple[bytes, documents.Headers]:
    return body, {}


def _address(call: Call, path: bytes) -> str:
    """What is addressed; the call has its names from now on. Raises InvalidURI, InvalidBucketName."""
    if path == b"/":
        return SERVICE
    first, _, rest = path[1:].partition(b"/")
    bucket, key = decode(first), decode(rest)
    if bucket is None or key is None:
        raise InvalidURI
    if not bucket:
        raise InvalidBucketName(BucketName="")
    call.bucket, call.key = bucket.decode("utf-8", "replace"), key
    return OBJECT if key else BUCKET


def _listing(given: "dict[str, str] | Json") -> bytes:
    """The query of ListObjectsV2 that asks for the same; what is no number of keys from 1 to 1000 is 1000."""
    most = given.get("max-keys", "")
    number = int(most) if most.isascii() and most.isdecimal() and len(most) <= 4 else 0
    query = {"list-type": "2", "max-keys": str(number if 1 <= number <= _MOST_KEYS else _MOST_KEYS)}
    query |= {name: given[name] for name in _KEPT if given.get(name)}
    after = given.get("start-after") or given.get("marker")
    if after and "continuation-token" not in query:
        query["start-after"] = after
    return urlencode(query, errors="surrogateescape").encode()
