"""What is known of the request that a policy is held against: who asks for what, and the values of condition keys, found when asked.

Source: IAM User Guide, "AWS global condition context keys" and "IAM policy elements: Variables and tags", "Principal key values".
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

from attrs import define, field, frozen

S3_ARN = "arn:aws:s3:::"
EVERY_BUCKET = S3_ARN + "*"
"""The resource of requests that concern no bucket in particular (``s3:ListAllMyBuckets``)."""

Values = str | Sequence[str] | None
Tags = Mapping[str, str]

_NO_TAGS: Tags = MappingProxyType({})
_NO_VALUES: "Mapping[str, Values | Callable[[], Values]]" = MappingProxyType({})
_NO_FAMILIES: "Mapping[str, Tags | Callable[[], Tags]]" = MappingProxyType({})


class Known(Protocol):
    """Where values of condition keys are found: a mapping, or what is like one."""

    def get(self, key: str, /) -> "Values | Callable[[], Values]":
        """The value, a function that finds it, or None."""


@frozen(kw_only=True)
class Principal:
    """Who asks. Without account and service: anonymous.

    :ivar account: the account's id; any string without ``:`` and ``/``.
    :ivar user_name: ``""`` for the account itself (its root user).
    :ivar user_id: the user's unique id.
    :ivar canonical_id: the account's canonical user id, as in ``<Owner><ID>``.
    :ivar groups: names of the user's groups; policies cannot ask for them.
    :ivar tags: the user's tags.
    :ivar service: the name of a service that asks by itself, e.g. ``logging.s3.amazonaws.com``.
    :ivar role: the ARN of the role that somebody has assumed, or ``""``.
    :ivar provider: the ARN of the identity provider that vouches for somebody who has no account, or ``""``.
    :ivar arn: ``arn:aws:iam::ACCOUNT:user/NAME`` or ``…:root``; ``""`` for anonymous requests and for services.
    """

    account: str = ""
    user_name: str = ""
    user_id: str = ""
    canonical_id: str = ""
    groups: tuple[str, ...] = ()
    tags: Tags = _NO_TAGS
    service: str = ""
    role: str = ""
    provider: str = ""
    arn: str = field()
    anonymous: bool = field(init=False)
    root: bool = field(init=False)

    @arn.default
    def _arn(self) -> str:
        if not self.account:
            return ""
        return f"arn:aws:iam::{self.account}:" + (f"user/{self.user_name}" if self.user_name else "root")

    @anonymous.default
    def _anonymous(self) -> bool:
        return not (self.account or self.service or self.provider)

    @root.default
    def _root(self) -> bool:
        return bool(self.account) and self.arn == f"arn:aws:iam::{self.account}:root"

    @property
    def kind(self) -> str:
        """``aws:PrincipalType``."""
        if self.anonymous:
            return "Anonymous"
        if self.role:
            return "AssumedRole"
        return "AWSService" if self.service else "Account" if self.root else "User"


ANONYMOUS = Principal()


@define(eq=False, kw_only=True)
class RequestContext:
    """One request.

    :ivar action: as S3 spells it, e.g. ``s3:GetObject``.
    :ivar resource: an ARN: see :func:`resource_arn`.
    :ivar now: seconds since 1970.
    :ivar values: by condition key as ``condition_keys`` spells it: a text, several texts, None when the request has none, or a
        function of no arguments that finds them. It is called at most once, when a statement asks. What follows from ``principal``
        and ``now`` is not needed here.
    :ivar tags: by family (``s3:ExistingObjectTag``): the tags, or a function that finds them, likewise.
    :ivar path: ``BUCKET`` or ``BUCKET/KEY``; None when the resource is not one of S3.
    """

    principal: Principal
    action: str
    resource: str
    now: float
    values: Known = _NO_VALUES
    tags: "Mapping[str, Tags | Callable[[], Tags]]" = _NO_FAMILIES
    path: str | None = field(init=False)
    _found: dict[str, Sequence[str]] = field(factory=dict, init=False)
    _found_tags: dict[str, Tags] = field(factory=dict, init=False)

    @path.default
    def _path(self) -> str | None:
        return self.resource[len(S3_ARN) :] if self.resource.startswith(S3_ARN) else None

    def find(self, key: str) -> Sequence[str]:
        """The values of a condition key; none when the request does not have it."""
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._search(key)
        return found

    def _search(self, key: str) -> Sequence[str]:
        derive = _DERIVED.get(key)
        if derive is not None:
            value: Values = derive(self)
        else:
            family, slash, tag = key.partition("/")
            if slash and (family == "aws:PrincipalTag" or family in self.tags):
                value = _tag(self._family(family), tag)
            else:
                given = self.values.get(key)
                value = given() if callable(given) else given
        if value is None:
            return ()
        return (value,) if isinstance(value, str) else tuple(value)

    def _family(self, family: str) -> Tags:
        if family == "aws:PrincipalTag":
            return self.principal.tags
        found = self._found_tags.get(family)
        if found is None:
            given = self.tags.get(family, _NO_TAGS)
            found = self._found_tags[family] = given() if callable(given) else given
        return found


def resource_arn(bucket: str = "", key: bytes | None = None) -> str:
    """The ARN of an object, of a bucket, or of all that an account has."""
    if not bucket:
        return EVERY_BUCKET
    return S3_ARN + bucket if key is None else f"{S3_ARN}{bucket}/{key.decode('utf-8', 'surrogateescape')}"


def _tag(tags: Tags, name: str) -> str | None:
    """Names of condition keys have no case, so those of tags in them have none; the same spelling is preferred."""
    value = tags.get(name)
    if value is None and tags:
        wanted = name.lower()
        value = next((value for other, value in tags.items() if other.lower() == wanted), None)
    return value


def _time(context: RequestContext) -> str:
    return datetime.fromtimestamp(int(context.now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _user_id(context: RequestContext) -> str | None:
    principal = context.principal
    if principal.anonymous:
        return "anonymous"
    return principal.account or None if principal.root else principal.user_id or None


_DERIVED: dict[str, Callable[[RequestContext], Values]] = {
    "aws:CurrentTime": _time,
    "aws:EpochTime": lambda context: str(int(context.now)),
    "aws:PrincipalAccount": lambda context: context.principal.account or None,
    "aws:PrincipalArn": lambda context: context.principal.role or context.principal.arn or None,
    "aws:PrincipalIsAWSService": lambda context: "true" if context.principal.service else "false",
    "aws:PrincipalServiceName": lambda context: context.principal.service or None,
    "aws:PrincipalType": lambda context: context.principal.kind,
    "aws:userid": _user_id,
    "aws:username": lambda context: context.principal.user_name or None,
}
DERIVED_KEYS = frozenset(_DERIVED)
"""Keys that a context finds by itself."""
