"""Identities, changed: each change is atomic, and none undoes another that was made meanwhile.

Source of the words: IAM User Guide, "IAM identities".
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from attrs import frozen

from gecko_tw.callers.access.policies import read_identity_policy
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Account, Group, User
from gecko_tw.callers.accounts.registered import ACCOUNT, GROUP, KEY, POLICY, PROVIDER, ROLE, USER, Registered, name_of
from gecko_tw.callers.accounts.scopes import boundary_of
from gecko_tw.callers.refusals import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from gecko_tw.store.refusals import InvalidArgument

__all__ = ["ACCOUNT", "GROUP", "KEY", "POLICY", "ROLE", "USER", "Registry", "new_account_id", "new_pair"]

LONGEST = 1024
"""Characters of an access key id, or of a secret."""


Kept = TypeVar("Kept")
Changes = Mapping[tuple[str, str], Any]


class _Changed(Exception):  # noqa: N818 - named for what it tells
    """Somebody else changed a document since it was read."""


@frozen
class Registry(Registered):
    """The identities of a deployment, to be changed. Every method blocks; what refuses changes nothing."""

    def put_account(self, account: Account) -> bool:
        """Adds or replaces an account; returns whether that changed anything.

        :raises EntityAlreadyExists, InvalidArgument: another account has the e-mail address, or it is the account of the
            settings; the id is none.
        """
        return self.revise(ACCOUNT, name_of(ACCOUNT, account), lambda found: account)

    def put_user(self, user: User) -> bool:
        """The same of a user. Raises NoSuchEntity, InvalidArgument, MalformedPolicy."""
        return self.revise(USER, name_of(USER, user), lambda found: user)

    def put_group(self, group: Group) -> bool:
        """The same of a group. Raises NoSuchEntity, InvalidArgument, MalformedPolicy."""
        return self.revise(GROUP, name_of(GROUP, group), lambda found: group)

    def put_key(self, key: AccessKey) -> bool:
        """The same of an access key. Raises EntityAlreadyExists, NoSuchEntity, InvalidArgument, MalformedPolicy, WrongKey."""
        return self.revise(KEY, name_of(KEY, key), lambda found: key)

    def add_key(self, key: AccessKey) -> None:
        """Adds an access key. Raises EntityAlreadyExists also when there is one of that id, and else as :meth:`put_key`."""
        self.revise(KEY, key.access_key, lambda found: unless_found(found, key, f"an access key {key.access_key!r}"))

    # Any: as in Registered.
    def revise(self, kind: str, name: str, rule: Callable[[Any], Any]) -> bool:
        """Replaces one of a kind by ``rule(it or None)``, which is asked again when somebody else changed it meanwhile.

        :param name: the name of its document.
        :returns: whether that changed anything.
        :raises Refusal: what the rule raises, and what the verb that puts one of this kind does.
        """
        while True:
            kept = self.documents.get(kind, name)
            found = self.read(kind, name, kept)
            wanted = rule(found)
            if wanted == found:
                return False
            self._check(kind, wanted)
            try:
                self.documents.change(kind, name, _replacing(kept, self.written(kind, wanted)))
            except _Changed:
                continue
            return True

    def settle(self, plan: Callable[[], tuple[Kept, Changes]]) -> Kept:
        """Writes in one step what a plan makes of what is there. It is asked again when anything was changed meanwhile.

        :param plan: answers what is returned, and what is to be kept, by kind and name of its document; None is to be forgotten. What
            it looks at is still so when that is written. Names, groups and policies are its own to check.
        :raises Refusal: what the plan raises.
        """
        while True:
            revision = self.documents.revision()
            answer, changes = plan()
            values = {where: self._value(where[0], one) for where, one in changes.items()}
            if self.documents.replace(values, revision):
                return answer

    def _value(self, kind: str, one: Any) -> Any:
        return None if one is None else {**self.written(kind, one), "created": one.created or int(time.time())}

    def enable(self, kind: str, name: str, enabled: bool) -> None:
        """Switches an account, a user or an access key on or off. Raises NoSuchEntity."""
        self._change(kind, name, lambda found: {**found, "enabled": enabled})

    def remove(self, kind: str, name: str) -> None:
        """Forgets one. Raises NoSuchEntity, DeleteConflict when something belongs to it."""
        self.check_unused(kind, name)
        self._change(kind, name, lambda found: None)

    def check_unused(self, kind: str, name: str) -> None:
        """Refuses what is in use to be removed. Raises DeleteConflict when something belongs to it."""
        belongs = next(self._belonging(kind, name), None)
        if belongs is not None:
            raise DeleteConflict(f"{kind} {name!r} is still in use by {belongs}.")

    def check_pair(self, key: AccessKey) -> None:
        """Refuses a key pair that cannot be kept, whoever it belongs to. Raises EntityAlreadyExists, InvalidArgument."""
        for what, text in (("access key id", key.access_key), ("secret", key.secret)):
            if not text or len(text) > LONGEST or not text.isprintable() or text != text.strip():
                raise InvalidArgument(
                    f"The {what} of an access key must be 1 to {LONGEST} printable characters, without spaces around them."
                )
        if key.access_key == self.taken:
            raise EntityAlreadyExists(f"{key.access_key!r} is the access key id of the settings.")

    def check_account(self, account: Account) -> None:
        """Refuses an account that cannot be kept beside the others. Raises EntityAlreadyExists, InvalidArgument."""
        _check_name(account.id)
        if account.id == ROOT_ACCOUNT:
            raise EntityAlreadyExists(f"{account.id!r} is the account of the settings: it cannot be changed.")
        if account.email:
            for other in self.all(ACCOUNT):
                if other.id != account.id and other.email.lower() == account.email.lower():
                    raise EntityAlreadyExists(f"Account {other.id!r} has the e-mail address {account.email!r} already.")

    def _check(self, kind: str, one: Any) -> None:
        if kind == ACCOUNT:
            self.check_account(one)
            return
        if kind == KEY:
            self.check_pair(one)
        else:
            _check_name(one.name)
        if one.account != ROOT_ACCOUNT:
            self._need(ACCOUNT, one.account)
        if kind == KEY:
            self._check_limits(one)
        else:
            self._check_policies(one)

    def _check_limits(self, key: AccessKey) -> None:
        if key.user:
            self._need(USER, f"{key.account}/{key.user}")
        if key.scope is not None:
            boundary_of(key.scope)
        if key.policy:
            read_identity_policy(key.policy, f"of access key {key.access_key}")

    def _check_policies(self, one: User | Group) -> None:
        for group in getattr(one, "groups", ()):
            self._need(GROUP, f"{one.account}/{group}")
        for name, text in one.policies.items():
            read_identity_policy(text, name)

    def _need(self, kind: str, name: str) -> None:
        if self.documents.get(kind, name) is None:
            raise NoSuchEntity(f"There is no {kind} {name!r}.")

    def _belonging(self, kind: str, name: str) -> Iterator[str]:
        if kind == ACCOUNT:
            for room in (USER, GROUP, ROLE, POLICY, PROVIDER):
                yield from (f"{room} {each}" for each, _ in self.documents.all(room) if each.startswith(f"{name}/"))
        if kind in (ACCOUNT, USER):
            for key, value in self.documents.all(KEY):
                if name == (value["account"] if kind == ACCOUNT else f"{value['account']}/{value['user']}"):
                    yield f"key {key}"
        if kind == GROUP:
            account, _, group = name.partition("/")
            yield from (f"user {one.name}" for one in self.all(USER) if one.account == account and group in one.groups)

    def _change(self, kind: str, name: str, rule: Callable[[Any], Any]) -> None:
        def existing(found: Any) -> Any:
            if found is None:
                raise NoSuchEntity(f"There is no {kind} {name!r}.")
            return rule(found)

        self.documents.change(kind, name, existing)


# Any: as in Registered.
def unless_found(found: object, one: Any, what: str) -> Any:
    """One that is to be added; a rule for :meth:`Registry.revise`. Raises EntityAlreadyExists when there is one already."""
    if found is not None:
        raise EntityAlreadyExists(f"There is {what} already.")
    return one


def new_account_id() -> str:
    """Twelve random digits, as AWS's."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)


def new_pair() -> tuple[str, str]:
    """A new access key id and its secret, as long as AWS's."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "AKIA" + "".join(secrets.choice(letters) for _ in range(16)), secrets.token_urlsafe(30)


def _replacing(kept: Any, value: dict[str, Any]) -> Callable[[Any], Any]:
    """The rule that replaces a document by another one, unless it is not the one that was read. Raises _Changed."""

    def rule(found: Any) -> Any:
        if found != kept:
            raise _Changed
        # The time at which it was first added, in seconds since 1970.
        return {**value, "created": int(time.time()) if found is None else found["created"]}

    return rule


def _check_name(name: str) -> None:
    if not name or not name.isprintable() or len(name) > 128 or any(sign in name for sign in ':/*?$" '):
        raise InvalidArgument(
            f'{name!r} is no name: it must be printable, without spaces and any of : / * ? $ " .', ArgumentValue=name
        )
