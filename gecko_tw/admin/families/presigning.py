"""Presigned URLs, made with the caller's own key: they can do no more than the caller."""

from urllib.parse import urlsplit

from gecko_tw.admin.rows import Asked, row
from gecko_tw.admin.schemas import answer, members, one_of, text, whole
from gecko_tw.callers.accounts.changes import time_text
from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.signatures.presigned import LONGEST
from gecko_tw.callers.signatures.presigning import Link, presigned
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument


@row(
    "Presign",
    POST,
    "/presign",
    needs=None,
    changes=False,
    body=members(
        ["method", "bucket", "key"],
        method=one_of("GET", "PUT"),
        bucket=text(63, least=1),
        key=text(1024, least=1),
        seconds=whole(1, LONGEST),
        version_id=text(256, least=1),
        endpoint=text(1024, least=1),
    ),
    answer=answer(url={"type": "string"}, expires={"type": "string"}),
)
def presign(asked: Asked) -> Json:
    """A URL for one object, good for up to seven days; `endpoint` is where clients find S3, e.g. https://s3.example.com."""
    given, now = asked.given, asked.ground.clock()
    seconds = int(given("seconds", 3600))
    if not is_bucket_name(given("bucket")):
        raise InvalidArgument("body.bucket: allowed is the name of a bucket", Field="body.bucket")
    place = urlsplit(_endpoint(asked))
    path = f"{place.path.rstrip('/')}/{given('bucket')}/{given('key')}".encode()
    link = Link(
        method=given("method"),
        scheme=place.scheme,
        host=place.netloc,
        path=path,
        seconds=seconds,
        version_id=given("version_id", ""),
    )
    identity = _identity(asked)
    url = presigned(link, identity, asked.ground.settings.region or "us-east-1", now)
    until = now + seconds if identity.expires is None else min(now + seconds, identity.expires)
    return {"url": url, "expires": time_text(until)}


def _identity(asked: Asked) -> Identity:
    if asked.call is None:
        settings = asked.ground.settings
        found = asked.ground.identities.find(settings.access_key)
    else:
        found = asked.call.caller.identity
    if found is None:
        raise InvalidArgument("Without a key there is nothing to sign with.")
    return found


def _endpoint(asked: Asked) -> str:
    """Where clients find S3: as given, or the host that this request came to and the port of S3."""
    given = asked.given("endpoint")
    if given is None:
        own = own_endpoint(asked)
        if own is None:
            raise InvalidArgument(
                "body.endpoint: needed, as it cannot be told where clients find S3", Field="body.endpoint"
            )
        return own
    try:
        parts = urlsplit(given)
        plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        plain = False
    if (
        not plain
        or "@" in given
        or not given.isascii()
        or not given.isprintable()
        or set(given) & set(' "<>\\^`{|}#?%')
    ):
        raise InvalidArgument("body.endpoint: allowed is such as https://s3.example.com", Field="body.endpoint")
    return str(given)


def own_endpoint(asked: Asked) -> str | None:
    """Where clients find S3: as the settings say, or the host that this request came to and the port of S3; None when neither tells."""
    if asked.ground.settings.public_base_url:
        return asked.ground.settings.public_base_url
    call, live = asked.call, asked.ground.daemon
    host = (call.header(b"host") or "") if call is not None else ""
    name = host[: host.index("]") + 1] if host[:1] == "[" and "]" in host else host.partition(":")[0]
    for place in live.places if live is not None else ():
        port = str(place["place"]).rpartition(":")[2]
        if place["site"] == "s3" and port.isdecimal() and port != "0" and name:
            scheme = "https" if place["secure"] else "http"
            return f"{scheme}://{name}:{port}{asked.ground.settings.path_prefix}"
    return None
