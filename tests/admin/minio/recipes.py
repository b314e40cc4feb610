"""A small valid request for each row of MinIO's face, and what must be there for it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

from gecko_tw.admin.minio.rows import PREFIX, MinioRow
from tests.admin.recipes import READING


@frozen(kw_only=True)
class Recipe:
    """How to ask: parameters, and JSON that is encrypted where the row wants it so."""

    query: Mapping[str, str] = field(factory=dict)
    body: Any = None


_ANN, _KEY, _STAFF = {"accessKey": "ann"}, {"accessKey": "annsecond"}, {"group": "staff"}

RECIPES: dict[str, Recipe] = {
    "InfoMessage": Recipe(query={"metrics": "false"}),
    "StorageInfoMessage": Recipe(),
    "DataUsageInfo": Recipe(query={"capacity": "true"}),
    "ServiceAction": Recipe(query={"action": "restart", "type": "2"}),
    "AddUser": Recipe(query={"accessKey": "carl"}, body={"secretKey": "secretofcarl", "status": "enabled"}),
    "ListUsers": Recipe(),
    "GetUserInfo": Recipe(query=_ANN),
    "SetUserStatus": Recipe(query={**_ANN, "status": "disabled"}),
    "RemoveUser": Recipe(query=_ANN),
    "UpdateGroupMembers": Recipe(
        body={"group": "staff", "members": ["bob"], "isRemove": False, "groupStatus": "enabled"}
    ),
    "ListGroupNames": Recipe(),
    "GetGroupDescription": Recipe(query=_STAFF),
    "SetGroupStatus": Recipe(query={**_STAFF, "status": "disabled"}),
    "AddCannedPolicy": Recipe(query={"name": "reading"}, body=READING),
    "ListCannedPolicies": Recipe(),
    "InfoCannedPolicy": Recipe(query={"name": "own", "v": "2"}),
    "RemoveCannedPolicy": Recipe(query={"name": "own"}),
    "AttachPolicy": Recipe(body={"policies": ["own", "readwrite"], "user": "ann"}),
    "DetachPolicy": Recipe(body={"policies": ["readonly"], "group": "staff"}),
    "SetUserOrGroupPolicy": Recipe(query={"userOrGroup": "ann", "isGroup": "false", "policyName": "readonly,own"}),
    "PolicyEntities": Recipe(query={"user": "ann"}),
    "AddServiceAccount": Recipe(
        body={
            "targetUser": "ann",
            "accessKey": "third",
            "secretKey": "secretofthird",
            "name": "third",
            "description": "Of a program.",
            "expiration": "2099-01-01T00:00:00.123456789Z",
            "policy": READING,
        }
    ),
    "UpdateServiceAccount": Recipe(query=_KEY, body={"newStatus": "off", "newDescription": "It is off."}),
    "DeleteServiceAccount": Recipe(query=_KEY),
    "InfoServiceAccount": Recipe(query=_KEY),
    "InfoAccessKey": Recipe(query=_KEY),
    "TemporaryAccountInfo": Recipe(query={"accessKey": "ASIAOFSOMEBODY"}),
    "ListServiceAccounts": Recipe(query={"user": "ann"}),
    "ListAccessKeysBulk": Recipe(query={"all": "true", "listType": "all"}),
    "GetBucketQuotaConfig": Recipe(query={"bucket": "photos"}),
    "SetBucketQuotaConfig": Recipe(query={"bucket": "photos"}, body={"quota": 1024, "size": 1024, "quotatype": "hard"}),
    "AccountInfo": Recipe(query={"prefix-usage": "false"}),
    "Trace": Recipe(query={"s3": "true", "err": "false", "threshold": "0s", "storage": "false"}),
    "KmsStatus": Recipe(),
    "KmsStatusV3": Recipe(),
    "KmsKeyStatus": Recipe(query={"key-id": "there"}),
    "KmsKeyStatusV3": Recipe(query={"key-id": "there"}),
    "KmsCreateKey": Recipe(query={"key-id": "archive"}),
    "KmsCreateKeyV3": Recipe(query={"key-id": "archive"}),
    "KmsListKeys": Recipe(query={"pattern": "*"}),
}

REFUSED = frozenset(("ServiceAction", "TemporaryAccountInfo"))
"""Rows that say only why they are not answered."""


def target_of(row: MinioRow) -> str:
    """What a recipe asks."""
    query = RECIPES[row.name].query
    return PREFIX + row.path + (f"?{urlencode(query)}" if query else "")
