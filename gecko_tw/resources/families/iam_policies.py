"""IAM's actions about policies: those of users, groups and roles, and managed ones.

Source: IAM API Reference, PutUserPolicy to ListAttachedRolePolicies, CreatePolicy to ListEntitiesForPolicy.
"""

from collections.abc import Callable
from typing import Any

from gecko_tw.callers.accounts.registered import POLICY
from gecko_tw.callers.iam import people, policies
from gecko_tw.callers.iam.names import find
from gecko_tw.callers.iam.policies import HOLDERS
from gecko_tw.callers.iam.roles import check_description
from gecko_tw.resources.dispatch.operations import Operation, action
from gecko_tw.resources.documents.iam import (
    PAGED,
    PARAMETERS,
    Asked,
    Told,
    encoded,
    everything,
    managed,
    named,
    new,
    page,
    page_of_tags,
    policy_told,
    version_told,
    with_prefix,
)

_Act = Callable[[Asked], Told | None]


def _of_holders(name: str, *takes: str) -> Callable[[Callable[[str, str, Asked], Told | None]], dict[str, Operation]]:
    """Declares an action three times: of users, of groups and of roles.

    :param name: with ``{}`` for the word.
    """

    def declare(perform: Callable[[str, str, Asked], Told | None]) -> dict[str, Operation]:
        return {kind: _one_of_holders(name, kind, takes, perform) for kind in HOLDERS}

    return declare


def _one_of_holders(
    name: str, kind: str, takes: tuple[str, ...], perform: Callable[[str, str, Asked], Told | None]
) -> Operation:
    parameter = PARAMETERS[kind]

    def act(asked: Asked) -> Told | None:
        return perform(kind, asked.form.need(parameter), asked)

    return action(name.format(kind.capitalize()), parameter, *takes, about=named(kind))(act)


@_of_holders("Put{}Policy", "PolicyName", "PolicyDocument")
def _put(kind: str, holder: str, asked: Asked) -> None:
    name, text = asked.form.need("PolicyName"), asked.form.need("PolicyDocument")
    policies.put_policy(asked.registry, kind, asked.account, holder, name, text)


@_of_holders("Get{}Policy", "PolicyName")
def _get(kind: str, holder: str, asked: Asked) -> Told:
    policy = asked.form.need("PolicyName")
    name, text = policies.get_policy(asked.registry, kind, asked.account, holder, policy)
    return {PARAMETERS[kind]: name, "PolicyName": policy, "PolicyDocument": encoded(text)}


@_of_holders("List{}Policies", *PAGED)
def _list(kind: str, holder: str, asked: Asked) -> Told:
    names = sorted(find(asked.registry, kind, asked.account, holder).policies, key=lambda name: (name.lower(), name))
    shown, more = page(asked, names, str)
    return {"PolicyNames": shown, **more}


@_of_holders("Delete{}Policy", "PolicyName")
def _delete(kind: str, holder: str, asked: Asked) -> None:
    policies.delete_policy(asked.registry, kind, asked.account, holder, asked.form.need("PolicyName"))


@_of_holders("Attach{}Policy", "PolicyArn")
def _attach(kind: str, holder: str, asked: Asked) -> None:
    policies.attach(asked.registry, kind, asked.account, holder, asked.form.need("PolicyArn"))


@_of_holders("Detach{}Policy", "PolicyArn")
def _detach(kind: str, holder: str, asked: Asked) -> None:
    policies.detach(asked.registry, kind, asked.account, holder, asked.form.need("PolicyArn"))


@_of_holders("ListAttached{}Policies", "PathPrefix", *PAGED)
def _list_attached(kind: str, holder: str, asked: Asked) -> Told:
    one = find(asked.registry, kind, asked.account, holder)
    found = [asked.registry.managed_policy(arn) for arn in one.attached]
    there = sorted(with_prefix(asked, filter(None, found)), key=lambda policy: (policy.arn.lower(), policy.arn))
    shown, more = page(asked, there, lambda policy: str(policy.arn))
    return {"AttachedPolicies": [{"PolicyName": each.name, "PolicyArn": each.arn} for each in shown], **more}


put_user_policy, put_group_policy, put_role_policy = _put.values()
get_user_policy, get_group_policy, get_role_policy = _get.values()
list_user_policies, list_group_policies, list_role_policies = _list.values()
delete_user_policy, delete_group_policy, delete_role_policy = _delete.values()
attach_user_policy, attach_group_policy, attach_role_policy = _attach.values()
detach_user_policy, detach_group_policy, detach_role_policy = _detach.values()
list_attached_user_policies, list_attached_group_policies, list_attached_role_policies = _list_attached.values()


@action("CreatePolicy", "PolicyName", "Path", "PolicyDocument", "Description", "Tags", about=new(POLICY, "PolicyName"))
def create_policy(asked: Asked) -> Told:
    form = asked.form
    policy = policies.create_managed(
        asked.registry,
        asked.account,
        form.need("PolicyName"),
        form.need("PolicyDocument"),
        path=form.get("Path") or "/",
        description=check_description(form.get("Description") or ""),
        tags=asked.tags(),
    )
    return {"Policy": policy_told(policy, 0, whole=True)}


@action("GetPolicy", "PolicyArn", about=managed)
def get_policy(asked: Asked) -> Told:
    policy = policies.find_managed(asked.registry, asked.account, asked.form.need("PolicyArn"))
    return {"Policy": policy_told(policy, _attachments(asked, policy.arn), whole=True)}


def _attachments(asked: Asked, arn: str) -> int:
    return len(policies.holders_of(asked.registry, asked.account, arn))


@action("ListPolicies", "Scope", "OnlyAttached", "PathPrefix", "PolicyUsageFilter", *PAGED, about=everything)
def list_policies(asked: Asked) -> Told:
    form = asked.form
    found = policies.managed_policies(asked.registry, asked.account, form.one_of("Scope", "All", "AWS", "Local"))
    if form.one_of("PolicyUsageFilter", "PermissionsPolicy", "PermissionsBoundary") == "PermissionsBoundary":
        found = []
    counted = [(policy, _attachments(asked, policy.arn)) for policy in with_prefix(asked, found)]
    if form.flag("OnlyAttached"):
        counted = [(policy, count) for policy, count in counted if count]
    counted.sort(key=lambda pair: (pair[0].arn.lower(), pair[0].arn))
    shown, more = page(asked, counted, lambda pair: str(pair[0].arn))
    return {"Policies": [policy_told(*pair) for pair in shown], **more}


@action("DeletePolicy", "PolicyArn", about=managed)
def delete_policy(asked: Asked) -> None:
    policies.delete_managed(asked.registry, asked.account, asked.form.need("PolicyArn"))


@action("CreatePolicyVersion", "PolicyArn", "PolicyDocument", "SetAsDefault", about=managed)
def create_policy_version(asked: Asked) -> Told:
    form, arn = asked.form, asked.form.need("PolicyArn")
    text, default = form.need("PolicyDocument"), form.flag("SetAsDefault")
    name = policies.add_version(asked.registry, asked.account, arn, text, default)
    policy = policies.find_managed(asked.registry, asked.account, arn)
    return {"PolicyVersion": version_told(name, policies.find_version(policy, name), policy.default)}


@action("GetPolicyVersion", "PolicyArn", "VersionId", about=managed)
def get_policy_version(asked: Asked) -> Told:
    policy = policies.find_managed(asked.registry, asked.account, asked.form.need("PolicyArn"))
    name = asked.form.need("VersionId")
    return {"PolicyVersion": version_told(name, policies.find_version(policy, name), policy.default, whole=True)}


@action("ListPolicyVersions", "PolicyArn", *PAGED, about=managed)
def list_policy_versions(asked: Asked) -> Told:
    policy = policies.find_managed(asked.registry, asked.account, asked.form.need("PolicyArn"))
    names, more = page(asked, sorted(policy.versions), str)
    return {"Versions": [version_told(name, policy.versions[name], policy.default) for name in names], **more}


@action("SetDefaultPolicyVersion", "PolicyArn", "VersionId", about=managed)
def set_default_policy_version(asked: Asked) -> None:
    arn, version = asked.form.need("PolicyArn"), asked.form.need("VersionId")
    policies.set_default(asked.registry, asked.account, arn, version)


@action("DeletePolicyVersion", "PolicyArn", "VersionId", about=managed)
def delete_policy_version(asked: Asked) -> None:
    arn, version = asked.form.need("PolicyArn"), asked.form.need("VersionId")
    policies.delete_version(asked.registry, asked.account, arn, version)


@action("ListEntitiesForPolicy", "PolicyArn", "EntityFilter", "PathPrefix", *PAGED, about=managed)
def list_entities_for_policy(asked: Asked) -> Told:
    """What a managed policy is attached to."""
    arn = asked.form.need("PolicyArn")
    policies.find_managed(asked.registry, asked.account, arn)
    wanted = asked.form.one_of("EntityFilter", "All", "User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy")
    prefix = asked.form.get("PathPrefix") or "/"
    found = [
        (kind, one)
        for kind, one in policies.holders_of(asked.registry, asked.account, arn)
        if wanted in ("All", kind.capitalize()) and one.path.startswith(prefix)
    ]
    found.sort(key=lambda pair: (_marker(pair).lower(), _marker(pair)))
    shown, more = page(asked, found, _marker)
    lists: Told = {
        f"Policy{kind.capitalize()}s": [
            {PARAMETERS[kind]: one.name, f"{kind.capitalize()}Id": one.unique_id} for each, one in shown if each == kind
        ]
        for kind in HOLDERS
    }
    return {**lists, **more}


def _marker(pair: tuple[str, Any]) -> str:
    return f"{pair[0]}/{pair[1].name}"


def _own_name(asked: Asked) -> str:
    """The name of the account's own managed policy that the form names. Raises NoSuchEntity, AccessDenied."""
    return policies.own_managed(asked.registry, asked.account, asked.form.need("PolicyArn")).name


@action("TagPolicy", "PolicyArn", "Tags", about=managed)
def tag_policy(asked: Asked) -> None:
    people.tag(asked.registry, POLICY, asked.account, _own_name(asked), asked.tags())


@action("UntagPolicy", "PolicyArn", "TagKeys", about=managed)
def untag_policy(asked: Asked) -> None:
    people.untag(asked.registry, POLICY, asked.account, _own_name(asked), asked.form.texts("TagKeys"))


@action("ListPolicyTags", "PolicyArn", *PAGED, about=managed)
def list_policy_tags(asked: Asked) -> Told:
    policy = policies.find_managed(asked.registry, asked.account, asked.form.need("PolicyArn"))
    return page_of_tags(asked, policy.tags)
