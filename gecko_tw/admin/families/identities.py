"""Accounts, users, groups and access keys."""

import json
from collections.abc import Callable
from typing import Any

from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, NAME, POLICY, answer, listed, maybe, members, named, several, text
from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.last_use import LastUse, last_uses
from gecko_tw.callers.accounts.registered import ACCOUNT, GROUP, KEY, USER, ListedKey
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.dispatch.operations import POST, PUT
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

PATCH = "PATCH"

_TEXTS = listed({"type": "string"})
_NAMES = several(NAME, 100)
ACCOUNTS = answer(id={"type": "string"}, display_name={"type": "string"}, email={"type": "string"}, enabled=BOOLEAN)
_HOLDER = {
    "account": {"type": "string"},
    "name": {"type": "string"},
    "policies": named(POLICY),
    "path": {"type": "string"},
    "id": {"type": "string"},
    "attached": _TEXTS,
}
USERS = answer(**_HOLDER, groups=_TEXTS, tags=named({"type": "string"}), enabled=BOOLEAN)
GROUPS = answer(**_HOLDER, enabled=BOOLEAN)
_SCOPE = maybe(answer(actions=_TEXTS, buckets=_TEXTS, prefixes=_TEXTS, networks=_TEXTS))
_KEY = {
    "access_key": {"type": "string"},
    "account": {"type": "string"},
    "user": {"type": "string"},
    "expires": maybe({"type": "string"}),
    "enabled": BOOLEAN,
    "scope": _SCOPE,
    "description": {"type": "string"},
    "name": {"type": "string"},
    "policy": maybe(POLICY),
}
KEYS = answer(**_KEY)
LISTED = answer(**_KEY, damaged=BOOLEAN, last_used=maybe({"type": "string"}))
MADE = answer(**_KEY, secret_key={"type": "string"})
_LIMITS = {name: several(text(1024, least=1), 100) for name in changes.LIMITS}
_EXPIRES = maybe(text(40, least=1))
_OF = members(account=NAME)


def _seen(asked: Asked) -> Callable[[Any], None]:
    """What If-Match demands of what is there."""
    if asked.if_match is None:
        return changes.nothing
    return lambda one: asked.check(changes.value_of(one))


def _account(asked: Asked) -> str:
    return str(asked.given("account") or ROOT_ACCOUNT)


def _all(asked: Asked, kind: str) -> Json:
    account = asked.query.get("account")
    found = asked.ground.registry.all(kind)
    return [changes.value_of(one) for one in found if account is None or one.account == account]


def _user(asked: Asked) -> str:
    return f"{asked.path['account']}/{asked.path['user']}"


def _group(asked: Asked) -> str:
    return f"{asked.path['account']}/{asked.path['group']}"


def _changed(asked: Asked, kind: str, name: str, values: dict[str, Json]) -> Json:
    return changes.value_of(changes.change(asked.ground.registry, kind, name, values, _seen(asked)))


@row("ListAccounts", GET, "/accounts", needs="admin:ListAccounts", answer=listed(ACCOUNTS))
def list_accounts(asked: Asked) -> Json:
    """All accounts but that of the settings."""
    return [changes.value_of(one) for one in asked.ground.registry.all(ACCOUNT)]


@row(
    "CreateAccount",
    POST,
    "/accounts",
    needs="admin:CreateAccount",
    body=members(id=NAME, display_name=text(256), email=text(256)),
    answer=ACCOUNTS,
    status=201,
)
def create_account(asked: Asked) -> Json:
    """Adds an account; without an id it gets one."""
    given = asked.given
    made = changes.add_account(asked.ground.registry, given("id"), given("display_name", ""), given("email", ""))
    return changes.value_of(made)


@row("GetAccount", GET, "/accounts/{account}", needs="admin:ListAccounts", answer=ACCOUNTS, document=True)
def get_account(asked: Asked) -> Json:
    """An account."""
    return changes.value_of(changes.find(asked.ground.registry, ACCOUNT, asked.path["account"]))


@row(
    "UpdateAccount",
    PATCH,
    "/accounts/{account}",
    needs="admin:UpdateAccount",
    body=members(display_name=text(256), email=text(256), enabled=BOOLEAN),
    answer=ACCOUNTS,
    document=True,
)
def update_account(asked: Asked) -> Json:
    """Changes an account, or switches all its keys off and on."""
    return _changed(asked, ACCOUNT, asked.path["account"], asked.body)


@row("DeleteAccount", DELETE, "/accounts/{account}", needs="admin:DeleteAccount", document=True)
def delete_account(asked: Asked) -> Json:
    """Removes an account that has no users, groups, keys and buckets."""
    catalog = asked.ground.store.buckets.catalog
    changes.remove_account(asked.ground.registry, catalog, asked.path["account"], _seen(asked))


@row("ListUsers", GET, "/users", needs="admin:ListUsers", query=_OF, answer=listed(USERS))
def list_users(asked: Asked) -> Json:
    """Users of all accounts, or of one."""
    return _all(asked, USER)


@row(
    "CreateUser",
    POST,
    "/users",
    needs="admin:CreateUser",
    body=members(["name"], account=NAME, name=NAME, groups=_NAMES),
    answer=USERS,
    status=201,
)
def create_user(asked: Asked) -> Json:
    """Adds a user, of the settings' account unless another one is named."""
    groups = tuple(asked.given("groups", ()))
    return changes.value_of(changes.add_user(asked.ground.registry, _account(asked), asked.given("name"), groups))


@row("GetUser", GET, "/users/{account}/{user}", needs="admin:GetUser", answer=USERS, document=True)
def get_user(asked: Asked) -> Json:
    """A user with the policies as they were attached."""
    return changes.value_of(changes.find(asked.ground.registry, USER, _user(asked)))


@row(
    "EnableUser",
    PATCH,
    "/users/{account}/{user}",
    needs="admin:EnableUser",
    body=members(["enabled"], enabled=BOOLEAN),
    answer=USERS,
    document=True,
)
def update_user(asked: Asked) -> Json:
    """Switches a user off and on: all processes refuse its keys at once."""
    return _changed(asked, USER, _user(asked), asked.body)


@row("DeleteUser", DELETE, "/users/{account}/{user}", needs="admin:DeleteUser", document=True)
def delete_user(asked: Asked) -> Json:
    """Removes a user that has no keys."""
    changes.remove(asked.ground.registry, USER, _user(asked), _seen(asked))


@row(
    "AddUserToGroup",
    PUT,
    "/users/{account}/{user}/groups/{group}",
    needs="admin:AddUserToGroup",
    answer=USERS,
)
def add_to_group(asked: Asked) -> Json:
    """Makes a user a member of a group."""
    path = asked.path
    return changes.value_of(
        changes.change_groups(asked.ground.registry, path["account"], path["user"], path["group"], True)
    )


@row(
    "RemoveUserFromGroup",
    DELETE,
    "/users/{account}/{user}/groups/{group}",
    needs="admin:RemoveUserFromGroup",
    answer=USERS,
)
def remove_from_group(asked: Asked) -> Json:
    """Takes a user out of a group."""
    path = asked.path
    return changes.value_of(
        changes.change_groups(asked.ground.registry, path["account"], path["user"], path["group"], False)
    )


@row("ListGroups", GET, "/groups", needs="admin:ListGroups", query=_OF, answer=listed(GROUPS))
def list_groups(asked: Asked) -> Json:
    """Groups of all accounts, or of one."""
    return _all(asked, GROUP)


@row(
    "CreateGroup",
    POST,
    "/groups",
    needs="admin:CreateGroup",
    body=members(["name"], account=NAME, name=NAME),
    answer=GROUPS,
    status=201,
)
def create_group(asked: Asked) -> Json:
    """Adds a group, of the settings' account unless another one is named."""
    return changes.value_of(changes.add_group(asked.ground.registry, _account(asked), asked.given("name")))


@row("GetGroup", GET, "/groups/{account}/{group}", needs="admin:GetGroup", answer=GROUPS, document=True)
def get_group(asked: Asked) -> Json:
    """A group with the policies as they were attached."""
    return changes.value_of(changes.find(asked.ground.registry, GROUP, _group(asked)))


@row("DeleteGroup", DELETE, "/groups/{account}/{group}", needs="admin:DeleteGroup", document=True)
def delete_group(asked: Asked) -> Json:
    """Removes a group that nobody is in."""
    changes.remove(asked.ground.registry, GROUP, _group(asked), _seen(asked))


@row("ListKeys", GET, "/keys", needs="admin:ListServiceAccounts", query=_OF, answer=listed(LISTED))
def list_keys(asked: Asked) -> Json:
    """Access keys of all accounts, or of one; no secrets. One is `damaged` whose secret does not open: it is to be revoked."""
    account, uses = asked.query.get("account"), last_uses(asked.ground.registry.documents)
    found = [one for one in asked.ground.registry.listed_keys() if account in (None, one.key.account)]
    return [_listed(one, uses.get(one.key.access_key)) for one in found]


def _listed(one: ListedKey, use: LastUse | None) -> dict[str, Json]:
    told = None if use is None or use.at < one.key.created else changes.time_text(use.at)
    return {**changes.value_of(one.key), "damaged": one.damaged, "last_used": told}


@row(
    "CreateKey",
    POST,
    "/keys",
    needs="admin:CreateServiceAccount",
    body=members(
        account=NAME,
        user=NAME,
        access_key=text(1024, least=1),
        secret={**text(1024, least=1), "writeOnly": True},
        expires=_EXPIRES,
        description=text(1024),
        name=text(128),
        policy=maybe(POLICY),
        **_LIMITS,
    ),
    answer=MADE,
    status=201,
)
def create_key(asked: Asked) -> Json:
    """Adds an access key of a user, or of a whole account, and tells its secret, this once."""
    account, user = _account(asked), asked.given("user", "")
    _refuse_more_than_own(asked, account, user)
    values = {**asked.body, "expires": _expires(asked), "policy": _policy(asked)}
    key = changes.add_key(asked.ground.registry, account, user, values)
    return {**changes.value_of(key), "secret_key": key.secret}


def _refuse_more_than_own(asked: Asked, account: str, user: str) -> None:
    """A key of the settings' account itself may do everything that its owner may: only who may do that gives it away."""
    if account != ROOT_ACCOUNT or user or asked.call is None:
        return
    caller = asked.call.caller
    whole = caller.identity is None or (caller.principal.root and not caller.identity.boundaries)
    if not whole:
        raise AccessDenied("A key of the settings' account itself is made by whoever has one that is not limited.")


def _policy(asked: Asked) -> str:
    given = asked.given("policy")
    return policy_text(given) if given else ""


def _expires(asked: Asked) -> float | None:
    try:
        return changes.moment(asked.given("expires"))
    except ValueError as wrong:
        raise InvalidArgument(f"body.expires: {wrong}", Field="body.expires") from None


@row("GetKey", GET, "/keys/{key}", needs="admin:ListServiceAccounts", answer=KEYS, document=True)
def get_key(asked: Asked) -> Json:
    """An access key, and what it is limited to; no secret."""
    return changes.value_of(changes.find(asked.ground.registry, KEY, asked.path["key"]))


@row(
    "UpdateKey",
    PATCH,
    "/keys/{key}",
    needs="admin:UpdateServiceAccount",
    body=members(
        enabled=BOOLEAN,
        description=text(1024),
        name=text(128),
        secret={**text(1024, least=1), "writeOnly": True},
        expires=_EXPIRES,
        policy=maybe(POLICY),
        scope=maybe(members(**_LIMITS)),
    ),
    answer=KEYS,
    document=True,
)
def update_key(asked: Asked) -> Json:
    """Switches a key off and on, changes its secret, when it expires, and what it is limited to."""
    ground, name = asked.ground, asked.path["key"]
    values = dict(asked.body)
    found = changes.find(ground.registry, KEY, name)
    if values.keys() - {"description", "name"}:
        _refuse_more_than_own(asked, found.account, found.user)
    if "expires" in values:
        values["expires"] = _expires(asked)
    if "policy" in values:
        values["policy"] = _policy(asked)
    if "scope" in values:
        values["scope"] = changes.scope_in(values["scope"] or {})
    return _changed(asked, KEY, name, values)


@row("DeleteKey", DELETE, "/keys/{key}", needs="admin:RemoveServiceAccount", document=True)
def delete_key(asked: Asked) -> Json:
    """Revokes a key: all processes refuse it at once."""
    changes.remove(asked.ground.registry, KEY, asked.path["key"], _seen(asked))


_USER_POLICY = "/users/{account}/{user}/policies/{policy}"
_GROUP_POLICY = "/groups/{account}/{group}/policies/{policy}"
_ATTACH = "admin:AttachUserOrGroupPolicy"


def policy_text(body: Json) -> str:
    """A policy as it is kept: a text as it is, JSON written again."""
    return body if isinstance(body, str) else json.dumps(body)


@row("PutUserPolicy", PUT, _USER_POLICY, needs=_ATTACH, body=POLICY, document=True)
def put_user_policy(asked: Asked) -> Json:
    """Gives a user a policy, under a name."""
    _attach(asked, USER, _user(asked), policy_text(asked.body))


@row("DeleteUserPolicy", DELETE, _USER_POLICY, needs=_ATTACH, document=True)
def delete_user_policy(asked: Asked) -> Json:
    """Takes a policy away from a user."""
    _attach(asked, USER, _user(asked), None)


@row("PutGroupPolicy", PUT, _GROUP_POLICY, needs=_ATTACH, body=POLICY, document=True)
def put_group_policy(asked: Asked) -> Json:
    """Gives a group a policy, under a name."""
    _attach(asked, GROUP, _group(asked), policy_text(asked.body))


@row("DeleteGroupPolicy", DELETE, _GROUP_POLICY, needs=_ATTACH, document=True)
def delete_group_policy(asked: Asked) -> Json:
    """Takes a policy away from a group."""
    _attach(asked, GROUP, _group(asked), None)


def _attach(asked: Asked, kind: str, name: str, text_: str | None) -> None:
    changes.attach(asked.ground.registry, kind, name, asked.path["policy"], text_, _seen(asked))
