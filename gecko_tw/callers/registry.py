"""Accounts, users, groups and access keys as documents: kept, changed and read. Every change of one of them is atomic.

Source of the words: IAM User Guide, "IAM identities".
"""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from attrs import asdict, frozen

from gecko_tw.callers.identities import ROOT_ACCOUNT, AccessKey, Account, Group, User
from gecko_tw.callers.policies import read_identity_policy
from gecko_tw.callers.refusals import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from gecko_tw.callers.scopes import boundary_of, scope_of
from gecko_tw.callers.sealing import Sealer
from gecko_tw.interfaces import IDocuments
from gecko_tw.store.refusals import InvalidArgument

ACCOUNT, USER, GROUP, KEY = "account", "user", "group", "key"
"""Kinds of documents. Users and groups are named ``account/name``, keys by their ids."""

LONGEST = 1024
"""Characters of an access key id, or of a secret."""


@frozen
class Registry:
    """The identities of a deployment. Every method blocks; what refuses changes nothing.

    :ivar sealer: seals the secrets of keys.
    :ivar taken: the access key id of the settings, which always counts there and so is refused here.
    """

    documents: IDocuments
    sealer: Sealer
    taken: str = ""

    def put_account(self, account: Account) -> bool:
        """Adds or replaces an account; returns whether that changed anything.

        :raises EntityAlreadyExists, InvalidArgument: another account has the e-mail address; the id is none.
        """
        _check_id(account.id)
        if account.email:
            for other in self.all(ACCOUNT):
                if other.id != account.id and other.email.lower() == account.email.lower():
                    raise EntityAlreadyExists(f"Account {other.id!r} has the e-mail address {account.email!r} already.")
        return self._put(ACCOUNT, account.id, asdict(account))

    def put_user(self, user: User) -> bool:
        """The same of a user. Raises NoSuchEntity, InvalidArgument, MalformedPolicy."""
        self._need_account(user.account)
        for group in user.groups:
            self._need(GROUP, f"{user.account}/{group}")
        return self._put_named(USER, user)

    def put_group(self, group: Group) -> bool:
        """The same of a group. Raises NoSuchEntity, InvalidArgument, MalformedPolicy."""
        self._need_account(group.account)
        return self._put_named(GROUP, group)

    def _put_named(self, kind: str, one: User | Group) -> bool:
        _check_id(one.name)
        for name, text in one.policies.items():
            read_identity_policy(text, name)
        return self._put(kind, f"{one.account}/{one.name}", asdict(one))

    def put_key(self, key: AccessKey) -> bool:
        """The same of an access key. Raises NoSuchEntity, InvalidArgument, MalformedPolicy."""
        self._check_key(key)
        found = self.documents.get(KEY, key.access_key)
        if found is not None and self._key(key.access_key, found) == key:
            return False  # sealed again it would look changed
        return self._put(KEY, key.access_key, self._value(key))

    def add_key(self, key: AccessKey) -> None:
        """Adds an access key. Raises EntityAlreadyExists, and as :meth:`put_key`."""
        self._check_key(key)
        value = self._value(key)

        def rule(found: Any) -> Any:
            if found is not None:
                raise EntityAlreadyExists(f"There is an access key {key.access_key!r} already.")
            return _dated(value, None)

        self.documents.change(KEY, key.access_key, rule)

    def _check_key(self, key: AccessKey) -> None:
        for what, text in (("access key id", key.access_key), ("secret", key.secret)):
            if not text or len(text) > LONGEST or not text.isprintable() or text != text.strip():
                raise InvalidArgument(
                    f"The {what} of an access key must be 1 to {LONGEST} printable characters, without spaces around them."
                )
        if key.access_key == self.taken:
            raise EntityAlreadyExists(f"{key.access_key!r} is the access key id of the settings.")
        self._need_account(key.account)
        if key.user:
            self._need(USER, f"{key.account}/{key.user}")
        if key.scope is not None:
            boundary_of(key.scope)

    def enable(self, kind: str, name: str, enabled: bool) -> None:
        """Switches an account, a user or an access key on or off. Raises NoSuchEntity."""
        self._change(kind, name, lambda found: {**found, "enabled": enabled})

    def remove(self, kind: str, name: str) -> None:
        """Forgets one. Raises NoSuchEntity, DeleteConflict when something belongs to it."""
        belongs = next(self._belonging(kind, name), None)
        if belongs is not None:
            raise DeleteConflict(f"{kind} {name!r} is still in use by {belongs}.")
        self._change(kind, name, lambda found: None)

    def _belonging(self, kind: str, name: str) -> Iterator[str]:
        if kind == ACCOUNT:
            held = [
                other for room in (USER, GROUP) for other, _ in self.documents.all(room) if other.startswith(f"{name}/")
            ]
            yield from held
            yield from (f"key {key}" for key, value in self.documents.all(KEY) if value["account"] == name)
        elif kind == USER:
            yield from (
                f"key {key}" for key, value in self.documents.all(KEY) if f"{value['account']}/{value['user']}" == name
            )
        elif kind == GROUP:
            account, _, group = name.partition("/")
            yield from (
                f"user {user.name}" for user in self.all(USER) if user.account == account and group in user.groups
            )

    def account(self, account_id: str) -> Account | None:
        """The account of that id, or None."""
        found = self.documents.get(ACCOUNT, account_id)
        return None if found is None else Account(**_undated(found))

    def user(self, account: str, name: str) -> User | None:
        """A user, or None."""
        found = self.documents.get(USER, f"{account}/{name}")
        return None if found is None else _user(found)

    def group(self, account: str, name: str) -> Group | None:
        """A group, or None."""
        found = self.documents.get(GROUP, f"{account}/{name}")
        return None if found is None else Group(**_undated(found))

    def key(self, access_key: str) -> AccessKey | None:
        """An access key with its secret, or None. Raises WrongKey."""
        found = self.documents.get(KEY, access_key)
        return None if found is None else self._key(access_key, found)

    def all(self, kind: str) -> list[Any]:
        """All Accounts but that of the settings' key pair, Users, Groups or AccessKeys, by name. Raises WrongKey."""
        return [_READERS[kind](self, name, value) for name, value in self.documents.all(kind)]

    def _key(self, name: str, value: dict[str, Any]) -> AccessKey:
        given = {field: value[field] for field in ("account", "user", "expires", "enabled", "description")}
        secret = self.sealer.open(value["secret"], f"{KEY} {name}")
        return AccessKey(access_key=name, secret=secret, scope=scope_of(value["scope"]), **given)

    def _value(self, key: AccessKey) -> dict[str, Any]:
        value = asdict(key)
        del value["access_key"]
        return _plain({**value, "secret": self.sealer.seal(key.secret, f"{KEY} {key.access_key}")})

    def _put(self, kind: str, name: str, value: dict[str, Any]) -> bool:
        before = self.documents.get(kind, name)
        plain = _plain(value)
        return bool(self.documents.change(kind, name, lambda found: _dated(plain, found)) != before)

    def _change(self, kind: str, name: str, rule: Any) -> None:
        def existing(found: Any) -> Any:
            if found is None:
                raise NoSuchEntity(f"There is no {kind} {name!r}.")
            return rule(found)

        self.documents.change(kind, name, existing)

    def _need_account(self, account: str) -> None:
        if account != ROOT_ACCOUNT:
            self._need(ACCOUNT, account)

    def _need(self, kind: str, name: str) -> None:
        if self.documents.get(kind, name) is None:
            raise NoSuchEntity(f"There is no {kind} {name!r}.")


def new_account_id() -> str:
    """Twelve random digits, as AWS's."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)


def new_pair() -> tuple[str, str]:
    """A new access key id and its secret, as long as AWS's."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "AKIA" + "".join(secrets.choice(letters) for _ in range(16)), secrets.token_urlsafe(30)


def _user(value: dict[str, Any]) -> User:
    return User(**{**_undated(value), "groups": tuple(value["groups"])})


_READERS: dict[str, Callable[[Registry, str, Any], Any]] = {
    ACCOUNT: lambda registry, name, value: Account(**_undated(value)),
    USER: lambda registry, name, value: _user(value),
    GROUP: lambda registry, name, value: Group(**_undated(value)),
    KEY: lambda registry, name, value: registry._key(name, value),
}


def _dated(value: dict[str, Any], found: Any) -> dict[str, Any]:
    """With the time at which it was first added, in seconds since 1970."""
    return {**value, "created": int(time.time()) if found is None else found["created"]}


def _undated(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name != "created"}


def _plain(value: Any) -> Any:
    """The same as JSON has it: lists for tuples."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def _check_id(name: str) -> None:
    if not name or not name.isprintable() or len(name) > 128 or any(sign in name for sign in ':/*?$" '):
        raise InvalidArgument(
            f'{name!r} is no name: it must be printable, without spaces and any of : / * ? $ " .', ArgumentValue=name
        )
