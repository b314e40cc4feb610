"""Who may ask: key pairs and where they are found, and the :class:`Caller` that authentication makes of a request."""

from collections.abc import Mapping

from attrs import field, frozen
from zope.interface import Interface, implementer

from gecko_tw.callers.access.policies import ANONYMOUS, Policy, Principal
from gecko_tw.callers.accounts.arns import arn_of
from gecko_tw.callers.accounts.roles import Provider, Role
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.signatures.payloads import UNSIGNED_PAYLOAD
from gecko_tw.callers.signatures.v4 import ChunkSigner

ROOT_ACCOUNT = "000000000000"
"""The account of the key pair in the settings, and of whatever has no other owner (adopted files)."""


@frozen(kw_only=True)
class Account:
    """Who owns buckets and objects.

    :ivar id: any text without ``:`` and ``/``; ``<Owner><ID>``, the account of ARNs and the canonical id of grants are all this one.
    :ivar enabled: whether its keys work.
    """

    id: str
    display_name: str = ""
    email: str = ""
    enabled: bool = True


@frozen(kw_only=True)
class User:
    """Somebody of an account, who may do what policies allow.

    :ivar policies: documents by name, the user's own; ``attached`` are ARNs of managed policies.
    :ivar groups: names of groups of the account.
    :ivar path: ``/``, or a text between slashes, part of the ARN.
    :ivar id: unique for ever; ``""`` when it is made of account and name.
    :ivar created: seconds since 1970, or 0 when nobody knows.
    """

    account: str
    name: str
    policies: Mapping[str, str] = field(factory=dict)
    groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)
    enabled: bool = True
    path: str = "/"
    id: str = ""
    attached: tuple[str, ...] = ()
    created: int = field(default=0, eq=False)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of("user", self.account, self.path, self.name)

    @property
    def unique_id(self) -> str:
        """What no other user has, or ever had where ``id`` is set."""
        return self.id or f"{self.account}:{self.name}"


@frozen(kw_only=True)
class Group:
    """Policies for several users of an account. Its fields are as those of a user.

    :ivar enabled: whether its members have its policies.
    """

    account: str
    name: str
    policies: Mapping[str, str] = field(factory=dict)
    path: str = "/"
    id: str = ""
    attached: tuple[str, ...] = ()
    enabled: bool = True
    created: int = field(default=0, eq=False)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of("group", self.account, self.path, self.name)

    @property
    def unique_id(self) -> str:
        """As that of a user."""
        return self.id or f"{self.account}:{self.name}"


@frozen(kw_only=True)
class AccessKey:
    """A key pair as it is kept.

    :ivar user: whose it is; ``""`` for the account's own, which may do everything in the account.
    :ivar expires: seconds since 1970, or None.
    :ivar scope: what it is limited to, or None; ``policy`` is a policy document that must allow each request, too, or ``""``.
    :ivar name: what people call it.
    :ivar created: seconds since 1970.
    """

    access_key: str
    secret: str = field(repr=False)
    account: str
    user: str = ""
    expires: float | None = None
    enabled: bool = True
    scope: KeyScope | None = None
    description: str = ""
    policy: str = ""
    name: str = ""
    created: int = field(default=0, eq=False)


@frozen(kw_only=True)
class Identity:
    """A key pair and what it stands for.

    :ivar principal: whose it is.
    :ivar display_name: the account's name for people.
    :ivar superuser: whether it is the pair of the settings: the owner of everything, in every account.
    :ivar policies: those of the user and of the user's groups. An account's own key (``principal.root``) needs none.
    :ivar boundaries: each of these must allow a request, too: the scope of a key, the policy of a session.
    :ivar expires: seconds since 1970 after which it is refused, or None.
    :ivar token: the session token that must come with it, or None for a lasting key.
    :ivar parent: the access key that a session stands for, or the ARN of the role, ``session`` its name; both ``""`` for a lasting
        key.
    """

    access_key: str
    secret: str = field(repr=False)
    principal: Principal
    display_name: str = ""
    superuser: bool = False
    policies: tuple[Policy, ...] = ()
    boundaries: tuple[Policy, ...] = ()
    expires: float | None = None
    token: str | None = field(default=None, repr=False)
    parent: str = ""
    session: str = ""

    @property
    def account(self) -> str:
        """The id of the account."""
        return self.principal.account


class IIdentities(Interface):
    """Where key pairs and accounts are found. Called on the reactor thread for every signed request: must not block."""

    def find(access_key: str) -> Identity | None:
        """The :class:`Identity` of an access key, expired or not, or None (also when it, its user or its account is disabled)."""

    def session(access_key: str, token: str) -> Identity | None:
        """That of a session, expired or not; None when the token is not its token, or what it stands for is not found any more."""

    def account(account_id: str) -> Account | None:
        """The :class:`Account` of that id, or None."""

    def user(account_id: str, name: str) -> User | None:
        """The :class:`User` of an account, or None."""

    def role(account_id: str, name: str) -> Role | None:
        """The :class:`Role` of an account, or None."""

    def provider(account_id: str, issuer: str) -> Provider | None:
        """The :class:`Provider` of an account at that URL, or None."""

    def account_by_email(email: str) -> Account | None:
        """The :class:`Account` with that e-mail address (case is ignored), or None."""


@implementer(IIdentities)
class OnePair:
    """A single, all-powerful key pair; any strings will do.

    :param account: the owner's id.
    """

    def __init__(self, access_key: str, secret: str, account: str = ROOT_ACCOUNT) -> None:
        self._account = Account(id=account, display_name=access_key)
        self._identity = Identity(
            access_key=access_key,
            secret=secret,
            principal=Principal(account=account, canonical_id=account),
            display_name=access_key,
            superuser=True,
        )

    def find(self, access_key: str) -> Identity | None:
        """The Identity when it is this pair's access key."""
        return self._identity if access_key == self._identity.access_key else None

    def session(self, access_key: str, token: str) -> Identity | None:
        """It has none."""
        return None

    def account(self, account_id: str) -> Account | None:
        """The only account there is."""
        return self._account if account_id == self._account.id else None

    def user(self, account_id: str, name: str) -> User | None:
        """It has none."""
        return None

    def role(self, account_id: str, name: str) -> None:
        """It has none."""

    def provider(self, account_id: str, issuer: str) -> None:
        """It has none."""

    def account_by_email(self, email: str) -> Account | None:
        """It has none."""
        return None


@frozen(kw_only=True, eq=False)
class Caller:
    """Who asks, and what the request says about its body.

    :ivar identity: None for anonymous requests and while authentication is switched off.
    :ivar kind: ``"header"``, ``"presigned"``, ``"jay"`` (by a URL of Jay's kind), ``"bearer"``, ``"form"``, ``"connection"`` (it is
        whoever its connection has proven), ``"token"`` (has the admin token), ``"anonymous"`` or ``"open"`` (authentication switched off).
    :ivar payload: the effective ``x-amz-content-sha256``: a SHA-256 in lower-case hex, or one of the four words of
        ``callers/signatures/payloads.py``; nothing else.
    :ivar chunks: verifies the chunk signatures of the two signed streaming forms; None for other payloads, and for kind ``open``.
    :ivar hoisted: what a presigned URL carries in its query but means as headers: lower-case ``x-amz-*`` name to decoded
        value, bytes as in ``Head.headers``. Checksums are left out: S3 ignores those. A header of the same name wins.
    """

    identity: Identity | None = None
    kind: str = "anonymous"
    payload: str = UNSIGNED_PAYLOAD
    chunks: ChunkSigner | None = None
    hoisted: Mapping[bytes, bytes] = field(factory=dict)

    @property
    def principal(self) -> Principal:
        """Who asks, as policies know it."""
        return ANONYMOUS if self.identity is None else self.identity.principal

    @property
    def streaming(self) -> bool:
        """Whether the body is framed as aws-chunked."""
        return self.payload.startswith("STREAMING-")

    @property
    def digest(self) -> bytes | None:
        """The raw SHA-256 that the body must have, or None when it was not given."""
        return bytes.fromhex(self.payload) if len(self.payload) == 64 else None
