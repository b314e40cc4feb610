"""Access control lists: grants read from canned names and headers, held against requests, and told apart into public and not. Pure.

Sources: S3 User Guide, "Access control list (ACL) overview"; S3 API Reference, PutObjectAcl and PutBucketAcl.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import frozen

from gecko_tw.callers.access.policies import Principal
from gecko_tw.callers.access.policies.principals import PrincipalMatch
from gecko_tw.callers.refusals import UnresolvableGrantByEmailAddress
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest

ID, GROUP = "id", "group"
"""The kinds of grantees: an account, or a predefined group."""

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = frozenset((ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY))
PUBLIC_GROUPS = frozenset((ALL_USERS, AUTHENTICATED_USERS))
"""A grant to one of these is a grant to everybody."""

READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL = "READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"
PERMISSIONS = frozenset((READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL))

MAX_GRANTS = 100

ANONYMOUS_ID = "65a011a29cdf8ec533ec3d1ccaae921c"
"""The canonical id that owns what an anonymous request wrote: S3's own."""

BUCKET_OWNER_FULL_CONTROL = "bucket-owner-full-control"

HEADER = b"x-amz-acl"
GRANT_HEADERS = {
    b"x-amz-grant-read": READ,
    b"x-amz-grant-write": WRITE,
    b"x-amz-grant-read-acp": READ_ACP,
    b"x-amz-grant-write-acp": WRITE_ACP,
    b"x-amz-grant-full-control": FULL_CONTROL,
}
HEADERS = (HEADER, *GRANT_HEADERS)

_CANNED: dict[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, READ),),
    "public-read-write": ((ALL_USERS, READ), (ALL_USERS, WRITE)),
    "authenticated-read": ((AUTHENTICATED_USERS, READ),),
    "aws-exec-read": (),
}
_OF_BUCKET_OWNER = {"bucket-owner-read": READ, BUCKET_OWNER_FULL_CONTROL: FULL_CONTROL}

PERMISSION_OF_BUCKET_ACTION = {
    "s3:ListBucket": READ,
    "s3:ListBucketVersions": READ,
    "s3:ListBucketMultipartUploads": READ,
    "s3:PutObject": WRITE,
    "s3:DeleteObject": WRITE,
    "s3:AbortMultipartUpload": WRITE,
    "s3:ListMultipartUploadParts": WRITE,
    "s3:GetBucketAcl": READ_ACP,
    "s3:PutBucketAcl": WRITE_ACP,
}
"""What the list of the bucket must grant for an action."""

PERMISSION_OF_OBJECT_ACTION = {
    "s3:GetObject": READ,
    "s3:GetObjectVersion": READ,
    "s3:GetObjectAttributes": READ,
    "s3:GetObjectVersionAttributes": READ,
    "s3:GetObjectAcl": READ_ACP,
    "s3:GetObjectVersionAcl": READ_ACP,
    "s3:PutObjectAcl": WRITE_ACP,
    "s3:PutObjectVersionAcl": WRITE_ACP,
}
"""What the list of the object must grant for an action."""

_OWNER_KEEPS = frozenset((READ_ACP, WRITE_ACP))
"""What the owner may do whatever the list says."""


@frozen
class Grant:
    """One line of a list.

    :ivar kind: ``ID`` or ``GROUP``.
    :ivar to: the id of an account, or the URI of a group.
    """

    kind: str
    to: str
    permission: str


@frozen
class Parties:
    """Whom a list is about.

    :ivar owner: the account that the bucket or object belongs to.
    :ivar bucket_owner: for an object the account of its bucket; None for a bucket.
    :ivar account: whether there is an account of an id.
    :ivar by_email: the id of the account with an e-mail address, or None.
    """

    owner: str
    bucket_owner: str | None
    account: Callable[[str], bool]
    by_email: Callable[[str], str | None]


def private(owner: str) -> tuple[Grant, ...]:
    """The list of what nobody but its owner may use."""
    return (Grant(ID, owner, FULL_CONTROL),)


def canned(name: str, parties: Parties) -> tuple[Grant, ...]:
    """The grants of a canned list. :raises InvalidArgument: there is none of that name."""
    owner = private(parties.owner)
    if name in _CANNED:
        return tuple(Grant(GROUP, group, permission) for group, permission in _CANNED[name]) + owner
    if name == "log-delivery-write" and parties.bucket_owner is None:
        return (Grant(GROUP, LOG_DELIVERY, WRITE), Grant(GROUP, LOG_DELIVERY, READ_ACP), *owner)
    if name in _OF_BUCKET_OWNER:
        if parties.bucket_owner in (None, parties.owner):
            return owner
        return (*owner, Grant(ID, str(parties.bucket_owner), _OF_BUCKET_OWNER[name]))
    raise InvalidArgument(ArgumentName="x-amz-acl", ArgumentValue=name)


def asked(headers: Mapping[bytes, bytes], parties: Parties) -> tuple[Grant, ...] | None:
    """The grants that ``x-amz-acl`` or ``x-amz-grant-*`` ask for, or None when there are no such headers.

    :raises InvalidRequest: both are there.
    :raises InvalidArgument, UnresolvableGrantByEmailAddress: an unknown list, grantee or kind of grantee.
    """
    name = headers.get(HEADER)
    granting = [(given, GRANT_HEADERS[given]) for given in GRANT_HEADERS if given in headers]
    if name is None and not granting:
        return None
    if name is not None:
        if granting:
            raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
        return canned(name.decode("latin-1"), parties)
    return checked(
        grantee(kind, value, permission, parties)
        for given, permission in granting
        for kind, value in _grantees(headers[given].decode("latin-1"), given.decode())
    )


def checked(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Grants without repetitions. :raises InvalidArgument: too many."""
    found = tuple(dict.fromkeys(grants))
    if len(found) > MAX_GRANTS:
        raise InvalidArgument(f"An access control list can have up to {MAX_GRANTS} grants.")
    return found


def _grantees(value: str, header: str) -> Iterable[tuple[str, str]]:
    """The grantees of ``id="…", uri="…", emailAddress="…"``, with or without quotes."""
    for pair in value.split(","):
        kind, equals, text = pair.strip().partition("=")
        text = text.strip()
        if len(text) >= 2 and text[0] == text[-1] == '"':
            text = text[1:-1]
        if not equals or not text:
            raise InvalidArgument("Argument format not recognized", ArgumentName=header, ArgumentValue=value)
        yield kind.strip().lower(), text


def grantee(kind: str, value: str, permission: str, parties: Parties) -> Grant:
    """A grant to whom a header or document names.

    :param kind: ``id``, ``uri`` or ``emailaddress``.
    :raises InvalidArgument, UnresolvableGrantByEmailAddress: there is nobody of that name.
    """
    if kind == "id":
        if value not in (parties.owner, parties.bucket_owner) and not parties.account(value):
            raise InvalidArgument("Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=value)
        return Grant(ID, value, permission)
    if kind == "uri":
        if value not in GROUPS:
            raise InvalidArgument("Invalid group uri", ArgumentName="Group/URI", ArgumentValue=value)
        return Grant(GROUP, value, permission)
    if kind == "emailaddress":
        found = parties.by_email(value)
        if found is None:
            raise UnresolvableGrantByEmailAddress(Email=value)
        return Grant(ID, found, permission)
    raise InvalidArgument("Argument format not recognized", ArgumentName="Grantee", ArgumentValue=kind)


def kept(grants: Sequence[Grant], owner: str) -> list[list[str]] | None:
    """A list as a JSON value; None for the private one, which everything has that was given no other."""
    if tuple(grants) == private(owner):
        return None
    return [[grant.kind, grant.to, grant.permission] for grant in grants]


def grants_of(value: Json, owner: str) -> tuple[Grant, ...]:
    """The list that :func:`kept` wrote."""
    if value is None:
        return private(owner)
    return tuple(Grant(kind, to, permission) for kind, to, permission in value)


def is_public(grants: Iterable[Grant]) -> bool:
    """Whether something is granted to everybody."""
    return any(grant.kind == GROUP and grant.to in PUBLIC_GROUPS for grant in grants)


def match(value: Json, owner: str, who: Principal, permission: str, ignore_public: bool = False) -> PrincipalMatch:
    """How a list grants a permission to somebody: not at all, to the account, or directly.

    :param value: the list as :func:`kept` wrote it.
    :param owner: the account that the bucket or object belongs to.
    :param ignore_public: whether grants to everybody count for nothing.
    """
    own = PrincipalMatch.DIRECT if who.root else PrincipalMatch.ACCOUNT
    if value is None or permission in _OWNER_KEEPS:
        if who.account and who.account == owner:
            return own
        if value is None:
            return PrincipalMatch.NONE
    best = PrincipalMatch.NONE
    for kind, to, granted in value:
        if granted not in (permission, FULL_CONTROL):
            continue
        if kind == GROUP:
            everybody = to == ALL_USERS or (to == AUTHENTICATED_USERS and not who.anonymous)
            if everybody and not ignore_public:
                return PrincipalMatch.DIRECT
        elif who.account and to == who.account:
            best = max(best, own)
    return best
