"""Users. One of MinIO's is here a user with an access key of the same name, which both are made and removed together."""

import time

from attrs import evolve

from gecko_tw.admin.minio.naming import names_of, resolved
from gecko_tw.admin.minio.rows import SEALED, V3, Question, minio
from gecko_tw.admin.minio.words import ENABLED, is_enabled, status, time_of
from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, User
from gecko_tw.callers.accounts.registered import KEY, USER
from gecko_tw.callers.accounts.registry import Changes
from gecko_tw.callers.iam.names import check_name, check_new, new_id, of_account, place
from gecko_tw.callers.refusals import EntityAlreadyExists
from gecko_tw.resources.dispatch.operations import DELETE, GET, PUT
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument


@minio(
    "AddUser",
    PUT,
    V3 + "add-user",
    "accessKey",
    needs="admin:CreateUser",
    body=SEALED,
    missing="Policy",
)
def add_user(question: Question) -> Json:
    """Adds a user with a secret, or gives one another secret, another status, and policies."""
    name, registry = check_name(USER, question.text("accessKey")), question.ground.registry
    secret, policy = question.given("secretKey", str, ""), question.given("policy", str, "")
    enabled = is_enabled(question.given("status", str, ENABLED))

    def plan() -> tuple[None, Changes]:
        user, key = registry.user(ROOT_ACCOUNT, name), registry.key(name)
        if user is None:
            check_new(registry, USER, ROOT_ACCOUNT, name)
            user = User(account=ROOT_ACCOUNT, name=name, id=new_id(USER), created=int(time.time()))
        if key is not None and (key.account, key.user) != (ROOT_ACCOUNT, name):
            raise EntityAlreadyExists(f"There is an access key {name!r} already, of somebody else.")
        if key is None and not secret:
            raise InvalidArgument("A new user needs a secretKey.", ArgumentName="secretKey")
        made = AccessKey(access_key=name, secret=secret, account=ROOT_ACCOUNT, user=name) if key is None else key
        made = evolve(made, secret=secret or made.secret)
        registry.check_pair(made)
        attached = tuple(resolved(registry, one).arn for one in policy.split(",") if one) or user.attached
        user = evolve(user, enabled=enabled, attached=attached)
        return None, {place(USER, user): user, place(KEY, made): made}

    registry.settle(plan)


@minio("ListUsers", GET, V3 + "list-users", needs="admin:ListUsers", answers=SEALED)
def list_users(question: Question) -> Json:
    """All users of the settings' account, with their status, groups and policies."""
    registry = question.ground.registry
    return {one.name: _told(question, one) for one in of_account(registry, USER, ROOT_ACCOUNT)}


def _told(question: Question, user: User) -> Json:
    """The policies are the user's own and those attached; those of groups are told with the groups."""
    told = {"policyName": ",".join(names_of(question.ground.registry, user)), "status": status(user.enabled)}
    return {**told, "memberOf": list(user.groups), "updatedAt": time_of(user.created)}


@minio("GetUserInfo", GET, V3 + "user-info", "accessKey", needs="admin:GetUser", missing="User")
def user_info(question: Question) -> Json:
    """A user with status, groups and policies."""
    name = question.text("accessKey")
    return _told(question, changes.find(question.ground.registry, USER, f"{ROOT_ACCOUNT}/{name}"))


@minio(
    "SetUserStatus",
    PUT,
    V3 + "set-user-status",
    "accessKey",
    "status",
    needs="admin:EnableUser",
    missing="User",
)
def set_user_status(question: Question) -> Json:
    """Switches a user off and on: all processes refuse its keys at once."""
    enabled = is_enabled(question.text("status"))
    name = f"{ROOT_ACCOUNT}/{question.text('accessKey')}"
    changes.change(question.ground.registry, USER, name, {"enabled": enabled})


@minio("RemoveUser", DELETE, V3 + "remove-user", "accessKey", needs="admin:DeleteUser", missing="User")
def remove_user(question: Question) -> Json:
    """Removes a user with all its access keys."""
    registry, name = question.ground.registry, question.text("accessKey")

    def plan() -> tuple[None, Changes]:
        user = changes.find(registry, USER, f"{ROOT_ACCOUNT}/{name}")
        # Names of documents suffice: a key whose secret does not open any more goes, too.
        keys = [
            access_key
            for access_key, value in registry.documents.all(KEY)
            if (value["account"], value["user"]) == (ROOT_ACCOUNT, name)
        ]
        return None, {place(USER, user): None, **{(KEY, one): None for one in keys}}

    registry.settle(plan)
