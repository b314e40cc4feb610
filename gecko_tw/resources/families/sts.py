"""The Security Token Service beside S3: sessions of roles and of whoever asks, and who that is.

Where there is no role of that name in the caller's account the session is the caller's own, no further than the session policy. Sessions
begin no sessions, so that none outlives what its caller was given.
Source: AWS Security Token Service API Reference.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from math import ceil

from twisted.logger import Logger

from gecko_tw.callers.access.policies import MalformedPolicy, Principal, read_trust_policy
from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.accounts.roles import Role
from gecko_tw.callers.accounts.sessions import Credentials, Sessions, assumed_arn, session_policy
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.callers.signatures.web_identity import audience_of
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import (
    InvalidAction,
    MalformedPolicyDocument,
    MissingAuthenticationToken,
    NotImplemented_,
    PackedPolicyTooLarge,
    ValidationError,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import FORM, POST, SERVICE, STS, action, operation
from gecko_tw.resources.documents.markup import element, iso_time, texts
from gecko_tw.resources.documents.query_protocol import parameters_of, response, shown
from gecko_tw.resources.gates.identity_permits import permit_role, permit_web_identity, refuse_denied

VERSION = "2011-06-15"

LONGEST_POLICY = 2048
"""Bytes of a session policy: the token goes with every request, in a head of at most 16 KiB."""

_SHORTEST = 900
_ROLE_SECONDS, _TOKEN_SECONDS = (3600, 43_200), (43_200, 129_600)
"""How long sessions last when nobody says, and at most."""

_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)

_log = Logger()

_Act = Callable[[Call, Mapping[str, str]], str | Awaitable[str]]
_WEB_IDENTITY = "AssumeRoleWithWebIdentity"


@operation("SecurityTokenService", POST, SERVICE, needs=None, body=FORM, service=STS)
async def security_token_service(call: Call, document: bytes) -> Answer:
    """One form names the action. Everybody who has proven to be somebody may ask: nobody gets more than they have."""
    parameters = parameters_of(document)
    name = parameters.pop("Action", "")
    version = parameters.pop("Version", "")
    if version == VERSION and name in _LACKING:
        raise NotImplemented_(f"{name} is not implemented.")
    row = call.service.table.action(name) if version == VERSION else None
    if row is None or row.service != STS:
        raise InvalidAction(f"Could not find operation {shown(name)} for version {shown(version)}")
    call.operation = row
    if call.caller.kind == "anonymous" and name != _WEB_IDENTITY:
        raise MissingAuthenticationToken
    for one in parameters:
        if one not in row.takes:
            raise NotImplemented_(f"The parameter {shown(one)} of {name} is not implemented.")
    act: _Act = row.perform
    told = act(call, parameters)
    return xml(response(STS, name, told if isinstance(told, str) else await told, call.request_id))


@action("AssumeRole", "RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "ExternalId", service=STS)
def assume_role(call: Call, parameters: Mapping[str, str]) -> str:
    """Source: STS API Reference, AssumeRole. MinIO's clients may leave out the role and the session's name."""
    parent = _lasting(call)
    arn = parameters.get("RoleArn")
    role = None if arn is None else _role(call, arn)
    if role is None:
        _check_role(arn, parent)
        refuse_denied(call, "sts:AssumeRole", arn or "*")
    name = _session_name(parameters)
    policy = parameters.get("Policy")
    size = _checked_policy(policy)
    if role is not None:
        known = {"sts:ExternalId": parameters.get("ExternalId"), "sts:RoleSessionName": name}
        permit_role(call, "sts:AssumeRole", role.arn, read_trust_policy(role.trust, role.name), known)
        given = _of_role(call, role, policy, parameters, f"{parent.access_key} ({parent.principal.arn})")
        who: dict[str, object] = {"AssumedRoleId": f"{role.id}:{name}", "Arn": assumed_arn(role, name)}
    else:
        given = _issued(call, parent, policy, _seconds(parameters, *_ROLE_SECONDS), name)
        who = {"AssumedRoleId": _user_id(parent.principal, name), "Arn": parent.principal.arn}
    told = _credentials(given) + element("AssumedRoleUser", texts(who))
    return told if policy is None else told + texts({"PackedPolicySize": ceil(100 * size / LONGEST_POLICY)})


@action(_WEB_IDENTITY, "RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds", "Policy", service=STS)
async def assume_role_with_web_identity(call: Call, parameters: Mapping[str, str]) -> str:
    """Who asks has no key: the token of an identity provider proves who that is.

    Source: STS API Reference, AssumeRoleWithWebIdentity.
    """
    for needed in ("RoleArn", "RoleSessionName", "WebIdentityToken"):
        if not parameters.get(needed):
            raise ValidationError(f"The parameter {needed} must be there.")
    role, name, policy = _role(call, parameters["RoleArn"]), _session_name(parameters), parameters.get("Policy")
    if role is None:
        raise AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    size = _checked_policy(policy)
    claims = await permit_web_identity(call, role, parameters["WebIdentityToken"], {"sts:RoleSessionName": name})
    given = _of_role(call, role, policy, parameters, f"{claims['sub']} of {claims['iss']}")
    told: dict[str, object] = {
        "SubjectFromWebIdentityToken": claims["sub"],
        "Provider": claims["iss"],
        "Audience": audience_of(claims)[0],
        "PackedPolicySize": None if policy is None else ceil(100 * size / LONGEST_POLICY),
    }
    who: dict[str, object] = {"AssumedRoleId": f"{role.id}:{name}", "Arn": assumed_arn(role, name)}
    return _credentials(given) + element("AssumedRoleUser", texts(who)) + texts(told)


def _sessions(call: Call) -> Sessions:
    """Raises NotImplemented_ where there are none."""
    if call.service.sessions is None:
        raise NotImplemented_("This deployment issues no sessions.")
    return call.service.sessions


def _session_name(parameters: Mapping[str, str]) -> str:
    name = parameters.get("RoleSessionName", "session")
    if _NAME.fullmatch(name) is None:
        raise ValidationError("RoleSessionName must be 2 to 64 letters, digits and signs of _+=,.@- .")
    return name


def _of_role(call: Call, role: Role, policy: str | None, parameters: Mapping[str, str], who: str) -> Credentials:
    """A session of a role for somebody, whom the log names."""
    seconds = _seconds(parameters, min(_ROLE_SECONDS[0], role.longest), role.longest)
    name, now = _session_name(parameters), call.service.clock.seconds()
    given = _sessions(call).issue_of_role(role, policy, seconds, name, now)
    _tell(call, given, f"{role.arn} for {who}", policy)
    return given


@action("GetSessionToken", "DurationSeconds", service=STS)
def get_session_token(call: Call, parameters: Mapping[str, str]) -> str:
    """Source: STS API Reference, GetSessionToken."""
    return _credentials(_issued(call, _lasting(call), None, _seconds(parameters, *_TOKEN_SECONDS), ""))


@action("GetCallerIdentity", service=STS)
def get_caller_identity(call: Call, parameters: Mapping[str, str]) -> str:
    """Source: STS API Reference, GetCallerIdentity. While authentication is switched off everybody is the owner of everything."""
    identity: Identity | None = call.caller.identity
    who = Principal(account=call.service.owner) if identity is None else identity.principal
    user_id = _user_id(who, "" if identity is None or who.role else identity.session)
    return texts({"Arn": who.arn, "UserId": user_id, "Account": who.account})


_LACKING = frozenset(
    "AssumeRoleWithCertificate AssumeRoleWithCustomToken AssumeRoleWithLDAPIdentity AssumeRoleWithSAML"
    " AssumeRoot DecodeAuthorizationMessage GetAccessKeyInfo GetDelegatedAccessToken GetFederationToken GetWebIdentityToken".split()
)
"""Actions of AWS and MinIO that are refused as what they are."""


def _lasting(call: Call) -> Identity:
    """Whose session it will be."""
    identity: Identity | None = call.caller.identity
    if call.service.sessions is None:
        raise NotImplemented_("This deployment issues no sessions.")
    if identity is None:
        raise AccessDenied("Authentication is switched off: there is nobody whose session it could be.")
    if identity.parent:
        raise AccessDenied("A session cannot begin another one: ask with a lasting access key.")
    return identity


def _role(call: Call, arn: str) -> Role | None:
    """The role of an ARN, or None."""
    pieces = arn.split(":", 5)
    if len(pieces) < 6 or not pieces[5].startswith("role/"):
        return None
    role: Role | None = call.service.identities.role(pieces[4], pieces[5].rpartition("/")[2])
    return role if role is not None and role.arn == arn else None


def _check_role(arn: str | None, parent: Identity) -> None:
    """Any ARN will do where there is no role, but for the role of another account."""
    if arn is None:
        return
    pieces = arn.split(":", 5)
    if len(pieces) < 5 or pieces[0] != "arn" or not 20 <= len(arn) <= 2048:
        raise ValidationError("RoleArn must be an ARN, e.g. arn:aws:iam::ACCOUNT:role/NAME.")
    if pieces[2] != "iam":
        return
    if len(pieces) < 6 or not pieces[5].startswith("role/") or pieces[5] == "role/":
        raise ValidationError("RoleArn must name a role: arn:aws:iam::ACCOUNT:role/NAME.")
    if pieces[4] not in ("", parent.account):
        raise AccessDenied(
            f"User: {parent.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        )


def _checked_policy(text: str | None) -> int:
    """The bytes of a session policy. Raises MalformedPolicyDocument, PackedPolicyTooLarge."""
    if text is None:
        return 0
    size = len(text.encode("utf-8"))
    if size > LONGEST_POLICY:
        raise PackedPolicyTooLarge(f"The session policy has {size} bytes; {LONGEST_POLICY} are allowed.")
    try:
        session_policy(text)
    except MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.message) from None
    return size


def _seconds(parameters: Mapping[str, str], usual: int, longest: int) -> int:
    given = parameters.get("DurationSeconds")
    if given is None:
        return usual
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and _SHORTEST <= int(given) <= longest):
        raise ValidationError(f"DurationSeconds must be a number from {_SHORTEST} to {longest}.")
    return int(given)


def _issued(call: Call, parent: Identity, policy: str | None, seconds: int, name: str) -> Credentials:
    given = _sessions(call).issue(parent, policy, seconds, name, call.service.clock.seconds())
    _tell(call, given, f"{parent.access_key} ({parent.principal.arn})", policy)
    return given


def _tell(call: Call, given: Credentials, whose: str, policy: str | None) -> None:
    """A line of the log for each session that begins."""
    _log.info(
        "request {id}: session {session} of {whose} begins, {limits}",
        id=call.request_id,
        session=given.access_key,
        whose=whose,
        limits="without a policy" if policy is None else "with a policy",
    )


def _credentials(given: Credentials) -> str:
    told: dict[str, object] = {
        "AccessKeyId": given.access_key,
        "SecretAccessKey": given.secret,
        "SessionToken": given.token,
        "Expiration": iso_time(given.expires * 1_000_000_000),
    }
    return element("Credentials", texts(told))


def _user_id(who: Principal, session: str) -> str:
    """As AWS shows it: who, and in a session its name."""
    user_id = who.user_id or who.account
    return f"{user_id}:{session}" if session else user_id
