"""Makes the accounts, groups, users and keys of a configuration file those of the registry."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import evolve

from gecko_tw.callers.identities import ROOT_ACCOUNT
from gecko_tw.callers.registry import Registry
from gecko_tw.configuration.callers import Declared
from gecko_tw.configuration.declarations import Declarations
from gecko_tw.settings import BadSetting


def check_references(declared: Declarations, registry: Registry) -> None:
    """Whatever names an account, a group or a user names one that is declared, or there. Raises BadSetting."""
    accounts = {one.value.id for one in declared.accounts} | {ROOT_ACCOUNT}
    groups = {(one.value.account, one.value.name) for one in declared.groups}
    users = {(one.value.account, one.value.name) for one in declared.users}
    owners: list[tuple[Any, str]] = [
        (one, one.value.account) for one in (*declared.groups, *declared.users, *declared.keys)
    ]
    owners += [(one, one.owner) for one in declared.buckets if one.owner is not None]
    for owned, account in owners:
        _need(account in accounts or registry.account(account), owned, f"account {account}")
    for user in declared.users:
        account = user.value.account
        for name in user.value.groups:
            _need((account, name) in groups or registry.group(account, name), user, f"group {account}/{name}")
    for key in declared.keys:
        account, name = key.value.account, key.value.user
        _need(not name or (account, name) in users or registry.user(account, name), key, f"user {account}/{name}")


def _need(there: object, one: Any, what: str) -> None:
    if not there:
        raise BadSetting(f"{one.place}: there is no {what}")


def register(declared: Declarations, registry: Registry) -> Iterator[str]:
    """Does it, and yields a line for each thing that was made or changed. Raises WrongKey."""
    yield from _put("account", declared.accounts, lambda one: registry.account(one.id), registry.put_account)
    yield from _put("group", declared.groups, lambda one: registry.group(one.account, one.name), registry.put_group)
    yield from _put("user", declared.users, lambda one: registry.user(one.account, one.name), registry.put_user)
    yield from _put("key", declared.keys, lambda one: registry.key(one.access_key), registry.put_key)


def _put(
    kind: str, declared: Iterable[Declared[Any]], find: Callable[[Any], Any], put: Callable[[Any], bool]
) -> Iterator[str]:
    for one in declared:
        found = find(one.value)
        stated = {name: getattr(one.value, name) for name in one.stated}
        if put(one.value if found is None else evolve(found, **stated)):
            yield f"{one.place}: {kind} is {'made' if found is None else 'changed'}"
