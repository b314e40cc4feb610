"""IAM's actions about groups, and about the account as a whole.

Source: IAM API Reference, CreateGroup to ListGroupsForUser, GetAccountSummary.
"""

from gecko_tw.callers.accounts.registered import GROUP, ROLE, USER
from gecko_tw.callers.iam import access_keys, people
from gecko_tw.callers.iam.names import PLURALS, QUOTAS, find, of_account
from gecko_tw.resources.dispatch.operations import action
from gecko_tw.resources.documents.iam import (
    PAGED,
    Asked,
    Told,
    everything,
    group_told,
    named,
    new,
    page,
    renamed,
    user_told,
    with_prefix,
)
from gecko_tw.resources.documents.query_protocol import Entries


@action("CreateGroup", "GroupName", "Path", about=new(GROUP))
def create_group(asked: Asked) -> Told:
    form = asked.form
    group = people.create_group(asked.registry, asked.account, form.need("GroupName"), form.get("Path") or "/")
    return {"Group": group_told(group)}


@action("GetGroup", "GroupName", *PAGED, about=named(GROUP))
def get_group(asked: Asked) -> Told:
    """A group and its members."""
    group = find(asked.registry, GROUP, asked.account, asked.form.need("GroupName"))
    users, more = page(asked, people.members(asked.registry, group), lambda user: user.name)
    return {"Group": group_told(group), "Users": [user_told(user) for user in users], **more}


@action("ListGroups", "PathPrefix", *PAGED, about=everything)
def list_groups(asked: Asked) -> Told:
    found = with_prefix(asked, of_account(asked.registry, GROUP, asked.account))
    groups, more = page(asked, found, lambda group: group.name)
    return {"Groups": [group_told(group) for group in groups], **more}


@action("ListGroupsForUser", "UserName", *PAGED, about=named(USER))
def list_groups_for_user(asked: Asked) -> Told:
    user = find(asked.registry, USER, asked.account, asked.form.need("UserName"))
    found = [group for group in of_account(asked.registry, GROUP, asked.account) if group.name in user.groups]
    groups, more = page(asked, found, lambda group: group.name)
    return {"Groups": [group_told(group) for group in groups], **more}


@action("UpdateGroup", "GroupName", "NewGroupName", "NewPath", about=renamed(GROUP))
def update_group(asked: Asked) -> None:
    form = asked.form
    people.update_group(
        asked.registry, asked.account, form.need("GroupName"), form.get("NewGroupName"), form.get("NewPath")
    )


@action("DeleteGroup", "GroupName", about=named(GROUP))
def delete_group(asked: Asked) -> None:
    people.delete_group(asked.registry, asked.account, asked.form.need("GroupName"))


@action("AddUserToGroup", "GroupName", "UserName", about=named(GROUP))
def add_user_to_group(asked: Asked) -> None:
    people.add_to_group(asked.registry, asked.account, asked.form.need("GroupName"), asked.form.need("UserName"))


@action("RemoveUserFromGroup", "GroupName", "UserName", about=named(GROUP))
def remove_user_from_group(asked: Asked) -> None:
    people.remove_from_group(asked.registry, asked.account, asked.form.need("GroupName"), asked.form.need("UserName"))


@action("GetAccountSummary", about=everything)
def get_account_summary(asked: Asked) -> Told:
    """How many there are of everything, and how many there may be."""
    registry, account = asked.registry, asked.account
    there = {kind: of_account(registry, kind, account) for kind in PLURALS}
    summary: dict[str, object] = {plural: len(there[kind]) for kind, plural in PLURALS.items()}
    summary |= {f"{name}Quota": most for name, most in QUOTAS.items()}
    summary["AccountAccessKeysPresent"] = int(bool(access_keys.keys_of(registry, account, "")))
    summary["AccountMFAEnabled"] = summary["MFADevices"] = summary["ServerCertificates"] = 0
    return {"SummaryMap": Entries(summary)}


@action("ListAccountAliases", *PAGED, about=everything)
def list_account_aliases(asked: Asked) -> Told:
    """Accounts have no other name than their id."""
    return {"AccountAliases": [], "IsTruncated": False}


@action("ListInstanceProfilesForRole", "RoleName", *PAGED, about=named(ROLE))
def list_instance_profiles_for_role(asked: Asked) -> Told:
    """There are no machines that could have a role. Terraform asks before it removes one."""
    find(asked.registry, ROLE, asked.account, asked.form.need("RoleName"))
    return {"InstanceProfiles": [], "IsTruncated": False}
