"""Makes the accounts, groups, users and keys of a configuration file those of the registry."""

from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

from attrs import evolve, frozen

from gecko_tw.bootstrap.accounts import Declared
from gecko_tw.bootstrap.declarations import Declarations
from gecko_tw.callers.access.policies import check_principals, read_bucket_policy
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Group, User
from gecko_tw.callers.accounts.registered import ACCOUNT, GROUP, KEY, USER, name_of
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import WrongKey
from gecko_tw.resources.gates.access_settings import POLICY
from gecko_tw.settings import BadSetting
from gecko_tw.store.refusals import Refusal


def check_references(declared: Declarations, registry: Registry) -> None:
    """Whatever names an account, a group or a user names one that is declared, or there. Raises BadSetting."""
    accounts = {one.value.id for one in declared.accounts} | {ROOT_ACCOUNT}
    groups = {(one.value.account, one.value.name) for one in declared.groups}
    users = {(one.value.account, one.value.name) for one in declared.users}
    in_accounts: list[Declared[Group] | Declared[User] | Declared[AccessKey]]
    in_accounts = [*declared.groups, *declared.users, *declared.keys]
    owners: list[tuple[Any, str]] = [(one, one.value.account) for one in in_accounts]
    owners += [(one, one.owner) for one in declared.buckets if one.owner is not None]
    for owned, account in owners:
        _need(account in accounts or registry.account(account), owned, f"account {account}")
    for user in declared.users:
        account = user.value.account
        for name in user.value.groups:
            _need((account, name) in groups or registry.group(account, name), user, f"group {account}/{name}")
    for bucket in declared.buckets:
        if POLICY in bucket.settings:
            with _told_at(bucket):
                policy = read_bucket_policy(bucket.settings[POLICY], bucket.name)
                check_principals(policy, _Everybody(accounts, users, registry))
    for key in declared.keys:
        account, name = key.value.account, key.value.user
        _need(not name or (account, name) in users or registry.user(account, name), key, f"user {account}/{name}")


@frozen
class _Everybody:
    """Who is declared, and who is there."""

    accounts: Set[str]
    users: Set[tuple[str, str]]
    registry: Registry

    def account(self, account_id: str) -> object | None:
        return account_id if account_id in self.accounts else self.registry.account(account_id)

    def user(self, account_id: str, name: str) -> object | None:
        return name if (account_id, name) in self.users else self.registry.user(account_id, name)

    def role(self, account_id: str, name: str) -> object | None:
        return self.registry.role(account_id, name)


def _need(there: object, one: Any, what: str) -> None:
    if not there:
        raise BadSetting(f"{one.place}: there is no {what}")


def check_forms(declared: Declarations, registry: Registry) -> None:
    """Nothing that is declared cannot be kept, whatever is kept beside it. Raises BadSetting."""
    for key in declared.keys:
        with _told_at(key):
            registry.check_pair(key.value)
    owners: dict[str, str] = {}
    for account in declared.accounts:
        email = account.value.email.lower()
        with _told_at(account):
            registry.check_account(account.value)
        if email and owners.setdefault(email, account.value.id) != account.value.id:
            raise BadSetting(f"{account.place}: account {owners[email]} has the same e-mail address")


@contextmanager
def _told_at(one: Any) -> Iterator[None]:
    """What is refused is told with its place. No refusal tells a secret."""
    try:
        yield
    except (Refusal, WrongKey) as refusal:
        raise BadSetting(f"{one.place}: {refusal}") from refusal


def register(declared: Declarations, registry: Registry) -> Iterator[str]:
    """Does it, and yields a line for each thing that was made or changed. Raises BadSetting."""
    for kind, found in (
        (ACCOUNT, declared.accounts),
        (GROUP, declared.groups),
        (USER, declared.users),
        (KEY, declared.keys),
    ):
        for one in found:
            yield from _put(kind, one, registry)


def _put(kind: str, one: Declared[Any], registry: Registry) -> Iterator[str]:
    stated = {name: getattr(one.value, name) for name in one.stated}
    new = False

    def rule(found: Any) -> Any:
        nonlocal new
        new = found is None
        return one.value if found is None else evolve(found, **stated)

    with _told_at(one):
        changed = registry.revise(kind, name_of(kind, one.value), rule)
    if changed:
        yield f"{one.place}: {kind} is {'made' if new else 'changed'}"
