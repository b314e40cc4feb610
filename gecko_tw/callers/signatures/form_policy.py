"""The POST policy of browser forms: what a form may contain, signed by whoever handed it out. Pure.

Source: S3 API Reference, "Browser-Based Uploads Using POST", "POST Policy".
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from gecko_tw.callers.refusals import AccessDenied, InvalidPolicyDocument, SignatureDoesNotMatch, UnsupportedSignature
from gecko_tw.callers.signatures.claims import Claim, Place, check_day, read_scope, same
from gecko_tw.callers.signatures.showing import has_secrets, policy_without_secrets
from gecko_tw.callers.signatures.v4 import ALGORITHM, seconds_of, sign, signing_key
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import EntityTooLarge, EntityTooSmall, InvalidArgument

PLACE = Place(InvalidArgument, "Error parsing the X-Amz-Credential field; ")

_REQUIRED = ("policy", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_NEED_NO_CONDITION = {"x-amz-signature", "awsaccesskeyid", "signature", "file", "policy"}


@frozen
class LengthRange:
    """The lengths in bytes that a policy allows for the file. ``longest`` None means any."""

    shortest: int = 0
    longest: int | None = None

    def check(self, size: int) -> None:
        """Raises EntityTooSmall or EntityTooLarge when a whole file of ``size`` bytes is not allowed."""
        if size < self.shortest:
            raise EntityTooSmall(ProposedSize=size, MinSizeAllowed=self.shortest)
        if self.longest is not None and size > self.longest:
            raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=self.longest)

    def narrowed(self, shortest: int, longest: int) -> "LengthRange":
        """What both ranges allow."""
        return LengthRange(
            max(self.shortest, shortest), longest if self.longest is None else min(self.longest, longest)
        )


def form_claim(form: Mapping[str, str], region: str | None) -> Claim | None:
    """The claim of a form; None when the form carries neither a policy nor a signature.

    :param form: fields by lower-case name.
    :param region: the only region accepted, or None.
    :raises InvalidArgument: a field of the signature is missing or malformed.
    """
    if not any(name.lower() in form for name in _REQUIRED):
        return None
    for name in _REQUIRED:
        if not form.get(name.lower()):
            message = f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
            raise InvalidArgument(message, ArgumentName=name, ArgumentValue="")
    if form["x-amz-algorithm"] == "AWS4-ECDSA-P256-SHA256":
        raise UnsupportedSignature(Resource="X-Amz-Algorithm")
    if form["x-amz-algorithm"] != ALGORITHM:
        raise InvalidArgument(f'X-Amz-Algorithm only supports "{ALGORITHM}"', ArgumentName="X-Amz-Algorithm")
    scope = read_scope(form["x-amz-credential"], PLACE, region)
    date = form["x-amz-date"]
    if seconds_of(date) is None:
        raise InvalidArgument(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", ArgumentName="X-Amz-Date"
        )
    check_day(scope, date, PLACE)
    return Claim(scope, date, b"", form["x-amz-signature"])


def verify_form(form: Mapping[str, str], claim: Claim, secret: str) -> None:
    """Raises SignatureDoesNotMatch unless the policy was signed with this secret."""
    policy = form["policy"]
    key = signing_key(secret, claim.scope.day, claim.scope.region)
    if not same(sign(key, policy.encode("utf-8")), claim.signature):
        shown = policy_without_secrets(policy)
        raise SignatureDoesNotMatch(
            AWSAccessKeyId=claim.scope.access_key,
            StringToSign=shown,
            SignatureProvided=claim.signature,
            StringToSignBytes=shown.encode("utf-8").hex(" "),
        )


def check_form(bucket: str, form: Mapping[str, str], now: float) -> LengthRange:
    """Holds a form against its policy and returns the lengths that it allows.

    :param form: fields by lower-case name, ``policy`` among them.
    :param now: seconds since 1970.
    :raises InvalidPolicyDocument: the policy is malformed.
    :raises AccessDenied: it has expired, a condition fails, or a field has no condition.
    """
    document = _document(form["policy"])
    if now >= _expiration(document):
        raise AccessDenied("Invalid according to Policy: Policy expired.")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise InvalidPolicyDocument("Invalid Policy: Policy missing conditions.")
    values = {**form, "bucket": bucket}
    uncovered = {name for name in values if not name.startswith("x-ignore-")} - _NEED_NO_CONDITION
    lengths = LengthRange()
    for condition in conditions:
        operator, name, wanted = _condition(condition)
        if operator == "content-length-range":
            lengths = lengths.narrowed(_length(name, condition), _length(wanted, condition))
            continue
        if not _holds(operator, name, wanted, values):
            raise _failed(condition)
        uncovered.discard(name)
    if uncovered:
        raise AccessDenied(f"Invalid according to Policy: Extra input fields: {', '.join(sorted(uncovered))}")
    return lengths


def _document(policy: str) -> dict[str, Json]:
    try:
        document = json.loads(b64decode("".join(policy.split()), validate=True))
    except (NotBase64, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.")
    return document


def _expiration(document: dict[str, Json]) -> float:
    text = document.get("expiration")
    if text is None:
        raise InvalidPolicyDocument("Invalid Policy: Policy missing expiration.")
    try:
        # Python takes more forms of ISO 8601 than S3 does.
        moment = datetime.fromisoformat(text) if text[10:11] == "T" else None
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidPolicyDocument(f"Invalid Policy: Invalid 'expiration' value: '{text}'")
    return moment.timestamp()


def _condition(condition: Json) -> tuple[str, Json, Json]:
    """Operator, lower-case field name (or shortest length) and wanted value (or longest length).

    :raises InvalidPolicyDocument: it is no condition.
    :raises AccessDenied: it is one that no form can fulfil.
    """
    if isinstance(condition, dict):
        if len(condition) != 1:
            raise InvalidPolicyDocument(
                "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
            )
        ((name, wanted),) = condition.items()
        if not isinstance(wanted, str):
            raise InvalidPolicyDocument("Invalid Policy: Invalid Simple-Condition: value must be a string.")
        return "eq", name.lower(), wanted
    if not isinstance(condition, list) or len(condition) != 3 or not isinstance(condition[0], str):
        raise _malformed(condition)
    operator, name, wanted = condition[0].lower(), condition[1], condition[2]
    if operator in ("eq", "starts-with"):
        if not (isinstance(name, str) and isinstance(wanted, str)):
            raise _malformed(condition)
        if not name.startswith("$"):
            raise _failed(condition)  # a form has no such field
        return operator, name[1:].lower(), wanted
    if operator != "content-length-range":
        raise _malformed(condition)
    return operator, name, wanted


def _length(value: Json, condition: Json) -> int:
    if isinstance(value, str):
        if value.isascii() and value.isdecimal() and len(value) < 19:
            return int(value)
        raise _failed(condition)  # no length is within it
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _malformed(condition)


def _holds(operator: str, name: str, wanted: str, values: Mapping[str, str]) -> bool:
    value = values.get(name)
    if value is None or operator == "eq":
        return value == wanted
    if name == "content-type":
        return all(each.strip().startswith(wanted) for each in value.split(","))
    return value.startswith(wanted)


def _malformed(condition: Json) -> InvalidPolicyDocument:
    return InvalidPolicyDocument(f"Invalid Policy: Invalid condition: {_shown(condition)}")


def _failed(condition: Json) -> AccessDenied:
    return AccessDenied(f"Invalid according to Policy: Policy Condition failed: {_shown(condition)}")


def _shown(condition: Json) -> str:
    text = json.dumps(condition)
    return '"***"' if has_secrets(text.lower().encode()) else text
