"""Every S3 operation is one row, declared beside its function; a table resolves what a request asks to the most specific row.

The order of rows means nothing. A request that names a sub-resource of S3 is never answered by a row that does not: what we lack
is refused, by structure.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from gecko_tw.resources.answers.refusals import MethodNotAllowed, NotImplemented_
from gecko_tw.resources.dispatch.subresources import HEADER_SUBRESOURCES, SUBRESOURCES

GET, HEAD, PUT, POST, DELETE, OPTIONS = "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"
SERVICE, BUCKET, OBJECT, WEBSITE, ACTION = "service", "bucket", "object", "website", "action"
"""What a request addresses; ACTION is what a form names that is sent to another service."""

S3, STS, IAM = "s3", "sts", "iam"
"""Services of AWS that are answered."""

STREAM = "stream"
"""Body kind of an operation that takes the body as a stream (PutObject, UploadPart, PostObject)."""

BEFORE, FOUND, ITSELF = "before", "found", "itself"
"""When it is decided whether the caller may: before the operation begins; when it has found the version, so that it is looked at once; when
it has read what it is about, a region or a list of keys."""


@frozen
class Document:
    """Body kind of an operation that reads a whole document into memory: at most ``limit`` bytes.

    :ivar described: whether ``x-amz-checksum-*`` headers speak of this document; else the operation reads them.
    :ivar vouched: whether one of them, or Content-MD5, must come with it; with ``signed`` the payload's hash in the signature will do, too.
    """

    limit: int = 1024 * 1024
    described: bool = True
    vouched: bool = False
    signed: bool = False


@frozen
class Subject:
    """Something of another service that an action is about, with its tags."""

    arn: str
    tags: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Operation:
    """One row.

    :ivar name: AWS's name.
    :ivar selectors: query names, and request headers in lower case, that must be present for this row.
    :ivar needs: the policy action that permits it, e.g. ``"s3:PutObject"``; None when anybody may ask (preflight).
    :ivar body: None (a body is not read), STREAM, or a Document.
    :ivar needs_version: the action that permits it instead when the query has ``versionId``; None when it is the same.
    :ivar also: a further action that permits it only together with ``needs``; ``also_version`` is that of ``needs_version``.
    :ivar decides: BEFORE, FOUND or ITSELF. Whoever decides later calls one of the functions of gecko_tw.resources.gates.permits.
    :ivar document_keys: beginnings of condition keys whose values are in the document: a policy that asks for one is asked when it is read.
    :ivar creates: whether it creates an object with what its headers say: tags, a lock, an access control list.
    :ivar new_bucket: whether the addressed bucket need not be there.
    :ivar signed_for: what nobody can do by it without a signature, whatever policies say, as the refusal calls it; None when they decide.
    :ivar unsigned: whether nobody signs it, so that nothing in the query selects another row (preflight, websites).
    :ivar service: the service of AWS that it belongs to, as credential scopes name it. Of another one than S3 the document is read
        before it is known who asks, because the signature covers it, and refusals are told in that service's form.
    :ivar takes: the parameters of an action, without the numbers of lists; no others are understood.
    :ivar about: tells what an action is about.
    """

    name: str
    method: str
    target: str
    selectors: frozenset[str]
    needs: str | None
    body: str | Document | None
    perform: Callable[..., Awaitable[Any]]  # an answers.answer.Outcome, which is sent to a Call: that has an Operation
    needs_version: str | None = None
    also: str | None = None
    also_version: str | None = None
    decides: str = BEFORE
    document_keys: tuple[str, ...] = ()
    creates: bool = False
    new_bucket: bool = False
    signed_for: str | None = None
    unsigned: bool = False
    service: str = S3
    takes: frozenset[str] = frozenset()
    about: Callable[..., Iterable[Subject]] | None = None


def operation(
    name: str,
    method: str,
    target: str,
    *selectors: str,
    needs: str | None,
    body: str | Document | None = None,
    **more: Any,  # whatever else an Operation says, by its names
) -> Callable[[Callable[..., Awaitable[Any]]], Operation]:
    """Declares a row: ``@operation("GetBucketCors", GET, BUCKET, "cors", needs="s3:GetBucketCORS")``.

    The decorated name becomes the :class:`Operation`; the function is its ``perform``: ``async def f(call) -> Answer``, or
    ``f(call, document: bytes)`` when the body is a Document.
    """

    def declare(perform: Callable[..., Awaitable[Any]]) -> Operation:
        return Operation(
            name=name,
            method=method,
            target=target,
            selectors=frozenset(selectors),
            needs=needs,
            body=body,
            perform=perform,
            **more,
        )

    return declare


FORM = Document(64 * 1024, described=False)
"""Body kind of what is asked of another service."""


def action(
    name: str, *takes: str, about: Callable[..., Iterable[Subject]] | None = None, service: str = IAM
) -> Callable[[Callable[..., object]], Operation]:
    """Declares an action of another service than S3: ``@action("DeleteUser", "UserName", about=user)``.

    The decorated function is ``f(asked: Asked)`` of IAM, which blocks and answers the elements of the result, None when there is no
    result; of STS ``f(call, parameters)``, which answers the result as XML, or something to await that does.
    """

    def declare(perform: Callable[..., object]) -> Operation:
        return Operation(
            name=name,
            method=POST,
            target=ACTION,
            selectors=frozenset((f"Action={name}",)),
            needs=f"{service}:{name}",
            body=FORM,
            perform=perform,  # type: ignore[arg-type]
            service=service,
            takes=frozenset(takes),
            about=about,
        )

    return declare


class OperationTable:
    """All rows of a deployment.

    :param families: modules (or any object) whose attributes are searched for Operations, with the name of their owner.
    :raises ValueError: when two rows answer the same request, naming both owners.
    """

    def __init__(self, families: Iterable[tuple[str, Iterable[Operation]]]) -> None:
        self.rows: dict[tuple[str, str], list[Operation]] = {}
        owners: dict[tuple[str, str, frozenset[str]], str] = {}
        headers = set(HEADER_SUBRESOURCES)
        for owner, rows in families:
            for row in rows:
                place = (row.method, row.target, row.selectors)
                if place in owners:
                    raise ValueError(f"{row.name}: declared by {owners[place]} and again by {owner}")
                owners[place] = owner
                headers |= {name for name in row.selectors if name.startswith("x-amz-")}
                self.rows.setdefault((row.method, row.target), []).append(row)
        for candidates in self.rows.values():
            candidates.sort(key=lambda row: -len(row.selectors))
        self._actions = {row.name: row for row in self.rows.get((POST, ACTION), ()) if row.selectors}
        # Rows that a request without any sub-resource can mean: most are that, and then there is nothing to choose.
        self._unsigned = {(row.method, row.target): row for rows in self.rows.values() for row in rows if row.unsigned}
        self._plain = {place: candidates[-1] for place, candidates in self.rows.items() if not candidates[-1].selectors}
        self._headers = frozenset(name.encode() for name in headers)

    def present(self, named: frozenset[str], headers: Mapping[bytes, bytes]) -> frozenset[str]:
        """What a request has that can select a row: all that its query names, and those headers that some row asks for.

        :param named: as :func:`names_of` tells.
        """
        if self._headers.isdisjoint(headers):
            return named
        return named.union(name.decode() for name in self._headers if name in headers)

    def action(self, name: str) -> Operation | None:
        """The action of IAM or of STS of that name, or None: no two of them have the same."""
        return self._actions.get(name)

    def resolve(self, method: str, target: str, present: frozenset[str]) -> Operation:
        """The most specific row for a request.

        :param present: as :meth:`present` tells.
        :raises NotImplemented_: a sub-resource of S3 is asked that no row answers.
        :raises MethodNotAllowed: no row has this method here.
        """
        if not present and (method, target) in self._plain:
            return self._plain[method, target]
        if (method, target) in self._unsigned:
            return self._unsigned[method, target]
        asked = present & SUBRESOURCES
        for row in self.rows.get((method, target), ()):
            if asked <= row.selectors <= present:
                return row
        if asked or (method, target) in self.rows:
            raise NotImplemented_(Resource=", ".join(sorted(asked)) or target)
        allowed = sorted(known for known, place in self.rows if place == target)
        raise MethodNotAllowed(Method=method, ResourceType=target.upper(), Allow=", ".join(allowed))


def names_of(query: Iterable[str]) -> frozenset[str]:
    """What a query names: a presigned URL carries headers in its query, in whatever case its signer liked."""
    return frozenset([name.lower() if name[:6] == "X-Amz-" else name for name in query])


def rows_of(family: object) -> list[Operation]:
    """The Operations among a module's attributes."""
    return [value for value in vars(family).values() if isinstance(value, Operation)]
