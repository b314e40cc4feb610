"""What names, paths and tags may be, how many of everything there may be, and how something is found by its name.

Source: IAM User Guide, "IAM identifiers" and "IAM and AWS STS quotas".
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.registered import ACCOUNT, GROUP, POLICY, PROVIDER, ROLE, USER, name_of
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.refusals import EntityAlreadyExists, LimitExceeded, NoSuchEntity
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules.tags import OF_BUCKET, check_tags

QUOTAS = {
    "Users": 5000,
    "Groups": 300,
    "Roles": 1000,
    "Policies": 1500,
    "AccessKeysPerUser": 2,
    "GroupsPerUser": 10,
    "AttachedPoliciesPerUser": 10,
    "AttachedPoliciesPerGroup": 10,
    "AttachedPoliciesPerRole": 10,
    "Providers": 100,
    "ClientIdsPerOpenIdConnectProvider": 100,
    "ThumbprintsPerOpenIdConnectProvider": 5,
    "VersionsPerPolicy": 5,
    "PolicySize": 6144,
    "UserPolicySize": 2048,
    "GroupPolicySize": 5120,
    "RolePolicySize": 10240,
    "AssumeRolePolicySize": 2048,
}
"""How many there may be in an account, and how long policies may be, in characters without white space."""

PLURALS = {USER: "Users", GROUP: "Groups", ROLE: "Roles", POLICY: "Policies", PROVIDER: "Providers"}
_LONGEST = {USER: 64, GROUP: 128, ROLE: 64, POLICY: 128}
_PREFIXES = {USER: "AIDA", GROUP: "AGPA", ROLE: "AROA", POLICY: "ANPA"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile(r"/(?:[!-~]+/)?")


def check_name(kind: str, name: str) -> str:
    """The name of a user, a group, a role or a policy. Raises InvalidArgument."""
    longest = _LONGEST[kind]
    if len(name) > longest or _NAME.fullmatch(name) is None:
        raise InvalidArgument(
            f"The name of a {kind} must be 1 to {longest} letters, digits and signs of + = , . @ _ - .",
            ArgumentValue=name,
        )
    return name


def check_path(path: str) -> str:
    """A path. Raises InvalidArgument."""
    if len(path) > 512 or _PATH.fullmatch(path) is None:
        raise InvalidArgument(
            "A path must begin and end with a slash, and have at most 512 printable ASCII characters.",
            ArgumentValue=path,
        )
    return path


def check_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tags. Raises InvalidTag, LimitExceeded."""
    given = list(pairs)
    _check_count(len(given), OF_BUCKET, "tags")
    return check_tags(given, OF_BUCKET)


def check_quota(count: int, quota: str) -> None:
    """Refuses one more than there may be. Raises LimitExceeded."""
    _check_count(count, QUOTAS[quota], quota)


def _check_count(count: int, most: int, what: str) -> None:
    if count > most:
        raise LimitExceeded(f"Cannot exceed quota for {what}: {most}")


def new_id(kind: str) -> str:
    """An id that nothing else has, or had."""
    return _PREFIXES[kind] + "".join(secrets.choice(_LETTERS) for _ in range(17))


def of_account(registry: Registry, kind: str, account: str) -> list[Any]:  # of what the kind says
    """All users, groups, roles or policies of an account, by name in any case."""
    found = [one for one in registry.all(kind) if one.account == account]
    return sorted(found, key=lambda one: (one.name.lower(), one.name))


def find(registry: Registry, kind: str, account: str, name: str) -> Any:  # what the kind says
    """One of an account by its name, whose case means nothing unless there are several. Raises NoSuchEntity."""
    found = find_or_none(registry, kind, account, name)
    if found is None:
        raise NoSuchEntity(f"The {kind} with name {name} cannot be found.")
    return found


def find_or_none(registry: Registry, kind: str, account: str, name: str) -> Any:  # what the kind says
    """The same; None when there is none."""
    found = registry.one(kind, f"{account}/{name}")
    if found is not None:
        return found
    alike = [one for one in of_account(registry, kind, account) if one.name.lower() == name.lower()]
    return alike[0] if alike else None


def check_new(registry: Registry, kind: str, account: str, name: str) -> None:
    """Refuses a name that is taken, in whatever case, and one too many.

    :raises EntityAlreadyExists, LimitExceeded: always when it is refused.
    :raises NoSuchEntity: the account was removed meanwhile.
    """
    if account != ROOT_ACCOUNT and registry.account(account) is None:
        raise NoSuchEntity(f"There is no {ACCOUNT} {account!r}.")
    there = check_free(registry, kind, account, name)
    check_quota(len(there) + 1, PLURALS[kind])


def check_free(
    registry: Registry, kind: str, account: str, name: str, besides: str | None = None
) -> list[Any]:  # of what the kind says
    """Refuses a name that another one has, in whatever case; returns all of that kind. Raises EntityAlreadyExists.

    :param besides: the name, as it is written, of the one that is to have this name.
    """
    there = of_account(registry, kind, account)
    if any(one.name.lower() == name.lower() and one.name != besides for one in there):
        raise EntityAlreadyExists(f"A {kind} with name {name} already exists.")
    return there


def place(kind: str, one: object) -> tuple[str, str]:
    """Kind and name of the document of one of them."""
    return kind, name_of(kind, one)


def with_tags(found: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Tags and further ones, which replace those of the same key. Raises LimitExceeded."""
    tags = {**found, **more}
    _check_count(len(tags), OF_BUCKET, "tags")
    return tags
