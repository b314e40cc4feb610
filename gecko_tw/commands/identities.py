"""``geckos3 account|user|group|key``: who may ask, changed in a data directory, beside a running daemon or without one."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import asdict, evolve

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Account, Group, User
from gecko_tw.callers.accounts.registry import (
    ACCOUNT,
    GROUP,
    KEY,
    USER,
    Registry,
    new_account_id,
    new_pair,
    unless_found,
)
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.refusals import DeleteConflict, NoSuchEntity
from gecko_tw.commands.telling import Told
from gecko_tw.store.drivers.interfaces import ICatalog

AT_ONCE = 1000
"""Buckets that are looked at together."""


def add_account(registry: Registry, account_id: str | None, name: str, email: str) -> str:
    """Adds an account. Raises EntityAlreadyExists, InvalidArgument."""
    account = Account(id=account_id or new_account_id(), display_name=name or account_id or "", email=email)
    registry.revise(ACCOUNT, account.id, lambda found: unless_found(found, account, f"an account {account.id!r}"))
    return Told(f"account {account.id} is made", value_of(account))


def add_user(registry: Registry, account: str, name: str, groups: tuple[str, ...]) -> str:
    """Adds a user. Raises EntityAlreadyExists, NoSuchEntity, InvalidArgument."""
    user = User(account=account, name=name, groups=groups)
    registry.revise(USER, f"{account}/{name}", lambda found: unless_found(found, user, f"a user {name!r}"))
    return Told(f"user {name} of account {account} is made", value_of(user))


def add_group(registry: Registry, account: str, name: str) -> str:
    """Adds a group. Raises EntityAlreadyExists, NoSuchEntity, InvalidArgument."""
    group = Group(account=account, name=name)
    registry.revise(GROUP, f"{account}/{name}", lambda found: unless_found(found, group, f"a group {name!r}"))
    return Told(f"group {name} of account {account} is made", value_of(group))


def add_key(registry: Registry, account: str, user: str, given: Mapping[str, Any]) -> str:
    """Adds an access key and tells its secret, this once.

    :param given: ``access_key`` and ``secret`` or None for new ones, ``expires``, ``description``, and the limits of a KeyScope.
    :raises EntityAlreadyExists, NoSuchEntity, InvalidArgument, MalformedPolicy: as Registry.add_key.
    :raises ValueError: it would have expired already.
    """
    if given["expires"] is not None and given["expires"] <= time.time():
        raise ValueError(f"{_time(given['expires'])} is over: a key can only expire later")
    made_id, made_secret = new_pair()
    limits = {name: tuple(given[name]) for name in ("actions", "buckets", "prefixes", "networks")}
    key = AccessKey(
        access_key=given["access_key"] or made_id,
        secret=given["secret"] or made_secret,
        account=account,
        user=user,
        expires=given["expires"],
        scope=KeyScope(**limits) if any(limits.values()) else None,
        description=given["description"],
    )
    registry.add_key(key)
    told = f"access key: {key.access_key}\nsecret key: {key.secret}"
    return Told(told, {**value_of(key), "secret_key": key.secret})


def remove_account(registry: Registry, catalog: ICatalog, account: str) -> str:
    """Removes an account. Raises NoSuchEntity, DeleteConflict when something belongs to it."""
    # Whoever were given its id later would own its buckets.
    for bucket in _owned(catalog, account):
        raise DeleteConflict(f"account {account!r} still owns bucket {bucket!r}.")
    registry.remove(ACCOUNT, account)
    return f"account {account} is removed"


def _owned(catalog: ICatalog, account: str) -> Iterator[str]:
    """The names of the buckets of an account."""
    after = ""
    while page := catalog.buckets("", after, AT_ONCE):
        yield from (record.name for record in page if record.owner == account)
        after = page[-1].name


def change_groups(registry: Registry, account: str, name: str, group: str, joins: bool) -> str:
    """Makes a user a member of a group, or no longer. Raises NoSuchEntity."""

    def rule(found: User | None) -> User:
        if found is None:
            raise NoSuchEntity(f"There is no user {account}/{name}.")
        if not joins and group not in found.groups:
            raise NoSuchEntity(f"user {account}/{name} is not in group {group!r}.")
        others = tuple(one for one in found.groups if one != group)
        return evolve(found, groups=(*others, group) if joins else others)

    registry.revise(USER, f"{account}/{name}", rule)
    return f"user {account}/{name} is {'in' if joins else 'no longer in'} group {group}"


def attach(registry: Registry, account: str, name: str, kind: str, policy: Path | None, policy_name: str) -> str:
    """Gives a user or a group a policy, or takes the policy of that name away when no file is given.

    :raises NoSuchEntity, MalformedPolicy, OSError: there is no such user or policy, or the file holds none.
    """
    text = None if policy is None else policy.read_text()

    def rule(found: Any) -> Any:
        if found is None:
            raise NoSuchEntity(f"There is no {kind} {account}/{name}.")
        policies = dict(found.policies)
        if text is not None:
            policies[policy_name] = text
        elif policies.pop(policy_name, None) is None:
            raise NoSuchEntity(f"{kind} {account}/{name} has no policy {policy_name!r}.")
        return evolve(found, policies=policies)

    registry.revise(kind, f"{account}/{name}", rule)
    return f"policy {policy_name} of {kind} {account}/{name} is {'removed' if policy is None else 'set'}"


def listed(registry: Registry, kind: str) -> Told:
    """A line for each of a kind; no secrets."""
    found = registry.all(kind)
    return Told("\n".join(_LINES[kind](one) for one in found) or f"no {kind}s", [value_of(one) for one in found])


def shown(registry: Registry, kind: str, name: str) -> Told:
    """All that is kept of one, policies as they were attached; no secrets. Raises NoSuchEntity."""
    found = registry.one(kind, name)
    if found is None:
        raise NoSuchEntity(f"There is no {kind} {name!r}.")
    values = value_of(found)
    return Told(json.dumps(values, indent=2, ensure_ascii=False), values)


def value_of(one: Account | User | Group | AccessKey) -> dict[str, Any]:
    """One of them for programs: what its document says, policies and times to be read, and no secret."""
    values = asdict(one)
    values.pop("created", None)
    if isinstance(one, AccessKey):
        del values["secret"]
        values["expires"] = None if one.expires is None else _time(one.expires)
    if isinstance(one, User | Group):
        values["policies"] = {name: json.loads(text) for name, text in one.policies.items()}
    return values


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _key_line(key: AccessKey) -> str:
    whose = f"{key.account}/{key.user}" if key.user else key.account
    told = [key.access_key, whose]
    if not key.enabled:
        told.append("disabled")
    if key.expires is not None:
        told.append(f"{'expired' if key.expires <= time.time() else 'expires'} {_time(key.expires)}")
    limits = {} if key.scope is None else asdict(key.scope)
    told += [f"{name} {','.join(texts)}" for name, texts in limits.items() if texts]
    return "  ".join([*told, key.description]).rstrip()


_LINES: dict[str, Callable[[Any], str]] = {
    ACCOUNT: lambda one: "  ".join(
        filter(None, (one.id, one.display_name, one.email, "" if one.enabled else "disabled"))
    ),
    USER: lambda one: "  ".join(
        [
            f"{one.account}/{one.name}",
            *one.policies,
            *(f"in {group}" for group in one.groups),
            *([] if one.enabled else ["disabled"]),
        ]
    ),
    GROUP: lambda one: "  ".join([f"{one.account}/{one.name}", *one.policies]),
    KEY: _key_line,
}


def moment(text: str | None) -> float | None:
    """Seconds since 1970 of a date or a time; without a zone it is UTC. Raises ValueError."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; allowed are such as 2030-01-31 and 2030-01-31T12:00:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def whose(name: str, account: str = "") -> tuple[str, str]:
    """Account and name of ``NAME`` or ``ACCOUNT/NAME``; without an account that of the settings' key pair.

    :raises ValueError: two accounts are named, or one and nobody in it.
    """
    named, slash, own = name.partition("/")
    if not slash:
        return account or ROOT_ACCOUNT, name
    if not own:
        raise ValueError(f"{name!r} names an account and nobody in it")
    if account not in ("", named):
        raise ValueError(f"{name!r} is of account {named!r}, not of {account!r}")
    return named, own
