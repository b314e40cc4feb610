"""May this caller do that with identities: call IAM, and assume a role?

Sources: IAM User Guide, "Policy evaluation logic"; STS API Reference, AssumeRole ("Permissions").
"""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from gecko_tw.callers.access.policies import Policy, Principal, authorize, decide, read_trust_policy
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Identity
from gecko_tw.callers.accounts.roles import Role
from gecko_tw.callers.refusals import AccessDenied, InvalidIdentityToken
from gecko_tw.callers.signatures.web_identity import conditions_of, prove, read_token
from gecko_tw.resources.call import Call
from gecko_tw.resources.documents.query_protocol import shown
from gecko_tw.resources.gates.authorization import is_allowed, is_denied, is_superuser, is_within_boundaries
from gecko_tw.resources.gates.circumstances import Ask
from gecko_tw.store.records import Json

Known = Mapping[str, Any]  # as Ask has it


def _ask(call: Call, action: str, resource: str, known: Known) -> Ask:
    return Ask(
        call=call,
        action=action,
        record=None,
        bucket="",
        key=None,
        headers=call.headers,
        known=known,
        resource=resource,
    )


def _refusal(ask: Ask) -> AccessDenied:
    return AccessDenied(
        f"User: {ask.principal.arn} is not authorized to perform: {ask.action} on resource: {ask.resource}"
    )


def permit_action(call: Call, action: str, resource: str, known: Known) -> None:
    """Refuses what the caller may not do with identities of the caller's own account.

    :param action: the policy action, e.g. ``"iam:GetUser"``.
    :param resource: its ARN, or ``"*"``.
    :param known: values of condition keys that only the action knows.
    :raises AccessDenied: always when it is not permitted.
    """
    ask = _ask(call, action, resource, known)
    if not is_allowed(ask):
        raise _refusal(ask)


def refuse_denied(call: Call, action: str, resource: str) -> None:
    """Refuses what everybody may do with what is their own, and a policy of the caller denies.

    :param action: ``"sts:AssumeRole"``.
    :raises AccessDenied: always when it is denied.
    """
    ask = _ask(call, action, resource, {})
    if is_denied(ask):
        raise _refusal(ask)


def permit_administration(call: Call, action: str, own: bool = False) -> None:
    """Refuses whom the server's own administration is not for: everybody but the account of the settings, whatever policies of other
    accounts say, and in that account whom no policy allows it.

    :param action: ``"admin:ServerInfo"`` or the like.
    :param own: whether it is about what is the caller's own: then it is enough that no policy denies it, to whoever asks with a lasting
        key that is not limited. What another one makes would be less limited than itself.
    :raises AccessDenied: always when it is not permitted.
    """
    ask = _ask(call, action, "*", {})
    if ask.principal.account != ROOT_ACCOUNT:
        raise _refusal(ask)
    if own and _is_whole(ask.identity) and not is_denied(ask):
        return
    if not is_allowed(ask):
        raise _refusal(ask)


def _is_whole(identity: Identity | None) -> bool:
    """Whether a key stands for all that its owner is, and for ever."""
    return identity is not None and not identity.parent and not identity.boundaries and identity.expires is None


async def permit_web_identity(call: Call, role: Role, token: str, known: Known) -> Mapping[str, Json]:
    """Refuses whom no provider of the role's account vouches for, or its trust policy does not trust; returns the claims of the token.

    :param known: values of condition keys, as above.
    :raises InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError, AccessDenied: always when it is not permitted.
    """
    service, told = call.service, read_token(token)
    provider = service.identities.provider(role.account, told.issuer)
    if provider is None or service.issuers is None:
        raise InvalidIdentityToken(f"No OpenIDConnect provider found in your account for {shown(told.issuer)}")
    key = await service.issuers.key(provider.url, told.key_id)
    if key is None:
        raise InvalidIdentityToken("Couldn't retrieve verification key from your identity provider.")
    claims = prove(token, key, provider, service.clock.seconds())
    known = {**conditions_of(provider, claims), "aws:FederatedProvider": provider.arn, **known}
    context = _ask(call, "sts:AssumeRoleWithWebIdentity", role.arn, known).context()
    context = evolve(context, principal=Principal(provider=provider.arn))
    if not decide(context, (read_trust_policy(role.trust, role.name),)).allowed:
        raise AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    return claims


def permit_role(call: Call, action: str, arn: str, trust: Policy, known: Known) -> None:
    """Refuses a role that the caller may not assume: its trust policy must allow it, and who is a user whom that does not name
    directly, or of another account, needs a policy of the account's own as well.

    :param action: ``"sts:AssumeRole"``.
    :param arn: of the role.
    :param known: values of condition keys, as above.
    :raises AccessDenied: always when it is not permitted.
    """
    ask = _ask(call, action, arn, known)
    context, identity = ask.context(), ask.identity
    trusted = decide(context, (trust,))
    if is_superuser(call):
        allowed = not trusted.explicit_deny
    else:
        assert identity is not None
        account = arn.split(":", 5)[4]
        allowed = trusted.allowed and authorize(context, identity.policies, trust, account).allowed
        allowed = allowed and is_within_boundaries(ask, context)
    if not allowed:
        raise _refusal(ask)
