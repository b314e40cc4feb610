"""Identities as an operator changes them: one verb a change, which returns what there is then. Every verb blocks.

``seen`` is a parameter of most: it is called with what there was, within the step that changes it, and may refuse that.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import asdict, evolve

from gecko_tw.callers.accounts.identities import AccessKey, Account, Group, User
from gecko_tw.callers.accounts.registry import (
    ACCOUNT,
    GROUP,
    USER,
    Changes,
    Registry,
    new_account_id,
    new_pair,
    unless_found,
)
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.refusals import DeleteConflict, NoSuchEntity
from gecko_tw.store.drivers.interfaces import ICatalog
from gecko_tw.store.refusals import InvalidArgument

AT_ONCE = 1000
"""Buckets that are looked at together."""

LIMITS = ("actions", "buckets", "prefixes", "networks")
"""What a key may be limited to, as a KeyScope has it."""

Seen = Callable[[Any], object]  # Any: as in Registered
"""Called with an Account, User, Group or AccessKey, as its kind says; may raise a refusal."""


def nothing(one: object) -> None:
    """Refuses nothing."""


def add_account(registry: Registry, account_id: str | None, name: str, email: str) -> Account:
    """A new account; without an id it gets one. Raises EntityAlreadyExists, InvalidArgument."""
    account = Account(id=account_id or new_account_id(), display_name=name or account_id or "", email=email)
    registry.revise(ACCOUNT, account.id, lambda found: unless_found(found, account, f"an account {account.id!r}"))
    return account


def add_user(registry: Registry, account: str, name: str, groups: tuple[str, ...]) -> User:
    """A new user. Raises EntityAlreadyExists, NoSuchEntity, InvalidArgument."""
    user = User(account=account, name=name, groups=groups)
    registry.revise(USER, f"{account}/{name}", lambda found: unless_found(found, user, f"a user {name!r}"))
    return user


def add_group(registry: Registry, account: str, name: str) -> Group:
    """A new group. Raises EntityAlreadyExists, NoSuchEntity, InvalidArgument."""
    group = Group(account=account, name=name)
    registry.revise(GROUP, f"{account}/{name}", lambda found: unless_found(found, group, f"a group {name!r}"))
    return group


# Any: values by names of fields; one of a kind, as the kind says.
def add_key(registry: Registry, account: str, user: str, given: Mapping[str, Any]) -> AccessKey:
    """A new access key.

    :param given: ``access_key`` and ``secret`` or None for new ones, ``expires`` (seconds since 1970), ``description``, ``name``,
        ``policy`` (a document, as text), and LIMITS.
    :raises EntityAlreadyExists, NoSuchEntity, InvalidArgument, MalformedPolicy: as Registry.add_key.
    :raises InvalidArgument: also when it would have expired already.
    """
    expires = given.get("expires")
    if expires is not None and expires <= time.time():
        raise InvalidArgument(f"{time_text(expires)} is over: a key can only expire later")
    made_id, made_secret = new_pair()
    key = AccessKey(
        access_key=given.get("access_key") or made_id,
        secret=given.get("secret") or made_secret,
        account=account,
        user=user,
        expires=expires,
        scope=scope_in(given),
        description=given.get("description") or "",
        policy=given.get("policy") or "",
        name=given.get("name") or "",
    )
    registry.add_key(key)
    return key


# Any: values by names of fields; one of a kind, as the kind says.
def scope_in(given: Mapping[str, Any]) -> KeyScope | None:
    """The scope that some of LIMITS make; None when they limit nothing."""
    limits = {name: tuple(given.get(name) or ()) for name in LIMITS}
    return KeyScope(**limits) if any(limits.values()) else None


# Any: values by names of fields; one of a kind, as the kind says.
def change(registry: Registry, kind: str, name: str, values: Mapping[str, Any], seen: Seen = nothing) -> Any:
    """Changes fields of one of a kind and returns it. Raises NoSuchEntity, and as the Registry's verb that puts one.

    :param name: of its document.
    """
    made: list[Any] = []

    def rule(found: Any) -> Any:
        if found is None:
            raise NoSuchEntity(f"There is no {kind} {name!r}.")
        seen(found)
        made.append(evolve(found, **values))
        return made[-1]

    registry.revise(kind, name, rule)
    return made[-1]


def remove(registry: Registry, kind: str, name: str, seen: Seen = nothing) -> None:
    """Forgets one. Raises NoSuchEntity, DeleteConflict when something belongs to it."""

    def plan() -> tuple[None, Changes]:
        if registry.documents.get(kind, name) is None:
            raise NoSuchEntity(f"There is no {kind} {name!r}.")
        if seen is not nothing:  # a key whose secret does not open any more can still be revoked
            seen(registry.one(kind, name))
        registry.check_unused(kind, name)
        return None, {(kind, name): None}

    registry.settle(plan)


def remove_account(registry: Registry, catalog: ICatalog, account: str, seen: Seen = nothing) -> None:
    """Removes an account. Raises NoSuchEntity, DeleteConflict when something belongs to it."""
    # Whoever were given its id later would own its buckets.
    for bucket in _owned(catalog, account):
        raise DeleteConflict(f"account {account!r} still owns bucket {bucket!r}.")
    remove(registry, ACCOUNT, account, seen)


def _owned(catalog: ICatalog, account: str) -> Iterator[str]:
    """The names of the buckets of an account."""
    after = ""
    while page := catalog.buckets("", after, AT_ONCE):
        yield from (record.name for record in page if record.owner == account)
        after = page[-1].name


def change_groups(registry: Registry, account: str, name: str, group: str, joins: bool) -> User:
    """Makes a user a member of a group, or no longer. Raises NoSuchEntity."""

    def rule(found: User | None) -> User:
        if found is None:
            raise NoSuchEntity(f"There is no user {account}/{name}.")
        if not joins and group not in found.groups:
            raise NoSuchEntity(f"user {account}/{name} is not in group {group!r}.")
        others = tuple(one for one in found.groups if one != group)
        made.append(evolve(found, groups=(*others, group) if joins else others))
        return made[-1]

    made: list[User] = []
    registry.revise(USER, f"{account}/{name}", rule)
    return made[-1]


def attach(registry: Registry, kind: str, name: str, policy_name: str, text: str | None, seen: Seen = nothing) -> None:
    """Gives a user or a group a policy, or takes the policy of that name away when there is no text.

    :param kind: USER or GROUP.
    :param name: of its document.
    :raises NoSuchEntity, MalformedPolicy: there is no such user or policy, or the text is none.
    """

    def rule(found: Any) -> Any:
        if found is None:
            raise NoSuchEntity(f"There is no {kind} {name}.")
        seen(found)
        policies = dict(found.policies)
        if text is not None:
            policies[policy_name] = text
        elif policies.pop(policy_name, None) is None:
            raise NoSuchEntity(f"{kind} {name} has no policy {policy_name!r}.")
        return evolve(found, policies=policies)

    registry.revise(kind, name, rule)


# Any: values by names of fields; one of a kind, as the kind says.
def find(registry: Registry, kind: str, name: str) -> Any:
    """One of a kind by the name of its document. Raises NoSuchEntity."""
    found = registry.one(kind, name)
    if found is None:
        raise NoSuchEntity(f"There is no {kind} {name!r}.")
    return found


# Any: values of JSON.
def value_of(one: Account | User | Group | AccessKey) -> dict[str, Any]:
    """One of them for programs: what its document says, policies and times to be read, and no secret."""
    values = asdict(one)
    values.pop("created", None)
    if isinstance(one, AccessKey):
        del values["secret"]
        values["expires"] = None if one.expires is None else time_text(one.expires)
        values["policy"] = json.loads(one.policy) if one.policy else None
    if isinstance(one, User | Group):
        values["policies"] = {name: json.loads(text) for name, text in one.policies.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()} | _scope(one)


def _scope(one: object) -> dict[str, Any]:
    if not isinstance(one, AccessKey) or one.scope is None:
        return {}
    return {"scope": {name: list(texts) for name, texts in asdict(one.scope).items()}}


def time_text(seconds: float) -> str:
    """A moment as it is shown."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str | None) -> float | None:
    """Seconds since 1970 of a date or a time; without a zone it is UTC. Raises ValueError."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; allowed are such as 2030-01-31 and 2030-01-31T12:00:00Z") from None
