"""Finding identities on the way of a request: a cache over what is registered that no change can make stale."""

from attrs import define, evolve, field
from zope.interface import implementer

from gecko_tw.callers.access.policies import Policy, Principal, read_identity_policy
from gecko_tw.callers.accounts.identities import Account, Identity, IIdentities, OnePair, User
from gecko_tw.callers.accounts.registered import ACCOUNT, KEY, PROVIDER, USER, Registered
from gecko_tw.callers.accounts.roles import Provider, Role
from gecko_tw.callers.accounts.scopes import boundary_of
from gecko_tw.callers.accounts.sessions import Session, Sessions

MOST = 10_000
"""Identities that are remembered. Access keys that nobody has are not: strangers would fill the memory with them."""

MOST_TOKENS = 256 * 1024
"""Characters of the tokens whose sessions are remembered. Their callers choose the policies in them, which take a hundred times as much
memory when they are read; to open a forgotten session again takes less than a millisecond."""


@define
class _CachedIdentities:
    """What was read since the documents had a revision."""

    revision: int
    identities: dict[str, Identity] = field(factory=dict)
    sessions: dict[str, Identity] = field(factory=dict)
    tokens: int = 0
    by_email: dict[str, Account] | None = None

    def remember(self, token: str, session: Identity) -> None:
        """Keeps a session, and forgets all others when their tokens are too many."""
        self.tokens += len(token)
        if self.tokens > MOST_TOKENS:
            self.sessions.clear()
            self.tokens = len(token)
        self.sessions[token] = session


@implementer(IIdentities)
class Directory:
    """The key pair of the settings, and all that are kept.

    The number of the documents' revision is asked at every request: a key that was revoked is refused at once, in every process.

    :param root: the pair of the settings: it always counts, and is never kept.
    """

    def __init__(self, registry: Registered, root: OnePair) -> None:
        self._registry, self._root = registry, root
        self._sessions = Sessions(registry.sealer)
        self._seen = _CachedIdentities(-1)

    def find(self, access_key: str) -> Identity | None:
        found = self._root.find(access_key)
        if found is not None:
            return found
        seen = self._fresh()
        known = seen.identities.get(access_key)
        if known is None:
            known = self._load(access_key)
            if known is not None:
                if len(seen.identities) >= MOST:
                    seen.identities.clear()
                seen.identities[access_key] = known
        return known

    def session(self, access_key: str, token: str) -> Identity | None:
        seen = self._fresh()
        known = seen.sessions.get(token)
        if known is None:
            known = self._open(access_key, token)
            if known is not None:
                seen.remember(token, known)
        return known if known is not None and known.access_key == access_key else None

    def _open(self, access_key: str, token: str) -> Identity | None:
        """A session by what it stands for is now: it ends with the key, the user and the account that it was begun with."""
        told = self._sessions.open(access_key, token)
        if told is not None and told.role:
            return self._assumed(told, access_key, token)
        parent = None if told is None else self.find(told.parent)
        return None if told is None or parent is None else told.identity(access_key, token, parent)

    def _assumed(self, told: Session, access_key: str, token: str) -> Identity | None:
        """The same of a role: it ends with the role, and with the account of that."""
        account_id, _, name = told.role.partition("/")
        role, account = self._registry.role(account_id, name), self.account(account_id)
        if role is None or account is None or not account.enabled:
            return None
        standing = Identity(
            access_key="",
            secret="",
            principal=Principal(account=account.id, canonical_id=account.id, tags=role.tags),
            display_name=account.display_name or account.id,
            policies=self._registry.policies_of(role),
        )
        return told.identity_of_role(access_key, token, role, standing)

    def account(self, account_id: str) -> Account | None:
        return self._root.account(account_id) or self._registry.account(account_id)

    def user(self, account_id: str, name: str) -> User | None:
        return self._registry.user(account_id, name)

    def role(self, account_id: str, name: str) -> Role | None:
        return self._registry.role(account_id, name)

    def provider(self, account_id: str, issuer: str) -> Provider | None:
        found: Provider | None = self._registry.one(PROVIDER, f"{account_id}/{issuer.partition('://')[2]}")
        return found if found is not None and found.url == issuer else None

    def account_by_email(self, email: str) -> Account | None:
        seen = self._fresh()
        if seen.by_email is None:
            seen.by_email = {one.email.lower(): one for one in self._registry.all(ACCOUNT) if one.email}
        return seen.by_email.get(email.lower())

    def _fresh(self) -> _CachedIdentities:
        """What is read before a change is kept in the value of before that change: a slow thread can make nothing stale."""
        revision, seen = self._registry.documents.revision(), self._seen
        if revision != seen.revision:
            seen = self._seen = _CachedIdentities(revision)
        return seen

    def _load(self, access_key: str) -> Identity | None:
        key = self._registry.key(access_key)
        standing = None if key is None or not key.enabled else self.standing(key.account, key.user)
        if key is None or standing is None:
            return None
        boundaries: tuple[Policy, ...] = () if key.scope is None else (boundary_of(key.scope),)
        if key.policy:
            boundaries += (read_identity_policy(key.policy, f"of access key {access_key}"),)
        return evolve(standing, access_key=access_key, secret=key.secret, boundaries=boundaries, expires=key.expires)

    def standing(self, account_id: str, user_name: str = "") -> Identity | None:
        """What any key of an account, or of one of its users, stands for; None when it is not there, or disabled."""
        account = self.account(account_id)
        user = self._registry.user(account_id, user_name) if user_name else None
        if account is None or not account.enabled or (user_name and (user is None or not user.enabled)):
            return None
        return Identity(
            access_key="",
            secret="",
            principal=principal_of(account, user),
            display_name=account.display_name or account.id,
            policies=() if user is None else self._policies(user),
        )

    def is_known(self, name: str) -> bool:
        """Whether there is an access key, an account or an ``account/user`` of that name, disabled ones included."""
        kinds = (KEY, USER) if "/" in name else (KEY, ACCOUNT)
        return any(self._registry.documents.get(kind, name) is not None for kind in kinds)

    def _policies(self, user: User) -> tuple[Policy, ...]:
        """Those of the user and of the user's groups."""
        groups = (self._registry.group(user.account, name) for name in user.groups)
        return self._registry.policies_of(user, *(group for group in groups if group is not None))


def principal_of(account: Account, user: User | None) -> Principal:
    """An account's own key, or that of one of its users, as policies know it."""
    if user is None:
        return Principal(account=account.id, canonical_id=account.id)
    return Principal(
        account=account.id,
        user_name=user.name,
        user_id=user.unique_id,
        arn=user.arn,
        canonical_id=account.id,
        groups=user.groups,
        tags=user.tags,
    )
