"""The ``Action`` and ``NotAction`` of a statement: names and patterns, worked out to the set of actions that they mean."""

from functools import lru_cache

from attrs import frozen

from gecko_tw.callers.access.policies.actions import ACTIONS, OTHER_SERVICES, SPELLING
from gecko_tw.callers.access.policies.grammar import Dialect, texts
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.callers.access.policies.templates import read_template
from gecko_tw.callers.access.policies.wildcards import Test, matcher
from gecko_tw.store.records import Json

_INVALID = "Policy has invalid action"


@frozen(eq=False)
class ActionSet:
    """The actions that a statement is about.

    :ivar written: the element's values.
    :ivar negated: it is a NotAction: about all other actions.
    :ivar names: those of ``ACTIONS`` that it is about.
    :ivar tests: each value as a test of lower-case names, for actions that are not in that table: those that a dropin adds, and
        those of other services.
    """

    written: tuple[str, ...]
    negated: bool
    names: frozenset[str]
    tests: tuple[Test, ...]

    def covers(self, action: str) -> bool:
        """Whether the statement is about an action."""
        if action in self.names:
            return True
        if action in ACTIONS:
            return False
        name = action.lower()
        return any(test(name) for test in self.tests) != self.negated


def read_actions(value: Json, place: str, dialect: Dialect, negated: bool = False) -> ActionSet:
    """Reads the element.

    :raises MalformedPolicy: an action is unknown, or a pattern fits none.
    """
    written = texts(value, place, _INVALID)
    names: set[str] = set()
    tests, spelled = [], []
    for text in written:
        test = _test(text)
        meant = meaning(text)
        _check(text, meant, place, dialect)
        names |= meant
        tests.append(test)
        spelled.append(SPELLING.get(text.lower(), text))
    known = frozenset(ACTIONS) - names if negated else frozenset(names)
    return ActionSet(tuple(spelled), negated, known, tuple(tests))


@lru_cache(maxsize=1024)
def meaning(text: str) -> frozenset[str]:
    """The actions of S3 that one value means."""
    name = SPELLING.get(text.lower())
    if name is not None:
        return frozenset((name,))
    test = _test(text)
    return frozenset(name for lower, name in SPELLING.items() if test(lower))


def _test(text: str) -> Test:
    return matcher(read_template(text.lower(), "", variables=False).loosened())


def _check(text: str, meant: frozenset[str], place: str, dialect: Dialect) -> None:
    if dialect.trust and not text.lower().startswith("sts:"):
        raise malformed("AssumeRole policy may only specify STS AssumeRole actions", place, text)
    if text == "*" or meant:
        return
    service, colon, name = text.partition(":")
    plain = name.replace("*", "").replace("?", "")
    elsewhere = dialect.bucket is None and service.lower() in OTHER_SERVICES
    if not (elsewhere and colon and name and (not plain or plain.isalnum() and plain.isascii())):
        raise malformed(_INVALID, place, text)
