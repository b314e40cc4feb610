"""What IAM's actions are asked, what they are about, and what they tell of identities.

Source: IAM API Reference, "Data Types"; Service Authorization Reference, "Actions, resources, and condition keys for AWS IAM".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from attrs import frozen

from gecko_tw.callers.access.policies.principals import Identities
from gecko_tw.callers.accounts.arns import arn_of
from gecko_tw.callers.accounts.identities import AccessKey, Group, User
from gecko_tw.callers.accounts.registered import GROUP, KEY, ROLE, USER
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.roles import ManagedPolicy, PolicyVersion, Role
from gecko_tw.callers.iam.names import check_pairs, find_or_none
from gecko_tw.resources.answers.refusals import ValidationError
from gecko_tw.resources.dispatch.operations import Subject
from gecko_tw.resources.documents.markup import iso_time
from gecko_tw.resources.documents.query_protocol import Form

PARAMETERS = {USER: "UserName", GROUP: "GroupName", ROLE: "RoleName"}
"""What names one of them in a form."""

PAGED = ("Marker", "MaxItems")

_USUAL, _MOST = 100, 1000

Told = dict[str, Any]
One = TypeVar("One")


@frozen(kw_only=True)
class Asked:
    """What an action is asked.

    :ivar account: whose identities it is about: the caller's.
    :ivar user: the name of the user who asks; ``""`` for the account itself.
    :ivar role: the ARN of the role that asks, or ``""``.
    :ivar identities: who can be named in policies.
    :ivar region: this deployment's.
    """

    registry: Registry
    identities: Identities
    account: str
    form: Form
    user: str = ""
    role: str = ""
    region: str = "us-east-1"

    def own(self, parameter: str = "UserName") -> str:
        """The user that is named, or else the one who asks: ``""`` for the account itself. Raises ValidationError for a role."""
        named = self.form.get(parameter)
        if named is not None:
            return self.form.need(parameter)
        if self.role:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        return self.user

    def tags(self) -> dict[str, str]:
        """The tags of the form. Raises InvalidTag, LimitExceeded, ValidationError."""
        return check_pairs(self.form.pairs("Tags"))


About = Callable[[Asked], Iterable[Subject]]


def everything(asked: Asked) -> Iterable[Subject]:
    """Nothing in particular."""
    return (Subject("*"),)


def subject(asked: Asked, kind: str, name: str) -> Subject:
    """A user, a group or a role by its name; who may not ask does not learn whether it is there."""
    found = find_or_none(asked.registry, kind, asked.account, name)
    if found is None:
        return Subject(arn_of(kind, asked.account, "/", name))
    return Subject(found.arn, getattr(found, "tags", {}))


def named(kind: str) -> About:
    """The one that the form names."""
    return lambda asked: (subject(asked, kind, asked.form.need(PARAMETERS[kind])),)


def own_user(asked: Asked) -> Iterable[Subject]:
    """The user that the form names, or the one who asks."""
    name = asked.own()
    return (subject(asked, USER, name) if name else Subject(f"arn:aws:iam::{asked.account}:root"),)


def owner_of_key(asked: Asked) -> Iterable[Subject]:
    """The user who has the key that the form names, or the account itself; who may not ask does not learn who that is."""
    kept = asked.registry.documents.get(KEY, asked.form.need("AccessKeyId"))
    user = kept["user"] if kept is not None and kept["account"] == asked.account else ""
    return (subject(asked, USER, user) if user else Subject(f"arn:aws:iam::{asked.account}:root"),)


def new(kind: str, parameter: str = "") -> About:
    """One that is to be made."""

    def about(asked: Asked) -> Iterable[Subject]:
        name = asked.form.need(parameter or PARAMETERS[kind])
        return (Subject(arn_of(kind, asked.account, asked.form.get("Path") or "/", name)),)

    return about


def renamed(kind: str) -> About:
    """One that is to have another name or path: as it is now, and as it will be."""

    def about(asked: Asked) -> Iterable[Subject]:
        parameter = PARAMETERS[kind]
        name = asked.form.need(parameter)
        yield subject(asked, kind, name)
        found = find_or_none(asked.registry, kind, asked.account, name)
        path = asked.form.get("NewPath") or ("/" if found is None else found.path)
        yield Subject(arn_of(kind, asked.account, path, asked.form.get(f"New{parameter}") or name))

    return about


def managed(asked: Asked) -> Iterable[Subject]:
    """The managed policy that the form names."""
    arn = asked.form.need("PolicyArn")
    found = asked.registry.managed_policy(arn)
    return (Subject(arn, {} if found is None else found.tags),)


def page(asked: Asked, items: Sequence[One], name: Callable[[One], str]) -> tuple[list[One], Told]:
    """The next of some items that are sorted by name in any case, and the elements that tell whether there are more."""
    most = asked.form.number("MaxItems", _USUAL, 1, _MOST)
    marker = asked.form.get("Marker")
    rest = items if marker is None else [one for one in items if _order(name(one)) > _order(marker)]
    shown = list(rest[:most])
    more = len(rest) > most
    return shown, {"IsTruncated": more, "Marker": name(shown[-1]) if more else None}


def page_of_tags(asked: Asked, tags: Mapping[str, str]) -> Told:
    """The next tags of one thing, and whether there are more."""
    items = sorted(tags.items(), key=lambda pair: _order(pair[0]))
    shown, more = page(asked, items, lambda pair: pair[0])
    return {"Tags": tags_told(dict(shown)), **more}


def _order(name: str) -> tuple[str, str]:
    return name.lower(), name


def with_prefix(asked: Asked, items: Iterable[Any]) -> list[Any]:  # of whatever has a path
    """Those whose path begins as the form says."""
    prefix = asked.form.get("PathPrefix") or "/"
    return [one for one in items if one.path.startswith(prefix)]


def date(seconds: int) -> str:
    """A time as IAM tells it."""
    return iso_time(seconds * 1_000_000_000)


def encoded(text: str) -> str:
    """A policy document as IAM tells it: percent-encoded (RFC 3986)."""
    return quote(text, safe="")


def tags_told(tags: Mapping[str, str]) -> list[Told]:
    """Tags as a list."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def user_told(user: User, whole: bool = False) -> Told:
    """A user, with tags when it is told ``whole``."""
    told = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.unique_id,
        "Arn": user.arn,
        "CreateDate": date(user.created),
    }
    return {**told, "Tags": tags_told(user.tags)} if whole and user.tags else told


def group_told(group: Group) -> Told:
    """A group."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.unique_id,
        "Arn": group.arn,
        "CreateDate": date(group.created),
    }


def role_told(role: Role, whole: bool = False) -> Told:
    """A role, with tags when it is told ``whole``."""
    told = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": date(role.created),
        "AssumeRolePolicyDocument": encoded(role.trust),
        "Description": role.description or None,
        "MaxSessionDuration": role.longest,
    }
    return {**told, "Tags": tags_told(role.tags)} if whole and role.tags else told


def key_told(key: AccessKey) -> Told:
    """An access key without its secret."""
    return {
        "UserName": key.user or None,
        "AccessKeyId": key.access_key,
        "Status": "Active" if key.enabled else "Inactive",
        "CreateDate": date(key.created),
    }


def policy_told(policy: ManagedPolicy, attachments: int, whole: bool = False) -> Told:
    """A managed policy. Lists leave its description out."""
    told = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default,
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": date(policy.created),
        "UpdateDate": date(policy.updated),
    }
    more = {"Description": policy.description or None, "Tags": tags_told(policy.tags) or None}
    return {**told, **more} if whole else told


def version_told(name: str, version: PolicyVersion, default: str, whole: bool = False) -> Told:
    """A version of a managed policy, with its document when it is told ``whole``."""
    told = {"VersionId": name, "IsDefaultVersion": name == default, "CreateDate": date(version.created)}
    return {"Document": encoded(version.text), **told} if whole else told
