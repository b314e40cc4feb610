"""A small valid request for each row of the admin API, and what must be there for it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from gecko_tw.admin.rows import PREFIX, Row

READING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
TARGET = "arn:minio:sqs::hook:webhook"


@frozen(kw_only=True)
class Recipe:
    """How to ask. In paths UPLOAD is the id of the upload under way."""

    path: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    body: Any = None


_ANN, _READERS = {"account": "main", "user": "ann"}, {"account": "main", "group": "readers"}
_PHOTOS = {"bucket": "photos"}
_DAMAGED = {"bucket": "photos", "key": "damaged", "version_id": "null"}

RECIPES: dict[str, Recipe] = {
    "OpenApi": Recipe(),
    "ServerInfo": Recipe(),
    "ServerSettings": Recipe(),
    "StorageInfo": Recipe(),
    "ServerPools": Recipe(),
    "ListJobs": Recipe(),
    "RunJob": Recipe(path={"job": "scan"}),
    "ListCertificates": Recipe(),
    "ListBuckets": Recipe(query={"prefix": "ph", "limit": "1"}),
    "CreateBucket": Recipe(
        body={
            "name": "films",
            "owner": "main",
            "object_lock": True,
            "quota": {"bytes": "1GiB", "objects": 3},
            "tags": {"a": "b"},
        }
    ),
    "GetBucket": Recipe(path=_PHOTOS),
    "UpdateBucket": Recipe(path=_PHOTOS, body={"versioning": "Enabled", "tags": {"c": "d"}, "quota": {"objects": 9}}),
    "GetBucketQuota": Recipe(path=_PHOTOS),
    "SetBucketQuota": Recipe(path=_PHOTOS, body={"bytes": "10GiB", "objects": None}),
    "EmptyBucket": Recipe(path=_PHOTOS, body={"confirm": "photos"}),
    "DeleteBucket": Recipe(path={"bucket": "nothing-in-it"}),
    "ForceDeleteBucket": Recipe(path=_PHOTOS, body={"confirm": "photos"}),
    "ListAccounts": Recipe(),
    "CreateAccount": Recipe(body={"id": "third", "display_name": "The third", "email": "third@example.com"}),
    "GetAccount": Recipe(path={"account": "main"}),
    "UpdateAccount": Recipe(path={"account": "main"}, body={"enabled": False}),
    "DeleteAccount": Recipe(path={"account": "alone"}),
    "ListUsers": Recipe(query={"account": "main"}),
    "CreateUser": Recipe(body={"account": "main", "name": "bob", "groups": ["readers"]}),
    "GetUser": Recipe(path=_ANN),
    "EnableUser": Recipe(path=_ANN, body={"enabled": False}),
    "DeleteUser": Recipe(path={"account": "main", "user": "gone"}),
    "AddUserToGroup": Recipe(path={**_ANN, "group": "readers"}),
    "RemoveUserFromGroup": Recipe(path={**_ANN, "group": "writers"}),
    "PutUserPolicy": Recipe(path={**_ANN, "policy": "new"}, body=READING),
    "DeleteUserPolicy": Recipe(path={**_ANN, "policy": "own"}),
    "ListGroups": Recipe(),
    "CreateGroup": Recipe(body={"account": "main", "name": "singers"}),
    "GetGroup": Recipe(path=_READERS),
    "DeleteGroup": Recipe(path=_READERS),
    "PutGroupPolicy": Recipe(path={**_READERS, "policy": "new"}, body=READING),
    "DeleteGroupPolicy": Recipe(path={**_READERS, "policy": "own"}),
    "ListKeys": Recipe(),
    "CreateKey": Recipe(
        body={
            "account": "main",
            "user": "ann",
            "access_key": "second",
            "secret": "whispered",
            "expires": "2099-01-01",
            "buckets": ["photos"],
        }
    ),
    "GetKey": Recipe(path={"key": "annkey"}),
    "UpdateKey": Recipe(path={"key": "annkey"}, body={"scope": {"buckets": ["photos"]}, "expires": None}),
    "DeleteKey": Recipe(path={"key": "annkey"}),
    "SimulatePolicy": Recipe(
        body={
            "who": "main/ann",
            "action": "s3:GetObject",
            "resource": "photos/cat",
            "conditions": {"aws:SourceIp": "192.0.2.1"},
            "policies": {"draft": READING},
        }
    ),
    "GetLimits": Recipe(),
    "SetLimits": Recipe(body={"address": {"rate": 100_000, "burst": 200_000}, "key": None}),
    "ClearLimits": Recipe(query={"of": "key"}),
    "Presign": Recipe(
        body={"method": "PUT", "bucket": "photos", "key": "a b/ü", "endpoint": "https://s3.test", "seconds": 604800}
    ),
    "ListEventDestinations": Recipe(),
    "SendTestEvent": Recipe(body={"target": TARGET, "bucket": "photos"}),
    "ListEncryptionKeys": Recipe(),
    "CreateEncryptionKey": Recipe(body={"name": "archive"}),
    "RotateEncryptionKey": Recipe(body={"name": "there"}),
    "ScrubState": Recipe(),
    "StartScrub": Recipe(),
    "ListQuarantine": Recipe(query={"bucket": "photos"}),
    "RevalidateVersion": Recipe(body=_DAMAGED),
    "RestoreVersion": Recipe(body={**_DAMAGED, "source": "null"}),
    "PurgeVersion": Recipe(body={**_DAMAGED, "bypass_governance": True}),
    "ListUploads": Recipe(query={"bucket": "photos"}),
    "AbortUpload": Recipe(path={"bucket": "photos", "upload": "UPLOAD"}, query={"key": "large"}),
    "ListRequests": Recipe(query={"limit": "3", "failed": "false", "status": "200"}),
    "StreamRequests": Recipe(query={"method": "GET"}),
}


def target_of(row: Row, upload: str = "") -> str:
    """What a recipe asks."""
    recipe, path = RECIPES[row.name], row.path
    for place, value in recipe.path.items():
        path = path.replace("{" + place + "}", quote(value.replace("UPLOAD", upload), safe=""))
    return PREFIX + path + (f"?{urlencode(recipe.query)}" if recipe.query else "")
