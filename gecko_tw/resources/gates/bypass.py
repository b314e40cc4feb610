"""Passing over a retention in governance mode: who wants to, and may."""

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.permits import permit
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules import locks

_BYPASS = b"x-amz-bypass-governance-retention"


def wants_bypass(call: Call) -> bool:
    """Whether the caller wants to pass over a retention in governance mode."""
    return call.headers.get(_BYPASS, b"").lower() == b"true"


def refuse_bypass(call: Call) -> None:
    """Whoever deletes and speaks of passing over a retention, in a bucket that has none, means another bucket.

    :raises InvalidArgument: naming the header, whatever it says.
    """
    if _BYPASS in call.headers and call.record is not None and locks.SETTING not in call.record.settings:
        raise InvalidArgument(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            ArgumentName=_BYPASS.decode(),
        )


async def may_bypass(call: Call) -> bool:
    """Whether the caller wants to pass over a retention in governance mode, and may."""
    if not wants_bypass(call):
        return False
    try:
        await permit(call, "s3:BypassGovernanceRetention")
    except AccessDenied:
        return False  # only what is not protected goes then
    return True
