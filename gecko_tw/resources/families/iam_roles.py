"""IAM's actions about roles.

Source: IAM API Reference, CreateRole to UpdateRoleDescription.
"""

from gecko_tw.callers.accounts.registered import ROLE
from gecko_tw.callers.accounts.roles import SESSION_SECONDS
from gecko_tw.callers.iam import people, roles
from gecko_tw.callers.iam.names import find, of_account
from gecko_tw.resources.dispatch.operations import action
from gecko_tw.resources.documents.iam import (
    PAGED,
    Asked,
    Told,
    everything,
    named,
    new,
    page,
    page_of_tags,
    role_told,
    with_prefix,
)

_FIELDS = ("Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Tags")


@action("CreateRole", "RoleName", *_FIELDS, about=new(ROLE))
def create_role(asked: Asked) -> Told:
    form, name = asked.form, asked.form.need("RoleName")
    role = roles.create_role(
        asked.registry,
        asked.account,
        name,
        roles.check_trust(form.need("AssumeRolePolicyDocument"), name, asked.identities),
        path=form.get("Path") or "/",
        description=form.get("Description") or "",
        longest=form.number("MaxSessionDuration", SESSION_SECONDS, 0, 10**8),
        tags=asked.tags(),
    )
    return {"Role": role_told(role, whole=True)}


@action("GetRole", "RoleName", about=named(ROLE))
def get_role(asked: Asked) -> Told:
    return {"Role": role_told(find(asked.registry, ROLE, asked.account, asked.form.need("RoleName")), whole=True)}


@action("ListRoles", "PathPrefix", *PAGED, about=everything)
def list_roles(asked: Asked) -> Told:
    found = with_prefix(asked, of_account(asked.registry, ROLE, asked.account))
    shown, more = page(asked, found, lambda role: role.name)
    return {"Roles": [role_told(role) for role in shown], **more}


@action("UpdateRole", "RoleName", "Description", "MaxSessionDuration", about=named(ROLE))
def update_role(asked: Asked) -> Told:
    form = asked.form
    changes: Told = {}
    if form.get("Description") is not None:
        changes["description"] = roles.check_description(form.get("Description") or "")
    if form.get("MaxSessionDuration") is not None:
        changes["longest"] = roles.check_session(form.number("MaxSessionDuration", 0, 0, 10**8))
    roles.update_role(asked.registry, asked.account, form.need("RoleName"), **changes)
    return {}


@action("UpdateRoleDescription", "RoleName", "Description", about=named(ROLE))
def update_role_description(asked: Asked) -> Told:
    form = asked.form
    text = roles.check_description(form.get("Description") or "")
    return {
        "Role": role_told(roles.update_role(asked.registry, asked.account, form.need("RoleName"), description=text))
    }


@action("UpdateAssumeRolePolicy", "RoleName", "PolicyDocument", about=named(ROLE))
def update_assume_role_policy(asked: Asked) -> None:
    form, name = asked.form, asked.form.need("RoleName")
    trust = roles.check_trust(form.need("PolicyDocument"), name, asked.identities)
    roles.update_role(asked.registry, asked.account, name, trust=trust)


@action("DeleteRole", "RoleName", about=named(ROLE))
def delete_role(asked: Asked) -> None:
    roles.delete_role(asked.registry, asked.account, asked.form.need("RoleName"))


@action("TagRole", "RoleName", "Tags", about=named(ROLE))
def tag_role(asked: Asked) -> None:
    people.tag(asked.registry, ROLE, asked.account, asked.form.need("RoleName"), asked.tags())


@action("UntagRole", "RoleName", "TagKeys", about=named(ROLE))
def untag_role(asked: Asked) -> None:
    people.untag(asked.registry, ROLE, asked.account, asked.form.need("RoleName"), asked.form.texts("TagKeys"))


@action("ListRoleTags", "RoleName", *PAGED, about=named(ROLE))
def list_role_tags(asked: Asked) -> Told:
    role = find(asked.registry, ROLE, asked.account, asked.form.need("RoleName"))
    return page_of_tags(asked, role.tags)
