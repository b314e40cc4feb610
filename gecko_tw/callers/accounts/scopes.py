"""Keys that may do less than their user: what a scope allows, as a policy that must allow each request, too. Pure."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from attrs import frozen

from gecko_tw.callers.access.policies import Policy, read_identity_policy
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

ALIASES = {
    "*": ("s3:*",),
    "bucket:list": ("s3:ListAllMyBuckets",),
    "bucket:read-meta": ("s3:GetBucketLocation", "s3:GetBucketVersioning"),
    "bucket:write-meta": ("s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucket*"),
    "object:list": ("s3:ListBucket", "s3:ListBucketVersions"),
    "object:get": ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectTagging"),
    "object:put": ("s3:PutObject", "s3:PutObjectTagging"),
    "object:delete": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    "multipart:create": ("s3:PutObject",),
    "multipart:upload-part": ("s3:PutObject", "s3:ListMultipartUploadParts"),
    "multipart:complete": ("s3:PutObject",),
    "multipart:abort": ("s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads"),
}
"""Short names of groups of actions, as Jay's tokens have them. HeadBucket needs ``object:list``: S3 has one permission for both."""

_LISTING = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
_HARMLESS = ("s3:GetBucketLocation", "s3:GetBucketVersioning")
"""What a key of some prefixes may ask of the whole bucket: clients ask it first."""

_LITERAL = {"*": "${*}", "?": "${?}", "$": "${$}"}


@frozen(kw_only=True)
class KeyScope:
    """What a key is limited to; an empty limit limits nothing.

    :ivar actions: S3's names with wildcards, or those of ALIASES.
    :ivar buckets: names of buckets.
    :ivar prefixes: what keys in those buckets must begin with.
    :ivar networks: where requests must come from, e.g. ``10.0.0.0/8``.
    """

    actions: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


def scope_of(value: Json) -> KeyScope | None:
    """A scope from its JSON form; None when it limits nothing."""
    lists = {
        name: tuple(value[name]) for name in ("actions", "buckets", "prefixes", "networks") if value and value.get(name)
    }
    return KeyScope(**lists) if lists else None


@lru_cache(1024)
def boundary_of(scope: KeyScope) -> Policy:
    """The policy that allows exactly what a scope does.

    :raises InvalidArgument: it has prefixes without buckets.
    :raises MalformedPolicy: it has an action, a bucket or a network that is none.
    """
    if scope.prefixes and not scope.buckets:
        raise InvalidArgument("A scope with prefixes must name buckets.", ArgumentName="prefixes")
    asked = scope.actions or ("*",)
    actions = list(dict.fromkeys(name for action in asked for name in ALIASES.get(action, (action,))))
    statements = [_allow(actions, _resources(scope), {})]
    if scope.prefixes:
        buckets = [f"arn:aws:s3:::{_literal(bucket)}" for bucket in scope.buckets]
        begins = {"StringLike": {"s3:prefix": [_literal(prefix) + "*" for prefix in scope.prefixes]}}
        statements += _some(actions, _LISTING, buckets, begins) + _some(actions, _HARMLESS, buckets, {})
    if scope.networks:
        for statement in statements:
            statement.setdefault("Condition", {})["IpAddress"] = {"aws:SourceIp": list(scope.networks)}
    return read_identity_policy(json.dumps({"Version": "2012-10-17", "Statement": statements}), "scope")


def _resources(scope: KeyScope) -> list[str]:
    if not scope.buckets:
        return ["*"]
    buckets = [f"arn:aws:s3:::{_literal(bucket)}" for bucket in scope.buckets]
    if scope.prefixes:
        return [f"{bucket}/{_literal(prefix)}*" for bucket in buckets for prefix in scope.prefixes]
    return buckets + [f"{bucket}/*" for bucket in buckets]


def _some(
    actions: list[str], of: Iterable[str], resources: list[str], condition: dict[str, Any]
) -> list[dict[str, Any]]:
    """A statement for those of some actions that the scope has; none when it has none of them."""
    found = [name for name in of if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in actions)]
    return [_allow(found, resources, condition)] if found else []


def _allow(actions: list[str], resources: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": dict(condition)} if condition else statement


def _literal(text: str) -> str:
    """A text as it stands in a pattern, where some signs have a meaning."""
    return "".join(_LITERAL.get(sign, sign) for sign in text)
