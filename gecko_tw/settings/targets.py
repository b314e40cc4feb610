"""Buckets of another S3 that bytes may be kept in: ``--s3-target``."""

import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from attrs import field, frozen

_TEXT = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64})=(?P<url>https?://[!-~]+)")


@frozen
class S3Target:
    """One of them.

    :ivar name: what ``--blobs=s3:NAME`` calls it.
    :ivar endpoint: its URL, without a path.
    :ivar prefix: what the keys of all blobs begin with.
    """

    name: str
    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    prefix: str = ""

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.endpoint}/{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    def __str__(self) -> str:
        """As the setting has it, the secret too: percent-encoded, so that no part can be taken for another."""
        scheme, _, host = self.endpoint.partition("://")
        key, secret, region = (quote(one, safe="") for one in (self.access_key, self.secret_key, self.region))
        return f"{self.name}={scheme}://{key}:{secret}@{host}/{self.bucket}/{quote(self.prefix)}?region={region}"


def target_of(text: str) -> S3Target:
    """Reads ``NAME=https://KEY:SECRET@host:port/BUCKET[/PREFIX][?region=…]``. Raises ValueError, which does not tell the text."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("no target")
    parts = urlsplit(found["url"])
    more = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    bucket, _, prefix = parts.path.removeprefix("/").partition("/")
    region = more.pop("region", "us-east-1")
    if not (parts.hostname and parts.username and parts.password and bucket) or more or parts.fragment:
        raise ValueError("no target")
    host = parts.netloc.rpartition("@")[2]
    return S3Target(
        name=found["name"],
        endpoint=f"{parts.scheme}://{host}",
        bucket=unquote(bucket),
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        region=region,
        prefix=unquote(prefix),
    )
