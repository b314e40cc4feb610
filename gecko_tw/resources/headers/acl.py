"""Access control lists that headers ask for, and whom they may name."""

from collections.abc import Callable, Mapping

from gecko_tw.callers.access import acl
from gecko_tw.callers.access.acl import Grant, Parties
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.refusals import AccessControlListNotSupported
from gecko_tw.resources.call import Call
from gecko_tw.resources.gates.access_settings import BLOCK_ACLS, ENFORCED, IGNORE, blocks, bucket_owner, ownership_of
from gecko_tw.store.records import BucketRecord


def display_name_of(call: Call) -> Callable[[str], str]:
    """What tells the name for people of an account's id."""
    identities = call.service.identities

    def display_name(account_id: str) -> str:
        account = identities.account(account_id)
        return (account.display_name if account is not None else "") or account_id

    return display_name


def parties_of(call: Call, owner: str, of_bucket: str | None) -> Parties:
    """Whom a list may name: accounts that there are.

    :param of_bucket: for an object the account of its bucket, for a bucket None.
    """
    identities = call.service.identities

    def by_email(email: str) -> str | None:
        account = identities.account_by_email(email)
        return None if account is None else account.id

    return Parties(owner, of_bucket, lambda account_id: identities.account(account_id) is not None, by_email)


def asks_acl(headers: Mapping[bytes, bytes]) -> bool:
    """Whether headers ask for an access control list."""
    return not headers.keys().isdisjoint(acl.HEADERS)


def wished_acl(
    call: Call, record: BucketRecord, parties: Parties, headers: Mapping[bytes, bytes]
) -> tuple[Grant, ...] | None:
    """The list that headers ask for; None when they ask for none, or lists are not kept.

    :raises AccessControlListNotSupported, AccessDenied: the bucket has no lists, or none that are public.
    :raises Refusal: as ``acl.asked``.
    """
    if not asks_acl(headers):
        return None
    if ownership_of(call.service, record) == ENFORCED and _says_enforced(headers, bucket_owner(call.service, record)):
        return None
    if not takes_acls(call, record):
        return None
    grants = acl.asked(headers, parties)
    return None if grants is None else unblocked(record, grants)


def _says_enforced(headers: Mapping[bytes, bytes], owner: str) -> bool:
    """Whether headers ask for exactly what a bucket without lists has: full control for its owner."""
    given = {name: headers[name].decode("latin-1") for name in acl.HEADERS if name in headers}
    if len(given) != 1:
        return False
    if acl.HEADER in given:
        return given[acl.HEADER] == acl.BUCKET_OWNER_FULL_CONTROL
    return given.get(b"x-amz-grant-full-control", "").replace('"', "").strip() == f"id={owner}"


def takes_acls(call: Call, record: BucketRecord) -> bool:
    """Whether lists are kept. Raises AccessControlListNotSupported when one may not even be asked for."""
    if call.service.acl == IGNORE:
        return False
    if ownership_of(call.service, record) == ENFORCED:
        raise AccessControlListNotSupported
    return True


def unblocked(record: BucketRecord, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """Raises AccessDenied when the list is public and the bucket takes no such."""
    if blocks(record, BLOCK_ACLS) and acl.is_public(grants):
        raise AccessDenied
    return grants
