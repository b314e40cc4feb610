"""IAM's simulator of policies: what would be decided, by the same evaluator that decides.

Source: IAM API Reference, SimulateCustomPolicy and SimulatePrincipalPolicy. Only what policies of identities say is told: what policies of
buckets add, ``POST /api/v1/policies/simulate`` and ``geckos3 policy explain`` tell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from time import time

from attrs import frozen

from gecko_tw.callers.access.policies import (
    MalformedPolicy,
    Policy,
    Principal,
    RequestContext,
    decide,
    read_identity_policy,
)
from gecko_tw.callers.access.policies.condition_keys import condition_key
from gecko_tw.callers.access.policies.context import DERIVED_KEYS
from gecko_tw.callers.access.policies.decisions import Decision, needed_keys
from gecko_tw.callers.accounts.identities import Group, User
from gecko_tw.callers.accounts.registered import GROUP, ROLE, USER
from gecko_tw.callers.accounts.roles import Role
from gecko_tw.callers.iam.names import find, find_or_none
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.resources.answers.refusals import ValidationError
from gecko_tw.resources.dispatch.operations import Subject, action
from gecko_tw.resources.documents.iam import PAGED, Asked, Told, everything
from gecko_tw.resources.documents.query_protocol import Form
from gecko_tw.resources.gates.explaining import action_of

_FIELDS = ("PolicyInputList", "PermissionsBoundaryPolicyInputList", "ActionNames", "ResourceArns", "CallerArn")
_TAKES = (*_FIELDS, "ContextEntries", *PAGED)
_USUAL, _MOST = 100, 1000
_OF_PRINCIPAL = "aws:PrincipalTag"


@frozen(kw_only=True)
class _Simulated:
    """What is supposed.

    :ivar boundaries: one of these must allow it, too, where there are any.
    :ivar values: of condition keys.
    """

    principal: Principal
    policies: Sequence[Policy]
    boundaries: Sequence[Policy]
    values: Mapping[str, list[str]]


@action("SimulateCustomPolicy", *_TAKES, about=everything)
def simulate_custom_policy(asked: Asked) -> Told:
    """What the policies of the form would decide."""
    if not asked.form.texts("PolicyInputList"):
        raise ValidationError("The parameter PolicyInputList must be there.")
    arn = asked.form.get("CallerArn")
    user = asked.user if arn is None else _user(asked, arn).name
    return _told(asked, _principal(asked, user), ())


def _source(asked: Asked) -> Iterable[Subject]:
    return (Subject(asked.form.need("PolicySourceArn")),)


@action("SimulatePrincipalPolicy", "PolicySourceArn", *_TAKES, about=_source)
def simulate_principal_policy(asked: Asked) -> Told:
    """What the policies of a user with those of its groups, of a group, or of a role decide, together with those of the form."""
    source = _holder(asked, asked.form.need("PolicySourceArn"))
    arn = asked.form.get("CallerArn")
    if arn is not None and arn != source.arn:
        raise ValidationError("CallerArn must be that of PolicySourceArn.")
    holders: list[User | Group | Role] = [source]
    if isinstance(source, User):
        holders += [find(asked.registry, GROUP, asked.account, name) for name in source.groups]
    user = source.name if isinstance(source, User) else ""
    return _told(asked, _principal(asked, user), asked.registry.policies_of(*holders))


def _holder(asked: Asked, arn: str) -> User | Group | Role:
    """Raises NoSuchEntity."""
    pieces = arn.split(":", 5)
    kind, _, rest = pieces[-1].partition("/")
    if len(pieces) == 6 and pieces[4] == asked.account and kind in (USER, GROUP, ROLE):
        found: User | Group | Role | None = find_or_none(asked.registry, kind, asked.account, rest.rpartition("/")[2])
        if found is not None and found.arn == arn:
            return found
    raise NoSuchEntity("The entity of that ARN cannot be found.")


def _user(asked: Asked, arn: str) -> User:
    found = _holder(asked, arn)
    if not isinstance(found, User):
        raise ValidationError("CallerArn must be that of a user.")
    return found


def _principal(asked: Asked, user_name: str) -> Principal:
    user = asked.registry.user(asked.account, user_name) if user_name else None
    if user is None:
        return Principal(account=asked.account, canonical_id=asked.account)
    return Principal(
        account=asked.account,
        user_name=user.name,
        user_id=user.unique_id,
        canonical_id=asked.account,
        groups=user.groups,
        tags=user.tags,
        arn=user.arn,
    )


def _told(asked: Asked, principal: Principal, policies: Sequence[Policy]) -> Told:
    form = asked.form
    simulated = _Simulated(
        principal=principal,
        policies=(*policies, *_read(form, "PolicyInputList")),
        boundaries=tuple(_read(form, "PermissionsBoundaryPolicyInputList")),
        values=dict(_entries(form)),
    )
    actions = [_action(name) for name in form.texts("ActionNames")]
    if not actions:
        raise ValidationError("The parameter ActionNames must be there.")
    most = form.number("MaxItems", _USUAL, 1, _MOST)
    begin = form.number("Marker", 0, 0, 10**9 - 1)
    wanted = list(islice(product(actions, form.texts("ResourceArns") or ["*"]), begin, begin + most + 1))
    return {
        "EvaluationResults": [_result(simulated, name, resource) for name, resource in wanted[:most]],
        "IsTruncated": len(wanted) > most,
        "Marker": str(begin + most) if len(wanted) > most else None,
    }


def _action(text: str) -> str:
    try:
        return action_of(text)
    except ValueError as none:
        raise ValidationError(str(none)) from None


def _read(form: Form, name: str) -> Iterator[Policy]:
    for number, text in enumerate(form.texts(name), 1):
        try:
            yield read_identity_policy(text, f"{name}.{number}")
        except MalformedPolicy as wrong:
            raise ValidationError(f"{name}.member.{number}: {wrong.message}") from None


def _entries(form: Form) -> Iterator[tuple[str, list[str]]]:
    """The values of condition keys. Raises ValidationError."""
    number = 1
    while (name := form.get(f"ContextEntries.member.{number}.ContextKeyName")) is not None:
        key = condition_key(name)
        if key is None:
            raise ValidationError(f"{name!r} is not a condition key, e.g. aws:SourceIp")
        if key.name in DERIVED_KEYS or key.name.startswith(_OF_PRINCIPAL):
            raise ValidationError(
                f"{key.name} follows from who is supposed to ask, and from the time: it cannot be given."
            )
        yield key.name, form.texts(f"ContextEntries.member.{number}.ContextKeyValues")
        number += 1
    if any(name.startswith("ContextEntries.") and not _is_before(name, number) for name in form.values):
        raise ValidationError("ContextEntries must be a list of names and values that is numbered from 1.")


def _is_before(name: str, number: int) -> bool:
    place = name.split(".")[2:3]
    return bool(place) and place[0].isdecimal() and 1 <= int(place[0]) < number


def _result(simulated: _Simulated, name: str, resource: str) -> Told:
    context = RequestContext(
        principal=simulated.principal, action=name, resource=resource, now=time(), values=simulated.values
    )
    decision = decide(context, simulated.policies)
    limit = decide(context, simulated.boundaries) if simulated.boundaries else None
    boundary = {} if limit is None else {"AllowedByPermissionsBoundary": limit.allowed}
    needed = needed_keys((*simulated.policies, *simulated.boundaries), context)
    return {
        "EvalActionName": name,
        "EvalResourceName": resource,
        "EvalDecision": _word(decision, limit),
        "MatchedStatements": _matched(decision),
        "MissingContextValues": sorted(key for key in needed if not context.find(key)),
        **({"PermissionsBoundaryDecisionDetail": boundary} if boundary else {}),
    }


def _word(decision: Decision, limit: Decision | None) -> str:
    if decision.explicit_deny or (limit is not None and limit.explicit_deny):
        return "explicitDeny"
    return "allowed" if decision.allowed and (limit is None or limit.allowed) else "implicitDeny"


def _matched(decision: Decision) -> list[Told]:
    """The statement that decided."""
    if decision.policy is None:
        return []
    return [{"SourcePolicyId": decision.policy.name, "SourcePolicyType": "IAM Policy"}]
