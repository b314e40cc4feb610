"""Is a bucket policy public? A policy is, unless everything it allows is allowed to fixed principals, networks or sources.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public".
"""

from gecko_tw.callers.access.policies.conditions import Condition, Quantifier
from gecko_tw.callers.access.policies.documents import Policy
from gecko_tw.callers.access.policies.quantities import network_of
from gecko_tw.callers.access.policies.statements import ALLOW, Statement

_NARROWING = frozenset(
    (
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalOrgID",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceOwner",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "aws:userid",
        "s3:DataAccessPointAccount",
        "s3:DataAccessPointArn",
    )
)
_FIXING = frozenset(("ArnEquals", "ArnLike", "StringEquals", "StringEqualsIgnoreCase", "StringLike"))
_BROADEST = {4: 8, 6: 32}
"""The shortest prefix of a network that is not everybody, by version."""


def is_public(policy: Policy) -> bool:
    """Whether a bucket policy allows anything to everybody."""
    return any(_is_public(statement) for statement in policy.statements)


def _is_public(statement: Statement) -> bool:
    everyone = statement.principals is None or statement.principals.everyone
    return statement.effect == ALLOW and everyone and not any(_narrows(each) for each in statement.conditions)


def _narrows(condition: Condition) -> bool:
    """Whether only requests with one of some fixed values fulfil it."""
    operator = condition.operator
    if operator.if_exists or operator.quantifier is Quantifier.ALL:
        return False
    if condition.key == "aws:SourceIp":
        return operator.name == "IpAddress" and not any(_is_broad(value) for value in condition.values)
    if condition.key not in _NARROWING or operator.name not in _FIXING:
        return False
    # A key's own variables are values of the request, so they fix nothing.
    return len(condition.keys) == 1 and all(_is_fixed(value, condition.key) for value in condition.values)


def _is_fixed(value: str, key: str) -> bool:
    if key == "s3:DataAccessPointArn":
        # Any access point of a fixed account will do.
        value = ":".join(value.split(":", 5)[:5])
    return bool(value) and not any(sign in value for sign in ("*", "?", "${"))


def _is_broad(text: str) -> bool:
    network = network_of(text)
    return network is None or network.prefixlen < _BROADEST[network.version]
