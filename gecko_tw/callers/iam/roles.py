"""Roles.

Source: IAM API Reference, CreateRole to UpdateAssumeRolePolicy.
"""

import time
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from gecko_tw.callers.access.policies import check_principals, read_trust_policy
from gecko_tw.callers.access.policies.principals import Identities
from gecko_tw.callers.accounts.registered import ROLE
from gecko_tw.callers.accounts.registry import Changes, Registry
from gecko_tw.callers.accounts.roles import Role
from gecko_tw.callers.iam.names import check_name, check_new, check_path, find, new_id, place
from gecko_tw.callers.iam.people import refuse_with_policies
from gecko_tw.callers.iam.policies import check_length
from gecko_tw.store.refusals import InvalidArgument

_SHORTEST, _LONGEST = 3600, 43_200
_DESCRIBED = 1000


def check_trust(text: str, name: str, identities: Identities) -> str:
    """A policy that says who may assume a role. Raises MalformedPolicy, also when it names nobody; LimitExceeded.

    :param identities: who is there.
    """
    check_length(text, "AssumeRolePolicySize")
    policy = read_trust_policy(text, name)
    check_principals(policy, identities)
    return policy.text


def check_session(seconds: int) -> int:
    """How long a session of a role may last at most. Raises InvalidArgument."""
    if not _SHORTEST <= seconds <= _LONGEST:
        raise InvalidArgument(f"MaxSessionDuration must be a number from {_SHORTEST} to {_LONGEST}.")
    return seconds


def check_description(text: str) -> str:
    """What people read of a role or a policy. Raises InvalidArgument."""
    if len(text) > _DESCRIBED:
        raise InvalidArgument(f"A description may have at most {_DESCRIBED} characters.")
    return text


def create_role(
    registry: Registry,
    account: str,
    name: str,
    trust: str,
    *,
    path: str,
    description: str,
    longest: int,
    tags: Mapping[str, str],
) -> Role:
    """A new role. Raises EntityAlreadyExists, InvalidArgument, LimitExceeded.

    :param trust: valid: :func:`check_trust`.
    """
    role = Role(
        account=account,
        name=check_name(ROLE, name),
        trust=trust,
        path=check_path(path),
        id=new_id(ROLE),
        description=check_description(description),
        longest=check_session(longest),
        tags=tags,
        created=int(time.time()),
    )

    def plan() -> tuple[Role, Changes]:
        check_new(registry, ROLE, account, name)
        return role, {place(ROLE, role): role}

    return registry.settle(plan)


def update_role(registry: Registry, account: str, name: str, **changes: Any) -> Role:  # values of fields
    """Changes fields of a role, which are valid. Raises NoSuchEntity."""

    def plan() -> tuple[Role, Changes]:
        role: Role = evolve(find(registry, ROLE, account, name), **changes)
        return role, {place(ROLE, role): role}

    return registry.settle(plan)


def delete_role(registry: Registry, account: str, name: str) -> None:
    """Removes a role: its sessions end. Raises NoSuchEntity, DeleteConflict when it still has policies."""

    def plan() -> tuple[None, Changes]:
        role = find(registry, ROLE, account, name)
        refuse_with_policies(role)
        return None, {place(ROLE, role): None}

    registry.settle(plan)
