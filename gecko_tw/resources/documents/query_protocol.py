"""What IAM and the Security Token Service say and hear: forms, and XML of their own.

Source: STS and IAM API Reference, "Common Errors"; AWS General Reference, "Query requests".
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen

from gecko_tw.resources.answers.refusals import ValidationError
from gecko_tw.resources.dispatch.operations import IAM, STS
from gecko_tw.resources.documents.markup import DECLARATION, element, escape, text, texts
from gecko_tw.store.refusals import Refusal

NAMESPACES = {STS: "https://sts.amazonaws.com/doc/2011-06-15/", IAM: "https://iam.amazonaws.com/doc/2010-05-08/"}
"""By service."""

_MOST_PARAMETERS = 200
_LONGEST_SHOWN = 64
CODES = {
    "AuthorizationHeaderMalformed": "IncompleteSignature",
    "InvalidArgument": "ValidationError",
    "InvalidTag": "InvalidInput",
    "MalformedPolicy": "MalformedPolicyDocument",
    "InvalidAccessKeyId": "InvalidClientTokenId",
    "InvalidToken": "InvalidClientTokenId",
    "RequestTimeTooSkewed": "SignatureDoesNotMatch",
}
"""What is called otherwise than by S3."""


def parameters_of(document: bytes) -> dict[str, str]:
    """The parameters of a form. Raises ValidationError when it is none, or one is there twice."""
    try:
        pairs = parse_qsl(
            document.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise ValidationError("The body is no form in UTF-8 (application/x-www-form-urlencoded).") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValidationError("A parameter is there more than once.")
    return found


def response(service: str, action: str, content: str | None, request_id: str) -> bytes:
    """A whole document: the answer to an action, around content that is already XML, or none."""
    metadata = element("ResponseMetadata", text("RequestId", request_id))
    result = "" if content is None else element(f"{action}Result", content)
    return _document(service, f"{action}Response", result + metadata)


@frozen
class Entries:
    """A mapping that is written as one: as keys and values."""

    values: Mapping[str, object]


def written(values: Mapping[str, Any]) -> str:  # what the docstring says
    """The elements of a result: texts, numbers, booleans, mappings, Entries, and lists of texts or mappings. None is left out."""
    return "".join(_written(name, value) for name, value in values.items() if value is not None)


def _written(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return element(name, written(value))
    if isinstance(value, Entries):
        pairs = (texts({"key": key, "value": one}) for key, one in value.values.items())
        return element(name, "".join(element("entry", pair) for pair in pairs))
    if isinstance(value, list | tuple):
        return element(name, "".join(element("member", _content(one)) for one in value))
    return text(name, value)


def _content(value: Any) -> str:
    return written(value) if isinstance(value, Mapping) else escape(str(value))


@frozen
class Form:
    """The parameters of a request.

    :ivar values: as they were sent: ``Tags.member.1.Key``.
    """

    values: Mapping[str, str]

    def names(self) -> set[str]:
        """What it names, a list once."""
        return {name.partition(".member.")[0] for name in self.values}

    def get(self, name: str) -> str | None:
        """A text, or None."""
        return self.values.get(name)

    def need(self, name: str) -> str:
        """A text. Raises ValidationError when it is absent or empty."""
        value = self.values.get(name)
        if not value:
            raise ValidationError(f"The parameter {name} must be there.")
        return value

    def number(self, name: str, usual: int, least: int, most: int) -> int:
        """A whole number. Raises ValidationError."""
        value = self.values.get(name)
        if value is None:
            return usual
        if not (value.isascii() and value.isdecimal() and len(value) < 10 and least <= int(value) <= most):
            raise ValidationError(f"{name} must be a number from {least} to {most}.")
        return int(value)

    def flag(self, name: str) -> bool:
        """A boolean; False when it is absent. Raises ValidationError."""
        return self.one_of(name, "false", "true") == "true"

    def one_of(self, name: str, usual: str, *others: str) -> str:
        """One of some words, the first when it is absent. Raises ValidationError."""
        value = self.values.get(name, usual)
        if value != usual and value not in others:
            raise ValidationError(f"{name} must be one of {', '.join((usual, *others))}.")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts. Raises ValidationError when it is numbered otherwise than 1, 2, …"""
        return list(self._numbered(name, ""))

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """A list of tags. Raises ValidationError when one lacks its key or its value, or as :meth:`texts`."""
        found = list(zip(self._numbered(name, ".Key"), self._numbered(name, ".Value"), strict=False))
        if 2 * len(found) != sum(each.startswith(f"{name}.") for each in self.values):
            raise ValidationError(f"{name} must be a list of keys and values.")
        return found

    def _numbered(self, name: str, end: str) -> Iterator[str]:
        there = sum(each.startswith(f"{name}.member.") and each.endswith(end) for each in self.values)
        for number in range(1, there + 1):
            value = self.values.get(f"{name}.member.{number}{end}")
            if value is None:
                raise ValidationError(f"{name} must be a list that is numbered from 1.")
            yield value


def shown(text: str) -> str:
    """What a caller wrote, short enough for a message."""
    return text if 0 < len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…" if text else "(none)"


def code_of(refusal: Refusal) -> str:
    """What a refusal is called here."""
    return CODES.get(refusal.code, refusal.code)


def error_document(service: str, refusal: Refusal, status: int, request_id: str) -> bytes:
    """A refusal as a whole document.

    :param service: IAM or STS.
    :param status: the status number that it is sent with.
    """
    told: dict[str, object] = {
        "Type": "Sender" if status < 500 else "Receiver",
        "Code": code_of(refusal),
        "Message": refusal.message,
    }
    return _document(service, "ErrorResponse", element("Error", texts(told)) + text("RequestId", request_id))


def _document(service: str, root: str, content: str) -> bytes:
    return DECLARATION + f'<{root} xmlns="{NAMESPACES[service]}">{content}</{root}>'.encode()
