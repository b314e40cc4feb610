"""Access keys of users, and those of the account itself.

Source: IAM API Reference, CreateAccessKey, UpdateAccessKey, DeleteAccessKey and ListAccessKeys.
"""

import time

from attrs import evolve

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey
from gecko_tw.callers.accounts.registered import ACCOUNT, KEY, USER
from gecko_tw.callers.accounts.registry import Changes, Registry, new_pair
from gecko_tw.callers.iam.names import check_quota, find, place
from gecko_tw.callers.refusals import NoSuchEntity


def owner_of(registry: Registry, account: str, user_name: str) -> str:
    """The name of a user as it is written; ``""``, which means the account itself, stays. Raises NoSuchEntity."""
    return find(registry, USER, account, user_name).name if user_name else ""


def keys_of(registry: Registry, account: str, user: str) -> list[AccessKey]:
    """All keys of a user, or of the account itself, by their ids."""
    return [one.key for one in registry.listed_keys() if (one.key.account, one.key.user) == (account, user)]


def key_of(registry: Registry, account: str, access_key: str) -> AccessKey:
    """A key of an account, whoever of it has it, without its secret. Raises NoSuchEntity."""
    for one in registry.listed_keys():
        if one.key.access_key == access_key and one.key.account == account:
            return one.key
    raise NoSuchEntity("The Access Key of that id cannot be found.")


def create_key(registry: Registry, account: str, user_name: str) -> AccessKey:
    """A new key pair. Raises NoSuchEntity, LimitExceeded."""
    access_key, secret = new_pair()

    def plan() -> tuple[AccessKey, Changes]:
        user = owner_of(registry, account, user_name)
        if account != ROOT_ACCOUNT and registry.account(account) is None:
            raise NoSuchEntity(f"There is no {ACCOUNT} {account!r}.")
        check_quota(len(keys_of(registry, account, user)) + 1, "AccessKeysPerUser")
        key = AccessKey(access_key=access_key, secret=secret, account=account, user=user, created=int(time.time()))
        return key, {place(KEY, key): key}

    return registry.settle(plan)


def update_key(registry: Registry, account: str, user_name: str, access_key: str, enabled: bool) -> None:
    """Switches a key on or off. Raises NoSuchEntity."""

    def plan() -> tuple[None, Changes]:
        key = _find(registry, account, user_name, access_key)
        return None, {place(KEY, key): evolve(key, enabled=enabled)}

    registry.settle(plan)


def delete_key(registry: Registry, account: str, user_name: str, access_key: str) -> None:
    """Revokes a key. Raises NoSuchEntity."""

    def plan() -> tuple[None, Changes]:
        user = owner_of(registry, account, user_name)
        if access_key not in [key.access_key for key in keys_of(registry, account, user)]:
            raise _missing(access_key)
        return None, {(KEY, access_key): None}

    registry.settle(plan)


def _find(registry: Registry, account: str, user_name: str, access_key: str) -> AccessKey:
    user = owner_of(registry, account, user_name)
    found = registry.key(access_key)
    if found is None or (found.account, found.user) != (account, user):
        raise _missing(access_key)
    return found


def _missing(access_key: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Access Key with id {access_key} cannot be found.")
