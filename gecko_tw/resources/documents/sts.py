"""What the Security Token Service says and hears: forms, and XML of its own.

Source: AWS Security Token Service API Reference, "Common Errors"; AWS General Reference, "Query requests".
"""

from urllib.parse import parse_qsl

from gecko_tw.resources.answers.refusals import ValidationError
from gecko_tw.resources.documents.markup import DECLARATION, element, text, texts
from gecko_tw.store.refusals import Refusal

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

_MOST_PARAMETERS = 200
CODES = {
    "AuthorizationHeaderMalformed": "IncompleteSignature",
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


def response(action: str, content: str, request_id: str) -> bytes:
    """A whole document: the answer to an action, around content that is already XML."""
    metadata = element("ResponseMetadata", text("RequestId", request_id))
    result = element(f"{action}Result", content)
    return _document(f"{action}Response", result + metadata)


def code_of(refusal: Refusal) -> str:
    """What a refusal is called here."""
    return CODES.get(refusal.code, refusal.code)


def error_document(refusal: Refusal, status: int, request_id: str) -> bytes:
    """A refusal as a whole document.

    :param status: the status number that it is sent with.
    """
    told: dict[str, object] = {
        "Type": "Sender" if status < 500 else "Receiver",
        "Code": code_of(refusal),
        "Message": refusal.message,
    }
    return _document("ErrorResponse", element("Error", texts(told)) + text("RequestId", request_id))


def _document(root: str, content: str) -> bytes:
    return DECLARATION + f'<{root} xmlns="{NAMESPACE}">{content}</{root}>'.encode()
