"""Managed policies that every account has: by the names that AWS gives them, as far as they say something here, and by MinIO's.

Sources: AWS Managed Policy Reference Guide; MinIO, "Access management" (built-in policies).
"""

import json

from gecko_tw.callers.accounts.roles import ManagedPolicy, PolicyVersion

MINIO_PATH = "/minio/"
"""The path of MinIO's among them."""

_BUCKETS = "arn:aws:s3:::*"
_ACTIONS: dict[str, tuple[str, list[str]]] = {
    "AdministratorAccess": ("Full access to everything.", ["*"]),
    "AmazonS3FullAccess": ("Full access to all buckets.", ["s3:*"]),
    "AmazonS3ReadOnlyAccess": ("Read access to all buckets.", ["s3:Get*", "s3:List*"]),
    "IAMFullAccess": ("Full access to identities.", ["iam:*"]),
    "IAMReadOnlyAccess": ("Read access to identities.", ["iam:Get*", "iam:List*", "iam:Simulate*"]),
}
_OF_MINIO: dict[str, tuple[str, list[str], str]] = {
    "consoleAdmin": ("Full access to everything.", ["admin:*", "kms:*", "s3:*"], "*"),
    "diagnostics": (
        "Access to what tells about the server.",
        ["admin:ConsoleLog", "admin:Prometheus", "admin:ServerInfo", "admin:ServerTrace", "admin:StorageInfo"],
        "*",
    ),
    "readonly": ("Reading objects of all buckets.", ["s3:GetBucketLocation", "s3:GetObject"], _BUCKETS),
    "readwrite": ("Full access to all buckets.", ["s3:*"], _BUCKETS),
    "writeonly": ("Writing objects to all buckets.", ["s3:PutObject"], _BUCKETS),
}


def _made(name: str, description: str, actions: list[str], resource: str = "*", path: str = "/") -> ManagedPolicy:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return ManagedPolicy(
        account="aws",
        name=name,
        versions={"v1": PolicyVersion(text=text, created=0)},
        id=f"ANPA{name.upper()[:17]:A<17}",
        description=description,
        path=path,
    )


BUILT_IN_POLICIES: dict[str, ManagedPolicy] = {
    made.arn: made
    for made in (
        *(_made(name, *told) for name, told in _ACTIONS.items()),
        *(_made(name, *told, path=MINIO_PATH) for name, told in _OF_MINIO.items()),
    )
}
"""By ARN. Never changed."""
