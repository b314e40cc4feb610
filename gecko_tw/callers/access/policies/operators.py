"""The condition operators: each makes a test of one value of the request out of the values in the policy.

Operators that end in ``Not…`` are the same tests; ``conditions`` turns them round.
Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

import operator
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeVar

from attrs import frozen

from gecko_tw.callers.access.policies.arns import arn_pattern, split_arn
from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.quantities import address_of, boolean_of, moment_of, network_of, number_of
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.callers.access.policies.templates import Template, patterns_of, read_template

T = TypeVar("T")

Holds = Callable[[str, RequestContext], bool]


@frozen(eq=False)
class Comparison:
    """What one operator asks of one value. :ivar keys: the condition keys of variables in the policy's values."""

    holds: Holds
    keys: frozenset[str] = frozenset()


@frozen
class Asked:
    """The values of a condition, and where they stand."""

    values: tuple[str, ...]
    place: str
    variables: bool

    def templates(self, wildcards: bool) -> list[Template]:
        """The values as texts with variables."""
        return [read_template(value, self.place, self.variables, wildcards) for value in self.values]

    def read(self, reader: Callable[[str], T | None], reason: str) -> tuple[T, ...]:
        """The values as ``reader`` reads them. :raises MalformedPolicy: it cannot read one."""
        found = []
        for value in self.values:
            read = reader(value)
            if read is None:
                raise malformed(reason, self.place, value)
            found.append(read)
        return tuple(found)


def _strings(asked: Asked, wildcards: bool = False, fold: bool = False) -> Comparison:
    templates = asked.templates(wildcards)
    return Comparison(patterns_of(templates, fold).match, _keys(templates))


def _string_like(asked: Asked) -> Comparison:
    return _strings(asked, wildcards=True)


def _string_ignoring_case(asked: Asked) -> Comparison:
    return _strings(asked, fold=True)


def _arns(asked: Asked) -> Comparison:
    templates = asked.templates(wildcards=True)
    patterns = [arn_pattern(template) for template in templates]
    known = [pattern for pattern in patterns if pattern is not None]
    if len(known) < len(patterns):
        raise malformed("Invalid ARN in Conditions", asked.place, asked.values[patterns.index(None)])

    def holds(value: str, context: RequestContext) -> bool:
        parts = split_arn(value)
        return parts is not None and any(pattern.match(parts, context) for pattern in known)

    return Comparison(holds, _keys(templates))


def _ordered(reader: Callable[[str], Any], compare: Callable[[Any, Any], bool], reason: str) -> "Operator":
    def make(asked: Asked) -> Comparison:
        limits = asked.read(reader, reason)

        def holds(value: str, context: RequestContext) -> bool:
            found = reader(value)
            if found is not None:
                for limit in limits:
                    if compare(found, limit):
                        return True
            return False

        return Comparison(holds)

    return make


def _numeric(compare: Callable[[Any, Any], bool]) -> "Operator":
    return _ordered(number_of, compare, "Invalid number in Conditions")


def _dated(compare: Callable[[Any, Any], bool]) -> "Operator":
    return _ordered(moment_of, compare, "Invalid date in Conditions")


def _binary(asked: Asked) -> Comparison:
    wanted = asked.read(_bytes, "Invalid Base64 in Conditions")
    return Comparison(lambda value, context: value.encode("utf-8", "surrogateescape") in wanted)


def _bytes(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None


def _addresses(asked: Asked) -> Comparison:
    networks: tuple[IPv4Network | IPv6Network, ...] = asked.read(network_of, "Invalid IP address in Conditions")
    masks = tuple((each.version, int(each.netmask), int(each.network_address)) for each in networks)

    def holds(value: str, context: RequestContext) -> bool:
        address = address_of(value)
        if address is None:
            return False
        version, bits = address
        return any(each == version and bits & mask == start for each, mask, start in masks)

    return Comparison(holds)


def _keys(templates: Iterable[Template]) -> frozenset[str]:
    return frozenset().union(*(template.keys for template in templates))


Operator = Callable[[Asked], Comparison]

OPERATORS: dict[str, tuple[Operator, bool]] = {
    "StringEquals": (_strings, False),
    "StringNotEquals": (_strings, True),
    "StringEqualsIgnoreCase": (_string_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_string_ignoring_case, True),
    "StringLike": (_string_like, False),
    "StringNotLike": (_string_like, True),
    "NumericEquals": (_numeric(operator.eq), False),
    "NumericNotEquals": (_numeric(operator.eq), True),
    "NumericLessThan": (_numeric(operator.lt), False),
    "NumericLessThanEquals": (_numeric(operator.le), False),
    "NumericGreaterThan": (_numeric(operator.gt), False),
    "NumericGreaterThanEquals": (_numeric(operator.ge), False),
    "DateEquals": (_dated(operator.eq), False),
    "DateNotEquals": (_dated(operator.eq), True),
    "DateLessThan": (_dated(operator.lt), False),
    "DateLessThanEquals": (_dated(operator.le), False),
    "DateGreaterThan": (_dated(operator.gt), False),
    "DateGreaterThanEquals": (_dated(operator.ge), False),
    "Bool": (_ordered(boolean_of, operator.eq, "Invalid boolean in Conditions"), False),
    "BinaryEquals": (_binary, False),
    "IpAddress": (_addresses, False),
    "NotIpAddress": (_addresses, True),
    "ArnEquals": (_arns, False),
    "ArnLike": (_arns, False),
    "ArnNotEquals": (_arns, True),
    "ArnNotLike": (_arns, True),
}
"""Each operator but Null: what makes its test, and whether it is turned round. Never changed."""
