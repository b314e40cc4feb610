"""Users and groups.

Source: IAM API Reference, CreateUser to UntagUser, and CreateGroup to RemoveUserFromGroup.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from gecko_tw.callers.accounts.identities import Group, User
from gecko_tw.callers.accounts.registered import GROUP, KEY, USER
from gecko_tw.callers.accounts.registry import Changes, Registry
from gecko_tw.callers.accounts.roles import Role
from gecko_tw.callers.iam.names import (
    check_free,
    check_name,
    check_new,
    check_path,
    check_quota,
    find,
    new_id,
    of_account,
    place,
    with_tags,
)
from gecko_tw.callers.refusals import DeleteConflict, NoSuchEntity


def create_user(registry: Registry, account: str, name: str, path: str, tags: Mapping[str, str]) -> User:
    """A new user. Raises EntityAlreadyExists, InvalidArgument, LimitExceeded."""
    user = User(
        account=account, name=check_name(USER, name), path=check_path(path), id=new_id(USER), tags=tags, created=_now()
    )
    return _added(registry, USER, user)  # type: ignore[no-any-return]


def create_group(registry: Registry, account: str, name: str, path: str) -> Group:
    """A new group. Raises EntityAlreadyExists, InvalidArgument, LimitExceeded."""
    group = Group(
        account=account, name=check_name(GROUP, name), path=check_path(path), id=new_id(GROUP), created=_now()
    )
    return _added(registry, GROUP, group)  # type: ignore[no-any-return]


def _added(registry: Registry, kind: str, one: Any) -> Any:
    def plan() -> tuple[Any, Changes]:
        check_new(registry, kind, one.account, one.name)
        return one, {place(kind, one): one}

    return registry.settle(plan)


def update_user(registry: Registry, account: str, name: str, new_name: str | None, new_path: str | None) -> None:
    """Gives a user another name, another path, or both. The user's keys go along.

    :raises NoSuchEntity, EntityAlreadyExists, InvalidArgument: always when it is refused.
    """

    def plan() -> tuple[None, Changes]:
        user = find(registry, USER, account, name)
        renamed = _renamed(registry, USER, user, new_name, new_path)
        changes: dict[tuple[str, str], Any] = {place(USER, user): None}
        if renamed.name != user.name:
            for access_key, value in registry.documents.all(KEY):
                if (value["account"], value["user"]) == (account, user.name):
                    key = registry.read(KEY, access_key, value)
                    changes[place(KEY, key)] = evolve(key, user=renamed.name)
        return None, {**changes, place(USER, renamed): renamed}

    registry.settle(plan)


def update_group(registry: Registry, account: str, name: str, new_name: str | None, new_path: str | None) -> None:
    """The same of a group: its members stay in it."""

    def plan() -> tuple[None, Changes]:
        group = find(registry, GROUP, account, name)
        renamed = _renamed(registry, GROUP, group, new_name, new_path)
        changes: dict[tuple[str, str], Any] = {place(GROUP, group): None}
        if renamed.name != group.name:
            for user in members(registry, group):
                groups = tuple(renamed.name if one == group.name else one for one in user.groups)
                changes[place(USER, user)] = evolve(user, groups=groups)
        return None, {**changes, place(GROUP, renamed): renamed}

    registry.settle(plan)


def _renamed(registry: Registry, kind: str, one: Any, new_name: str | None, new_path: str | None) -> Any:
    name = one.name if new_name is None else check_name(kind, new_name)
    path = one.path if new_path is None else check_path(new_path)
    if name != one.name:
        check_free(registry, kind, one.account, name, besides=one.name)
    return evolve(one, name=name, path=path)


def delete_user(registry: Registry, account: str, name: str) -> None:
    """Removes a user. Raises NoSuchEntity, DeleteConflict when something belongs to it, or it to a group."""

    def plan() -> tuple[None, Changes]:
        user = find(registry, USER, account, name)
        refuse_with_policies(user)
        if user.groups:
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        if any((one.key.account, one.key.user) == (account, user.name) for one in registry.listed_keys()):
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
        return None, {place(USER, user): None}

    registry.settle(plan)


def delete_group(registry: Registry, account: str, name: str) -> None:
    """Removes a group. Raises NoSuchEntity, DeleteConflict when it has policies or members."""

    def plan() -> tuple[None, Changes]:
        group = find(registry, GROUP, account, name)
        refuse_with_policies(group)
        if members(registry, group):
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        return None, {place(GROUP, group): None}

    registry.settle(plan)


def refuse_with_policies(one: User | Group | Role) -> None:
    """Raises DeleteConflict when a user, a group or a role still has policies."""
    if one.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if one.policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")


def members(registry: Registry, group: Group) -> list[User]:
    """The users in a group, by name."""
    return [user for user in of_account(registry, USER, group.account) if group.name in user.groups]


def add_to_group(registry: Registry, account: str, group_name: str, user_name: str) -> None:
    """Makes a user a member. Raises NoSuchEntity, LimitExceeded."""

    def plan() -> tuple[None, Changes]:
        group, user = find(registry, GROUP, account, group_name), find(registry, USER, account, user_name)
        groups = (*(one for one in user.groups if one != group.name), group.name)
        if group.name not in user.groups:
            check_quota(len(groups), "GroupsPerUser")
        return None, {place(USER, user): evolve(user, groups=groups)}

    registry.settle(plan)


def remove_from_group(registry: Registry, account: str, group_name: str, user_name: str) -> None:
    """Ends a membership. Raises NoSuchEntity, also when there is none."""

    def plan() -> tuple[None, Changes]:
        group, user = find(registry, GROUP, account, group_name), find(registry, USER, account, user_name)
        if group.name not in user.groups:
            raise NoSuchEntity(f"The user {user.name} is not in the group {group.name}.")
        return None, {place(USER, user): evolve(user, groups=tuple(one for one in user.groups if one != group.name))}

    registry.settle(plan)


def tag(registry: Registry, kind: str, account: str, name: str, tags: Mapping[str, str]) -> None:
    """Sets tags of a user, a role or a policy; others stay. Raises NoSuchEntity, LimitExceeded."""

    def plan() -> tuple[None, Changes]:
        one = find(registry, kind, account, name)
        return None, {place(kind, one): evolve(one, tags=with_tags(one.tags, tags))}

    registry.settle(plan)


def untag(registry: Registry, kind: str, account: str, name: str, keys: Iterable[str]) -> None:
    """Removes tags. Raises NoSuchEntity."""
    gone = frozenset(keys)

    def plan() -> tuple[None, Changes]:
        one = find(registry, kind, account, name)
        return None, {place(kind, one): evolve(one, tags={k: v for k, v in one.tags.items() if k not in gone})}

    registry.settle(plan)


def _now() -> int:
    return int(time.time())
