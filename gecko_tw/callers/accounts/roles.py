"""Roles: what an account lets others do in its name, and who they are; and managed policies, which several identities share.

Source: IAM User Guide, "IAM roles" and "Managed policies and inline policies".
"""

from collections.abc import Mapping

from attrs import field, frozen

from gecko_tw.callers.accounts.arns import arn_of

SESSION_SECONDS = 3600
"""How long a session of a role lasts at most, unless the role says otherwise."""


@frozen(kw_only=True)
class Role:
    """Permissions that somebody has for a while. Its other fields are as those of a User.

    :ivar trust: the policy that says who may assume it.
    :ivar longest: seconds that a session may last.
    """

    account: str
    name: str
    trust: str
    policies: Mapping[str, str] = field(factory=dict)
    attached: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)
    path: str = "/"
    id: str
    description: str = ""
    longest: int = SESSION_SECONDS
    created: int = field(default=0, eq=False)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of("role", self.account, self.path, self.name)

    @property
    def unique_id(self) -> str:
        """What no other role has, or ever had."""
        return self.id


@frozen(kw_only=True)
class PolicyVersion:
    """One text of a managed policy, and the time at which it was made, in seconds since 1970."""

    text: str
    created: int


@frozen(kw_only=True)
class ManagedPolicy:
    """A policy with a name of its own, which may be attached to users, groups and roles of its account.

    :ivar versions: by name, ``v1`` and so on; ``default`` names the one that counts, ``last`` is the number of the newest that ever was.
    """

    account: str
    name: str
    versions: Mapping[str, PolicyVersion]
    default: str = "v1"
    last: int = 1
    path: str = "/"
    id: str
    description: str = ""
    tags: Mapping[str, str] = field(factory=dict)
    updated: int = 0
    created: int = field(default=0, eq=False)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of("policy", self.account, self.path, self.name)

    @property
    def text(self) -> str:
        """The version that counts."""
        return self.versions[self.default].text


@frozen(kw_only=True)
class Provider:
    """An OpenID Connect provider that an account trusts to say who somebody is.

    :ivar url: the issuer, as it was given.
    :ivar clients: for whom its tokens must be.
    :ivar thumbprints: SHA-1 of certificates, in hex.
    """

    account: str
    url: str
    clients: tuple[str, ...] = ()
    thumbprints: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)
    created: int = field(default=0, eq=False)

    @property
    def name(self) -> str:
        """The issuer without its scheme."""
        return self.url.partition("://")[2]

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of("oidc-provider", self.account, "/", self.name)
