"""A small request for each action of IAM, about identities of an account that are there."""

import json

from gecko_tw.callers.iam import people, policies, providers, roles
from tests.resources.session_town import Town, policy

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "main"}}],
    }
)
POLICY = "arn:aws:iam::main:policy/mine"
PROVIDER = "arn:aws:iam::main:oidc-provider/id.example.com"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
TAGS = {"Tags__member__1__Key": "a", "Tags__member__1__Value": "b"}
UNTAG = {"TagKeys__member__1": "a"}
BOB, GROUP, ROLE = {"UserName": "bob"}, {"GroupName": "readers"}, {"RoleName": "worker"}
OF_POLICY, OF_PROVIDER = {"PolicyArn": POLICY}, {"OpenIDConnectProviderArn": PROVIDER}

ASKED = {"ActionNames__member__1": "s3:GetObject"}

RECIPES: dict[str, dict[str, str]] = {
    "CreateUser": {"UserName": "new"},
    **dict.fromkeys(("GetUser", "ListUserTags", "ListAccessKeys", "ListMFADevices"), BOB),
    **dict.fromkeys(("ListSigningCertificates", "ListSSHPublicKeys", "ListGroupsForUser"), BOB),
    "GetLoginProfile": BOB,
    "ListUsers": {},
    "UpdateUser": {**BOB, "NewPath": "/p/"},
    "DeleteUser": {"UserName": "idle"},
    "TagUser": {**BOB, **TAGS},
    "UntagUser": {**BOB, **UNTAG},
    "CreateAccessKey": {"UserName": "idle"},
    "UpdateAccessKey": {**BOB, "AccessKeyId": "bobkey", "Status": "Inactive"},
    "DeleteAccessKey": {**BOB, "AccessKeyId": "bobkey"},
    "CreateGroup": {"GroupName": "new"},
    "GetGroup": GROUP,
    "ListGroups": {},
    "UpdateGroup": {**GROUP, "NewGroupName": "writers"},
    "DeleteGroup": {"GroupName": "idle"},
    "AddUserToGroup": {**GROUP, "UserName": "idle"},
    "RemoveUserFromGroup": {**GROUP, **BOB},
    "GetAccountSummary": {},
    "ListAccountAliases": {},
    "ListInstanceProfilesForRole": ROLE,
    **{
        name.format(kind): {**holder, **more}
        for kind, holder in (("User", BOB), ("Group", GROUP), ("Role", ROLE))
        for name, more in (
            ("Put{}Policy", {"PolicyName": "own", "PolicyDocument": policy("s3:Get*")}),
            ("Get{}Policy", {"PolicyName": "own"}),
            ("List{}Policies", {}),
            ("Delete{}Policy", {"PolicyName": "own"}),
            ("Attach{}Policy", {"PolicyArn": READ_ONLY}),
            ("Detach{}Policy", {"PolicyArn": POLICY}),
            ("ListAttached{}Policies", {}),
        )
    },
    "CreatePolicy": {"PolicyName": "new", "PolicyDocument": policy("s3:Get*")},
    **dict.fromkeys(("GetPolicy", "ListPolicyVersions", "ListEntitiesForPolicy", "ListPolicyTags"), OF_POLICY),
    "ListPolicies": {},
    "DeletePolicy": {"PolicyArn": "arn:aws:iam::main:policy/idle"},
    "CreatePolicyVersion": {**OF_POLICY, "PolicyDocument": policy("s3:Put*"), "SetAsDefault": "true"},
    "GetPolicyVersion": {**OF_POLICY, "VersionId": "v1"},
    "SetDefaultPolicyVersion": {**OF_POLICY, "VersionId": "v2"},
    "DeletePolicyVersion": {**OF_POLICY, "VersionId": "v2"},
    "TagPolicy": {**OF_POLICY, **TAGS},
    "UntagPolicy": {**OF_POLICY, **UNTAG},
    "GetAccessKeyLastUsed": {"AccessKeyId": "bobkey"},
    "SimulateCustomPolicy": {"PolicyInputList__member__1": policy("s3:Get*"), **ASKED},
    "SimulatePrincipalPolicy": {"PolicySourceArn": "arn:aws:iam::main:user/bob", **ASKED},
    "CreateRole": {"RoleName": "new", "AssumeRolePolicyDocument": TRUST},
    **dict.fromkeys(("GetRole", "ListRoleTags"), ROLE),
    "ListRoles": {},
    "UpdateRole": {**ROLE, "Description": "works", "MaxSessionDuration": "7200"},
    "UpdateRoleDescription": {**ROLE, "Description": "works"},
    "UpdateAssumeRolePolicy": {**ROLE, "PolicyDocument": TRUST.replace("AssumeRole", "Assume*")},
    "DeleteRole": {"RoleName": "idle"},
    "TagRole": {**ROLE, **TAGS},
    "UntagRole": {**ROLE, **UNTAG},
    "CreateOpenIDConnectProvider": {"Url": "https://new.example.com", "ClientIDList__member__1": "app"},
    **dict.fromkeys(("GetOpenIDConnectProvider", "ListOpenIDConnectProviderTags"), OF_PROVIDER),
    "ListOpenIDConnectProviders": {},
    "DeleteOpenIDConnectProvider": OF_PROVIDER,
    "AddClientIDToOpenIDConnectProvider": {**OF_PROVIDER, "ClientID": "more"},
    "RemoveClientIDFromOpenIDConnectProvider": {**OF_PROVIDER, "ClientID": "app"},
    "UpdateOpenIDConnectProviderThumbprint": {**OF_PROVIDER, "ThumbprintList__member__1": "a" * 40},
    "TagOpenIDConnectProvider": {**OF_PROVIDER, **TAGS},
    "UntagOpenIDConnectProvider": {**OF_PROVIDER, **UNTAG},
}

NOTHING_TO_FIND = {"GetLoginProfile"}
"""What nobody can have: there is no such entity, whoever asks."""


def fill(town: Town) -> None:
    """Gives the account ``main`` something that each action can be about."""
    registry = town.registry
    for name in ("bob", "idle"):
        people.create_user(registry, "main", name, "/", {"z": "z"})
        people.create_group(registry, "main", "readers" if name == "bob" else name, "/")
        held = policies.create_managed(
            registry,
            "main",
            "mine" if name == "bob" else name,
            policy("s3:Get*"),
            path="/",
            description="",
            tags={},
        )
        roles.create_role(
            registry,
            "main",
            "worker" if name == "bob" else name,
            TRUST,
            path="/",
            description="",
            longest=3600,
            tags={},
        )
        if name == "bob":
            policies.add_version(registry, "main", held.arn, policy("s3:Put*"), False)
    people.add_to_group(registry, "main", "readers", "bob")
    for kind, one in (("user", "bob"), ("group", "readers"), ("role", "worker")):
        policies.put_policy(registry, kind, "main", one, "own", policy("s3:Get*"))
        policies.attach(registry, kind, "main", one, POLICY)
    providers.create_provider(registry, "main", "https://id.example.com", ["app"], ["b" * 40], {})
    town.add_key("bobkey", "bob")
