"""The circumstances of a request that conditions of policies ask for, each found when it is asked for.

Sources: Service Authorization Reference, "Condition keys for Amazon S3"; IAM User Guide, "AWS global condition context keys".
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any

from attrs import define, field

from gecko_tw.callers.access.policies import ANONYMOUS, Principal, RequestContext, resource_arn
from gecko_tw.callers.access.policies.context import Tags, Values
from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.signatures.v4 import seconds_of
from gecko_tw.resources.call import Asking
from gecko_tw.resources.gates.access_settings import bucket_owner
from gecko_tw.resources.headers.objects import parse_tags
from gecko_tw.resources.headers.sources import COPY_SOURCE, read_source
from gecko_tw.store.records import BucketRecord, Version

_LISTINGS = frozenset(("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))
_AUTH_TYPES = {"header": "REST-HEADER", "presigned": "REST-QUERY-STRING", "jay": "REST-QUERY-STRING", "form": "POST"}


@define(eq=False, kw_only=True)
class Ask:
    """One thing that a caller wants to do.

    :ivar record: the bucket; None where there is none, or not yet.
    :ivar bucket: its name, or ``""``.
    :ivar key: None when it is about the bucket.
    :ivar headers: those of the request, or the fields of a form that mean the same.
    :ivar version: the version that is there already, once it was looked at.
    :ivar resource: the ARN of what is not of S3, or ``""``.
    :ivar known: values of condition keys that only the operation knows, e.g. from the document of the request.
    """

    call: Asking
    action: str
    record: BucketRecord | None
    bucket: str
    key: bytes | None
    headers: Mapping[bytes, bytes]
    version_id: str | None = None
    version: Version | None = None
    known: Mapping[str, Any] = field(factory=dict)  # Values, and Tags by a family of tags
    resource: str = ""

    @property
    def owner(self) -> str:
        """The account that decides: the bucket's; the caller's own where there is no bucket."""
        if self.record is not None:
            return bucket_owner(self.call.service, self.record)
        return self.principal.account

    @property
    def identity(self) -> Identity | None:
        """Who asks."""
        return self.call.caller.identity

    @property
    def principal(self) -> Principal:
        """Who asks, as policies know it; everybody is the service's owner while authentication is switched off."""
        caller = self.call.caller
        if caller.identity is not None:
            return caller.identity.principal
        return Principal(account=self.call.service.owner) if caller.kind == "open" else ANONYMOUS

    def get(self, key: str) -> Values:
        """The value of a condition key, or None."""
        if key in self.known:
            given: Values = self.known[key]
            return given
        find = _FOUND.get(key)
        if find is not None:
            return find(self)
        if key.startswith("s3:x-amz-"):
            return _header(self, key[3:].encode())
        return None

    def context(self) -> RequestContext:
        """What policies are held against."""
        return RequestContext(
            principal=self.principal,
            action=self.action,
            resource=self.resource or resource_arn(self.bucket, self.key),
            now=self.call.service.clock.seconds(),
            values=self,
            tags={
                "s3:ExistingObjectTag": {} if self.version is None else self.version.tags,
                "s3:RequestObjectTag": lambda: request_tags(self),
                "s3:BucketTag": lambda: _bucket_tags(self),
                "aws:RequestTag": self.known.get("aws:RequestTag", {}),
                "aws:ResourceTag": self.known.get("aws:ResourceTag", {}),
            },
        )


def request_tags(ask: Ask) -> Tags:
    """The tags that an object is to have. Raises as ``headers.parse_tags``."""
    known = ask.known.get("s3:RequestObjectTag")
    if known is not None:
        tags: Tags = known
        return tags
    given = ask.headers.get(b"x-amz-tagging")
    return parse_tags(given) if given else {}


def _bucket_tags(ask: Ask) -> Tags:
    return {} if ask.record is None else ask.record.settings.get("tagging") or {}


def _header(ask: Ask, name: bytes) -> str | None:
    value = ask.headers.get(name)
    return None if value is None else value.decode("latin-1")


def _named(name: bytes) -> Callable[[Ask], Values]:
    return lambda ask: _header(ask, name)


def _listed(name: str) -> Callable[[Ask], Values]:
    return lambda ask: ask.call.query.get(name) if ask.action in _LISTINGS else None


def _source_address(ask: Ask) -> str | None:
    """The client's address, as far as it is known."""
    return ask.call.address or None


def _copy_source(ask: Ask) -> str | None:
    """The source as the copy itself reads it. Raises as ``sources.read_source``."""
    value = _header(ask, COPY_SOURCE)
    return None if value is None else read_source(value).path


def _directive(name: bytes) -> Callable[[Ask], Values]:
    """What is copied and what is replaced: a copy reads it in any case."""
    return lambda ask: (_header(ask, name) or "").upper() or None


def _payload(ask: Ask) -> str | None:
    """What is signed of the body: a presigned URL tells that itself, and a header beside it that it does not cover says nothing."""
    if ask.call.caller.kind == "presigned" and _signature_version(ask) != "AWS":
        return ask.call.caller.payload
    return _header(ask, b"x-amz-content-sha256")


def _signed_at(call: Asking) -> str:
    return call.query.get("X-Amz-Date") or call.header(b"x-amz-date") or ""


def _signature_age(ask: Ask) -> str | None:
    then = seconds_of(_signed_at(ask.call)) if ask.identity is not None else None
    return None if then is None else str(max(0, int((ask.call.service.clock.seconds() - then) * 1000)))


def _signature_version(ask: Ask) -> str | None:
    kind = ask.call.caller.kind
    if kind == "form":
        return "AWS4-HMAC-SHA256" if b"x-amz-algorithm" in ask.headers else "AWS"
    if kind not in _AUTH_TYPES or kind == "jay":
        return None
    if "AWSAccessKeyId" in ask.call.query or ask.call.headers.get(b"authorization", b"").startswith(b"AWS "):
        return "AWS"
    return "AWS4-HMAC-SHA256"


def _tag_keys(ask: Ask) -> Values:
    return list(request_tags(ask)) or None


def _resource_account(ask: Ask) -> str | None:
    return None if ask.record is None else ask.owner


def _retention_days(ask: Ask) -> str | None:
    """Whole days that the wished retention lasts, a started one counted."""
    known = ask.get("s3:object-lock-retain-until-date")
    try:
        until = datetime.fromisoformat(str(known)) if known is not None else None
    except ValueError:
        until = None
    if until is None:
        return None
    seconds = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - ask.call.service.clock.seconds()
    return str(ceil(seconds / 86400))


def _secure(ask: Ask) -> str:
    return "true" if ask.call.secure else "false"


_FOUND: dict[str, Callable[[Ask], Values]] = {
    "aws:Referer": _named(b"referer"),
    "aws:RequestedRegion": lambda ask: ask.call.service.region,
    "aws:ResourceAccount": _resource_account,
    "aws:SecureTransport": _secure,
    "aws:SourceIp": _source_address,
    "aws:UserAgent": _named(b"user-agent"),
    "s3:RequestObjectTagKeys": _tag_keys,
    "s3:ResourceAccount": _resource_account,
    "s3:VersionId": lambda ask: ask.version_id,
    "s3:authType": lambda ask: _AUTH_TYPES.get(ask.call.caller.kind),
    "s3:delimiter": _listed("delimiter"),
    "s3:if-match": _named(b"if-match"),
    "s3:if-none-match": _named(b"if-none-match"),
    "s3:max-keys": _listed("max-keys"),
    "s3:object-lock-legal-hold": _named(b"x-amz-object-lock-legal-hold"),
    "s3:object-lock-mode": _named(b"x-amz-object-lock-mode"),
    "s3:object-lock-remaining-retention-days": _retention_days,
    "s3:object-lock-retain-until-date": _named(b"x-amz-object-lock-retain-until-date"),
    "s3:prefix": _listed("prefix"),
    "s3:signatureAge": _signature_age,
    "s3:signatureversion": _signature_version,
    "s3:x-amz-content-sha256": _payload,
    "s3:x-amz-copy-source": _copy_source,
    "s3:x-amz-metadata-directive": _directive(b"x-amz-metadata-directive"),
    "s3:x-amz-tagging-directive": _directive(b"x-amz-tagging-directive"),
}
