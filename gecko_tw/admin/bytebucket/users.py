"""ByteBucket's users: each is a user of the settings' account with one access key, under whose id it goes, and a policy for its list.

Others, which have none of this, are seen in ``/api/v1/users``.
"""

import secrets
import string
import time
from typing import Any

from attrs import evolve

from gecko_tw.admin.bytebucket.acl import policy_of, rules_of
from gecko_tw.admin.refusals import NotFound
from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import ANYTHING, answer, listed, maybe, members, several, text
from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, User
from gecko_tw.callers.accounts.registered import KEY, USER
from gecko_tw.callers.accounts.registry import Changes
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.resources.dispatch.operations import POST, PUT
from gecko_tw.resources.gates.identity_permits import permit_administration
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

PATH = "/bytebucket/"
"""Of its users, so that they are told from others."""

POLICY = "acl"
"""The name of the policy that says what its list says."""

_ALNUM = string.ascii_uppercase + string.digits
_SECRET = string.ascii_letters + string.digits + "+/"
_TEXT = {"type": "string"}
_WORDS = several(text(256, least=1), 1000)
RULE = members(["effect", "buckets", "actions"], effect=text(8), buckets=_WORDS, actions=_WORDS)
_BODY = members(acl=maybe(several(RULE, 100)))
_RULES = listed(answer(effect=_TEXT, buckets=listed(_TEXT), actions=listed(_TEXT)))
_USER = members(
    ["accessKeyID", "acl", "createdAt"], accessKeyID=_TEXT, acl=maybe(_RULES), policies=ANYTHING, createdAt=_TEXT
)
_MISSING = "Invalid request: missing ACL rules"


def _acl(asked: Asked) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] | None = asked.given("acl")
    if rules is None:
        raise InvalidArgument(_MISSING)
    return rules


def _also(asked: Asked, *actions: str) -> None:
    """Whoever asks must be allowed all that this comes to, as where each is asked for by itself. Raises AccessDenied."""
    if asked.call is not None:
        for action in actions:
            permit_administration(asked.call, action)


@row(
    "ByteBucketCreateUser",
    POST,
    "/users",
    needs="admin:CreateUser",
    body=_BODY,
    answer=answer(accessKeyID=_TEXT, secretAccessKey=_TEXT, acl=_RULES),
    status=201,
)
def create_user(asked: Asked) -> Json:
    """Adds a user and tells its secret, this once."""
    _also(asked, "admin:AttachUserOrGroupPolicy", "admin:CreateServiceAccount")
    rules, registry = _acl(asked), asked.ground.registry
    name = "".join(secrets.choice(_ALNUM) for _ in range(20))
    secret = "".join(secrets.choice(_SECRET) for _ in range(40))
    policy = policy_of(rules)
    user = User(account=ROOT_ACCOUNT, name=name, path=PATH, policies={POLICY: policy} if policy else {})
    key = AccessKey(access_key=name, secret=secret, account=ROOT_ACCOUNT, user=name, created=int(time.time()))
    registry.check_pair(key)
    registry.settle(lambda: (None, {(USER, f"{ROOT_ACCOUNT}/{name}"): user, (KEY, name): key}))
    return {"accessKeyID": name, "secretAccessKey": secret, "acl": rules}


@row("ByteBucketListUsers", GET, "/users", needs="admin:ListUsers", answer=maybe(listed(_USER)))
def list_users(asked: Asked) -> Json:
    """Its users; the `policies` of one are told where a list cannot say what they say any more."""
    found = [one for one in asked.ground.registry.all(USER) if one.account == ROOT_ACCOUNT and one.path == PATH]
    return [_told(user) for user in found] or None


def _told(user: User) -> dict[str, Json]:
    alone = user.policies.keys() <= {POLICY} and not user.attached and not user.groups
    rules = rules_of(user.policies.get(POLICY)) if alone else None
    told = {"accessKeyID": user.name, "acl": rules, "createdAt": changes.time_text(user.created)}
    return told if rules is not None else {**told, "policies": changes.value_of(user)["policies"]}


@row(
    "ByteBucketUpdateUser",
    PUT,
    "/users/{user}",
    needs="admin:AttachUserOrGroupPolicy",
    body=_BODY,
    status=200,
)
def update_user(asked: Asked) -> Json:
    """Replaces the list of a user."""
    policy = policy_of(_acl(asked))

    def rule(found: User | None) -> User:
        if found is None or found.path != PATH:
            raise NotFound("User not found")
        others = {name: one for name, one in found.policies.items() if name != POLICY}
        return evolve(found, policies={**others, POLICY: policy} if policy else others)

    asked.ground.registry.revise(USER, f"{ROOT_ACCOUNT}/{asked.path['user']}", rule)


@row("ByteBucketDeleteUser", DELETE, "/users/{user}", needs="admin:DeleteUser")
def delete_user(asked: Asked) -> Json:
    """Removes a user with its keys; nothing happens when there is none."""
    _also(asked, "admin:RemoveServiceAccount")
    registry, name = asked.ground.registry, asked.path["user"]

    def plan() -> tuple[None, Changes]:
        user = registry.user(ROOT_ACCOUNT, name)
        if user is None:
            return None, {}
        if user.path != PATH:
            raise NoSuchEntity("this user was not made here: /api/v1/users removes it")
        keys = [one.key for one in registry.listed_keys() if (one.key.account, one.key.user) == (ROOT_ACCOUNT, name)]
        gone: dict[tuple[str, str], Any] = {(KEY, key.access_key): None for key in keys}
        return None, {**gone, (USER, f"{ROOT_ACCOUNT}/{name}"): None}

    registry.settle(plan)
