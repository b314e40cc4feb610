"""Access keys of users beside their own, which MinIO calls service accounts. Everybody may have some, and look at them."""

import json
from collections.abc import Mapping
from typing import Any

from gecko_tw.admin.families.identities import create_key, delete_key, update_key
from gecko_tw.admin.minio.naming import policy_text
from gecko_tw.admin.minio.rows import SEALED, V3, Question, minio
from gecko_tw.admin.minio.words import NEVER, OFF, ON, is_enabled
from gecko_tw.callers.accounts.changes import moment, time_text
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Identity
from gecko_tw.callers.accounts.registered import KEY, USER
from gecko_tw.callers.accounts.scopes import boundary_of
from gecko_tw.callers.accounts.sessions import PREFIX
from gecko_tw.callers.iam.names import of_account
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.dispatch.operations import DELETE, GET, POST, PUT
from gecko_tw.resources.gates.identity_permits import permit_administration
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, Refusal

LISTS = ("users-only", "sts-only", "svcacc-only", "all")


class NoSuchServiceAccount(Refusal):
    """The specified service account is not found"""

    @property
    def code(self) -> str:
        return "XMinioInvalidIAMCredentials"


class NoSuchUser(Refusal):
    """The specified user does not exist"""

    @property
    def code(self) -> str:
        return "XMinioAdminNoSuchUser"


def _permit(question: Question, action: str, user: str) -> None:
    """Refuses what is neither about the caller's own keys nor permitted.

    :param user: whose keys; ``""`` for those of the settings' account itself.
    :raises AccessDenied: always when it is not permitted.
    """
    caller = question.call.caller
    own = caller.identity is not None and bool(user) and caller.principal.user_name == user
    permit_administration(question.call, action, own=own)


def _permitted(question: Question, action: str, name: str) -> str:
    """The user of a name, the caller when there is none, whose keys the caller may see or change; ``""`` for the settings' account itself.

    :raises AccessDenied: the caller may not, whether there is such a user or not.
    :raises NoSuchUser: there is none.
    """
    user = name or question.call.caller.principal.user_name
    if user == question.ground.settings.access_key:
        user = ""
    _permit(question, action, user)
    if user and question.ground.registry.user(ROOT_ACCOUNT, user) is None:
        raise NoSuchUser
    return user


def _shown(question: Question, user: str) -> str:
    """A user as MinIO calls whom a key belongs to."""
    return user or question.ground.settings.access_key


def _is_service_account(key: AccessKey) -> bool:
    return key.account == ROOT_ACCOUNT and key.access_key != key.user


def _find(question: Question, action: str) -> AccessKey:
    """The key that a parameter names. Raises NoSuchServiceAccount, AccessDenied."""
    key = question.ground.registry.key(question.text("accessKey"))
    if key is None or not _is_service_account(key):
        permit_administration(question.call, action)  # strangers do not learn which there are
        raise NoSuchServiceAccount
    _permit(question, action, key.user)
    return key


def _expires(text: str) -> str | None:
    """When a key expires, None for never. Raises InvalidArgument."""
    try:
        seconds = moment(text) if text else None
    except ValueError as wrong:
        raise InvalidArgument(str(wrong), ArgumentName="expiration") from None
    return time_text(seconds) if seconds is not None and seconds > 0 else None


@minio("AddServiceAccount", PUT, V3 + "add-service-account", needs=None, body=SEALED, answers=SEALED)
def add_service_account(question: Question) -> Json:
    """Adds an access key of a user, the caller when none is named, and tells its secret, this once."""
    given = question.given
    user = _permitted(question, "admin:CreateServiceAccount", given("targetUser", str, ""))
    if not is_enabled(given("status", str, ON)):
        raise NotImplemented_("A key is made to be used: switch it off afterwards.")
    policy = given("policy", dict)
    body = {
        "user": user or None,
        "access_key": given("accessKey", str, "") or None,
        "secret": given("secretKey", str, "") or None,
        "description": given("description", str, ""),
        "name": given("name", str, ""),
        "expires": _expires(given("expiration", str, "")),
        "policy": policy_text(policy) if policy else None,
    }
    made = question.ask(create_key, body={name: value for name, value in body.items() if value is not None})
    credentials = {"accessKey": made["access_key"], "secretKey": made["secret_key"]}
    return {"credentials": {**credentials, "expiration": made["expires"] or NEVER}}


@minio("UpdateServiceAccount", POST, V3 + "update-service-account", "accessKey", needs=None, body=SEALED, status=204)
def update_service_account(question: Question) -> Json:
    """Changes the secret, the policy, the status, the name or the end of an access key."""
    given, key = question.given, _find(question, "admin:UpdateServiceAccount")
    values: dict[str, Json] = {}
    if secret := given("newSecretKey", str, ""):
        values["secret"] = secret
    if wanted := given("newStatus", str, ""):
        values["enabled"] = is_enabled(wanted)
    for name, member in (("name", "newName"), ("description", "newDescription")):
        if text := given(member, str, ""):
            values[name] = text
    if (policy := given("newPolicy", dict)) is not None:
        values["policy"] = policy_text(policy) if policy.get("Statement") else None
    if end := given("newExpiration", str, ""):
        values["expires"] = _expires(end)
    question.ask(update_key, path={"key": key.access_key}, body=values)


@minio("DeleteServiceAccount", DELETE, V3 + "delete-service-account", "accessKey", needs=None, status=204)
def delete_service_account(question: Question) -> Json:
    """Revokes an access key: all processes refuse it at once."""
    key = _find(question, "admin:RemoveServiceAccount")
    question.ask(delete_key, path={"key": key.access_key})


@minio("InfoServiceAccount", GET, V3 + "info-service-account", "accessKey", needs=None, answers=SEALED)
def service_account_info(question: Question) -> Json:
    """An access key with its policy: its own, or what its user may do."""
    return _told(question, _find(question, "admin:ListServiceAccounts"))


def _told(question: Question, key: AccessKey) -> dict[str, Json]:
    own = key.policy or ("" if key.scope is None else boundary_of(key.scope).text)
    text = own or _implied(question.ground.identities.standing(ROOT_ACCOUNT, key.user))
    return {**_listed(question, key), "policy": text}


def _listed(question: Question, key: AccessKey) -> dict[str, Json]:
    return {
        "parentUser": _shown(question, key.user),
        "accountStatus": ON if key.enabled else OFF,
        "impliedPolicy": not key.policy and key.scope is None,
        "accessKey": key.access_key,
        "name": key.name,
        "description": key.description,
        "expiration": NEVER if key.expires is None else time_text(key.expires),
    }


def _implied(standing: Identity | None) -> str:
    """What somebody may do, as one policy; what nobody has to be allowed is that of the account itself."""
    statements: list[Json] = []
    for policy in () if standing is None else standing.policies:
        found = json.loads(policy.text)["Statement"]
        statements += found if isinstance(found, list) else [found]
    if standing is not None and standing.principal.root:
        statements = [{"Effect": "Allow", "Action": ["admin:*", "kms:*", "s3:*"], "Resource": "*"}]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@minio("InfoAccessKey", GET, V3 + "info-access-key", "accessKey", needs=None, answers=SEALED)
def access_key_info(question: Question) -> Json:
    """An access key, and of what kind it is."""
    own = _own_session(question)
    if own is not None:
        return {"AccessKey": question.text("accessKey"), "userType": "STS", "userProvider": "builtin", **own}
    key = _find(question, "admin:ListServiceAccounts")
    kind = {"AccessKey": key.access_key, "userType": "Service Account", "userProvider": "builtin"}
    return {**kind, **_told(question, key)}


@minio("TemporaryAccountInfo", GET, V3 + "temporary-account-info", "accessKey", needs=None, answers=SEALED)
def session_info(question: Question) -> Json:
    """The session that asks. Others are not kept: what they are is in their tokens, which only their owners have."""
    own = _own_session(question)
    if own is None:
        permit_administration(question.call, "admin:ListTemporaryAccounts")
        if not question.text("accessKey").startswith(PREFIX):
            raise NoSuchServiceAccount
        raise NotImplemented_("Sessions are not kept: each can only be asked about by itself.")
    return own


def _own_session(question: Question) -> Mapping[str, Any] | None:
    identity = question.call.caller.identity
    if identity is None or not identity.parent or identity.access_key != question.text("accessKey"):
        return None
    limits = [json.loads(one.text) for one in identity.boundaries]
    told = {"parentUser": identity.parent, "accountStatus": ON, "impliedPolicy": not limits}
    policy = json.dumps(limits[-1]) if limits else _implied(identity)
    return {**told, "policy": policy, "expiration": time_text(identity.expires or 0)}


@minio("ListServiceAccounts", GET, V3 + "list-service-accounts", "user", needs=None, answers=SEALED)
def list_service_accounts(question: Question) -> Json:
    """The access keys of a user, the caller when none is named."""
    user = _permitted(question, "admin:ListServiceAccounts", question.text("user", ""))
    return {"accounts": _keys(question, user)}


def _keys(question: Question, user: str) -> list[Json]:
    keys: list[AccessKey] = [one for one in question.ground.registry.all(KEY) if _is_service_account(one)]
    return [_listed(question, one) for one in keys if one.user == user]


@minio(
    "ListAccessKeysBulk",
    GET,
    V3 + "list-access-keys-bulk",
    "users",
    "all",
    "listType",
    needs=None,
    answers=SEALED,
)
def list_access_keys(question: Question) -> Json:
    """The access keys of some users, or of all. Sessions are not among them: they are not kept."""
    kind, names = question.text("listType", "all"), [one for one in question.query.get("users", ()) if one]
    if kind not in LISTS:
        raise InvalidArgument(f"listType is one of {', '.join(LISTS)}.", ArgumentName="listType")
    if question.text("all", "false") == "true":
        permit_administration(question.call, "admin:ListUsers")
        permit_administration(question.call, "admin:ListServiceAccounts")
        users = ["", *(one.name for one in of_account(question.ground.registry, USER, ROOT_ACCOUNT))]
    else:
        users = [_permitted(question, "admin:ListServiceAccounts", one) for one in names or [""]]
    with_keys = kind in ("svcacc-only", "all")
    return {
        _shown(question, user): {"serviceAccounts": _keys(question, user) if with_keys else [], "stsKeys": []}
        for user in users
    }
