"""Policy documents: JSON read into frozen values, and written again in one normal form.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; S3 API Reference, PutBucketPolicy.
"""

import json
from collections import Counter
from collections.abc import Sequence

from attrs import field, frozen

from gecko_tw.callers.access.policies.grammar import Dialect, members
from gecko_tw.callers.access.policies.principals import Identities
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.callers.access.policies.statements import Statement, read_statement
from gecko_tw.store.records import Json

SIZE_LIMIT = 20 * 1024
"""Bytes that a document may have."""

_OLD, _NEW = "2008-10-17", "2012-10-17"
_MEMBERS = frozenset(("Version", "Id", "Statement"))
_INVALID_JSON = "This policy contains invalid Json"


@frozen(eq=False)
class Policy:
    """A policy that was found valid.

    :ivar name: what messages call it.
    :ivar text: the document exactly as it was given.
    :ivar id: its Id, or ``""``.
    :ivar keys: all condition keys that its statements may ask for.
    """

    name: str
    text: str = field(repr=False)
    version: str
    id: str
    statements: tuple[Statement, ...]
    keys: frozenset[str] = field(init=False, repr=False)

    @keys.default
    def _keys(self) -> frozenset[str]:
        return frozenset().union(*(statement.keys for statement in self.statements))


def read_bucket_policy(document: bytes | str, bucket: str) -> Policy:
    """Reads the policy of a bucket.

    :raises MalformedPolicy: with the element that is wrong.
    """
    return _read(document, f"bucket policy of {bucket}", bucket)


def read_identity_policy(document: bytes | str, name: str) -> Policy:
    """Reads a policy of users or groups, which names no principals.

    :raises MalformedPolicy: with the element that is wrong.
    """
    return _read(document, f"policy {name}", None)


def read_trust_policy(document: bytes | str, name: str) -> Policy:
    """Reads the policy that says who may assume a role. Source: IAM User Guide, "Roles terms and concepts" (trust policy).

    :raises MalformedPolicy: with the element that is wrong.
    """
    return _read(document, f"trust policy of role {name}", None, trust=True)


def check_principals(policy: Policy, identities: Identities) -> None:
    """Refuses a policy about somebody who is not there: a slip of the pen would allow, or deny, nothing to anybody.

    :param identities: as ``PrincipalSet.strangers``.
    :raises MalformedPolicy: naming the principal.
    """
    for statement in policy.statements:
        principals = statement.principals
        if principals is not None:
            for kind, text in principals.strangers(identities):
                element = "NotPrincipal" if principals.negated else "Principal"
                raise malformed(
                    "Invalid principal in policy", f"Statement[{statement.number - 1}].{element}.{kind}", text
                )


def normal_form(policy: Policy) -> str:
    """A policy as compact JSON: lists everywhere, names as S3 spells them, values as texts."""
    document: dict[str, Json] = {"Version": policy.version}
    if policy.id:
        document["Id"] = policy.id
    document["Statement"] = [_written(statement) for statement in policy.statements]
    return json.dumps(document, separators=(",", ":"))


def _read(document: bytes | str, name: str, bucket: str | None, trust: bool = False) -> Policy:
    text = _text(document)
    given = members(_json(text), "", _MEMBERS)
    version = given.get("Version", _OLD)
    if version not in (_OLD, _NEW):
        raise malformed("The policy must contain a valid version string", "Version", version)
    id_ = given.get("Id", "")
    if not isinstance(id_, str):
        raise malformed("Id must be a string", "Id", id_)
    if "Statement" not in given:
        raise malformed("Missing required field Statement", "")
    dialect = Dialect(variables=version == _NEW, bucket=bucket, trust=trust)
    return Policy(name, text, version, id_, _statements(given["Statement"], dialect))


def _text(document: bytes | str) -> str:
    try:
        if isinstance(document, bytes):
            size, text = len(document), document.decode("utf-8")
        else:
            size, text = len(document.encode("utf-8")), document
    except UnicodeError as error:
        raise malformed(f"{_INVALID_JSON}, it is not UTF-8", "") from error
    if size > SIZE_LIMIT:
        raise malformed("Policy exceeds the maximum allowed document size", "", size)
    return text


def _json(text: str) -> Json:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise malformed(f"{_INVALID_JSON}, {error}", "") from error


def _once(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    """A member that is there twice would be read differently by different programs."""
    found = dict(pairs)
    if len(found) != len(pairs):
        name = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise malformed("Duplicate field", "", name)
    return found


def _refuse_constant(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")


def _statements(value: Json, dialect: Dialect) -> tuple[Statement, ...]:
    given = value if isinstance(value, list) else [value]
    if not given:
        raise malformed("Could not parse the policy: Statement is empty", "Statement")
    places = [f"Statement[{index}]" if isinstance(value, list) else "Statement" for index in range(len(given))]
    found = tuple(
        read_statement(each, index, place, dialect)
        for index, (each, place) in enumerate(zip(given, places, strict=True), 1)
    )
    seen: set[str] = set()
    for place, statement in zip(places, found, strict=True):
        if statement.sid and statement.sid in seen:
            raise malformed("Statement IDs (SID) in a single policy must be unique", f"{place}.Sid", statement.sid)
        seen.add(statement.sid)
    return found


def _written(statement: Statement) -> dict[str, Json]:
    found: dict[str, Json] = {"Sid": statement.sid} if statement.sid else {}
    found["Effect"] = statement.effect
    principals = statement.principals
    if principals is not None:
        element: Json = "*"
        if principals.written != (("", "*"),):
            element = {}
            for kind, text in principals.written:
                element.setdefault(kind, []).append(text)
        found["NotPrincipal" if principals.negated else "Principal"] = element
    for name, part in (("Action", statement.actions), ("Resource", statement.resources)):
        found[("Not" if part.negated else "") + name] = list(part.written)
    conditions: dict[str, dict[str, list[str]]] = {}
    for condition in statement.conditions:
        conditions.setdefault(str(condition.operator), {}).setdefault(condition.key, []).extend(condition.values)
    if conditions:
        found["Condition"] = conditions
    return found
