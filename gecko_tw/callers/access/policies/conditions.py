"""The ``Condition`` of a statement: operators with what they do when a key is missing, or has several values.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" (missing keys, ``…IfExists``, ``Null``) and "Set operators for
multivalued context keys".
"""

from collections.abc import Iterator
from enum import Enum

from attrs import field, frozen

from gecko_tw.callers.access.policies.condition_keys import claim_key, condition_key
from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.grammar import Dialect, shorten
from gecko_tw.callers.access.policies.operators import OPERATORS, Asked, Holds
from gecko_tw.callers.access.policies.quantities import boolean_of
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.store.records import Json

_IF_EXISTS = "IfExists"


class Quantifier(Enum):
    """How many of a key's values must pass."""

    NONE = ""
    ANY = "ForAnyValue:"
    ALL = "ForAllValues:"


@frozen
class OperatorName:
    """``ForAnyValue:StringNotLikeIfExists``, taken apart."""

    name: str
    if_exists: bool
    quantifier: Quantifier

    def __str__(self) -> str:
        return self.quantifier.value + self.name + (_IF_EXISTS if self.if_exists else "")


@frozen(eq=False)
class Condition:
    """One operator on one key.

    :ivar key: as ``condition_keys`` spells it.
    :ivar values: those of the policy, as texts.
    :ivar keys: the key, and those of the variables in its values.
    :ivar test: of one value, before it is turned round; None for Null.
    :ivar negated: it holds when the test does not.
    :ivar when_missing: whether it holds when the request does not have the key.
    :ivar when_found: whether Null holds when the request has it.
    """

    operator: OperatorName
    key: str
    values: tuple[str, ...]
    keys: frozenset[str]
    test: Holds | None
    negated: bool
    when_missing: bool
    when_found: bool = field(default=False)

    def holds(self, context: RequestContext) -> bool:
        """Whether a request fulfils it."""
        found = context.find(self.key)
        if not found:
            return self.when_missing
        test, negated = self.test, self.negated
        if test is None:
            return self.when_found
        if len(found) == 1:
            return test(found[0], context) is not negated
        if self.operator.quantifier is Quantifier.ALL:
            return all(test(value, context) is not negated for value in found)
        if self.operator.quantifier is Quantifier.ANY:
            return any(test(value, context) is not negated for value in found)
        return any(test(value, context) for value in found) is not negated


def read_conditions(value: Json, place: str, dialect: Dialect) -> tuple[Condition, ...]:
    """Reads the element.

    :raises MalformedPolicy: an operator or a key is unknown, or a value is not what its operator compares.
    """
    if not isinstance(value, dict):
        raise malformed("This policy contains a Condition that is not an object", place, value)
    return tuple(
        _condition(_operator(operator, place), key, values, place, dialect)
        for operator, block in value.items()
        for key, values in _block(block, f"{place}.{shorten(operator)}")
    )


def _block(value: Json, place: str) -> Iterator[tuple[str, Json]]:
    if not isinstance(value, dict) or not value:
        raise malformed("A condition operator needs an object of keys", place, value)
    return iter(value.items())


def _operator(text: str, place: str) -> OperatorName:
    quantifier = next(
        (each for each in (Quantifier.ANY, Quantifier.ALL) if text.startswith(each.value)), Quantifier.NONE
    )
    name = text.removeprefix(quantifier.value)
    if name == "Null" and quantifier is Quantifier.NONE:
        return OperatorName(name, False, quantifier)
    base = name.removesuffix(_IF_EXISTS)
    if base not in OPERATORS:
        raise malformed("Invalid Condition type", place, text)
    return OperatorName(base, base != name, quantifier)


def _condition(operator: OperatorName, key: str, values: Json, place: str, dialect: Dialect) -> Condition:
    place = f"{place}.{operator}.{shorten(key)}"
    known = condition_key(key) or (claim_key(key) if dialect.trust else None)
    if known is None:
        raise malformed("Policy has an invalid condition key", place, key)
    asked = Asked(_values(values, place), place, dialect.variables)
    own = frozenset((known.name,))
    if operator.name == "Null":
        wanted = asked.read(boolean_of, "Invalid boolean in Conditions")
        return Condition(operator, known.name, asked.values, own, None, False, True in wanted, False in wanted)
    make, negated = OPERATORS[operator.name]
    comparison = make(asked)
    return Condition(
        operator,
        known.name,
        asked.values,
        own | comparison.keys,
        comparison.holds,
        negated,
        _when_missing(operator, negated),
    )


def _when_missing(operator: OperatorName, negated: bool) -> bool:
    if operator.if_exists or operator.quantifier is Quantifier.ALL:
        return True
    return negated and operator.quantifier is Quantifier.NONE


def _values(value: Json, place: str) -> tuple[str, ...]:
    """One value or several; numbers and booleans stand for their texts."""
    given = value if isinstance(value, list) else [value]
    if not given or not all(isinstance(each, str | int | float) for each in given):
        raise malformed("A condition needs a value, or a list of values", place, value)
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in given)
