"""Policies as MinIO knows them: by their bare names, where here each has an ARN, and some with statements about no resource."""

import json

from gecko_tw.callers.accounts.built_in_policies import BUILT_IN_POLICIES, MINIO_PATH
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Group, User
from gecko_tw.callers.accounts.registered import POLICY
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.roles import ManagedPolicy
from gecko_tw.callers.iam.names import of_account
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.store.records import Json

_BUILT_IN = {one.name: one for one in sorted(BUILT_IN_POLICIES.values(), key=lambda one: one.path == MINIO_PATH)}
"""By name."""

_WITHOUT_RESOURCE = ("admin:", "kms:", "sts:")
"""What actions begin with that are about no bucket: statements about them alone may leave their resource out."""


def managed(registry: Registry) -> dict[str, ManagedPolicy]:
    """All managed policies by name: those of the settings' account, and those that every account has."""
    own = {one.name: one for one in of_account(registry, POLICY, ROOT_ACCOUNT)}
    return {**_BUILT_IN, **own}


def resolved(registry: Registry, name: str) -> ManagedPolicy:
    """The managed policy of a name. Raises NoSuchEntity."""
    found = registry.one(POLICY, f"{ROOT_ACCOUNT}/{name}") or _BUILT_IN.get(name)
    if found is None:
        raise NoSuchEntity(f"There is no policy {name!r}.")
    policy: ManagedPolicy = found
    return policy


def names_of(registry: Registry, holder: User | Group) -> list[str]:
    """The names of all policies of a user or a group, its own and those attached."""
    attached = (registry.managed_policy(arn) for arn in holder.attached)
    return [*holder.policies, *(one.name for one in attached if one is not None)]


def policy_text(document: Json) -> str:
    """A policy as it is kept: statements about the server alone get the resource that MinIO's leave out."""
    if isinstance(document, dict) and isinstance(statements := document.get("Statement"), list | dict):
        several = statements if isinstance(statements, list) else [statements]
        document = {**document, "Statement": [_with_resource(one) for one in several]}
    return json.dumps(document)


def _with_resource(statement: Json) -> Json:
    if not isinstance(statement, dict) or statement.keys() & {"Resource", "NotResource"}:
        return statement
    actions = statement.get("Action", ())
    several = [actions] if isinstance(actions, str) else actions
    about_none = several and all(isinstance(one, str) and one.startswith(_WITHOUT_RESOURCE) for one in several)
    return {**statement, "Resource": "*"} if about_none else statement
