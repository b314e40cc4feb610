"""May this caller do that? The one place that asks policies and access control lists, for every way into the store.

Sources: S3 User Guide, "How Amazon S3 authorizes a request" and "Required permissions for Amazon S3 API operations".
"""

from collections.abc import Iterator, Mapping

from attrs import evolve

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.policies.context import Tags, Values
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.access_logs.server_log import has_log, touch_source
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import FOUND, ITSELF
from gecko_tw.resources.gates.access_settings import POLICY
from gecko_tw.resources.gates.authorization import (
    is_allowed,
    is_allowed_to_write,
    is_denied,
    is_superuser,
    names,
    needs_tags,
)
from gecko_tw.resources.gates.circumstances import Ask
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.refusals import Refusal, ServiceUnavailable, SlowDown

_OWN_ACLS = frozenset((b"private", b"bucket-owner-read", b"bucket-owner-full-control"))


async def permit_row(call: Call) -> None:
    """Loads the addressed bucket's record and refuses what the caller may not do.

    :raises AccessDenied: always when it is not permitted.
    :raises NoSuchBucket: there is no such bucket.
    """
    row = call.operation
    assert row is not None
    if call.bucket and not row.new_bucket:
        # What is decided when the object is found looks for it anyway.
        call.record = await call.service.read(call.service.buckets.get, call.bucket, row.decides != FOUND)
    if row.signed_for is not None and call.caller.kind == "anonymous":
        raise AccessDenied(f"Anonymous users cannot {row.signed_for}. Please authenticate.")
    needs, also = row.needs, row.also
    if needs is None or row.decides == ITSELF or _unlimited(call, call.record):
        return
    if row.needs_version is not None and "versionId" in call.query:
        needs, also = row.needs_version, row.also_version
    ask = _ask(call, needs)
    if row.decides == FOUND or (row.document_keys and names(ask, *row.document_keys)):
        call.undecided = ask
        return
    await _permit(ask)
    if row.creates:
        _permit_creation(ask)
    if also is not None:
        await _permit(evolve(ask, action=also))


def is_permitted(call: Call) -> bool:
    """Whether all is decided that can be before the body is read, or the caller has at least proven to be somebody."""
    assert call.operation is not None
    decided = call.undecided is None and call.operation.decides != ITSELF
    return decided or call.caller.kind != "anonymous"


async def permit(call: Call, action: str, known: Mapping[str, Values | Tags] | None = None) -> None:
    """Refuses what the caller may not do beyond what the operation needs anyway, with the addressed bucket and key.

    :param action: the policy action, e.g. ``"s3:GetObject"``.
    :param known: values of condition keys that only the operation knows.
    :raises AccessDenied: always when it is not permitted.
    :raises NoSuchBucket: there is no such bucket.
    """
    if call.record is None and call.bucket:
        call.record = await call.service.read(call.service.buckets.get, call.bucket)
    if call.undecided is not None and call.undecided.action == action:
        call.undecided = None
    if not _unlimited(call, call.record):
        await _permit(evolve(_ask(call, action), known=known or {}))


def permit_found(call: Call, version: Version) -> None:
    """Decides what :func:`permit_row` left to an operation that reads, now that the version is known. Raises AccessDenied."""
    ask, call.undecided = call.undecided, None
    if ask is not None:
        ask.version = version
        _check(ask)


def permit_missing(call: Call) -> None:
    """The same when there is no such version. Raises AccessDenied."""
    ask, call.undecided = call.undecided, None
    if ask is not None:
        _check_missing(ask)


async def permit_source(
    call: Call, bucket: str, key: bytes, version_id: str | None, *, with_tags: bool = False
) -> None:
    """Refuses a copy of what the caller may not read.

    :param with_tags: whether the tags of the source are copied, too.
    :raises AccessDenied: always when it is not permitted.
    :raises NoSuchBucket: there is no such bucket.
    """
    record = await call.service.read(call.service.buckets.get, bucket)
    if has_log(record):
        touch_source(call, record, key, version_id)
    if _unlimited(call, record) and _unlimited(call, call.record):
        return
    action = "s3:GetObject" if version_id is None else "s3:GetObjectVersion"
    ask = Ask(
        call=call,
        action=action,
        record=record,
        bucket=bucket,
        key=key,
        headers=call.headers,
        version_id=version_id,
    )
    await _permit(ask)
    if with_tags:
        await _permit_copied_tags(call, ask)


async def _permit_copied_tags(call: Call, source: Ask) -> None:
    """Raises AccessDenied when the source has tags that the caller may not read, or not write."""
    version = await _look(source)
    if version is not None and version.tags:
        reading = "s3:GetObjectTagging" if source.version_id is None else "s3:GetObjectVersionTagging"
        await _permit(evolve(source, action=reading))
        await _permit(evolve(_ask(call, "s3:PutObjectTagging"), known={"s3:RequestObjectTag": version.tags}))


def permit_form(call: Call, key: bytes, headers: Mapping[bytes, bytes]) -> None:
    """Refuses a form whose sender may not store the object. The addressed bucket's record is loaded already.

    :param headers: the fields of the form, as headers.
    :raises AccessDenied: always when it is not permitted.
    """
    if not _unlimited(call, call.record):
        ask = evolve(_ask(call, "s3:PutObject"), key=key, headers=headers)
        _check(ask)
        _permit_creation(ask)


def permit_log(call: Call, target: BucketRecord, key: bytes) -> None:
    """Refuses a log in a bucket where neither the caller's policies nor the scope of the caller's key allow to write.

    What the bucket's own policy says is about the service that will write, which is asked elsewhere. Raises AccessDenied.
    """
    if not is_superuser(call):
        plain = target.with_setting(POLICY, None)
        _check(evolve(_ask(call, "s3:PutObject"), record=plain, bucket=target.name, key=key, version_id=None))


def would_be_allowed(call: Call, record: BucketRecord, action: str) -> bool:
    """Whether the caller could do something with the addressed bucket if its record were this one."""
    return is_allowed(evolve(_ask(call, action), record=record))


def permit_bucket(call: Call, region: str, tagged: bool) -> None:
    """Refuses a new bucket that the caller may not make, or not make so. Source: S3 API Reference, CreateBucket ("Permissions").

    :param region: what the document of the request names; ``tagged`` whether it has tags.
    :raises AccessDenied: always when it is not permitted.
    """
    if not _unlimited(call, None):
        _check(evolve(_ask(call, "s3:CreateBucket"), known={"s3:LocationConstraint": region or None}))
        for action in _further_of_bucket(call.headers):
            _check(_ask(call, action))
        if tagged:
            _check(_ask(call, "s3:TagResource"))


def _further_of_bucket(headers: Mapping[bytes, bytes]) -> Iterator[str]:
    """The actions that headers of CreateBucket need."""
    if headers.get(acl.HEADER, b"private") != b"private" or any(name in headers for name in acl.GRANT_HEADERS):
        yield "s3:PutBucketAcl"
    if b"x-amz-object-ownership" in headers:
        yield "s3:PutBucketOwnershipControls"
    if headers.get(b"x-amz-bucket-object-lock-enabled", b"false").lower() == b"true":
        yield from ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning")


def may_look(call: Call, key: bytes, version: Version, action: str) -> bool:
    """Whether the caller may do something, such as ``"s3:GetObject"``, with the newest version of a key of the addressed bucket."""
    if _unlimited(call, call.record):
        return True
    return is_allowed(evolve(_ask(call, action), key=key, version_id=None, version=version))


def may_remove(call: Call, key: bytes, version_id: str | None, bypass: bool = False) -> bool:
    """Whether the caller may delete a key, or one version of it, in the addressed bucket.

    :param bypass: ask whether a retention in governance mode may be passed over instead.
    """
    if _unlimited(call, call.record):
        return True
    action = "s3:DeleteObject" if version_id is None else "s3:DeleteObjectVersion"
    ask = _ask(call, "s3:BypassGovernanceRetention" if bypass else action)
    return is_allowed(evolve(ask, key=key, version_id=version_id))


def _unlimited(call: Call, record: BucketRecord | None) -> bool:
    """Whether the caller may do everything: no policy of the bucket denies anything to anybody."""
    return is_superuser(call) and (record is None or POLICY not in record.settings)


def _ask(call: Call, action: str) -> Ask:
    """What the addressed bucket and key are asked for."""
    return Ask(
        call=call,
        action=action,
        record=call.record,
        bucket=call.bucket,
        key=call.key or None,
        headers=call.headers,
        version_id=call.query.get("versionId"),
    )


async def _permit(ask: Ask) -> None:
    """Decides, with whatever must be known of the object. Raises AccessDenied."""
    governed = ask.action in acl.PERMISSION_OF_OBJECT_ACTION and not is_superuser(ask.call)
    if not governed and not needs_tags(ask):
        _check(ask)
        return
    version = await _look(ask)
    if version is None and governed:
        _check_missing(ask)
    else:
        _check(evolve(ask, version=version))


def _check_missing(ask: Ask) -> None:
    """Who may list a bucket is told that an object is not there; everybody else does not learn whether it is."""
    prefix = (ask.key or b"").decode("utf-8", "surrogateescape")
    listing = evolve(ask, action="s3:ListBucket", key=None, known={"s3:prefix": prefix})
    if is_denied(ask) or not is_allowed(listing):
        raise AccessDenied


async def _look(ask: Ask) -> Version | None:
    """The version that is asked for, or None when there is none."""
    service = ask.call.service
    if ask.key is None:
        return None
    try:
        return await service.read(service.objects.look, ask.bucket, ask.key, ask.version_id)
    except (ServiceUnavailable, SlowDown):
        raise  # whether it is there is not known
    except Refusal:
        return None


def _check(ask: Ask) -> None:
    if not is_allowed(ask):
        raise AccessDenied


def _permit_creation(ask: Ask) -> None:
    """Raises AccessDenied when the caller may not give a new object what the headers ask for beside its bytes."""
    headers = ask.headers
    if headers.get(b"x-amz-tagging"):
        _check(evolve(ask, action="s3:PutObjectTagging"))
    if b"x-amz-object-lock-mode" in headers or b"x-amz-object-lock-retain-until-date" in headers:
        _check(evolve(ask, action="s3:PutObjectRetention"))
    if b"x-amz-object-lock-legal-hold" in headers:
        _check(evolve(ask, action="s3:PutObjectLegalHold"))
    if _asks_acl(ask):
        asked = evolve(ask, action="s3:PutObjectAcl")
        # Who may write by the bucket's own list may say who else may use what is written.
        if not is_allowed(asked) and (is_denied(asked) or not is_allowed_to_write(ask)):
            raise AccessDenied


def _asks_acl(ask: Ask) -> bool:
    """Whether headers give a new object a list that means more than its writer and the bucket's owner."""
    headers = ask.headers
    if headers.get(acl.HEADER, b"private") not in _OWN_ACLS:
        return True
    to_owner = f"id={ask.owner}"
    given = [headers[name] for name in acl.GRANT_HEADERS if name in headers]
    return any(value.decode("latin-1").replace('"', "").strip() != to_owner for value in given)


async def check_bucket_owner(call: Call) -> None:
    """A request may name whom it expects to own the bucket (S3 User Guide, "Verifying bucket ownership").

    :raises AccessDenied: somebody else owns it.
    """
    expected = call.header(b"x-amz-expected-bucket-owner")
    if expected is not None and call.bucket:
        await refuse_other_owner(call, call.bucket, expected)


async def refuse_other_owner(call: Call, bucket: str, expected: str) -> None:
    """Raises AccessDenied when a bucket has another owner than ``expected``, NoSuchBucket when there is none."""
    record = await call.service.read(call.service.buckets.get, bucket)
    if expected != (record.owner or call.service.owner):
        raise AccessDenied
