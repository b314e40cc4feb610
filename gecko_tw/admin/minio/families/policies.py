"""Policies with names of their own, attached to users and groups."""

import json
import time
from typing import Any

from attrs import evolve

from gecko_tw.admin.minio.naming import managed, names_of, policy_text, resolved
from gecko_tw.admin.minio.rows import PLAIN, SEALED, V3, Question, minio
from gecko_tw.admin.minio.words import time_of
from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Group, User
from gecko_tw.callers.accounts.registered import GROUP, POLICY, USER
from gecko_tw.callers.accounts.registry import Changes, Registry
from gecko_tw.callers.accounts.roles import ManagedPolicy, PolicyVersion
from gecko_tw.callers.iam.names import check_name, check_new, check_quota, new_id, of_account, place
from gecko_tw.callers.iam.policies import check_text, delete_managed, holders_of
from gecko_tw.callers.refusals import AccessDenied, DeleteConflict
from gecko_tw.resources.dispatch.operations import DELETE, GET, POST, PUT
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, Refusal


class PolicyChangeAlreadyApplied(Refusal):
    """The specified policy change is already in effect."""

    @property
    def code(self) -> str:
        return "XMinioAdminPolicyChangeAlreadyApplied"


class PolicyInUse(DeleteConflict):
    """The policy cannot be removed, as it is in use."""

    @property
    def code(self) -> str:
        return "XMinioIAMPolicyInUse"


class NoSuchHolder(Refusal):
    """There is no such user or group.

    :ivar kind: USER or GROUP.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name!r}.")
        self.kind = kind

    @property
    def code(self) -> str:
        return f"XMinioAdminNoSuch{self.kind.capitalize()}"


@minio("AddCannedPolicy", PUT, V3 + "add-canned-policy", "name", needs="admin:CreatePolicy", body=PLAIN)
def add_policy(question: Question) -> Json:
    """Adds a policy, or replaces the one of that name: its holders have the new one at once."""
    registry, name = question.ground.registry, check_name(POLICY, question.text("name"))
    text, now = check_text(policy_text(question.body), name, "PolicySize"), int(time.time())
    if name in managed(registry) and registry.one(POLICY, f"{ROOT_ACCOUNT}/{name}") is None:
        raise AccessDenied(f"{name!r} is a policy that every account has: it cannot be changed.")

    def plan() -> tuple[None, Changes]:
        found = registry.one(POLICY, f"{ROOT_ACCOUNT}/{name}")
        if found is None:
            check_new(registry, POLICY, ROOT_ACCOUNT, name)
            found = ManagedPolicy(account=ROOT_ACCOUNT, name=name, versions={}, id=new_id(POLICY), created=now, last=0)
        # One version, and the last one: whoever replaces a policy so knows of no others.
        version = f"v{found.last + 1}"
        versions = {version: PolicyVersion(text=text, created=now)}
        made = evolve(found, versions=versions, default=version, last=found.last + 1, updated=now)
        return None, {place(POLICY, made): made}

    registry.settle(plan)


@minio("ListCannedPolicies", GET, V3 + "list-canned-policies", needs="admin:ListUserPolicies")
def list_policies(question: Question) -> Json:
    """All policies by name, those that every account has among them."""
    return {name: json.loads(one.text) for name, one in sorted(managed(question.ground.registry).items())}


@minio("InfoCannedPolicy", GET, V3 + "info-canned-policy", "name", "v", needs="admin:GetPolicy", missing="Policy")
def policy_info(question: Question) -> Json:
    """A policy; with `v=2` beside its name and its times."""
    found = resolved(question.ground.registry, question.text("name"))
    document = json.loads(found.text)
    if question.text("v", "1") != "2":
        return document
    told = {"PolicyName": found.name, "Policy": document}
    return {**told, "CreateDate": time_of(found.created), "UpdateDate": time_of(found.updated)}


@minio("RemoveCannedPolicy", DELETE, V3 + "remove-canned-policy", "name", needs="admin:DeletePolicy", missing="Policy")
def remove_policy(question: Question) -> Json:
    """Removes a policy that nobody has."""
    registry = question.ground.registry
    found = resolved(registry, question.text("name"))
    if holders_of(registry, ROOT_ACCOUNT, found.arn):
        raise PolicyInUse
    delete_managed(registry, ROOT_ACCOUNT, found.arn)


@minio(
    "AttachPolicy",
    POST,
    V3 + "idp/builtin/policy/attach",
    needs="admin:AttachUserOrGroupPolicy",
    body=SEALED,
    answers=SEALED,
    missing="Policy",
)
def attach(question: Question) -> Json:
    """Attaches policies to a user or a group; answers those that were not."""
    return _associated(question, joins=True)


@minio(
    "DetachPolicy",
    POST,
    V3 + "idp/builtin/policy/detach",
    needs="admin:AttachUserOrGroupPolicy",
    body=SEALED,
    answers=SEALED,
    missing="Policy",
)
def detach(question: Question) -> Json:
    """Detaches policies; answers those that were attached."""
    return _associated(question, joins=False)


def _associated(question: Question, joins: bool) -> Json:
    registry, names = question.ground.registry, question.given("policies", list, [])
    user, group = question.given("user", str, ""), question.given("group", str, "")
    if not names or not all(isinstance(one, str) for one in names) or bool(user) == bool(group):
        raise InvalidArgument("Needed are names of policies, and either a user or a group.", ArgumentName="policies")

    def plan() -> tuple[list[str], Changes]:
        holder = _holder(registry, user, group)
        wanted = {resolved(registry, one).arn: one for one in names}
        changed = {arn: name for arn, name in wanted.items() if (arn in holder.attached) != joins}
        if not changed:
            raise PolicyChangeAlreadyApplied
        rest = tuple(arn for arn in holder.attached if arn not in changed)
        return list(changed.values()), _attached(holder, (*holder.attached, *changed) if joins else rest)

    changed = registry.settle(plan)
    told = {"policiesAttached" if joins else "policiesDetached": changed}
    return {**told, "updatedAt": changes.time_text(question.ground.clock())}


def _holder(registry: Registry, user: str, group: str) -> User | Group:
    found: User | Group | None = registry.user(ROOT_ACCOUNT, user) if user else registry.group(ROOT_ACCOUNT, group)
    if found is None:
        raise NoSuchHolder(USER if user else GROUP, user or group)
    return found


def _attached(holder: User | Group, arns: tuple[str, ...]) -> dict[tuple[str, str], Any]:
    kind = USER if isinstance(holder, User) else GROUP
    check_quota(len(arns), f"AttachedPoliciesPer{kind.capitalize()}")
    return {place(kind, holder): evolve(holder, attached=arns)}


@minio(
    "SetUserOrGroupPolicy",
    PUT,
    V3 + "set-user-or-group-policy",
    "userOrGroup",
    "isGroup",
    "policyName",
    needs="admin:AttachUserOrGroupPolicy",
    missing="Policy",
)
def set_policy(question: Question) -> Json:
    """Replaces all policies that are attached to a user or a group."""
    registry, name = question.ground.registry, question.text("userOrGroup")
    is_group, policies = question.text("isGroup", "false") == "true", question.text("policyName", "")

    def plan() -> tuple[None, Changes]:
        holder = _holder(registry, "" if is_group else name, name if is_group else "")
        arns = dict.fromkeys(resolved(registry, one).arn for one in policies.split(",") if one)
        return None, _attached(holder, tuple(arns))

    registry.settle(plan)


@minio(
    "PolicyEntities",
    GET,
    V3 + "idp/builtin/policy-entities",
    "user",
    "group",
    "policy",
    needs="admin:ListUserPolicies",
    answers=SEALED,
    missing="Policy",
)
def policy_entities(question: Question) -> Json:
    """Which policies users and groups have, and who has a policy; without any parameter all of it."""
    registry, query = question.ground.registry, question.query
    users = [name for name in query.get("user", ()) if name]
    groups = [name for name in query.get("group", ()) if name]
    policies = [name for name in query.get("policy", ()) if name]
    everything = not (users or groups or policies)
    told: dict[str, Json] = {"timestamp": changes.time_text(question.ground.clock())}
    if everything or users:
        there = of_account(registry, USER, ROOT_ACCOUNT)
        wanted = [_holder(registry, name, "") for name in users] or [one for one in there if _has_some(registry, one)]
        told["userMappings"] = [_of_user(registry, one) for one in wanted if isinstance(one, User)]
    if everything or groups:
        all_groups = of_account(registry, GROUP, ROOT_ACCOUNT)
        chosen = [_holder(registry, "", name) for name in groups] or [
            one for one in all_groups if names_of(registry, one)
        ]
        told["groupMappings"] = [_of_group(registry, one) for one in chosen if isinstance(one, Group)]
    if everything or policies:
        names = [resolved(registry, name).name for name in policies] or sorted(managed(registry))
        found = [_of_policy(registry, name) for name in names]
        told["policyMappings"] = [one for one in found if policies or one["users"] or one["groups"]]
    return told


def _has_some(registry: Registry, user: User) -> bool:
    return bool(user.groups or names_of(registry, user))


def _of_user(registry: Registry, user: User) -> dict[str, Json]:
    groups = [registry.group(ROOT_ACCOUNT, name) for name in user.groups]
    mappings = [_of_group(registry, one) for one in groups if one is not None]
    return {"user": user.name, "policies": names_of(registry, user), "memberOfMappings": mappings}


def _of_group(registry: Registry, group: Group) -> dict[str, Json]:
    return {"group": group.name, "policies": names_of(registry, group)}


def _of_policy(registry: Registry, name: str) -> dict[str, Json]:
    held = holders_of(registry, ROOT_ACCOUNT, resolved(registry, name).arn)
    users = [one.name for kind, one in held if kind == USER]
    return {"policy": name, "users": users, "groups": [one.name for kind, one in held if kind == GROUP]}
