"""What a configuration file says about accounts, users, groups, access keys and policies.

No message tells a value: secrets are given here.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Generic, TypeVar

from attrs import frozen

from gecko_tw.bootstrap.buckets import accepted, json_text
from gecko_tw.callers.access.policies import read_identity_policy
from gecko_tw.callers.accounts.identities import AccessKey, Account, Group, User
from gecko_tw.callers.accounts.scopes import KeyScope, boundary_of
from gecko_tw.settings.entries import Entry
from gecko_tw.store.rules.tags import OF_BUCKET, check_tags

_ACCOUNT = re.compile(r'[^:/*?$"\s]{1,128}')
_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,128}")
"""Names of users, groups and policies (IAM User Guide, "IAM and AWS STS quotas")."""

Policies = Mapping[str, str]
"""Policy documents by name."""

Kept = TypeVar("Kept", Account, Group, User, AccessKey)


@frozen
class Declared(Generic[Kept]):
    """One of them that is to be there.

    :ivar place: ``FILE:LINE`` and its key.
    :ivar stated: the fields that the file names; others stay as they are.
    """

    place: str
    value: Kept
    stated: frozenset[str]


def _declared(entry: Entry, value: Kept, stated: Iterable[str]) -> Declared[Kept]:
    return Declared(f"{entry.place}: {entry.path}", value, frozenset(name.replace("-", "_") for name in stated))


def read_accounts(entry: Entry) -> list[Declared[Account]]:
    """A list of ids, or a mapping of ids to what is said about them. Raises BadSetting."""
    return [_account(name, one) for name, one in _by_name(entry)]


def _account(name: str, entry: Entry) -> Declared[Account]:
    _check_account(name, entry)
    given = entry.keys("display-name", "email", "enabled")
    account = Account(
        id=name,
        display_name=given["display-name"].text() if "display-name" in given else name,
        email=given["email"].text() if "email" in given else "",
        enabled=given["enabled"].flag() if "enabled" in given else True,
    )
    return _declared(entry, account, given)


def _check_account(name: str, entry: Entry) -> None:
    if _ACCOUNT.fullmatch(name) is None or not name.isprintable():
        raise entry.refusal("an account's id has up to 128 characters, without spaces and any of : / * ? $ \"")


def read_policies(entry: Entry) -> Policies:
    """Documents that users and groups refer to by name. Raises BadSetting."""
    return {_name(name, one): _policy(name, one) for name, one in entry.named().items()}


def read_users(entry: Entry, policies: Policies) -> list[Declared[User]]:
    """Users by ``account/user``. Raises BadSetting."""
    return [_user(*_named(name, one), one, policies) for name, one in _by_name(entry)]


def _user(account: str, name: str, entry: Entry, policies: Policies) -> Declared[User]:
    given = entry.keys("policies", "groups", "tags", "enabled")
    groups = given.get("groups")
    user = User(
        account=account,
        name=name,
        policies=_attached(given["policies"], policies) if "policies" in given else {},
        groups=tuple(_name(one, groups) for one in groups.texts()) if groups else (),
        tags=_tags(given["tags"]) if "tags" in given else {},
        enabled=given["enabled"].flag() if "enabled" in given else True,
    )
    return _declared(entry, user, given)


def read_groups(entry: Entry, policies: Policies) -> list[Declared[Group]]:
    """Groups by ``account/group``. Raises BadSetting."""
    return [_group(*_named(name, one), one, policies) for name, one in _by_name(entry)]


def _group(account: str, name: str, entry: Entry, policies: Policies) -> Declared[Group]:
    given = entry.keys("policies")
    attached = _attached(given["policies"], policies) if "policies" in given else {}
    return _declared(entry, Group(account=account, name=name, policies=attached), given)


def _named(name: str, entry: Entry) -> tuple[str, str]:
    account, slash, own = name.partition("/")
    if not slash:
        raise entry.refusal("must be named account/name")
    _check_account(account, entry)
    return account, _name(own, entry)


def _by_name(entry: Entry) -> list[tuple[str, Entry]]:
    if not isinstance(entry.value, tuple):
        return list(entry.named().items())
    nothing: dict[str, Entry] = {}
    return [(one.text(), Entry(one.place, one.path, nothing)) for one in entry.value]


def _name(name: str, entry: Entry) -> str:
    if _NAME.fullmatch(name) is None:
        raise entry.refusal("a name has up to 128 letters, digits and signs of + = , . @ _ -")
    return name


def _attached(entry: Entry, policies: Policies) -> Policies:
    """A list of names of declared policies, or a mapping of names to documents of their own."""
    if isinstance(entry.value, dict):
        return {_name(name, one): _policy(name, one) for name, one in entry.value.items()}
    missing = [name for name in entry.texts() if name not in policies]
    if missing:
        raise entry.refusal(f"there is no policy {missing[0]!r}; declared are {', '.join(policies) or 'none'}")
    return {name: policies[name] for name in entry.texts()}


def _policy(name: str, entry: Entry) -> str:
    return accepted(entry, lambda: read_identity_policy(json_text(entry), name)).text


def _tags(entry: Entry) -> Mapping[str, str]:
    pairs = [(key, one.text()) for key, one in entry.named().items()]
    return accepted(entry, lambda: check_tags(pairs, OF_BUCKET))


_KEY = ("access-key", "secret", "account", "user", "expires", "scope", "enabled")


def read_keys(entry: Entry) -> list[Declared[AccessKey]]:
    """Access keys, as a list. Raises BadSetting."""
    found: dict[str, Declared[AccessKey]] = {}
    for one in entry.items():
        key = _key(one)
        name = key.value.access_key
        if name in found:
            raise one.refusal(f"its access-key is there already, in {found[name].place}")
        found[name] = key
    return list(found.values())


def _key(entry: Entry) -> Declared[AccessKey]:
    given = entry.keys(*_KEY)
    for needed in ("access-key", "secret", "account"):
        if needed not in given:
            raise entry.refusal(f"must have {needed}")
    for stated in given.keys() & {"access-key", "secret", "account", "user"}:
        # A user that a variable left empty would make the key the account's own.
        if not given[stated].text().isprintable() or not given[stated].text():
            raise given[stated].refusal("must be printable text that is not empty")
    key = AccessKey(
        access_key=given["access-key"].text(),
        secret=given["secret"].text(),
        account=given["account"].text(),
        user=given["user"].text() if "user" in given else "",
        expires=_moment(given["expires"]) if "expires" in given else None,
        scope=_scope(given["scope"]) if "scope" in given else None,
        enabled=given["enabled"].flag() if "enabled" in given else True,
    )
    return _declared(entry, key, {*given, "user"})


def _moment(entry: Entry) -> float:
    """Seconds since 1970; a time without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(entry.text())
    except ValueError:
        raise entry.refusal("must be a time such as 2030-01-31 or 2030-01-31T12:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _scope(entry: Entry) -> KeyScope:
    given = entry.keys("actions", "buckets", "prefixes", "networks")
    for one in given.values():
        if "" in one.texts():
            raise one.refusal("must not have empty texts: they would limit nothing")
    scope = KeyScope(**{name: one.texts() for name, one in given.items()})
    accepted(entry, lambda: boundary_of(scope))
    return scope
