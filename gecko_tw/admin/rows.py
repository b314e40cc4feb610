"""Every verb of the admin API is one row, declared beside its function: method, path, permission, and the shapes of what goes in and out.

The command line is another face of the same rows: it asks them in an open data directory, or a running daemon over HTTP.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from attrs import field, frozen

from gecko_tw.admin.ground import Ground
from gecko_tw.admin.refusals import NotFound
from gecko_tw.admin.schemas import Schema, members, text
from gecko_tw.resources.answers.refusals import MethodNotAllowed
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import DELETE, GET, Operation
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import PreconditionFailed

ADMIN = "admin"
"""What such a row addresses, as an Operation tells it; the beginning of its name in logs, and of its permission."""

PREFIX = "/api/v1"

NOTHING = object()
"""What a verb returns whose row has an answer, where there is none this time: 204."""


@frozen(kw_only=True)
class Asked:
    """One question, whoever asks.

    :ivar path: values of the path's places, decoded; ``query`` parameters, ``body`` the JSON that came, None when nothing did.
    :ivar call: what asks over HTTP; None for the command line, which may do whatever may be done with the data directory.
    :ivar if_match: the ETag that a document must still have, or None.
    """

    ground: Ground
    path: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, Json] = field(factory=dict)
    body: Json = None
    call: Call | None = None
    if_match: str | None = None

    def given(self, name: str, otherwise: Json = None) -> Json:
        """A member of the body."""
        return otherwise if self.body is None else self.body.get(name, otherwise)

    def check(self, values: Json) -> None:
        """Refuses a change of a document that is not any more what its author has seen. Raises PreconditionFailed.

        :param values: what is answered to whoever asks for it now; to be called inside of the step that changes it.
        """
        if self.if_match is not None and self.if_match not in ("*", etag_of(values)):
            raise PreconditionFailed("The document was changed since it was read.", Condition="If-Match")


def etag_of(values: Json) -> str:
    """The ETag of a document, with its quotes."""
    return f'"{sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]}"'


Verb = Callable[[Asked], Json]
"""Does it and answers values; blocks."""


@frozen(kw_only=True)
class Row:
    """One row.

    :ivar name: unique; what commands ask for.
    :ivar path: below ``/api/v1``, places in braces.
    :ivar needs: the action that permits it; None when anybody may who has proven to be somebody.
    :ivar body: None when it takes none; ``answer`` None when it answers nothing (204).
    :ivar document: whether it answers a document that has an ETag, or changes one, so that If-Match counts.
    :ivar changes: whether it is told in the audit log.
    :ivar stream: answers instead of the verb when the answer never ends: ``async def stream(call, asked) -> Outcome``.
    """

    name: str
    method: str
    path: str
    needs: str | None
    verb: Verb
    query: Schema
    body: Schema | None = None
    answer: Schema | None = None
    status: int = 200
    document: bool = False
    changes: bool = False
    about: str = ""
    stream: Callable[[Call, Asked], Awaitable[Any]] | None = None  # an Outcome, as of an Operation
    operation: Operation = field(init=False, eq=False)

    @operation.default
    def _operation(self) -> Operation:
        return operation_of(self.name, self.method, self.needs)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The path in pieces."""
        return tuple(self.path[1:].split("/"))

    @property
    def places(self) -> dict[str, Schema]:
        """The places in the path with their shapes. A name may be long; all together must fit into a request's head."""
        names = [piece[1:-1] for piece in self.pieces if piece[:1] == "{"]
        return {name: text(1024 if name == "key" else 256, least=1) for name in names}


def operation_of(name: str, method: str, needs: str | None) -> Operation:
    """What logs and metrics name a row by."""
    return Operation(
        name=f"{ADMIN}:{name}",
        method=method,
        target=ADMIN,
        selectors=frozenset(),
        needs=needs,
        body=None,
        perform=_nothing,
    )


async def _nothing(call: Call) -> None:
    """A row is performed by its verb."""


# Any: whatever else a Row says, by its names.
def row(name: str, method: str, path: str, *, needs: str | None, **more: Any) -> Callable[[Verb], Row]:
    """Declares a row: ``@row("GetUser", GET, "/users/{account}/{user}", needs="admin:GetUser", answer=USER)``.

    The decorated name becomes the :class:`Row`; the function is its ``verb``, and the first line of its docstring tells what it does.
    """

    def declare(verb: Verb) -> Row:
        about = (verb.__doc__ or "").strip().splitlines()[0]
        given = {"query": members(), "changes": method != GET, "status": _status(method, more), **more}
        return Row(name=name, method=method, path=path, needs=needs, verb=verb, about=about, **given)

    return declare


# Any: as in row.
def _status(method: str, more: Mapping[str, Any]) -> int:
    return 200 if more.get("answer") is not None else 204


@frozen
class Rows:
    """All rows of a deployment. Raises ValueError when two have the same name, or the same method and path."""

    rows: tuple[Row, ...]

    def __attrs_post_init__(self) -> None:
        for keys in ([row.name for row in self.rows], [(row.method, _shape(row)) for row in self.rows]):
            if len(set(keys)) != len(keys):
                raise ValueError("two rows of the admin API have the same name, or answer the same request")

    def named(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)

    def resolve(self, method: str, path: bytes) -> tuple[Row, dict[str, str]]:
        """The row for a request, and the values of the places in its path; HEAD is answered by GET's.

        :param path: raw, below ``/api/v1``.
        :raises NotFound: there is no such path.
        :raises MethodNotAllowed: there is, and it has other methods.
        """
        pieces = [unquote(piece, errors="surrogateescape") for piece in path.decode("latin-1")[1:].split("/")]
        found = [(row, values) for row in self.rows if (values := _values(row, pieces)) is not None]
        if not found:
            raise NotFound
        literal = min(len(values) for _, values in found)
        same = [(row, values) for row, values in found if len(values) == literal]
        wanted = GET if method == "HEAD" else method
        for row, values in same:
            if row.method == wanted:
                return row, values
        allowed = sorted(
            {row.method for row, _ in same} | ({"HEAD"} if any(row.method == GET for row, _ in same) else set())
        )
        raise MethodNotAllowed(Method=method, Allow=", ".join(allowed))


def _shape(row: Row) -> tuple[str, ...]:
    return tuple("{}" if piece[:1] == "{" else piece for piece in row.pieces)


def _values(row: Row, pieces: list[str]) -> dict[str, str] | None:
    """The values of the places of a row in a path; None when it is another path."""
    own = row.pieces
    if len(own) != len(pieces):
        return None
    values = {}
    for mine, theirs in zip(own, pieces, strict=True):
        if mine[:1] == "{" and theirs:
            values[mine[1:-1]] = theirs
        elif mine != theirs:
            return None
    return values


def rows_of(families: Iterable[object]) -> tuple[Row, ...]:
    """The Rows among the attributes of some modules, in the order of their names."""
    found = [value for family in families for value in vars(family).values() if isinstance(value, Row)]
    return tuple(found)


__all__ = [
    "ADMIN",
    "DELETE",
    "GET",
    "NOTHING",
    "PREFIX",
    "Asked",
    "Row",
    "Rows",
    "etag_of",
    "operation_of",
    "row",
    "rows_of",
]
