"""Policies of two sides put together: what a user's own policies and the bucket's policy say, in one account and between two.

Sources: IAM User Guide, "Policy evaluation for requests within a single account" and "Cross-account policy evaluation logic"; S3 API
Reference, PutBucketPolicy (what the owner keeps).
"""

from collections.abc import Sequence

from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.decisions import Decision, decide
from gecko_tw.callers.access.policies.documents import Policy

OWNER_KEEPS = frozenset({"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"})
"""What the owner's root user may do whatever the bucket's policy says: else a bucket could be locked for ever."""

_KEPT = Decision(allowed=True, note="the root user of the bucket's account always manages its policy")
_OWN = Decision(allowed=True, note="the root user of the account that owns it")
_NOT_BY_BUCKET = Decision(note="another account owns the bucket, and its policy does not allow it")
_NOT_BY_USER = Decision(note="the bucket's policy allows it, but no policy of the user")


def authorize(
    context: RequestContext, identity_policies: Sequence[Policy], bucket_policy: Policy | None, owner: str
) -> Decision:
    """What all policies together say of a request, as S3 combines them. Access control lists are asked elsewhere.

    :param identity_policies: those of the user and of the user's groups.
    :param owner: the account of the bucket; the principal's own for what belongs to no bucket.
    """
    principal = context.principal
    own = not principal.anonymous and principal.account == owner
    if own and principal.root and context.action in OWNER_KEEPS:
        return _KEPT
    by_bucket = decide(context, () if bucket_policy is None else (bucket_policy,))
    if by_bucket.explicit_deny:
        return by_bucket
    by_user = decide(context, identity_policies)
    if by_user.explicit_deny:
        return by_user
    if own:
        if principal.root:
            return _OWN
        # A policy that names the account only leaves it to the account's own policies.
        return by_bucket if by_bucket.allowed and not by_bucket.delegated else by_user
    if not by_bucket.allowed:
        return _NOT_BY_BUCKET
    needs_own = not (principal.anonymous or principal.root or principal.service)
    return _NOT_BY_USER if needs_own and not by_user.allowed else by_bucket
