"""Access control lists as S3's XML. Pure."""

from collections.abc import Callable, Collection, Sequence

from gecko_tw.callers.access.acl import GROUP, PERMISSIONS, Grant, Parties, checked, grantee
from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.resources.answers.refusals import MalformedACLError, MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, text, texts

_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type'
_KINDS = {"ID": "id", "URI": "uri", "EmailAddress": "emailaddress"}


def write_acl(owner: str, grants: Sequence[Grant], display_name: Callable[[str], str]) -> bytes:
    """An AccessControlPolicy; what groups may do comes first.

    :param display_name: the name for people of an account's id.
    """

    lines = [write_grant(grant, display_name) for grant in sorted(grants, key=lambda grant: grant.kind != GROUP)]
    content = element("Owner", _named(owner, display_name)) + element("AccessControlList", "".join(lines))
    return markup.document("AccessControlPolicy", content)


def write_grant(grant: Grant, display_name: Callable[[str], str]) -> str:
    """One grant, as an element of that name."""
    if grant.kind == GROUP:
        kind, who = "Group", text("URI", grant.to)
    else:
        kind, who = "CanonicalUser", _named(grant.to, display_name)
    return element("Grant", f'<Grantee {_XSI}="{kind}">{who}</Grantee>' + text("Permission", grant.permission))


def _named(account: str, display_name: Callable[[str], str]) -> str:
    return texts({"ID": account, "DisplayName": display_name(account)})


def read_acl(document: bytes, parties: Parties) -> tuple[Grant, ...]:
    """The grants of an AccessControlPolicy.

    :raises MalformedACLError: it is none.
    :raises AccessDenied: it names another owner: ownership does not pass by a list.
    :raises InvalidArgument, UnresolvableGrantByEmailAddress: there is nobody as a grant names.
    """
    try:
        root = markup.read(document, "AccessControlPolicy").only(("Owner", "AccessControlList"))
        owners, lists = root.all("Owner"), root.all("AccessControlList")
        if len(owners) > 1 or len(lists) != 1:
            raise MalformedXML
        owner = owners[0].get("ID") if owners else None
        named = [read_grant(node) for node in lists[0].only(("Grant",))]
    except MalformedXML:
        raise MalformedACLError from None
    if owner is not None and owner != parties.owner:
        raise AccessDenied
    return checked(grantee(kind, value, permission, parties) for kind, value, permission in named)


def read_grant(node: Element, permissions: Collection[str] = PERMISSIONS) -> tuple[str, str, str]:
    """Kind and name of the grantee, and the permission, which is one of ``permissions``. Raises MalformedXML."""
    permission = node.only(("Grantee", "Permission")).need("Permission")
    grantees = node.all("Grantee")
    if len(grantees) != 1 or permission not in permissions:
        raise MalformedXML
    # What xsi:type says follows from the element that names the grantee.
    found = [child for child in grantees[0].only((*_KINDS, "DisplayName")) if child.name in _KINDS]
    if len(found) != 1:
        raise MalformedXML
    return _KINDS[found[0].name], found[0].text, permission
