"""What policies, boundaries and access control lists say together of one thing that a caller wants to do.

Sources: S3 User Guide, "How Amazon S3 authorizes a request" and "Blocking public access to your Amazon S3 storage".
"""

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.policies import Policy, RequestContext, authorize, decide, needed_keys
from gecko_tw.callers.access.policies.accounts import OWNER_KEEPS
from gecko_tw.callers.access.policies.principals import PrincipalMatch
from gecko_tw.resources.call import Asking, Call
from gecko_tw.resources.gates.access_settings import (
    ACL,
    IGNORE_ACLS,
    POLICY,
    RESTRICT,
    acls_count,
    blocks,
    bucket_owner,
    object_owner,
    policy_of,
)
from gecko_tw.resources.gates.circumstances import Ask

_TAGS = "s3:ExistingObjectTag/"
_WITH_TAGS = frozenset(
    f"s3:{verb}Object{version}{what}"
    for verb, what in (
        ("Get", ""),
        ("Get", "Acl"),
        ("Get", "Tagging"),
        ("Put", "Acl"),
        ("Put", "Tagging"),
        ("Delete", "Tagging"),
    )
    for version in ("", "Version")
)
"""Actions whose requests have the tags of the object that is there already."""


def is_superuser(call: Asking) -> bool:
    """Whether the caller owns everything; everybody does while authentication is switched off."""
    identity = call.caller.identity
    return call.caller.kind == "open" if identity is None else identity.superuser


def is_owners(call: Call) -> bool:
    """Whether the caller belongs to the account of the addressed bucket, whatever its policy allows to others."""
    assert call.record is not None
    return is_superuser(call) or call.caller.principal.account == bucket_owner(call.service, call.record)


def names(ask: Ask, *beginnings: str) -> bool:
    """Whether deciding may ask for a condition key that begins like one of these."""
    policies = [*_of_bucket(ask), *_of_caller(ask)]
    if not any(policy.keys for policy in policies):
        return False
    return any(key.startswith(beginnings) for key in needed_keys(policies, ask.context()))


def needs_tags(ask: Ask) -> bool:
    """Whether deciding may need the tags of the object that is there already."""
    return ask.action in _WITH_TAGS and names(ask, _TAGS)


def is_denied(ask: Ask) -> bool:
    """Whether a statement denies it explicitly."""
    if _keeps(ask):
        return False
    context = ask.context()
    return decide(context, _of_bucket(ask)).explicit_deny or decide(context, _of_caller(ask)).explicit_deny


def is_allowed(ask: Ask) -> bool:
    """Whether the caller may do it."""
    if is_superuser(ask.call):
        return not is_denied(ask)
    context = ask.context()
    # What an owner keeps is decided before the bucket's policy is read, so that no policy can be in the way.
    return is_within_boundaries(ask, context) and (_keeps(ask) or _is_allowed(ask, context))


def is_allowed_to_write(ask: Ask) -> bool:
    """Whether the bucket's access control list allows somebody of another account to store the object."""
    context = ask.context()
    return ask.principal.account != ask.owner and is_within_boundaries(ask, context) and _by_acl(ask, context)


def _keeps(ask: Ask) -> bool:
    """Whether it is what an owner may always do: else a bucket could be locked for ever."""
    if ask.action not in OWNER_KEEPS:
        return False
    return is_superuser(ask.call) or (ask.principal.root and ask.principal.account == ask.owner)


def _of_bucket(ask: Ask) -> tuple[Policy, ...]:
    text = None if ask.record is None else ask.record.settings.get(POLICY)
    return () if text is None else (policy_of(text, ask.bucket)[0],)


def _of_caller(ask: Ask) -> tuple[Policy, ...]:
    identity = ask.identity
    return () if identity is None else identity.policies + identity.boundaries


def is_within_boundaries(ask: Ask, context: RequestContext) -> bool:
    """Whether the scope of the caller's key and the policy of the caller's session allow it."""
    identity = ask.identity
    if identity is None or not identity.boundaries:
        return True
    return all(decide(context, (boundary,)).allowed for boundary in identity.boundaries)


def _is_allowed(ask: Ask, context: RequestContext) -> bool:
    policies = () if ask.identity is None else ask.identity.policies
    decision = authorize(context, policies, _bucket_policy(ask), ask.owner)
    if decision.explicit_deny or (_is_restricted(ask) and is_denied(ask)):
        return False
    return (decision.allowed and not _is_foreign(ask)) or _by_acl(ask, context)


def _is_restricted(ask: Ask) -> bool:
    """Whether nobody but the bucket's own account may use what its public policy allows."""
    record, who = ask.record, ask.principal
    if record is None or not blocks(record, RESTRICT) or who.service or who.account == ask.owner:
        return False
    text = record.settings.get(POLICY)
    return text is not None and policy_of(text, ask.bucket)[1]


def _bucket_policy(ask: Ask) -> Policy | None:
    """The bucket's policy as far as it may allow something to this caller."""
    policies = () if _is_restricted(ask) else _of_bucket(ask)
    return policies[0] if policies else None


def _is_foreign(ask: Ask) -> bool:
    """Whether another account than the bucket's wrote the object, so that only its own list grants its use."""
    if ask.version is None or ask.record is None or ask.action not in acl.PERMISSION_OF_OBJECT_ACTION:
        return False
    return object_owner(ask.call.service, ask.record, ask.version) != ask.owner


def _by_acl(ask: Ask, context: RequestContext) -> bool:
    """Whether an access control list grants it, to a user with the consent of the user's own policies."""
    match = _granted(ask)
    who = ask.principal
    if match is PrincipalMatch.NONE or who.anonymous or who.root:
        return match is not PrincipalMatch.NONE
    if match is PrincipalMatch.DIRECT and who.account == ask.owner:
        return True
    return ask.identity is not None and decide(context, ask.identity.policies).allowed


def _granted(ask: Ask) -> PrincipalMatch:
    record, service = ask.record, ask.call.service
    if record is None or not acls_count(service, record):
        return PrincipalMatch.NONE
    ignore = blocks(record, IGNORE_ACLS)
    permission = acl.PERMISSION_OF_BUCKET_ACTION.get(ask.action)
    if permission is not None:
        return acl.match(record.settings.get(ACL), ask.owner, ask.principal, permission, ignore)
    permission, version = acl.PERMISSION_OF_OBJECT_ACTION.get(ask.action), ask.version
    if permission is None or version is None:
        return PrincipalMatch.NONE
    owner = object_owner(service, record, version)
    return acl.match(version.extra.get(ACL), owner, ask.principal, permission, ignore)
