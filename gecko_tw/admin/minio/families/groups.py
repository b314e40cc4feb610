"""Groups. They are made with their first members."""

import time
from typing import Any

from attrs import evolve

from gecko_tw.admin.minio.naming import names_of
from gecko_tw.admin.minio.rows import PLAIN, V3, Question, minio
from gecko_tw.admin.minio.words import is_enabled, status, time_of
from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Group
from gecko_tw.callers.accounts.registered import GROUP, USER
from gecko_tw.callers.accounts.registry import Changes, Registry
from gecko_tw.callers.iam.names import check_name, check_new, check_quota, new_id, of_account, place
from gecko_tw.callers.iam.people import members
from gecko_tw.callers.refusals import DeleteConflict, NoSuchEntity
from gecko_tw.resources.dispatch.operations import GET, PUT
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, Refusal


class GroupNotEmpty(DeleteConflict):
    """The group has members."""

    @property
    def code(self) -> str:
        return "XMinioAdminGroupNotEmpty"


class NoSuchUser(Refusal):
    """There is no such user."""

    @property
    def code(self) -> str:
        return "XMinioAdminNoSuchUser"


@minio(
    "UpdateGroupMembers",
    PUT,
    V3 + "update-group-members",
    needs="admin:AddUserToGroup",
    body=PLAIN,
    missing="Group",
)
def update_group_members(question: Question) -> Json:
    """Adds members to a group, which is made when it is not there, or removes some; without any it is removed itself."""
    registry, name = question.ground.registry, question.given("group", str, "")
    names = _names(question.given("members", (list, str), []))
    leave, wanted = question.given("isRemove", bool, False), question.given("groupStatus", str, "")

    def plan() -> tuple[None, Changes]:
        group = registry.group(ROOT_ACCOUNT, name)
        if leave:
            return None, _left(registry, group, name, names)
        if group is None:
            check_new(registry, GROUP, ROOT_ACCOUNT, check_name(GROUP, name))
            group = Group(account=ROOT_ACCOUNT, name=name, id=new_id(GROUP), created=int(time.time()))
        if wanted:
            group = evolve(group, enabled=is_enabled(wanted))
        return None, {place(GROUP, group): group, **_joined(registry, name, names)}

    registry.settle(plan)


def _names(given: list[Any] | str) -> list[str]:
    """Names of members: a list, or a text with commas, which minio-py's users give."""
    found = [one for one in given.split(",") if one] if isinstance(given, str) else given
    if not all(isinstance(one, str) for one in found):
        raise InvalidArgument("The member members of the body is of a wrong type.", ArgumentName="members")
    return found


def _joined(registry: Registry, group: str, names: list[str]) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for name in names:
        user = _user(registry, name)
        if group not in user.groups:
            check_quota(len(user.groups) + 1, "GroupsPerUser")
            found[place(USER, user)] = evolve(user, groups=(*user.groups, group))
    return found


def _left(registry: Registry, group: Group | None, name: str, names: list[str]) -> dict[tuple[str, str], Any]:
    if group is None:
        raise NoSuchEntity(f"There is no group {name!r}.")
    if names:
        users = [_user(registry, one) for one in names]
        return {
            place(USER, one): evolve(one, groups=tuple(each for each in one.groups if each != name)) for one in users
        }
    if members(registry, group):
        raise GroupNotEmpty
    return {place(GROUP, group): None}


def _user(registry: Registry, name: str) -> Any:  # a User
    found = registry.user(ROOT_ACCOUNT, name)
    if found is None:
        raise NoSuchUser(f"There is no user {name!r}.")
    return found


@minio("ListGroupNames", GET, V3 + "groups", needs="admin:ListGroups")
def list_groups(question: Question) -> Json:
    """The names of all groups of the settings' account."""
    return [one.name for one in of_account(question.ground.registry, GROUP, ROOT_ACCOUNT)]


@minio("GetGroupDescription", GET, V3 + "group", "group", needs="admin:GetGroup", missing="Group")
def group_info(question: Question) -> Json:
    """A group with its members, policies and status."""
    registry = question.ground.registry
    group = changes.find(registry, GROUP, f"{ROOT_ACCOUNT}/{question.text('group')}")
    return {
        "name": group.name,
        "status": status(group.enabled),
        "members": [one.name for one in members(registry, group)],
        "policy": ",".join(names_of(registry, group)),
        "updatedAt": time_of(group.created),
    }


@minio(
    "SetGroupStatus",
    PUT,
    V3 + "set-group-status",
    "group",
    "status",
    needs="admin:EnableGroup",
    missing="Group",
)
def set_group_status(question: Question) -> Json:
    """Switches a group off and on: as long as it is off, its members do not have its policies."""
    enabled = is_enabled(question.text("status"))
    name = f"{ROOT_ACCOUNT}/{question.text('group')}"
    changes.change(question.ground.registry, GROUP, name, {"enabled": enabled})
