"""The ``Principal`` and ``NotPrincipal`` of a statement of a bucket policy.

Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; S3 User Guide, "Principals for bucket policies".
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Protocol

from attrs import frozen

from gecko_tw.callers.access.policies.context import Principal
from gecko_tw.callers.access.policies.grammar import texts
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.store.records import Json

_INVALID = "Invalid principal in policy"
_IAM, _STS = "arn:aws:iam::", "arn:aws:sts::"
_KINDS = ("AWS", "CanonicalUser", "Service")
_WITHIN = {_IAM: ("user/", "role/"), _STS: ("assumed-role/", "federated-user/")}


class PrincipalMatch(IntEnum):
    """How a statement means somebody: not at all, as one of an account that is named, or directly."""

    NONE = 0
    ACCOUNT = 1
    DIRECT = 2


class Identities(Protocol):
    """Who is there: what either returns is not None."""

    def account(self, account_id: str, /) -> object:
        """An account, or None."""

    def user(self, account: str, name: str, /) -> object:
        """A user of one, or None. What has no ``path`` of its own has ``/``."""

    def role(self, account: str, name: str, /) -> object:
        """The same of a role."""


@frozen
class PrincipalSet:
    """Who a statement is about.

    :ivar written: pairs of type (``AWS``, ``CanonicalUser``, ``Service``, ``Federated``) and value.
    :ivar negated: it is a NotPrincipal: about everybody else.
    :ivar everyone: ``*`` is among them: anonymous requests too.
    """

    written: tuple[tuple[str, str], ...]
    negated: bool = False
    everyone: bool = False
    arns: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    canonical_ids: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()

    def match(self, who: Principal) -> PrincipalMatch:
        """How the statement means somebody."""
        if self.negated:
            # A user is excepted by name only: that the account is excepted says nothing of its users.
            return PrincipalMatch.NONE if self._names(who) is PrincipalMatch.DIRECT else PrincipalMatch.DIRECT
        return self._names(who)

    def strangers(self, identities: Identities) -> Iterator[tuple[str, str]]:
        """What of ``written`` names nobody: accounts, users and roles that are not there, sessions, and no services.

        :param identities: ``account(id)``, ``user(account, name)`` and ``role(account, name)`` return something, or None; what has no
            ``path`` of its own has ``/``.
        """
        return ((kind, text) for kind, text in self.written if text != "*" and not _is_somebody(kind, text, identities))

    def _names(self, who: Principal) -> PrincipalMatch:
        if who.provider:
            return PrincipalMatch.DIRECT if who.provider in self.providers else PrincipalMatch.NONE
        if self.everyone or who.arn in self.arns or (who.role and who.role in self.arns):
            return PrincipalMatch.DIRECT
        if who.service:
            return PrincipalMatch.DIRECT if who.service in self.services else PrincipalMatch.NONE
        if who.account and (who.account in self.accounts or who.canonical_id in self.canonical_ids):
            return PrincipalMatch.DIRECT if who.root else PrincipalMatch.ACCOUNT
        return PrincipalMatch.NONE


def read_principals(value: Json, place: str, negated: bool = False, trust: bool = False) -> PrincipalSet:
    """Reads the element.

    :param trust: whether the policy says who may assume a role, so that it may name identity providers.
    :raises MalformedPolicy: it is not ``*`` and not an object of principals, or one of them is malformed.
    """
    if value == "*":
        return PrincipalSet((("", "*"),), negated, everyone=True)
    if not isinstance(value, dict) or not value:
        raise malformed(_INVALID, place, value)
    written: list[tuple[str, str]] = []
    kinds: dict[str, set[str]] = {
        name: set() for name in ("arns", "accounts", "canonical_ids", "services", "providers")
    }
    for kind, given in value.items():
        if kind not in _KINDS and not (trust and kind == "Federated"):
            raise malformed(_INVALID, place, {kind: given})
        for text in texts(given, f"{place}.{kind}", _INVALID):
            written.append((kind, text))
            if (kind, text) != ("AWS", "*"):
                name, meant = _meaning(kind, text, place)
                kinds[name].add(meant)
    found = {name: frozenset(meant) for name, meant in kinds.items()}
    return PrincipalSet(tuple(written), negated, ("AWS", "*") in written, **found)


def _meaning(kind: str, text: str, place: str) -> tuple[str, str]:
    """In which set a value belongs, and as what."""
    if kind == "CanonicalUser" and _plain(text):
        return "canonical_ids", text
    if kind == "Service" and _plain(text):
        return "services", text
    if kind == "Federated" and text.startswith(_IAM) and ":oidc-provider/" in text:
        return "providers", text
    if kind == "AWS":
        if _plain(text):
            return "accounts", text
        for start, within in _WITHIN.items():
            account, colon, name = text.removeprefix(start).partition(":")
            if not (text.startswith(start) and colon and _plain(account)) or any(sign in name for sign in "*?$"):
                continue
            if start == _IAM and name == "root":
                return "accounts", account
            if name.startswith(within) and not name.endswith("/"):
                return "arns", text
    raise malformed(_INVALID, f"{place}.{kind}", text)


def _is_somebody(kind: str, text: str, identities: Identities) -> bool:
    if kind == "Federated":
        return True
    if kind == "Service":
        return text.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    name, meant = _meaning(kind, text, "")
    if name != "arns":
        return identities.account(meant) is not None
    account, _, named = text.removeprefix(_IAM).partition(":")
    room, slash, rest = named.partition("/")
    path, _, own = (slash + rest).rpartition("/")
    find = {"user": identities.user, "role": identities.role}.get(room)
    found = None if find is None or not text.startswith(_IAM) else find(account, own)
    return found is not None and getattr(found, "path", "/") == path + "/"


def _plain(text: str) -> bool:
    """Whether it can be the id of an account: not empty, and nothing that has a meaning elsewhere."""
    return bool(text) and text.isprintable() and not any(character in text for character in ':/*?$" ')
