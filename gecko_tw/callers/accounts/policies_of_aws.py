"""Managed policies that every account has, by the names that AWS gives them, as far as they say something here.

Source: AWS Managed Policy Reference Guide.
"""

import json

from gecko_tw.callers.accounts.roles import ManagedPolicy, PolicyVersion

_ACTIONS: dict[str, tuple[str, list[str]]] = {
    "AdministratorAccess": ("Full access to everything.", ["*"]),
    "AmazonS3FullAccess": ("Full access to all buckets.", ["s3:*"]),
    "AmazonS3ReadOnlyAccess": ("Read access to all buckets.", ["s3:Get*", "s3:List*"]),
    "IAMFullAccess": ("Full access to identities.", ["iam:*"]),
    "IAMReadOnlyAccess": ("Read access to identities.", ["iam:Get*", "iam:List*", "iam:Simulate*"]),
}


def _made(name: str, description: str, actions: list[str]) -> ManagedPolicy:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return ManagedPolicy(
        account="aws",
        name=name,
        versions={"v1": PolicyVersion(text=text, created=0)},
        id=f"ANPA{name.upper()[:17]:A<17}",
        description=description,
    )


POLICIES_OF_AWS: dict[str, ManagedPolicy] = {
    made.arn: made for made in (_made(name, *told) for name, told in _ACTIONS.items())
}
"""By ARN. Never changed."""
