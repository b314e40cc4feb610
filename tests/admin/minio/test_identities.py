"""Users, groups, policies and access keys by MinIO's face: what they are afterwards, and who may make which."""

import json
from typing import Any

import pytest

from gecko_tw.callers.access.policies import RequestContext, decide
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.scopes import KeyScope
from tests.admin.desk import ROOT
from tests.admin.minio.minio_desk import MinioDesk, minio_desk
from tests.admin.recipes import READING

WRITING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}


@pytest.fixture
def there() -> MinioDesk:
    return minio_desk()


def may(there: MinioDesk, access_key: str, action: str) -> bool:
    """Whether the policies and the limits of a key allow an action of S3 on an object."""
    identity = there.desk.ground.identities.find(access_key)
    assert identity is not None
    context = RequestContext(principal=identity.principal, action=action, resource="arn:aws:s3:::photos/cat", now=0.0)
    within = all(decide(context, (one,)).allowed for one in identity.boundaries)
    return within and (identity.principal.root or decide(context, identity.policies).allowed)


def add(there: MinioDesk, name: str, **more: Any) -> None:
    there.values("AddUser", {"secretKey": f"secret-of-{name}", **more}, accessKey=name)


def test_a_new_user_signs_with_its_name_and_has_what_is_attached(there: MinioDesk) -> None:
    add(there, "carl", policy="own,writeonly")
    assert (may(there, "carl", "s3:GetObject"), may(there, "carl", "s3:PutObject")) == (True, True)
    assert not may(there, "carl", "s3:DeleteObject")
    told = there.values("GetUserInfo", accessKey="carl")
    assert (told["policyName"], told["status"], told["memberOf"]) == ("own,writeonly", "enabled", [])
    assert told["updatedAt"] > "2020"


def test_a_user_added_again_has_another_secret_and_keeps_the_rest(there: MinioDesk) -> None:
    add(there, "ann", status="disabled")
    registry = there.desk.ground.registry
    user = registry.user(ROOT_ACCOUNT, "ann")
    assert (user.enabled, user.groups) == (False, ("staff",))
    there.values("AddUser", {"status": "enabled"}, accessKey="ann")
    key = registry.key("ann")
    assert key is not None and key.secret == "secret-of-ann"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("new", {}, (400, "InvalidArgument")),
        ("new", {"secretKey": 5}, (400, "InvalidArgument")),
        ("new", {"secretKey": "secretofnew", "status": "odd"}, (400, "InvalidArgument")),
        ("new", {"secretKey": "secretofnew", "policy": "nope"}, (404, "XMinioAdminNoSuchPolicy")),
        ("new", {"secretKey": " spaces "}, (400, "InvalidArgument")),
        ("a/b", {"secretKey": "secretofnew"}, (400, "InvalidArgument")),
        (ROOT, {"secretKey": "secretofnew"}, (409, "EntityAlreadyExists")),
        ("annsecond", {"secretKey": "secretofnew"}, (409, "EntityAlreadyExists")),
        ("ANN", {"secretKey": "secretofnew"}, (409, "EntityAlreadyExists")),
    ],
)
def test_a_user_that_cannot_be_is_refused_and_leaves_nothing_behind(
    there: MinioDesk, name: str, body: Any, code: tuple[int, str]
) -> None:
    before = there.values("ListUsers")
    assert there.code(there.ask("AddUser", body, accessKey=name)) == code
    assert there.values("ListUsers") == before
    assert there.desk.ground.registry.key("new") is None


def test_a_disabled_user_and_all_its_keys_are_refused_until_it_is_enabled(there: MinioDesk) -> None:
    find = there.desk.ground.identities.find
    there.values("SetUserStatus", accessKey="ann", status="disabled")
    assert find("ann") is None and find("annsecond") is None
    there.values("SetUserStatus", accessKey="ann", status="enabled")
    assert find("ann") is not None


def test_a_removed_user_takes_its_keys_along_and_nobody_elses(there: MinioDesk) -> None:
    there.values("RemoveUser", accessKey="ann")
    registry = there.desk.ground.registry
    assert [registry.key(key) is None for key in ("ann", "annsecond", "bob", "rootsecond")] == [
        True,
        True,
        False,
        False,
    ]
    assert there.values("GetGroupDescription", group="staff")["members"] == []
    assert there.code(there.ask("GetUserInfo", accessKey="ann")) == (404, "XMinioAdminNoSuchUser")


def test_a_group_is_made_with_its_first_member_and_removed_when_it_has_none(there: MinioDesk) -> None:
    there.values("UpdateGroupMembers", {"group": "new", "members": ["bob"], "isRemove": False})
    assert there.values("ListGroupNames") == ["new", "staff"]
    assert there.values("GetGroupDescription", group="new")["members"] == ["bob"]
    away = {"group": "new", "isRemove": True}
    assert there.code(there.ask("UpdateGroupMembers", away)) == (400, "XMinioAdminGroupNotEmpty")
    there.values("UpdateGroupMembers", {**away, "members": "bob"})
    there.values("UpdateGroupMembers", away)
    assert there.values("ListGroupNames") == ["staff"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"group": "new", "members": ["bob", "nobody"]}, (404, "XMinioAdminNoSuchUser")),
        ({"group": "nope", "members": [], "isRemove": True}, (404, "XMinioAdminNoSuchGroup")),
        ({"group": "new", "members": [5]}, (400, "InvalidArgument")),
        ({"group": "", "members": []}, (400, "InvalidArgument")),
        (["a list"], (400, "InvalidArgument")),
    ],
)
def test_members_that_are_not_there_make_no_group(there: MinioDesk, body: Any, code: tuple[int, str]) -> None:
    assert there.code(there.ask("UpdateGroupMembers", body)) == code
    assert there.values("ListGroupNames") == ["staff"]


def test_members_of_a_disabled_group_do_not_have_its_policies(there: MinioDesk) -> None:
    assert may(there, "ann", "s3:GetObject")
    there.values("SetGroupStatus", group="staff", status="disabled")
    assert not may(there, "ann", "s3:GetObject")
    assert there.values("GetGroupDescription", group="staff")["status"] == "disabled"
    there.values("SetGroupStatus", group="staff", status="enabled")
    assert may(there, "ann", "s3:GetObject")


def test_a_policy_is_replaced_for_all_who_have_it(there: MinioDesk) -> None:
    there.values("AttachPolicy", {"policies": ["own"], "user": "bob"})
    assert (may(there, "bob", "s3:GetObject"), may(there, "bob", "s3:PutObject")) == (True, False)
    there.values("AddCannedPolicy", WRITING, name="own")
    assert (may(there, "bob", "s3:GetObject"), may(there, "bob", "s3:PutObject")) == (False, True)


def test_statements_about_the_server_alone_need_no_resource(there: MinioDesk) -> None:
    statements = [{"Effect": "Allow", "Action": ["admin:ServerInfo", "kms:*"]}]
    there.values("AddCannedPolicy", {"Version": "2012-10-17", "Statement": statements}, name="looks")
    assert there.values("InfoCannedPolicy", name="looks")["Statement"][0]["Resource"] == "*"
    mixed = [{"Effect": "Allow", "Action": ["admin:ServerInfo", "s3:GetObject"]}]
    refused = there.ask("AddCannedPolicy", {"Version": "2012-10-17", "Statement": mixed}, name="looks")
    assert there.code(refused) == (400, "MalformedPolicy")


def test_what_every_account_has_cannot_be_changed_or_removed(there: MinioDesk) -> None:
    assert there.code(there.ask("AddCannedPolicy", READING, name="readwrite")) == (403, "AccessDenied")
    assert there.code(there.ask("RemoveCannedPolicy", name="consoleAdmin")) == (403, "AccessDenied")
    assert {"readonly", "readwrite", "writeonly", "consoleAdmin", "diagnostics"} <= set(
        there.values("ListCannedPolicies")
    )


def test_policies_are_attached_and_detached_once(there: MinioDesk) -> None:
    body = {"policies": ["own", "readwrite"], "user": "ann"}
    assert there.values("AttachPolicy", body)["policiesAttached"] == ["own", "readwrite"]
    assert there.code(there.ask("AttachPolicy", body)) == (400, "XMinioAdminPolicyChangeAlreadyApplied")
    assert there.code(there.ask("RemoveCannedPolicy", name="own")) == (400, "XMinioIAMPolicyInUse")
    assert there.values("DetachPolicy", {**body, "policies": ["own"]})["policiesDetached"] == ["own"]
    assert there.values("GetUserInfo", accessKey="ann")["policyName"] == "readwrite"
    there.values("RemoveCannedPolicy", name="own")
    assert there.code(there.ask("InfoCannedPolicy", name="own")) == (404, "XMinioAdminNoSuchPolicy")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"policies": ["nope"], "user": "ann"}, (404, "XMinioAdminNoSuchPolicy")),
        ({"policies": ["own"], "user": "nobody"}, (404, "XMinioAdminNoSuchUser")),
        ({"policies": ["own"], "group": "nobody"}, (404, "XMinioAdminNoSuchGroup")),
        ({"policies": ["own"], "user": "ann", "group": "staff"}, (400, "InvalidArgument")),
        ({"policies": [], "user": "ann"}, (400, "InvalidArgument")),
        ({"policies": [5], "user": "ann"}, (400, "InvalidArgument")),
        ({"policies": ["own"]}, (400, "InvalidArgument")),
    ],
)
def test_what_cannot_be_attached_is_refused(there: MinioDesk, body: Any, code: tuple[int, str]) -> None:
    assert there.code(there.ask("AttachPolicy", body)) == code


def test_entities_are_told_from_all_sides(there: MinioDesk) -> None:
    there.values("SetUserOrGroupPolicy", userOrGroup="ann", isGroup="false", policyName="own")
    told = there.values("PolicyEntities")
    staff = {"group": "staff", "policies": ["readonly"]}
    assert told["userMappings"] == [{"user": "ann", "policies": ["own"], "memberOfMappings": [staff]}]
    assert told["groupMappings"] == [staff]
    assert {"policy": "own", "users": ["ann"], "groups": []} in told["policyMappings"]
    alone = there.values("PolicyEntities", group="staff")
    assert sorted(alone) == ["groupMappings", "timestamp"]
    there.values("SetUserOrGroupPolicy", userOrGroup="ann", policyName="")
    assert there.values("PolicyEntities", user="ann")["userMappings"][0]["policies"] == []


def test_an_access_key_may_do_what_its_user_may_and_its_policy_allows(there: MinioDesk) -> None:
    body = {"targetUser": "ann", "accessKey": "third", "secretKey": "secretofthird", "policy": WRITING}
    made = there.values("AddServiceAccount", body)["credentials"]
    assert made == {"accessKey": "third", "secretKey": "secretofthird", "expiration": "1970-01-01T00:00:00Z"}
    assert not may(there, "third", "s3:GetObject") and not may(there, "third", "s3:PutObject")
    told = there.values("InfoServiceAccount", accessKey="third")
    assert (told["parentUser"], told["impliedPolicy"], json.loads(told["policy"])) == ("ann", False, WRITING)
    there.values("UpdateServiceAccount", {"newPolicy": READING, "newName": "n"}, accessKey="third")
    assert may(there, "third", "s3:GetObject")
    there.values("UpdateServiceAccount", {"newPolicy": {}, "newStatus": "off"}, accessKey="third")
    told = there.values("InfoServiceAccount", accessKey="third")
    assert (told["impliedPolicy"], told["accountStatus"], told["name"]) == (True, "off", "n")
    assert json.loads(told["policy"])["Statement"]
    assert there.desk.ground.identities.find("third") is None


def test_everybody_makes_looks_at_and_revokes_keys_of_their_own(there: MinioDesk) -> None:
    made = there.values("AddServiceAccount", {}, who="ann")["credentials"]["accessKey"]
    listed = there.values("ListServiceAccounts", who="ann")["accounts"]
    assert {one["accessKey"] for one in listed} == {"annsecond", made}
    assert there.values("ListAccessKeysBulk", who="ann")["ann"]["stsKeys"] == []
    there.values("UpdateServiceAccount", {"newSecretKey": "another secret"}, who="ann", accessKey=made)
    assert there.values("InfoAccessKey", who="ann", accessKey=made)["userType"] == "Service Account"
    there.values("DeleteServiceAccount", who="ann", accessKey=made)
    assert there.desk.ground.registry.key(made) is None


def test_nobody_touches_keys_of_others_without_permission(there: MinioDesk) -> None:
    refused = (403, "AccessDenied")
    for user in ("ann", ROOT):
        assert there.code(there.ask("AddServiceAccount", {"targetUser": user}, who="bob")) == refused
        assert there.code(there.ask("ListServiceAccounts", who="bob", user=user)) == refused
    for key in ("annsecond", "rootsecond", "nobody", "ann", ROOT):
        for row, body in (("InfoServiceAccount", None), ("DeleteServiceAccount", None), ("UpdateServiceAccount", {})):
            assert there.code(there.ask(row, body, who="bob", accessKey=key)) == refused, (row, key)
    assert there.code(there.ask("ListAccessKeysBulk", who="bob", all="true")) == refused
    assert there.code(there.ask("ListAccessKeysBulk", who="bob", users="ann")) == refused


def test_a_key_that_is_limited_makes_no_further_ones(there: MinioDesk) -> None:
    limits: dict[str, Any] = {"scoped": {"scope": KeyScope(buckets=("photos",))}, "ending": {"expires": 4e9}}
    limits["bound"] = {"policy": json.dumps(READING)}
    for name, more in limits.items():
        there.desk.settle(name, ROOT_ACCOUNT, "ann", **more)
        assert there.code(there.ask("AddServiceAccount", {}, who=name)) == (403, "AccessDenied"), name
        reply = there.ask("UpdateServiceAccount", {"newPolicy": {}}, who=name, accessKey=name)
        assert there.code(reply) == (403, "AccessDenied"), name


def test_a_denial_counts_for_what_is_ones_own_too(there: MinioDesk) -> None:
    statement = {"Effect": "Deny", "Action": "admin:CreateServiceAccount", "Resource": "*"}
    there.values("AddCannedPolicy", {"Version": "2012-10-17", "Statement": [statement]}, name="none")
    there.values("AttachPolicy", {"policies": ["none"], "user": "ann"})
    assert there.code(there.ask("AddServiceAccount", {}, who="ann")) == (403, "AccessDenied")


def test_whoever_may_make_keys_makes_none_of_the_account_itself(there: MinioDesk) -> None:
    maker = there.desk.settle("maker", ROOT_ACCOUNT, "maker", "admin:*")
    assert there.code(there.ask("AddServiceAccount", {"targetUser": ROOT}, who=maker)) == (403, "AccessDenied")
    assert there.values("AddServiceAccount", {"targetUser": "ann"}, who=maker)["credentials"]["accessKey"]
    reply = there.ask("UpdateServiceAccount", {"newSecretKey": "guessed secret"}, who=maker, accessKey="rootsecond")
    assert there.code(reply) == (403, "AccessDenied")


def test_a_users_own_key_is_no_service_account(there: MinioDesk) -> None:
    for row, body in (("DeleteServiceAccount", None), ("UpdateServiceAccount", {}), ("InfoServiceAccount", None)):
        assert there.code(there.ask(row, body, accessKey="ann")) == (404, "XMinioInvalidIAMCredentials")


@pytest.mark.parametrize(
    "body",
    [
        {"expiration": "yesterday"},
        {"expiration": "2001-01-01T00:00:00Z"},
        {"policy": "text"},
        {"policy": {"Statement": "none"}},
        {"accessKey": "annsecond"},
        {"accessKey": ROOT},
        {"status": "odd"},
    ],
)
def test_a_key_that_cannot_be_is_refused(there: MinioDesk, body: Any) -> None:
    before = there.values("ListAccessKeysBulk", all="true")
    assert there.ask("AddServiceAccount", body).status in (400, 409)
    assert there.values("ListAccessKeysBulk", all="true") == before


def test_an_account_sees_its_buckets_and_what_it_may_do_there(there: MinioDesk) -> None:
    told = there.values("AccountInfo")
    assert told["AccountName"] == ROOT
    photos = next(one for one in told["Buckets"] if one["name"] == "photos")
    assert (photos["size"], photos["objects"], photos["access"]) == (4, 1, {"read": True, "write": True})
    told = there.values("AccountInfo", who="ann")
    assert (told["AccountName"], told["Buckets"]) == ("ann", [])
    there.values("AttachPolicy", {"policies": ["writeonly"], "user": "ann"})
    assert there.values("AccountInfo", who="ann")["Buckets"][0]["access"] == {"read": False, "write": True}


def test_quotas_are_those_of_the_admin_api(there: MinioDesk) -> None:
    there.values("SetBucketQuotaConfig", {"quota": 4096, "quotatype": "hard"}, bucket="photos")
    assert there.values("GetBucketQuotaConfig", bucket="photos")["size"] == 4096
    record = there.desk.ground.store.buckets.get("photos")
    assert record.settings["quota"] == {"bytes": 4096}
    there.values("SetBucketQuotaConfig", {"quota": 0}, bucket="photos")
    assert there.values("GetBucketQuotaConfig", bucket="photos")["quota"] == 0
    for body, code in (
        ({"rate": 5}, 501),
        ({"size": -1}, 400),
        ({"quota": 1, "quotatype": "fifo"}, 400),
        ({"size": True}, 400),
    ):
        assert there.ask("SetBucketQuotaConfig", body, bucket="photos").status == code
    assert there.code(there.ask("GetBucketQuotaConfig", bucket="nope")) == (404, "NoSuchBucket")


def test_a_listener_that_may_not_listen_any_more_is_told_no_more(there: MinioDesk) -> None:
    there.values("AttachPolicy", {"policies": ["readwrite"], "user": "ann"})
    there.values("AttachPolicy", {"policies": ["readwrite"], "user": "bob"})
    target = "/photos?events=s3:ObjectCreated:*"
    refused, ann, bob = (there.desk.send("GET", target, who=who) for who in ("annkey", "ann", "bob"))
    assert (refused.status, ann.status, bob.status) == (403, 200, 200)
    there.values("DetachPolicy", {"policies": ["readwrite"], "user": "ann"})
    there.values("SetUserStatus", accessKey="bob", status="disabled")
    there.desk.clock.pump([0.5] * 50)
    assert (ann.aborted, bob.aborted) == (True, True)
    there.desk.ask("PUT", "/photos/dog", b"woof", content_type=None)
    assert there.desk.ground.store.notices.targets() == []
