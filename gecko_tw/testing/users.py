"""Users that last as long as a test."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

from gecko_tw.testing.endpoint import Endpoint

May = Sequence[str] | Mapping[str, object]
"""What a user may do: actions, on everything; or a policy document of AWS."""


class User(NamedTuple):
    """A user of IAM with a key.

    :ivar s3: a client of boto3 (Any: it has no types) that signs with the user's key.
    """

    name: str
    access_key: str
    secret_key: str
    s3: Any


@contextmanager
def new_users(endpoint: Endpoint, may: Mapping[str, May]) -> Iterator[dict[str, User]]:
    """New users by name, removed afterwards with their keys and policies.

    :param may: what each one may do, by name; a user of no actions may do nothing but what a bucket's policy grants.
    """
    iam = endpoint.client("iam")
    with ExitStack() as stack:
        yield {name: stack.enter_context(_user(endpoint, iam, name, allowed)) for name, allowed in may.items()}


@contextmanager
def _user(endpoint: Endpoint, iam: Any, name: str, may: May) -> Iterator[User]:
    iam.create_user(UserName=name)
    try:
        if may:
            iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=json.dumps(_document(may)))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        pair = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        yield User(name, key["AccessKeyId"], key["SecretAccessKey"], endpoint.client(**pair))
    finally:
        with suppress(iam.exceptions.NoSuchEntityException):  # the test has removed it itself
            _remove(iam, name)


def _document(may: May) -> Mapping[str, object]:
    if isinstance(may, Mapping):
        return may
    statement = {"Effect": "Allow", "Action": list(may), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _remove(iam: Any, name: str) -> None:
    """A user must have nothing left to be deleted."""
    for group in iam.list_groups_for_user(UserName=name)["Groups"]:
        iam.remove_user_from_group(UserName=name, GroupName=group["GroupName"])
    for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
        iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)
