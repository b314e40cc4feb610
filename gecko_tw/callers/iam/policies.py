"""Policies of users, groups and roles: their own, and managed ones with versions, which are attached.

Source: IAM API Reference, PutUserPolicy to DetachUserPolicy, CreatePolicy to DeletePolicyVersion.
"""

import time
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from gecko_tw.callers.access.policies import read_identity_policy
from gecko_tw.callers.accounts.built_in_policies import BUILT_IN_POLICIES
from gecko_tw.callers.accounts.registered import GROUP, POLICY, ROLE, USER
from gecko_tw.callers.accounts.registry import Changes, Registry
from gecko_tw.callers.accounts.roles import ManagedPolicy, PolicyVersion
from gecko_tw.callers.iam.names import (
    QUOTAS,
    check_name,
    check_new,
    check_path,
    check_quota,
    find,
    new_id,
    of_account,
    place,
)
from gecko_tw.callers.refusals import AccessDenied, DeleteConflict, LimitExceeded, NoSuchEntity

HOLDERS = (USER, GROUP, ROLE)
"""What policies may be attached to."""


def check_text(text: str, name: str, quota: str) -> str:
    """A policy document that says what its holder may do. Raises MalformedPolicy, LimitExceeded."""
    check_length(text, quota)
    return read_identity_policy(text, name).text


def check_length(text: str, quota: str) -> None:
    """Refuses a document that is too long, without counting white space. Raises LimitExceeded."""
    if len("".join(text.split())) > QUOTAS[quota]:
        raise LimitExceeded(f"Maximum policy size of {QUOTAS[quota]} bytes exceeded.")


def put_policy(registry: Registry, kind: str, account: str, holder: str, name: str, text: str) -> None:
    """Sets a policy of somebody's own. Raises NoSuchEntity, InvalidArgument, MalformedPolicy, LimitExceeded.

    :param kind: USER, GROUP or ROLE.
    """
    check_name(POLICY, name)
    read_identity_policy(text, name)

    def plan() -> tuple[None, Changes]:
        one = find(registry, kind, account, holder)
        policies = {**one.policies, name: text}
        check_length("".join(policies.values()), f"{kind.capitalize()}PolicySize")
        return None, {place(kind, one): evolve(one, policies=policies)}

    registry.settle(plan)


def get_policy(registry: Registry, kind: str, account: str, holder: str, name: str) -> tuple[str, str]:
    """The name of its holder as it is written, and the document. Raises NoSuchEntity."""
    one = find(registry, kind, account, holder)
    if name not in one.policies:
        raise NoSuchEntity(f"The {kind} policy with name {name} cannot be found.")
    return one.name, one.policies[name]


def delete_policy(registry: Registry, kind: str, account: str, holder: str, name: str) -> None:
    """Removes a policy of somebody's own. Raises NoSuchEntity."""

    def plan() -> tuple[None, Changes]:
        one = find(registry, kind, account, holder)
        if name not in one.policies:
            raise NoSuchEntity(f"The {kind} policy with name {name} cannot be found.")
        rest = {other: text for other, text in one.policies.items() if other != name}
        return None, {place(kind, one): evolve(one, policies=rest)}

    registry.settle(plan)


def attach(registry: Registry, kind: str, account: str, holder: str, arn: str) -> None:
    """Attaches a managed policy. Raises NoSuchEntity, LimitExceeded."""

    def plan() -> tuple[None, Changes]:
        one = find(registry, kind, account, holder)
        find_managed(registry, account, arn)
        attached = one.attached if arn in one.attached else (*one.attached, arn)
        check_quota(len(attached), f"AttachedPoliciesPer{kind.capitalize()}")
        return None, {place(kind, one): evolve(one, attached=attached)}

    registry.settle(plan)


def detach(registry: Registry, kind: str, account: str, holder: str, arn: str) -> None:
    """Detaches one. Raises NoSuchEntity, also when it is not attached."""

    def plan() -> tuple[None, Changes]:
        one = find(registry, kind, account, holder)
        if arn not in one.attached:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return None, {place(kind, one): evolve(one, attached=tuple(each for each in one.attached if each != arn))}

    registry.settle(plan)


def holders_of(
    registry: Registry, account: str, arn: str
) -> list[tuple[str, Any]]:  # a User, Group or Role, as the kind says
    """Kind and user, group or role of an account for all that have a managed policy attached."""
    return [(kind, one) for kind in HOLDERS for one in of_account(registry, kind, account) if arn in one.attached]


def find_managed(registry: Registry, account: str, arn: str) -> ManagedPolicy:
    """A managed policy of an account, or one of AWS's own. Raises NoSuchEntity."""
    found = registry.managed_policy(arn)
    if found is None or found.account not in (account, "aws"):
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    return found


def create_managed(
    registry: Registry, account: str, name: str, text: str, *, path: str, description: str, tags: Mapping[str, str]
) -> ManagedPolicy:
    """A new managed policy. Raises EntityAlreadyExists, InvalidArgument, MalformedPolicy, LimitExceeded."""
    now = int(time.time())
    policy = ManagedPolicy(
        account=account,
        name=check_name(POLICY, name),
        versions={"v1": PolicyVersion(text=check_text(text, name, "PolicySize"), created=now)},
        path=check_path(path),
        id=new_id(POLICY),
        description=description,
        tags=tags,
        updated=now,
        created=now,
    )

    def plan() -> tuple[ManagedPolicy, Changes]:
        check_new(registry, POLICY, account, name)
        return policy, {place(POLICY, policy): policy}

    return registry.settle(plan)


def delete_managed(registry: Registry, account: str, arn: str) -> None:
    """Removes one. Raises NoSuchEntity, DeleteConflict when it is attached, or has more than one version."""

    def plan() -> tuple[None, Changes]:
        policy = own_managed(registry, account, arn)
        if holders_of(registry, account, arn):
            raise DeleteConflict("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, delete its versions."
            )
        return None, {place(POLICY, policy): None}

    registry.settle(plan)


def add_version(registry: Registry, account: str, arn: str, text: str, default: bool) -> str:
    """A further version; returns its name. Raises NoSuchEntity, MalformedPolicy, LimitExceeded.

    :param default: whether it counts from now on.
    """
    check_text(text, arn, "PolicySize")

    def plan() -> tuple[str, Changes]:
        policy, now = own_managed(registry, account, arn), int(time.time())
        name = f"v{policy.last + 1}"
        versions = {**policy.versions, name: PolicyVersion(text=text, created=now)}
        check_quota(len(versions), "VersionsPerPolicy")
        more = evolve(
            policy,
            versions=versions,
            last=policy.last + 1,
            updated=now,
            default=name if default else policy.default,
        )
        return name, {place(POLICY, more): more}

    return registry.settle(plan)


def set_default(registry: Registry, account: str, arn: str, version: str) -> None:
    """Makes a version the one that counts. Raises NoSuchEntity."""

    def plan() -> tuple[None, Changes]:
        policy = own_managed(registry, account, arn)
        find_version(policy, version)
        return None, {place(POLICY, policy): evolve(policy, default=version, updated=int(time.time()))}

    registry.settle(plan)


def delete_version(registry: Registry, account: str, arn: str, version: str) -> None:
    """Removes a version. Raises NoSuchEntity, DeleteConflict when it is the one that counts."""

    def plan() -> tuple[None, Changes]:
        policy = own_managed(registry, account, arn)
        find_version(policy, version)
        if version == policy.default:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        versions = {name: one for name, one in policy.versions.items() if name != version}
        return None, {place(POLICY, policy): evolve(policy, versions=versions)}

    registry.settle(plan)


def find_version(policy: ManagedPolicy, version: str) -> PolicyVersion:
    """A version. Raises NoSuchEntity."""
    if version not in policy.versions:
        raise NoSuchEntity(f"Policy {policy.arn} version {version} does not exist or is not attachable.")
    return policy.versions[version]


def managed_policies(registry: Registry, account: str, scope: str) -> list[ManagedPolicy]:
    """The managed policies that an account may attach, by name.

    :param scope: ``All``, ``Local`` (the account's own) or ``AWS``.
    """
    local = [] if scope == "AWS" else of_account(registry, POLICY, account)
    of_aws = [] if scope == "Local" else list(BUILT_IN_POLICIES.values())
    return sorted([*local, *of_aws], key=lambda one: (one.name.lower(), one.arn))


def own_managed(registry: Registry, account: str, arn: str) -> ManagedPolicy:
    found = find_managed(registry, account, arn)
    if found.account != account:
        raise AccessDenied(f"{arn} is a policy of AWS: it cannot be changed.")
    return found
