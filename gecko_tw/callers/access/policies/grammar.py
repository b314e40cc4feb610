"""The few things that every element of a policy document is made of, and what its version and kind allow."""

import json

from attrs import frozen

from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.store.records import Json


@frozen
class Dialect:
    """What is allowed in a document.

    :ivar variables: its version has policy variables.
    :ivar bucket: the bucket that it belongs to; None for the policies of users, groups and roles.
    :ivar trust: it says who may assume a role: it names principals and no resources.
    """

    variables: bool
    bucket: str | None = None
    trust: bool = False


def texts(value: Json, place: str, reason: str) -> tuple[str, ...]:
    """One text, or several in a list.

    :param reason: of the refusal when it is neither, or an empty list.
    """
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(text, str) for text in found):
        raise malformed(reason, place, value)
    return tuple(found)


def members(value: Json, place: str, allowed: frozenset[str]) -> dict[str, Json]:
    """An object that has no other members than those allowed."""
    if not isinstance(value, dict):
        raise malformed("This policy contains an element that is not an object", place, value)
    for name in value:
        if name not in allowed:
            raise malformed("Unknown field", f"{place}.{shorten(name)}" if place else shorten(name))
    return value


def one_of(statement: dict[str, Json], name: str, place: str) -> tuple[str, Json]:
    """The element ``name`` or its opposite ``Not…``, of which a statement must have exactly one: which one, and its value."""
    opposite = f"Not{name}"
    if name in statement and opposite in statement:
        raise malformed(f"Statement has both {name} and {opposite}", place)
    if opposite in statement:
        return opposite, statement[opposite]
    if name not in statement:
        raise malformed(f"Missing required field {name}", place)
    return name, statement[name]


def shorten(name: str) -> str:
    """A member's name, fit for an error message."""
    return json.dumps(name)[1:-1][:40]
