"""May this caller do that? The one place that decides; a policy evaluator takes its place here."""

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.call import Call


def permit(call: Call, action: str | None) -> None:
    """Refuses what the caller may not do.

    :param action: the policy action, e.g. ``"s3:PutObject"``; None when anybody may.
    :raises AccessDenied: always when it is not permitted.
    """
    caller = call.caller
    if action is None or caller.kind == "open":
        return
    if caller.identity is None or not caller.identity.superuser:
        raise AccessDenied


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
