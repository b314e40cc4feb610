"""Sessions: temporary key pairs that stand for a lasting one or for a role, no further than a policy.

Nothing is kept of them: the token has it all, sealed.

Source: IAM User Guide, "Temporary security credentials in IAM" and "Session policies".
"""

import json
import secrets
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest

from attrs import evolve, field, frozen

from gecko_tw.callers.access.policies import Policy, read_identity_policy
from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.callers.accounts.roles import Role
from gecko_tw.callers.accounts.sealing import Sealer, WrongKey

PREFIX = "ASIA"
"""What the access key ids of sessions begin with, as AWS's."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_URL_SAFE = str.maketrans("+/", "-_")


@frozen(kw_only=True)
class Credentials:
    """What whoever begins a session is given.

    :ivar expires: seconds since 1970.
    """

    access_key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    expires: int


@frozen(kw_only=True)
class Session:
    """What a token says.

    :ivar parent: the access key id of the pair that it stands for; ``bond`` is made from whose that was and its secret.
    :ivar expires: seconds since 1970.
    :ivar policy: the session policy, or None.
    :ivar role: ``account/name`` of the role that it stands for, ``bond`` then the id of that; ``""`` when it stands for a pair.
    """

    secret: str = field(repr=False)
    parent: str
    bond: str = field(repr=False)
    expires: int
    name: str = ""
    policy: str | None = None
    role: str = ""

    def identity_of_role(self, access_key: str, token: str, role: Role, standing: Identity) -> Identity | None:
        """Who the session is by what its role is now; None when another role has that name since.

        :param standing: what the role stands for, without a key.
        """
        if not compare_digest(self.bond, role.id):
            return None
        principal = evolve(
            standing.principal, arn=assumed_arn(role, self.name), user_id=f"{role.id}:{self.name}", role=role.arn
        )
        return evolve(
            standing,
            access_key=access_key,
            secret=self.secret,
            principal=principal,
            boundaries=() if self.policy is None else (session_policy(self.policy),),
            expires=self.expires,
            token=token,
            parent=role.arn,
            session=self.name,
        )

    def identity(self, access_key: str, token: str, parent: Identity) -> Identity | None:
        """Who the session stands for by what its parent is now; None when another user or another secret has that key since.

        The superuser's session with a policy is the root user of the superuser's account, within that policy.
        """
        if not compare_digest(self.bond, _bond(parent)):
            return None
        policies = () if self.policy is None else (session_policy(self.policy),)
        return evolve(
            parent,
            access_key=access_key,
            secret=self.secret,
            superuser=parent.superuser and not policies,
            boundaries=parent.boundaries + policies,
            expires=_earlier(self.expires, parent.expires),
            token=token,
            parent=parent.access_key,
            session=self.name,
        )


class Sessions:
    """Issues sessions, and reads what was issued.

    :param sealer: that of the deployment, the same in every process.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def issue(self, parent: Identity, policy: str | None, seconds: int, name: str, now: float) -> Credentials:
        """A new session. It ends with its parent's key, if that ends first.

        :param parent: a lasting key pair.
        :param policy: what the session is limited to, or None; valid (:func:`session_policy`).
        :param seconds: how long it is to last from ``now``, seconds since 1970.
        """
        expires = int(_earlier(now + seconds, parent.expires))
        return self._issued(expires, [parent.access_key, _bond(parent), expires, name, policy])

    def issue_of_role(self, role: Role, policy: str | None, seconds: int, name: str, now: float) -> Credentials:
        """A new session of a role; else as :meth:`issue`."""
        expires = int(now + seconds)
        return self._issued(expires, ["", role.id, expires, name, policy, f"{role.account}/{role.name}"])

    def _issued(self, expires: int, more: list[object]) -> Credentials:
        access_key = PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(16))
        secret = secrets.token_urlsafe(30)
        text = json.dumps([secret, *more], ensure_ascii=False, separators=(",", ":"))
        token = self._sealer.seal(text, _context(access_key)).translate(_URL_SAFE)
        return Credentials(access_key=access_key, secret=secret, token=token, expires=expires)

    def open(self, access_key: str, token: str) -> Session | None:
        """What a token says; None when it was never issued, not for this access key, or changed."""
        sealed = _sealed(token)
        if sealed is None:
            return None
        try:
            told = json.loads(self._sealer.open(sealed, _context(access_key)))
        except WrongKey:
            return None
        secret, parent, bond, expires, name, policy, *role = told
        return Session(
            secret=secret, parent=parent, bond=bond, expires=expires, name=name, policy=policy, role="".join(role)
        )


def assumed_arn(role: Role, session: str) -> str:
    """The ARN of who has assumed a role."""
    return f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session}"


@lru_cache(64)
def session_policy(text: str) -> Policy:
    """A session policy, read. Raises MalformedPolicy. Few are remembered: read they are large, and any caller may send many."""
    return read_identity_policy(text, "of the session")


def _sealed(token: str) -> str | None:
    """A token as the sealer wrote it. Of all texts that base64 reads alike only one is the token."""
    try:
        raw = urlsafe_b64decode(token)
    except ValueError:
        return None
    return b64encode(raw).decode("ascii") if urlsafe_b64encode(raw).decode("ascii") == token else None


def _bond(parent: Identity) -> str:
    whose = f"{parent.principal.arn}\n{parent.access_key}\n{parent.secret}"
    return b64encode(sha256(whose.encode("utf-8")).digest()).decode("ascii")


def _earlier(moment: float, other: float | None) -> float:
    return moment if other is None else min(moment, other)


def _context(access_key: str) -> str:
    """So that the token of one session is of no use with the access key of another."""
    return f"session {access_key}"
