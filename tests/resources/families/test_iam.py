"""What IAM's actions answer and refuse, as botocore's clients read it."""

import json
import time
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from botocore.credentials import Credentials

from gecko_tw.callers.accounts.identities import Account, User
from gecko_tw.callers.accounts.last_use import Uses
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.resources.dispatch.operations import IAM
from tests.resources.asking import FakeRequest
from tests.resources.iam_recipes import (
    BOB,
    NOTHING_TO_FIND,
    OF_POLICY,
    OF_PROVIDER,
    POLICY,
    PROVIDER,
    READ_ONLY,
    RECIPES,
    ROLE,
    TRUST,
    fill,
)
from tests.resources.reading import IAM as MODEL
from tests.resources.reading import read_action
from tests.resources.session_town import ANN, MAIN, ROOT, Town, code, credentials_of, document, policy, refused


@pytest.fixture
def town() -> Town:
    town = Town()
    fill(town)
    return town


def told(town: Town, name: str, **parameters: str) -> dict[str, Any]:
    reply = town.iam(name, **parameters)
    assert reply.status == 200, reply.body
    return read_action(name, reply)


def refusal(reply: FakeRequest) -> tuple[int, str]:
    return refused(reply, IAM)


@pytest.mark.parametrize("name", sorted(set(RECIPES) - NOTHING_TO_FIND))
def test_an_answer_has_what_the_model_says_and_nothing_else(town: Town, name: str) -> None:
    reply = town.iam(name, **RECIPES[name])
    root, space = document(reply), "{https://iam.amazonaws.com/doc/2010-05-08/}"
    assert root.tag == f"{space}{name}Response"
    shape = MODEL.operation_model(name).output_shape
    wrapper = [] if shape is None else [f"{space}{name}Result"]
    assert [child.tag for child in root] == [*wrapper, f"{space}ResponseMetadata"]
    assert root[-1].findtext(f"{space}RequestId") == reply.header("x-amz-request-id")
    if shape is not None:
        _check(root[0], shape, space)
        parsed = read_action(name, reply)
        assert set(shape.required_members) <= set(parsed)


def _check(element: Any, shape: Any, space: str) -> None:
    """Every element is one that the shape has."""
    if shape.type_name == "structure":
        for child in element:
            name = child.tag.removeprefix(space)
            assert name in shape.members, f"{shape.name} has no {name}"
            _check(child, shape.members[name], space)
    elif shape.type_name == "list":
        for child in element:
            assert child.tag == f"{space}member"
            _check(child, shape.member, space)
    elif shape.type_name == "map":
        assert {child.tag for child in element} == {f"{space}entry"}
    else:
        assert len(element) == 0


def test_a_user_is_made_told_and_listed(town: Town) -> None:
    tags = {"Tags__member__1__Key": "team", "Tags__member__1__Value": "red"}
    user = told(town, "CreateUser", UserName="Cid", Path="/a/b/", **tags)["User"]
    assert user["Arn"] == "arn:aws:iam::main:user/a/b/Cid" and user["Tags"] == [{"Key": "team", "Value": "red"}]
    assert told(town, "GetUser", UserName="cid")["User"] == user
    listed = told(town, "ListUsers", PathPrefix="/a/")["Users"]
    assert listed == [{name: value for name, value in user.items() if name != "Tags"}]


def test_who_asks_without_a_name_asks_about_the_own_user(town: Town) -> None:
    assert told(town, "GetUser")["User"] == {"UserId": "main", "Arn": "arn:aws:iam::main:root"}
    town.iam("AttachUserPolicy", UserName="ann", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")
    assert read_action("GetUser", town.iam("GetUser", ANN))["User"]["Arn"] == "arn:aws:iam::main:user/ann"
    made = read_action("CreateAccessKey", town.iam("CreateAccessKey", ANN))["AccessKey"]
    assert made["UserName"] == "ann" and len(made["SecretAccessKey"]) == 40
    keys = read_action("ListAccessKeys", town.iam("ListAccessKeys", ANN))["AccessKeyMetadata"]
    assert sorted(key["AccessKeyId"] for key in keys) == sorted(["annkey", made["AccessKeyId"]])
    town.iam("UpdateAccessKey", ANN, AccessKeyId="annkey", Status="Inactive")
    assert refusal(town.iam("GetUser", ANN)) == (403, "InvalidClientTokenId")
    assert code(town.ask(ANN, "GET", "/")) == "InvalidAccessKeyId"


def test_the_settings_pair_has_the_account_that_is_its_own(town: Town) -> None:
    assert town.iam("CreateUser", ROOT, UserName="bob").status == 200
    user = read_action("GetUser", town.iam("GetUser", ROOT, UserName="bob"))["User"]
    assert user["Arn"] == "arn:aws:iam::000000000000:user/bob"


def test_lists_come_in_pages_sorted_in_any_case(town: Town) -> None:
    for name in ("Zoe", "Abe", "eva"):
        told(town, "CreateUser", UserName=name)
    names: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = told(town, "ListUsers", MaxItems="2", **more)
        names += [user["UserName"] for user in page["Users"]]
        assert len(page["Users"]) <= 2
        if not page["IsTruncated"]:
            break
        more = {"Marker": page["Marker"]}
    assert names == ["Abe", "ann", "bob", "eva", "idle", "Zoe"]
    assert "Marker" not in told(town, "ListUsers", MaxItems="6")
    for wrong in ("0", "1001", "x", "-1", "", "1_0"):
        assert refusal(town.iam("ListUsers", MaxItems=wrong)) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("kind", "named"), [("User", BOB), ("Role", ROLE), ("Policy", OF_POLICY), ("OpenIDConnectProvider", OF_PROVIDER)]
)
def test_tags_come_in_pages_sorted_in_any_case(town: Town, kind: str, named: dict[str, str]) -> None:
    for key in ("b", "C", "a"):
        told(town, f"Tag{kind}", **named, Tags__member__1__Key=key, Tags__member__1__Value="x")
    first = told(town, f"List{kind}Tags", **named, MaxItems="2")
    second = told(town, f"List{kind}Tags", **named, MaxItems="2", Marker=first["Marker"])
    assert [tag["Key"] for tag in first["Tags"] + second["Tags"] if tag["Key"] != "z"] == ["a", "b", "C"]


def test_policies_are_told_letter_by_letter(town: Town) -> None:
    text = policy("s3:Get*", "arn:aws:s3:::b/ü %2F+&<>/*")
    told(town, "PutUserPolicy", UserName="bob", PolicyName="odd", PolicyDocument=text)
    raw = town.iam("GetUserPolicy", UserName="BOB", PolicyName="odd").body
    assert b"%7B%22Version%22" in raw
    assert unquote(told(town, "GetUserPolicy", UserName="bob", PolicyName="odd")["PolicyDocument"]) == text
    assert told(town, "ListUserPolicies", UserName="bob")["PolicyNames"] == ["odd", "own"]
    assert unquote(told(town, "GetRole", RoleName="worker")["Role"]["AssumeRolePolicyDocument"]) == TRUST


def test_managed_policies_are_told_with_what_they_are_attached_to(town: Town) -> None:
    found = told(town, "GetPolicy", PolicyArn=POLICY)["Policy"]
    assert (found["AttachmentCount"], found["DefaultVersionId"], found["PolicyName"]) == (3, "v1", "mine")
    holders = told(town, "ListEntitiesForPolicy", PolicyArn=POLICY)
    assert [one["UserName"] for one in holders["PolicyUsers"]] == ["bob"]
    assert [one["GroupName"] for one in holders["PolicyGroups"]] == ["readers"]
    assert [one["RoleName"] for one in holders["PolicyRoles"]] == ["worker"]
    only = told(town, "ListEntitiesForPolicy", PolicyArn=POLICY, EntityFilter="Role")
    assert (only["PolicyUsers"], len(only["PolicyRoles"])) == ([], 1)
    assert [one["Arn"] for one in told(town, "ListPolicies", Scope="Local", OnlyAttached="true")["Policies"]] == [
        POLICY
    ]
    assert READ_ONLY in [one["Arn"] for one in told(town, "ListPolicies", Scope="AWS")["Policies"]]
    versions = told(town, "ListPolicyVersions", PolicyArn=POLICY)["Versions"]
    assert [(one["VersionId"], one["IsDefaultVersion"]) for one in versions] == [("v1", True), ("v2", False)]


@pytest.mark.parametrize(
    ("expected", "name", "parameters"),
    [
        ((404, "NoSuchEntity"), "GetUser", {"UserName": "none"}),
        ((404, "NoSuchEntity"), "GetPolicy", {"PolicyArn": POLICY + "x"}),
        ((404, "NoSuchEntity"), "AttachUserPolicy", {"UserName": "bob", "PolicyArn": "arn:aws:iam::other:policy/p"}),
        ((404, "NoSuchEntity"), "GetLoginProfile", {"UserName": "bob"}),
        ((409, "EntityAlreadyExists"), "CreateUser", {"UserName": "BOB"}),
        ((409, "DeleteConflict"), "DeleteUser", {"UserName": "bob"}),
        ((409, "DeleteConflict"), "DeletePolicy", {"PolicyArn": POLICY}),
        ((403, "AccessDenied"), "DeletePolicy", {"PolicyArn": READ_ONLY}),
        ((400, "ValidationError"), "CreateUser", {}),
        ((400, "ValidationError"), "CreateUser", {"UserName": "a b"}),
        ((400, "ValidationError"), "CreateUser", {"UserName": "x", "PermissionsBoundary": READ_ONLY}),
        ((400, "ValidationError"), "CreateUser", {"UserName": "x", "Nonsense": "1"}),
        (
            (400, "ValidationError"),
            "CreateUser",
            {"UserName": "x", "Tags__member__2__Key": "a", "Tags__member__2__Value": ""},
        ),
        ((400, "ValidationError"), "CreateUser", {"UserName": "x", "Tags__member__1__Key": "a"}),
        (
            (400, "InvalidInput"),
            "TagUser",
            {"UserName": "bob", "Tags__member__1__Key": "aws:x", "Tags__member__1__Value": ""},
        ),
        ((400, "ValidationError"), "UpdateAccessKey", {"UserName": "bob", "AccessKeyId": "bobkey", "Status": "Off"}),
        (
            (400, "MalformedPolicyDocument"),
            "PutUserPolicy",
            {"UserName": "bob", "PolicyName": "p", "PolicyDocument": "{"},
        ),
        ((400, "MalformedPolicyDocument"), "CreateRole", {"RoleName": "x", "AssumeRolePolicyDocument": policy("s3:*")}),
        ((400, "ValidationError"), "CreateOpenIDConnectProvider", {"Url": "ftp://id.example.com"}),
        ((409, "EntityAlreadyExists"), "CreateOpenIDConnectProvider", {"Url": "http://id.example.com"}),
        ((400, "InvalidAction"), "CreateVirtualMFADevice", {"VirtualMFADeviceName": "x"}),
    ],
)
def test_what_cannot_be_is_refused(
    town: Town, expected: tuple[int, str], name: str, parameters: dict[str, str]
) -> None:
    assert refusal(town.iam(name, **parameters)) == expected


def test_what_is_no_action_is_refused_as_what_it_is(town: Town) -> None:
    for form in (
        "Action=GetUser&Version=2011-06-15",
        "Action=GetUser",
        "Version=2010-05-08",
        "",
        "Action=<x>&Version=1",
    ):
        assert refusal(town.post(form, MAIN, "iam")) == (400, "InvalidAction")
    assert refusal(town.post(b"\xff=1", MAIN, "iam")) == (400, "ValidationError")
    assert refused(town.post("Action=GetUser&Version=2010-05-08", MAIN, "sts")) == (400, "InvalidAction")
    assert town.there.log[-1].operation == "SecurityTokenService"


def test_the_log_tells_the_action_and_no_secret(town: Town) -> None:
    reply = town.iam("CreateAccessKey", UserName="idle")
    assert town.there.log[-1].operation == "CreateAccessKey"
    secret = read_action("CreateAccessKey", reply)["AccessKey"]["SecretAccessKey"]
    assert secret not in repr(town.there.log[-1])


def test_who_is_trusted_assumes_a_role_and_nobody_else(town: Town) -> None:
    def assume(who: Any, **more: str) -> FakeRequest:
        arn = "arn:aws:iam::main:role/r"
        return town.act("AssumeRole", who, RoleArn=arn, RoleSessionName="work", **more)

    def trust(principal: Any, **more: Any) -> None:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        done = town.iam("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=text)
        assert done.status == 200, done.body

    told(town, "CreateRole", RoleName="r", AssumeRolePolicyDocument=TRUST)
    denied = (403, "AccessDenied")
    # The account is trusted: its own key may, and of its users whom the account lets.
    assert assume(MAIN).status == 200
    assert refused(assume(ANN)) == denied
    told(town, "PutUserPolicy", UserName="ann", PolicyName="all", PolicyDocument=policy(["s3:*", "sts:AssumeRole"]))
    assert assume(ANN).status == 200
    told(town, "PutUserPolicy", UserName="ann", PolicyName="all", PolicyDocument=policy("s3:*"))
    # The user is trusted.
    trust({"AWS": "arn:aws:iam::main:user/ann"})
    assert assume(ANN).status == 200
    assert refused(assume(MAIN)) == denied
    trust("*", Condition={"StringEquals": {"sts:ExternalId": "7"}})
    assert refused(assume(ANN)) == denied
    assert assume(ANN, ExternalId="7").status == 200
    # What it may is what the role may, and of that what the session policy allows.
    session, limited = credentials_of(assume(ANN, ExternalId="7")), policy("s3:ListAllMyBuckets")
    assert code(town.ask(session, "GET", "/")) == "AccessDenied"
    told(town, "AttachRolePolicy", RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert code(town.ask(session, "PUT", "/photos")) == "200"
    less = credentials_of(assume(ANN, ExternalId="7", Policy=limited))
    assert (code(town.ask(less, "GET", "/")), code(town.ask(less, "GET", "/photos"))) == ("200", "AccessDenied")
    assert refused(assume(session, ExternalId="7")) == denied
    assert refused(assume(ANN, ExternalId="7", DurationSeconds="3601")) == (400, "ValidationError")


def test_a_user_of_another_account_needs_the_consent_of_both(town: Town) -> None:
    town.registry.put_account(Account(id="other"))
    town.registry.put_user(User(account="other", name="eve"))
    town.add_key("evekey", "eve", "other")
    eve = Credentials("evekey", "secret")
    for principal in ("arn:aws:iam::other:user/eve", "other", "*"):
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        told(town, "UpdateAssumeRolePolicy", RoleName="worker", PolicyDocument=text)
        town.registry.put_user(User(account="other", name="eve"))
        arn = {"RoleArn": "arn:aws:iam::main:role/worker", "RoleSessionName": "work"}
        assert refused(town.act("AssumeRole", eve, **arn)) == (403, "AccessDenied")
        town.registry.put_user(User(account="other", name="eve", policies={"p": policy("sts:AssumeRole")}))
        assert town.act("AssumeRole", eve, **arn).status == 200


def test_providers_are_told_as_they_were_made(town: Town) -> None:
    found = told(town, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=PROVIDER)
    assert (found["Url"], found["ClientIDList"]) == ("id.example.com", ["app"])
    assert found["ThumbprintList"] == ["b" * 40]
    listed = told(town, "ListOpenIDConnectProviders")["OpenIDConnectProviderList"]
    assert listed == [{"Arn": PROVIDER}]


def test_while_authentication_is_off_everybody_is_the_owner(town: Town) -> None:
    service = town.there.service
    service.authenticator = Authenticator(service.identities, service.clock.seconds, enabled=False)
    form = urlencode({"Action": "CreateUser", "Version": "2010-05-08", "UserName": "new"})
    assert town.post(form, None).status == 200
    assert town.registry.user("000000000000", "new") is not None


def test_when_a_key_was_last_used_is_told_once_it_is_kept(town: Town) -> None:
    uses = town.there.service.uses = Uses()
    never = told(town, "GetAccessKeyLastUsed", AccessKeyId="annkey")
    assert (never["UserName"], never["AccessKeyLastUsed"]) == ("ann", {"ServiceName": "N/A", "Region": "N/A"})
    town.act("GetCallerIdentity", ANN)
    later = int(time.time()) + 5
    uses.keep(town.registry.documents, later)
    use = told(town, "GetAccessKeyLastUsed", AccessKeyId="annkey")["AccessKeyLastUsed"]
    assert (use["ServiceName"], use["Region"]) == ("sts", "us-east-1")
    assert use["LastUsedDate"].timestamp() == later
    assert refusal(town.iam("GetAccessKeyLastUsed", AccessKeyId="nobody")) == (404, "NoSuchEntity")
