"""Every request of MinIO's administration that is answered is one row, declared beside its function.

Source: the requests that github.com/minio/madmin-go v3 makes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from gecko_tw.admin.ground import Ground
from gecko_tw.admin.rows import Asked, Row, operation_of
from gecko_tw.resources.answers.refusals import MethodNotAllowed, NotImplemented_
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import GET, Operation
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

PREFIX = "/minio"

V3, KMS = "/admin/v3/", "/kms/v1/"
"""Below the prefix: administration, and keys of server-side encryption."""

Query = Mapping[str, tuple[str, ...]]

PLAIN, SEALED = "plain", "sealed"
"""How a body, or an answer, comes: as JSON, or JSON in an encrypted message."""


@frozen(kw_only=True)
class Question:
    """One question.

    :ivar query: all values of each parameter.
    :ivar body: the JSON that came, None when the row takes none.
    """

    ground: Ground
    call: Call
    query: Query = field(factory=dict)
    body: Json = None

    def text(self, name: str, otherwise: str | None = None) -> str:
        """The value of a parameter. Raises InvalidArgument when it is not there, and must be."""
        values = self.query.get(name, ())
        if values and values[0]:
            return values[0]
        if otherwise is None:
            raise InvalidArgument(f"The parameter {name} must be there.", ArgumentName=name)
        return otherwise

    def given(self, name: str, kind: type | tuple[type, ...], otherwise: Json = None) -> Json:
        """A member of the body; ``otherwise`` when it is not there, or null. Raises InvalidArgument when it is of another type."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if value is None:
            return otherwise
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise InvalidArgument(f"The member {name} of the body is of a wrong type.", ArgumentName=name)
        return value

    def ask(self, row: Row, path: Mapping[str, str] | None = None, query: Json = None, body: Json = None) -> Json:
        """What a verb of the admin API answers. Whoever asks was permitted already.

        :raises Refusal: as the verb.
        """
        return row.verb(Asked(ground=self.ground, path=path or {}, query=query or {}, body=body, call=self.call))


Act = Callable[[Question], Json]
"""Does it and answers values, None for an empty body; blocks."""


@frozen(kw_only=True)
class MinioRow:
    """One row.

    :ivar name: unique.
    :ivar path: below ``/minio``.
    :ivar needs: the action that permits it; None when anybody may who has proven to be somebody, and the row looks at who that is.
    :ivar takes: the parameters that it understands.
    :ivar body: PLAIN, SEALED, or "" when it takes none.
    :ivar answers: how it answers.
    :ivar missing: ``User``, ``Group`` or ``Policy``: what is not there when something is not, as codes of refusals name it.
    :ivar changes: whether it is told in the audit log, with the values of its parameters.
    :ivar stream: answers instead of ``act`` when the answer never ends.
    """

    name: str
    method: str
    path: str
    needs: str | None
    act: Act
    takes: frozenset[str] = frozenset()
    body: str = ""
    answers: str = PLAIN
    status: int = 200
    missing: str = ""
    changes: bool = False
    about: str = ""
    stream: Callable[[Call, Question], Awaitable[Any]] | None = None  # an Outcome, as of an Operation
    operation: Operation = field(init=False, eq=False)

    @operation.default
    def _operation(self) -> Operation:
        return operation_of(self.name, self.method, self.needs)


# Any: whatever else a MinioRow says, by its names.
def minio(name: str, method: str, path: str, *takes: str, needs: str | None, **more: Any) -> Callable[[Act], MinioRow]:
    """Declares a row: ``@minio("UserInfo", GET, V3 + "user-info", "accessKey", needs="admin:GetUser", missing="User")``.

    The decorated name becomes the :class:`MinioRow`; the function is its ``act``, and the first line of its docstring tells what it does.
    """

    def declare(act: Act) -> MinioRow:
        about = (act.__doc__ or "").strip().splitlines()[0]
        given = {"changes": method != GET, **more}
        return MinioRow(
            name=name, method=method, path=path, needs=needs, act=act, about=about, takes=frozenset(takes), **given
        )

    return declare


@frozen
class MinioRows:
    """All rows. Raises ValueError when two have the same name, or the same method and path."""

    rows: tuple[MinioRow, ...]

    def __attrs_post_init__(self) -> None:
        for keys in ([row.name for row in self.rows], [(row.method, row.path) for row in self.rows]):
            if len(set(keys)) != len(keys):
                raise ValueError("two rows of MinIO's face have the same name, or answer the same request")

    def resolve(self, method: str, path: bytes) -> MinioRow:
        """The row for a request.

        :param path: raw, below ``/minio``.
        :raises NotImplemented_: there is none of that path.
        :raises MethodNotAllowed: there is, and it has other methods.
        """
        text = path.decode("latin-1")
        found = [row for row in self.rows if row.path == text]
        if not found:
            raise NotImplemented_(f"{PREFIX}{text} is not implemented.")
        for row in found:
            if row.method == method:
                return row
        raise MethodNotAllowed(Method=method, Allow=", ".join(sorted(row.method for row in found)))


def renamed(row: MinioRow, name: str, path: str, **more: Any) -> MinioRow:  # Any: as in minio
    """The same row under a second path, which other versions of clients ask for."""
    return evolve(row, name=name, path=path, **more)


def rows_of(families: Iterable[object]) -> tuple[MinioRow, ...]:
    """The MinioRows among the attributes of some modules, in the order of their names."""
    return tuple(value for family in families for value in vars(family).values() if isinstance(value, MinioRow))
