"""PostObject: an upload from a browser's form, permitted by the policy in it."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import MalformedPOSTRequest
from gecko_tw.resources.bodies.claims import Claims, read_claims
from gecko_tw.resources.bodies.forms import Fields, FormDecoder, boundary_of
from gecko_tw.resources.bodies.streams import MAX_OBJECT, Plan, Stream, begin_unauthenticated
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, POST, STREAM, operation
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.tagging import read_tagging
from gecko_tw.resources.gates.admission import admit_caller
from gecko_tw.resources.gates.events import objects_for
from gecko_tw.resources.gates.permits import permit_form
from gecko_tw.resources.headers import objects as object_headers
from gecko_tw.resources.headers import sse
from gecko_tw.resources.headers.lifecycle import expiration_headers
from gecko_tw.resources.headers.location import location
from gecko_tw.resources.headers.locks import check_vouched
from gecko_tw.resources.headers.objects import Stored, as_they_are, refuse_lacking
from gecko_tw.resources.headers.writing import stored_of
from gecko_tw.store.records import Json, Version
from gecko_tw.store.refusals import InvalidArgument, PreconditionFailed
from gecko_tw.store.requests import Put
from gecko_tw.store.rules.names import check_key
from gecko_tw.store.rules.tags import OF_OBJECT

_AS_HEADERS = (
    "cache-control",
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)

_UNFIT = frozenset(map(chr, {*range(32), 127} - {9}))
"""Characters that no header's value has; a tab it may have."""


@operation("PostObject", POST, BUCKET, needs=None, body=STREAM)
async def post_object(call: Call) -> Answer:
    """Stores the file of a form. Whether the caller may is decided when the fields before the file are in.

    Source: S3 API Reference, POST Object.
    """
    service = call.service
    boundary = boundary_of(call.header(b"content-type") or "")
    if boundary is None:
        raise PreconditionFailed(Condition="Bucket POST must be of the enclosure-type multipart/form-data")
    record = call.record
    assert record is not None
    form = Form(call, boundary, record.settings)
    try:
        incoming = await form.stream.receive(call.request.upload)
    finally:
        form.known()
    try:
        form.lengths.check(incoming.size)
    except BaseException:
        await service.write(incoming.abort)
        raise
    stored = form.stored
    request = Put(
        now=service.now(),
        claims=form.plan.claimed,
        checksum=form.plan.claims.checksum,
        headers=stored.headers,
        metadata=stored.metadata,
        tags=stored.tags,
        owner=stored.owner,
        extra=stored.extra,
    )
    version = await service.write(objects_for(call, "ObjectCreated:Post").put, call.bucket, form.key, incoming, request)
    return _answer(call, form, version)


class Form:
    """A form coming in: what its fields ask for, and where its file goes."""

    def __init__(self, call: Call, boundary: bytes, settings: Mapping[str, Json]) -> None:
        self._call = call
        self._settings = settings
        self.values: dict[str, str] = {}
        self.key = b""
        self.stored = Stored({}, {}, {})
        self.plan = Plan(Claims(), None, FormDecoder(boundary, self._begin))
        self.stream = Stream(call.service, None, self.plan)
        self._waiting = begin_unauthenticated(call) if call.caller.kind == "anonymous" else None

    def known(self) -> None:
        """Whether the sender may is decided."""
        if self._waiting is not None:
            self._waiting.end()

    def _begin(self, fields: Fields) -> None:
        """The fields are in: everything that can be refused is refused before the file's first byte.

        :raises Refusal: those of the Authenticator, AccessDenied, and as PutObject.
        """
        call = self._call
        self.values = values = fields.expanded()
        if "key" not in values:
            raise InvalidArgument(
                "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
                ArgumentName="key",
                ArgumentValue="",
            )
        self.key = values["key"].encode()
        check_key(self.key)
        caller, self.lengths = call.service.authenticator.authenticate_form(call.bucket, values)
        if caller.kind == "form":
            call.caller = caller
            admit_caller(call)
        headers = _headers(values)
        permit_form(call, self.key, headers)
        self.known()
        refuse_lacking(headers)
        self.stored = stored_of(call, headers, as_they_are)
        self.plan.claims = read_claims(headers, caller)
        check_vouched(call.record, self.stored.extra, self.plan.claims)
        longest = self.lengths.longest
        self.plan.limit = MAX_OBJECT if longest is None else min(longest, MAX_OBJECT)
        encryption = sse.by_default(sse.wish(headers), self._settings.get(sse.SETTING, {}))
        wanted = self.plan.claims.algorithms
        self.stream.incoming = call.service.objects.receive(wanted, sse.sealing(call, encryption))


def _headers(values: dict[str, str]) -> dict[bytes, bytes]:
    """The fields that mean what the header of the same name does in PutObject.

    :raises MalformedPOSTRequest: a value that no header can have. Metadata has any: it is encoded when it is answered.
    """
    found = {name: value for name, value in values.items() if name in _AS_HEADERS or name == "content-md5"}
    found |= {name: value for name, value in values.items() if name.startswith("x-amz-")}
    if "acl" in values:
        found["x-amz-acl"] = values["acl"]
    if "tagging" in values:
        found["x-amz-tagging"] = urlencode(read_tagging(values["tagging"].encode(), OF_OBJECT))
    for name, value in found.items():
        if not name.startswith("x-amz-meta-") and any(char in _UNFIT for char in value):
            raise MalformedPOSTRequest
    return {name.encode(): value.encode() for name, value in found.items()}


def _answer(call: Call, form: Form, version: Version) -> Answer:
    url = location(call, form.key)
    expiration = expiration_headers(call.record, form.key, version)
    expiration += sse.told(call, version.extra, True)
    headers = [*object_headers.written_headers(version), *expiration, (b"Location", url.encode())]
    redirect = _redirect(form, call.bucket, version)
    if redirect is not None:
        return Answer(303, [*headers[:-1], (b"Location", redirect)])
    status = form.values.get("success_action_status")
    if status == "201":
        content = markup.texts(
            {
                "Location": url,
                "Bucket": call.bucket,
                "Key": form.values["key"],
                "ETag": f'"{version.etag}"',
            }
        )
        return xml(markup.bare_document("PostResponse", content), 201, headers)
    return Answer(200 if status == "200" else 204, headers)


def _redirect(form: Form, bucket: str, version: Version) -> bytes | None:
    """Where the browser goes next, told what was stored; None when the form names no URL that can be understood."""
    wanted = form.values.get("success_action_redirect") or form.values.get("redirect")
    try:
        url = urlsplit(wanted or "")
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or not url.netloc:
        return None
    told = [("bucket", bucket), ("key", form.values["key"]), ("etag", f'"{version.etag}"')]
    query = urlencode([*parse_qsl(url.query, keep_blank_values=True), *told])
    return urlunsplit(url._replace(query=query)).encode("utf-8", "replace")
