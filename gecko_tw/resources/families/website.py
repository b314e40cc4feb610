"""Buckets as websites: their configuration, and the pages that browsers get from the website endpoint.

Sources: S3 User Guide, "Hosting a static website using Amazon S3" and "Website endpoints"; S3 API Reference, PutBucketWebsite.
"""

from html import escape

from attrs import evolve

from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import STATUS, Answer, Spans, xml
from gecko_tw.resources.answers.refusals import MissingRequestBodyError, NoSuchWebsiteConfiguration
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, DELETE, GET, HEAD, OBJECT, PUT, WEBSITE, Document, operation
from gecko_tw.resources.documents import website
from gecko_tw.resources.documents.bucket_settings import change_setting, read_setting
from gecko_tw.resources.documents.website import Website
from gecko_tw.resources.gates.permits import permit
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import NoSuchKey, Refusal

_SETTING = "website"
_HTML = (b"Content-Type", b"text/html; charset=utf-8")
_MISSING = (NoSuchKey, AccessDenied)


@operation("GetBucketWebsite", GET, BUCKET, "website", needs="s3:GetBucketWebsite")
async def get_bucket_website(call: Call) -> Answer:
    """Source: S3 API Reference, GetBucketWebsite."""
    return xml(website.write_website(await read_setting(call, _SETTING, NoSuchWebsiteConfiguration)))


@operation("PutBucketWebsite", PUT, BUCKET, "website", needs="s3:PutBucketWebsite", body=Document(128 * 1024))
async def put_bucket_website(call: Call, document: bytes) -> Answer:
    """Source: S3 API Reference, PutBucketWebsite."""
    if not document:
        raise MissingRequestBodyError
    await change_setting(call, _SETTING, website.read_website(document))
    return Answer(200)


@operation("DeleteBucketWebsite", DELETE, BUCKET, "website", needs="s3:DeleteBucketWebsite")
async def delete_bucket_website(call: Call) -> Answer:
    """Source: S3 API Reference, DeleteBucketWebsite."""
    await change_setting(call, _SETTING, None)
    return Answer(204)


@operation("WebsiteGet", GET, WEBSITE, needs=None, unsigned=True)
async def website_get(call: Call) -> Answer | Spans:
    """A page of a bucket's website, for anybody who may read it."""
    return await _page(call)


@operation("WebsiteHead", HEAD, WEBSITE, needs=None, unsigned=True)
async def website_head(call: Call) -> Answer | Spans:
    """The headers of a page."""
    return await _page(call)


async def _page(call: Call) -> Answer | Spans:
    call.caller = Caller()
    call.query, asked = {}, call.key
    try:
        site = await read_setting(call, _SETTING, NoSuchWebsiteConfiguration)
    except Refusal as refusal:
        return _told(call, refusal)
    everything = site.get("RedirectAllRequestsTo")
    if everything is not None:
        return _redirect(call, {"Redirect": everything})
    rule = website.find_rule(site, _text(call.key), None)
    if rule is not None:
        return _redirect(call, rule)
    try:
        return await _found(call, site)
    except _MISSING as refusal:
        call.key = asked
        return await _missing(call, site, refusal)
    except Refusal as refusal:
        return _told(call, refusal)


async def _found(call: Call, site: Website) -> Answer | Spans:
    """The page of a key, or of a directory's index. Raises what reading it raises."""
    asked, suffix = call.key, site["IndexDocument"]["Suffix"].encode()
    try:
        return await _object(call, asked + suffix if asked.endswith(b"/") or not asked else asked)
    except _MISSING:
        if not asked or asked.endswith(b"/") or not await _is_there(call, asked + b"/" + suffix):
            raise
    place = website.quoted(_text(asked) + "/")
    # Two slashes in a row would begin the name of another host.
    place = "%2F" + place[1:] if place[0] == "/" else place
    return Answer(302, [(b"Location", _with_query(call, b"/" + place.encode()))])


async def _object(call: Call, key: bytes) -> Answer | Spans:
    """An object as a page. Raises what reading it raises."""
    call.key = key
    await permit(call, "s3:GetObject")
    service = call.service
    version = await service.read(service.objects.look, call.bucket, key, None)
    elsewhere = version.headers.get("x-amz-website-redirect-location")
    if elsewhere is not None:
        return Answer(301, [(b"Location", elsewhere.encode("latin-1", "replace"))])
    row = service.table.resolve(call.head.method, OBJECT, frozenset())
    answer = await row.perform(call)
    assert isinstance(answer, Answer | Spans), "an object is read at once"
    return answer


async def _is_there(call: Call, key: bytes) -> bool:
    call.key = key
    try:
        await permit(call, "s3:GetObject")
        await call.service.read(call.service.objects.look, call.bucket, key, None)
    except _MISSING:
        return False
    return True


async def _missing(call: Call, site: Website, refusal: Refusal) -> Answer | Spans:
    """What is shown instead of a page that is not there, or that nobody may read."""
    status = STATUS[refusal.code]
    rule = website.find_rule(site, _text(call.key), status)
    if rule is not None:
        return _redirect(call, rule)
    page = site.get("ErrorDocument")
    if page is None:
        return _told(call, refusal)
    # The error page is sent whole, whatever part of the missing one was asked for.
    call.headers = {name: value for name, value in call.headers.items() if name == b"origin"}
    try:
        answer = await _object(call, page["Key"].encode())
    except Refusal:
        return _told(call, refusal)
    return evolve(answer, status=status, error=f"{refusal.code}: {refusal.message}") if answer.status == 200 else answer


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _redirect(call: Call, rule: dict[str, Json]) -> Answer:
    protocol = "https" if call.head.secure else "http"
    status, place = website.redirected(rule, _text(call.key), protocol, call.header(b"host") or "")
    return Answer(status, [(b"Location", _with_query(call, place.encode("latin-1", "replace")))])


def _with_query(call: Call, place: bytes) -> bytes:
    """Where a browser is sent, with the query it came with: that is the page's, wherever the page is."""
    query = call.head.query
    return place + (b"&" if b"?" in place else b"?") + query if query else place


def _told(call: Call, refusal: Refusal) -> Answer:
    """An error as a page for people."""
    status = STATUS[refusal.code]
    details = {"Code": refusal.code, "Message": refusal.message, "RequestId": call.request_id, **refusal.details}
    listed = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in details.items())
    title = f"{status} {escape(refusal.code)}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><ul>{listed}</ul></body></html>\n".encode()
    headers = [_HTML, (b"x-amz-error-code", refusal.code.encode()), (b"x-amz-error-message", refusal.message.encode())]
    return Answer(status, headers, body, f"{refusal.code}: {refusal.message}")
