"""Quotas of buckets, and what whoever asks may do with which bucket."""

import json
from collections.abc import Iterator

from attrs import evolve

from gecko_tw.admin.families.buckets import get_quota, set_quota, told
from gecko_tw.admin.minio.rows import PLAIN, V3, Question, minio
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Identity
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.dispatch.operations import GET, PUT
from gecko_tw.resources.documents.markup import iso_time
from gecko_tw.resources.gates.permits import would_be_allowed
from gecko_tw.store.allowances import allowance_of
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules import locks, versions

HARD = "hard"
"""The only kind of quota that there is."""


@minio("GetBucketQuotaConfig", GET, V3 + "get-bucket-quota", "bucket", needs="admin:GetBucketQuota")
def get_bucket_quota(question: Question) -> Json:
    """How many bytes a bucket may hold; 0 when that is not limited."""
    limit = question.ask(get_quota, path={"bucket": question.text("bucket")})["quota"]["bytes"] or 0
    return {"quota": limit, "size": limit, "rate": 0, "requests": 0, **({"quotatype": HARD} if limit else {})}


@minio("SetBucketQuotaConfig", PUT, V3 + "set-bucket-quota", "bucket", needs="admin:SetBucketQuota", body=PLAIN)
def set_bucket_quota(question: Question) -> Json:
    """Limits how many bytes a bucket may hold, or, with 0, does not. Its limit of objects stays as it is."""
    given = question.given
    if given("rate", int, 0) or given("requests", int, 0):
        raise NotImplemented_(
            "Rates and requests of one bucket cannot be limited: see --help for the limits that there are."
        )
    size = given("size", int, 0) or given("quota", int, 0)
    if size < 0 or given("quotatype", str, HARD) not in (HARD, ""):
        raise InvalidArgument(f"A quota is a number of bytes, of the type {HARD}.", ArgumentName="quota")
    question.ask(set_quota, path={"bucket": question.text("bucket")}, body={"bytes": size or None})


@minio("AccountInfo", GET, V3 + "accountinfo", "prefix-usage", needs=None)
def account_info(question: Question) -> Json:
    """Who asks, with the buckets that may be read or written; sizes of prefixes are not among it."""
    identity = question.call.caller.identity
    if question.text("prefix-usage", "false") == "true":
        raise NotImplemented_("Nobody counts what single prefixes hold.")
    whole = identity is None or identity.principal.root
    texts = (
        ['{"Statement": [{"Effect": "Allow", "Action": ["admin:*", "kms:*", "s3:*"], "Resource": "*"}]}']
        if whole
        else []
    )
    texts += [] if identity is None else [one.text for one in identity.policies]
    statements = [each for text in texts for each in _statements(json.loads(text)["Statement"])]
    return {
        "AccountName": _name(question, identity),
        "Server": {"Type": 1},
        "Policy": {"Version": "2012-10-17", "Statement": statements},
        "Buckets": list(_buckets(question)),
    }


def _name(question: Question, identity: Identity | None) -> str:
    if identity is None or (identity.principal.root and identity.account == ROOT_ACCOUNT):
        return question.ground.settings.access_key
    return identity.principal.user_name or identity.access_key


def _statements(found: Json) -> list[Json]:
    return found if isinstance(found, list) else [found]


def _buckets(question: Question) -> Iterator[Json]:
    buckets, after = question.ground.store.buckets, ""
    while page := buckets.page("", after, 1000):
        after = page[-1].name
        for record in page:
            call = evolve(question.call, bucket=record.name, record=record)
            reads, writes = (would_be_allowed(call, record, action) for action in ("s3:ListBucket", "s3:PutObject"))
            if reads or writes:
                yield {**_bucket(question, record), "access": {"read": reads, "write": writes}}


def _bucket(question: Question, record: BucketRecord) -> dict[str, Json]:
    stands = told(allowance_of(question.ground.store.buckets, record))
    used, limit = stands["used"] or {}, stands["quota"]["bytes"]
    state = record.settings.get(versions.SETTING)
    details = {
        "versioning": state == versions.ENABLED,
        "versioningSuspended": state == versions.SUSPENDED,
        "locking": locks.SETTING in record.settings,
        "replication": False,
        "quota": None if limit is None else {"quota": limit, "size": limit, "quotatype": HARD},
    }
    held = {"size": used.get("bytes", 0), "objects": used.get("objects", 0)}
    return {"name": record.name, **held, "created": iso_time(record.created), "details": details}
