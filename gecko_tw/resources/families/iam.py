"""AWS's IAM beside S3: an account here is an account there, and each action of IAM is a row of its own.

Who may ask is decided by ``iam:`` actions in the policies of users, groups and roles; the account itself may do everything with its
own identities, and nobody anything with those of other accounts.
Source: IAM API Reference, "Making query requests"; Service Authorization Reference, "Actions … for AWS IAM".
"""

from collections.abc import Callable, Mapping
from typing import Any

from gecko_tw.callers.access.policies import Principal
from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.answer import Answer, xml
from gecko_tw.resources.answers.refusals import (
    InvalidAction,
    MissingAuthenticationToken,
    NotImplemented_,
    ValidationError,
)
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import ACTION, FORM, IAM, POST, Operation, operation
from gecko_tw.resources.documents.iam import Asked
from gecko_tw.resources.documents.query_protocol import Form, parameters_of, response, shown, written
from gecko_tw.resources.gates.identity_permits import permit_action

VERSION = "2010-05-08"

_TAGGING = {"CreateUser": "iam:TagUser", "CreateRole": "iam:TagRole", "CreatePolicy": "iam:TagPolicy"}
_TAGGING["CreateOpenIDConnectProvider"] = "iam:TagOpenIDConnectProvider"
"""What tags of something new need besides."""


@operation("IdentityAndAccessManagement", POST, ACTION, needs=None, body=FORM, service=IAM)
async def identity_and_access_management(call: Call, document: bytes) -> Answer:
    """One form names the action."""
    parameters = parameters_of(document)
    name, version = parameters.pop("Action", ""), parameters.pop("Version", "")
    row = call.service.table.action(name) if version == VERSION else None
    if row is None or row.service != IAM:
        raise InvalidAction(f"Could not find operation {shown(name)} for version {shown(version)}")
    call.operation = row
    if call.caller.kind == "anonymous":
        raise MissingAuthenticationToken
    _check_session(call.caller.identity)
    asked = _asked(call, row, Form(parameters))
    for action, resource, known in await call.service.scan(_needs, row, asked):
        permit_action(call, action, resource, known)
    act: Callable[[Asked], Mapping[str, object] | None] = row.perform  # type: ignore[assignment] # declared by `action`
    begin = call.service.scan if name.startswith(("Get", "List")) else call.service.write
    result = await begin(act, asked)
    return xml(response(IAM, name, None if result is None else written(result), call.request_id))


def _check_session(identity: Identity | None) -> None:
    """A key's session changes no identities: what it made would outlive it. That of a role is what its role may be."""
    if identity is not None and identity.parent and not identity.principal.role:
        raise AccessDenied("A session of an access key cannot call IAM: ask with the key itself, or assume a role.")


def _asked(call: Call, row: Operation, form: Form) -> Asked:
    """Raises ValidationError when a parameter means something that is not implemented."""
    unknown = sorted(form.names() - row.takes)
    if unknown:
        raise ValidationError(f"The parameter {shown(unknown[0])} of {row.name} is not implemented.")
    service, identity = call.service, call.caller.identity
    if service.registry is None:
        raise NotImplemented_("This deployment keeps no identities.")
    who = Principal(account=service.owner) if identity is None else identity.principal
    return Asked(
        registry=service.registry,
        identities=service.identities,
        account=who.account,
        user=who.user_name,
        role=who.role,
        region=service.region,
        form=form,
    )


def _needs(row: Operation, asked: Asked) -> list[tuple[str, str, Mapping[str, Any]]]:
    """The policy actions that permit it, each with its resource and with values of condition keys."""
    assert row.about is not None and row.needs is not None
    tags = asked.tags() if "Tags" in row.takes else {}
    keys = list(tags) or asked.form.texts("TagKeys") or None
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for about in row.about(asked):
        known = {
            "aws:RequestTag": tags,
            "aws:TagKeys": keys,
            "aws:ResourceTag": about.tags,
            "aws:ResourceAccount": asked.account,
        }
        found.append((row.needs, about.arn, known))
        if tags and row.name in _TAGGING:
            found.append((_TAGGING[row.name], about.arn, known))
    return found
