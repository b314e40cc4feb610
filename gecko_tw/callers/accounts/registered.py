"""Accounts, users, groups, roles, managed policies and access keys as they are kept in documents: read."""

from collections.abc import Callable
from typing import Any

from attrs import asdict, frozen

from gecko_tw.callers.access.policies import Policy, read_identity_policy
from gecko_tw.callers.accounts.built_in_policies import BUILT_IN_POLICIES
from gecko_tw.callers.accounts.identities import AccessKey, Account, Group, User
from gecko_tw.callers.accounts.roles import ManagedPolicy, PolicyVersion, Provider, Role
from gecko_tw.callers.accounts.scopes import scope_of
from gecko_tw.callers.accounts.sealing import Sealer, WrongKey
from gecko_tw.store.drivers.interfaces import IDocuments

ACCOUNT, USER, GROUP, KEY = "account", "user", "group", "key"
ROLE, POLICY, PROVIDER = "role", "policy", "oidc-provider"
"""Kinds of documents. Keys are named by their ids, and all but accounts and keys ``account/name``."""


@frozen(kw_only=True)
class ListedKey:
    """An access key as it is listed: without its secret, which nobody is shown.

    :ivar key: its ``secret`` is empty.
    :ivar damaged: whether its secret does not open any more, so that whoever has it is refused.
    """

    key: AccessKey
    damaged: bool


@frozen
class Registered:
    """The identities of a deployment. Every method blocks.

    One of them is Any here: an Account, User, Group or AccessKey, as its kind says.

    :ivar sealer: seals the secrets of keys.
    :ivar taken: the access key id of the settings, which always counts there and so is refused here.
    """

    documents: IDocuments
    sealer: Sealer
    taken: str = ""

    def account(self, account_id: str) -> Account | None:
        """The account of that id, or None."""
        return self.one(ACCOUNT, account_id)  # type: ignore[no-any-return]

    def user(self, account: str, name: str) -> User | None:
        """A user, or None."""
        return self.one(USER, f"{account}/{name}")  # type: ignore[no-any-return]

    def group(self, account: str, name: str) -> Group | None:
        """A group, or None."""
        return self.one(GROUP, f"{account}/{name}")  # type: ignore[no-any-return]

    def role(self, account: str, name: str) -> Role | None:
        """A role, or None."""
        return self.one(ROLE, f"{account}/{name}")  # type: ignore[no-any-return]

    def managed_policy(self, arn: str) -> ManagedPolicy | None:
        """A managed policy of an account, or one of AWS's own, by its ARN, or None."""
        pieces = arn.split(":", 5)
        if len(pieces) < 6 or not pieces[5].startswith("policy/"):
            return None
        if pieces[4] == "aws":
            return BUILT_IN_POLICIES.get(arn)
        found = self.one(POLICY, f"{pieces[4]}/{arn.rpartition('/')[2]}")
        return found if found is not None and found.arn == arn else None

    def policies_of(self, *holders: User | Group | Role) -> tuple[Policy, ...]:
        """All policies of some users, groups and roles: their own, and those that are attached. Disabled groups have none."""
        holders = tuple(one for one in holders if not isinstance(one, Group) or one.enabled)
        texts = [pair for one in holders for pair in one.policies.items()]
        for arn in (arn for one in holders for arn in one.attached):
            managed = self.managed_policy(arn)
            if managed is not None:
                texts.append((managed.name, managed.text))
        return tuple(read_identity_policy(text, name) for name, text in texts)

    def key(self, access_key: str) -> AccessKey | None:
        """An access key with its secret, or None. Raises WrongKey."""
        return self.one(KEY, access_key)  # type: ignore[no-any-return]

    def one(self, kind: str, name: str) -> Any:
        """What is kept by the name of its document, or None. Raises WrongKey."""
        return self.read(kind, name, self.documents.get(kind, name))

    def all(self, kind: str) -> list[Any]:
        """All of a kind, by name; of accounts all but that of the settings' key pair. Raises WrongKey."""
        return [self.read(kind, name, value) for name, value in self.documents.all(kind)]

    def listed_keys(self) -> list[ListedKey]:
        """All access keys, by their ids. One whose secret was damaged hides no other."""
        found = []
        for name, value in self.documents.all(KEY):
            found.append(ListedKey(key=_key_without(name, value, ""), damaged=not self._opens(name, value["secret"])))
        return found

    def _opens(self, access_key: str, sealed: str) -> bool:
        try:
            self.sealer.open(sealed, _context(access_key))
        except WrongKey:
            return False
        return True

    def read(self, kind: str, name: str, value: Any) -> Any:
        """What a document says; None when there is none. Raises WrongKey."""
        return None if value is None else _READERS[kind](self, name, value)

    def written(self, kind: str, one: Any) -> dict[str, Any]:
        """The document of one of them, without the time at which it was added. Of a key another one each time."""
        value = asdict(one)
        value.pop("created", None)
        # What an older version does not know is left out where it says nothing: that could not read the document.
        newer = _NEWER.get(kind, {})
        value = {name: one for name, one in value.items() if name not in newer or newer[name] != one}
        if kind == KEY:
            del value["access_key"]
            value["secret"] = self.sealer.seal(one.secret, _context(one.access_key))
        return _plain(value)  # type: ignore[no-any-return]


# Any: as in Registered.
def name_of(kind: str, one: Any) -> str:
    """The name of its document."""
    if kind == KEY:
        return str(one.access_key)
    return str(one.id) if kind == ACCOUNT else f"{one.account}/{one.name}"


def _key(registered: Registered, name: str, value: dict[str, Any]) -> AccessKey:
    try:
        secret = registered.sealer.open(value["secret"], _context(name))
    except WrongKey as problem:
        raise WrongKey(f"the secret of access key {name!r} does not open: {problem}; revoke it") from None
    return _key_without(name, value, secret)


def _key_without(name: str, value: dict[str, Any], secret: str) -> AccessKey:
    """The key of a document, which says all but its secret."""
    given = {field: value[field] for field in ("account", "user", "expires", "enabled", "description")}
    given |= {field: value.get(field, otherwise) for field, otherwise in _NEWER[KEY].items()}
    given["created"] = value.get("created", 0)
    return AccessKey(access_key=name, secret=secret, scope=scope_of(value["scope"]), **given)


def _context(access_key: str) -> str:
    """So that the sealed secret of one key is of no use in the document of another."""
    return f"{KEY} {access_key}"


_NEWER: dict[str, dict[str, Any]] = {
    USER: {"path": "/", "id": "", "attached": ()},
    GROUP: {"path": "/", "id": "", "attached": (), "enabled": True},
    KEY: {"policy": "", "name": ""},
}
"""Fields that came later, by kind, and what they are where they are absent."""

_READERS: dict[str, Callable[[Registered, str, dict[str, Any]], Any]] = {
    ACCOUNT: lambda registered, name, value: Account(**_undated(value)),
    USER: lambda registered, name, value: User(**_holder(value), groups=tuple(value["groups"])),
    GROUP: lambda registered, name, value: Group(**_holder(value)),
    ROLE: lambda registered, name, value: Role(**_holder(value)),
    POLICY: lambda registered, name, value: _policy(value),
    PROVIDER: lambda registered, name, value: Provider(
        **{**value, "clients": tuple(value["clients"]), "thumbprints": tuple(value["thumbprints"])}
    ),
    KEY: _key,
}


def _undated(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name != "created"}


def _holder(value: dict[str, Any]) -> dict[str, Any]:
    """Documents of before there were managed policies have none attached."""
    given = {name: one for name, one in value.items() if name != "groups"}
    return {**given, "attached": tuple(value.get("attached", ()))}


def _policy(value: dict[str, Any]) -> ManagedPolicy:
    versions = {name: PolicyVersion(**one) for name, one in value["versions"].items()}
    return ManagedPolicy(**{**value, "versions": versions})


def _plain(value: Any) -> Any:
    """The same as JSON has it: lists for tuples."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
