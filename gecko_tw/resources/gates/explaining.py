"""Whether somebody may do something, and which statement decides: asked with values, for the command line and for operators."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.policies import Policy, Principal, explain, read_identity_policy
from gecko_tw.callers.access.policies.actions import OTHER_SERVICES, SPELLING
from gecko_tw.callers.access.policies.condition_keys import condition_key
from gecko_tw.callers.access.policies.context import EVERY_BUCKET, S3_ARN
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Caller, Identity, IIdentities
from gecko_tw.resources.gates.access_settings import ACL, POLICY, acls_count, policy_of
from gecko_tw.resources.gates.authorization import is_allowed, is_superuser
from gecko_tw.resources.gates.circumstances import Ask
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import NoSuchBucket, Refusal

ANONYMOUS = "anonymous"
ADMIN = "admin:"
"""What the actions of this server's own administration begin with."""


@frozen(kw_only=True)
class Question:
    """May somebody do something?

    :ivar who: an access key, ``anonymous``, ``ACCOUNT`` or ``ACCOUNT/USER``; with ``policies`` also a user that there is not yet.
    :ivar action: of S3, or of another service that policies may name.
    :ivar resource: ``arn:aws:s3:::BUCKET/KEY``, or without its beginning; of another service its ARN, or ``*``.
    :ivar values: of condition keys.
    :ivar policies: documents by name, which the user has beside those that are stored.
    """

    who: str
    action: str
    resource: str
    values: Mapping[str, str] = field(factory=dict)
    policies: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class _Clock:
    def seconds(self) -> float:
        return time.time()


@frozen(kw_only=True)
class _Deployment:
    """As much of a service as deciding needs."""

    acl: str
    region: str
    identities: IIdentities
    owner: str = ROOT_ACCOUNT
    clock: _Clock = field(factory=_Clock)


@frozen(kw_only=True)
class _Supposed:
    """Somebody who is supposed to ask, as an Asking. Nothing is known of the request but what the question says."""

    caller: Caller
    service: Any  # a _Deployment stands for a Service
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[bytes, bytes] = field(factory=dict)
    address: str = ""
    secure: bool = False

    def header(self, name: bytes) -> str | None:
        """It has none."""
        return None


# Any: a Settings, or whatever has these two; a store's Objects, which drivers of others may stand for.
def explained(objects: Any, identities: Directory, question: Question, settings: Any) -> dict[str, Json]:
    """The answer: the outcome, why, what each statement says, and what access control lists grant, the last three in lines of text.

    :param objects: the store's IObjects with its ``catalog``.
    :param settings: ``acl`` and ``region`` of the deployment.
    :raises ValueError: the question names what there is not, or has a policy that is none.
    """
    identity = _identity(identities, question)
    ask = _ask(
        objects, identity, question, _Deployment(acl=settings.acl, region=settings.region, identities=identities)
    )
    policies = list(_policies(ask))
    told = explain(ask.context(), policies)
    allowed, why = is_allowed(ask) and not _is_foreign_administration(ask), []
    if _is_foreign_administration(ask):
        why.append("only the account of the settings administers this server, whatever policies of other accounts say")
    elif is_superuser(ask.call):
        why.append("the key pair of the settings may do everything that no policy of the bucket denies")
    elif ask.principal.root and ask.principal.account == ask.owner:
        why.append("the root key of the account that owns the bucket: only a Deny keeps it out")
    return {
        "allowed": allowed,
        "request": told[0],
        "why": [*why, told[1]],
        "statements": told[2:],
        "acl": list(_lists(ask)),
    }


def _is_foreign_administration(ask: Ask) -> bool:
    return ask.action.lower().startswith(ADMIN) and ask.principal.account != ROOT_ACCOUNT


def _identity(identities: Directory, question: Question) -> Identity | None:
    if question.who == ANONYMOUS:
        return None
    account, _, user = question.who.partition("/")
    found = identities.find(question.who) or identities.standing(account, user)
    if found is None:
        found = _not_there(identities, question)
    if found.expires is not None and found.expires <= time.time():
        raise ValueError(f"access key {question.who!r} has expired: whatever it asks is refused")
    return evolve(found, policies=(*found.policies, *_read(question.policies)))


def _not_there(identities: Directory, question: Question) -> Identity:
    """Somebody new with the policies that were given. Raises ValueError when there are none, or there is such a one but disabled."""
    account, slash, user = question.who.partition("/")
    if identities.is_known(question.who):
        raise ValueError(f"{question.who!r} is disabled, or its account is: whatever it asks is refused")
    if not slash:
        raise ValueError(f"there is no access key and no account {question.who!r}")
    if not question.policies:
        raise ValueError(f"there is no user {question.who!r}; with a policy it is told what a new one may do")
    principal = Principal(account=account, user_name=user, user_id=f"{account}:{user}", canonical_id=account)
    return Identity(access_key="", secret="", principal=principal)


def _read(policies: Mapping[str, str]) -> Iterable[Policy]:
    for name, text in policies.items():
        try:
            yield read_identity_policy(text, name)
        except Refusal as problem:
            raise ValueError(f"{name}: {problem}") from problem


# Any: as in explained.
def _ask(objects: Any, identity: Identity | None, question: Question, deployment: _Deployment) -> Ask:
    action = action_of(question.action)
    of_s3 = action in SPELLING.values()
    path = question.resource.removeprefix(S3_ARN) if of_s3 else ""
    bucket, slash, key = ("", "", "") if question.resource == EVERY_BUCKET else path.partition("/")
    caller = Caller() if identity is None else Caller(identity=identity, kind="header")
    ask = Ask(
        call=_Supposed(service=deployment, caller=caller),
        action=action,
        record=_record(objects, bucket, action),
        bucket=bucket,
        key=key.encode() if slash else None,
        headers={},
        known=dict(_value(name, value) for name, value in question.values.items()),
        resource="" if of_s3 else question.resource,
    )
    return evolve(ask, version=_version(objects, ask)) if key and ask.record is not None else ask


def action_of(text: str) -> str:
    """An action as policies spell it. Raises ValueError when there is none of that name."""
    found = SPELLING.get(text.lower())
    service, colon, name = text.partition(":")
    if found is None and not (service.lower() in OTHER_SERVICES and colon and name.isalnum() and name.isascii()):
        raise ValueError(f"there is no action {text!r}")
    return found or text


def _value(name: str, value: str) -> tuple[str, str]:
    key = condition_key(name)
    if key is None:
        raise ValueError(f"{name!r} is not a condition key, e.g. aws:SourceIp")
    return key.name, value


def _record(objects: Any, bucket: str, action: str) -> Any:
    if not bucket or action == "s3:CreateBucket":
        return None
    try:
        return objects.catalog.bucket(bucket)
    except NoSuchBucket:
        raise ValueError(f"there is no bucket {bucket!r}") from None


def _version(objects: Any, ask: Ask) -> Any:
    try:
        return reconciled(objects.look, ask.bucket, ask.key, None)
    except Refusal:
        return None


def _policies(ask: Ask) -> Iterable[Policy]:
    if ask.identity is not None:
        yield from ask.identity.policies
        yield from ask.identity.boundaries
    text = None if ask.record is None else ask.record.settings.get(POLICY)
    if text is not None:
        yield policy_of(text, ask.bucket)[0]


def _lists(ask: Ask) -> Iterable[str]:
    """What access control lists say, in lines."""
    if ask.record is None:
        return
    if not acls_count(ask.call.service, ask.record):
        yield "access control lists count for nothing here"
        return
    held = [("bucket", ask.record.settings.get(ACL), ask.owner)]
    if ask.version is not None:
        held.append(("object", ask.version.extra.get(ACL), ask.version.owner or ask.call.service.owner))
    for what, value, owner in held:
        named = ", ".join(f"{grant.to} {grant.permission}" for grant in acl.grants_of(value, owner))
        yield f"access control list of the {what}, which belongs to {owner}: {named or 'nobody'}"
